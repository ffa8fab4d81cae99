//! A column whose rows are integers, text or bytes, each written out or the place of one in a dictionary.

use arrow_array::{
    Array, ArrayRef, ArrowPrimitiveType,
    cast::AsArray,
    types::{
        Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
    },
};
use arrow_schema::{DataType, Field};
use arrow_select::take::take;

use super::{guard::guarded, vectors::first_null};
use crate::{error::Problem, keys::Keys};

/// The column of keys.
pub(super) struct KeyColumn {
    name: String,
    /// The type of the keys themselves, also where they are in a dictionary.
    values: DataType,
    empty: Keys,
}

impl KeyColumn {
    pub(super) fn new(field: &Field) -> Result<Self, Problem> {
        let name = field.name().clone();
        let values = match field.data_type() {
            DataType::Dictionary(_, values) => &**values,
            plain => plain,
        };
        let Some(empty) = empty(values) else {
            let (found, wanted) = (field.data_type().to_string(), "integers, text or bytes");
            return Err(Problem::ColumnType { column: name, found, wanted });
        };
        let values = values.clone();
        Ok(Self { name, values, empty })
    }

    /// No keys, of the kind of its own.
    pub(super) fn empty(&self) -> Keys {
        self.empty.clone()
    }

    /// Appends the keys of all rows; `first` is the number of the first one.
    pub(super) fn append(
        &self,
        column: &ArrayRef,
        first: u64,
        keys: &mut Keys,
    ) -> Result<(), Problem> {
        let column = &match column.as_any_dictionary_opt() {
            Some(coded) => guarded(|| Ok(take(coded.values(), coded.keys(), None)?))?,
            None => column.clone(),
        };
        // Nobody else compares a dictionary with what the schema says of it.
        if *column.data_type() != self.values {
            let (name, found) = (&self.name, column.data_type());
            let text =
                format!("the dictionary of column `{name}` holds {found}, not {}", self.values);
            return Err(Problem::Container(text.into()));
        }
        if let Some(at) = first_null(column) {
            return Err(Problem::Null { column: self.name.clone(), row: first + at as u64 });
        }
        match (keys, column.data_type()) {
            (Keys::Signed(keys), DataType::Int8) => extend::<Int8Type, _>(keys, column),
            (Keys::Signed(keys), DataType::Int16) => extend::<Int16Type, _>(keys, column),
            (Keys::Signed(keys), DataType::Int32) => extend::<Int32Type, _>(keys, column),
            (Keys::Signed(keys), _) => extend::<Int64Type, _>(keys, column),
            (Keys::Unsigned(keys), DataType::UInt8) => extend::<UInt8Type, _>(keys, column),
            (Keys::Unsigned(keys), DataType::UInt16) => extend::<UInt16Type, _>(keys, column),
            (Keys::Unsigned(keys), DataType::UInt32) => extend::<UInt32Type, _>(keys, column),
            (Keys::Unsigned(keys), _) => extend::<UInt64Type, _>(keys, column),
            (Keys::Text(keys), DataType::Utf8) => owned(keys, column.as_string::<i32>().iter()),
            (Keys::Text(keys), DataType::LargeUtf8) => {
                owned(keys, column.as_string::<i64>().iter());
            }
            (Keys::Text(keys), _) => owned(keys, column.as_string_view().iter()),
            (Keys::Bytes(keys), DataType::Binary) => owned(keys, column.as_binary::<i32>().iter()),
            (Keys::Bytes(keys), DataType::LargeBinary) => {
                owned(keys, column.as_binary::<i64>().iter());
            }
            (Keys::Bytes(keys), DataType::FixedSizeBinary(_)) => {
                owned(keys, column.as_fixed_size_binary().iter());
            }
            (Keys::Bytes(keys), _) => owned(keys, column.as_binary_view().iter()),
        }
        Ok(())
    }
}

/// No keys, of the kind that these values are read as.
fn empty(values: &DataType) -> Option<Keys> {
    use DataType::{
        Binary, BinaryView, FixedSizeBinary, Int8, Int16, Int32, Int64, LargeBinary, LargeUtf8,
        UInt8, UInt16, UInt32, UInt64, Utf8, Utf8View,
    };
    Some(match values {
        Int8 | Int16 | Int32 | Int64 => Keys::Signed(Vec::new()),
        UInt8 | UInt16 | UInt32 | UInt64 => Keys::Unsigned(Vec::new()),
        Utf8 | LargeUtf8 | Utf8View => Keys::Text(Vec::new()),
        Binary | LargeBinary | BinaryView | FixedSizeBinary(_) => Keys::Bytes(Vec::new()),
        _ => return None,
    })
}

fn extend<T: ArrowPrimitiveType, K: From<T::Native>>(keys: &mut Vec<K>, column: &ArrayRef) {
    keys.extend(column.as_primitive::<T>().values().iter().map(|key| K::from(*key)));
}

/// Appends keys of which none is null.
fn owned<'a, T: ToOwned + ?Sized + 'a>(
    keys: &mut Vec<T::Owned>,
    found: impl Iterator<Item = Option<&'a T>>,
) {
    keys.extend(found.flatten().map(T::to_owned));
}
