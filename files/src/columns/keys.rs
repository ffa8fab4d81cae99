//! A column whose rows are integers or text.

use arrow_array::{
    ArrayRef, ArrowPrimitiveType,
    cast::AsArray,
    types::{
        Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
    },
};
use arrow_schema::{DataType, Field};

use super::vectors::first_null;
use crate::{error::Problem, keys::Keys};

/// The column of keys.
pub(super) struct KeyColumn {
    name: String,
    empty: Keys,
}

impl KeyColumn {
    pub(super) fn new(field: &Field) -> Result<Self, Problem> {
        use DataType::{
            Int8, Int16, Int32, Int64, LargeUtf8, UInt8, UInt16, UInt32, UInt64, Utf8, Utf8View,
        };
        let name = field.name().clone();
        let empty = match field.data_type() {
            Int8 | Int16 | Int32 | Int64 => Keys::Signed(Vec::new()),
            UInt8 | UInt16 | UInt32 | UInt64 => Keys::Unsigned(Vec::new()),
            Utf8 | LargeUtf8 | Utf8View => Keys::Text(Vec::new()),
            other => {
                let (found, wanted) = (other.to_string(), "integers or text");
                return Err(Problem::ColumnType { column: name, found, wanted });
            }
        };
        Ok(Self { name, empty })
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
            (Keys::Text(keys), DataType::Utf8) => texts(keys, column.as_string::<i32>().iter()),
            (Keys::Text(keys), DataType::LargeUtf8) => {
                texts(keys, column.as_string::<i64>().iter());
            }
            (Keys::Text(keys), _) => texts(keys, column.as_string_view().iter()),
        }
        Ok(())
    }
}

fn extend<T: ArrowPrimitiveType, K: From<T::Native>>(keys: &mut Vec<K>, column: &ArrayRef) {
    keys.extend(column.as_primitive::<T>().values().iter().map(|key| K::from(*key)));
}

/// Texts of which none is null.
fn texts<'a>(keys: &mut Vec<String>, texts: impl Iterator<Item = Option<&'a str>>) {
    keys.extend(texts.flatten().map(str::to_owned));
}
