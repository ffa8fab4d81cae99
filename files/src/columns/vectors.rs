//! A column whose rows are lists of numbers of one length.

use arrow_array::{
    Array, ArrayRef, ArrowPrimitiveType, GenericListArray, GenericListViewArray, OffsetSizeTrait,
    UInt64Array,
    cast::AsArray,
    types::{
        Float16Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
        UInt8Type, UInt16Type, UInt32Type, UInt64Type,
    },
};
use arrow_schema::{DataType, Field};
use arrow_select::take::take;

use super::guard::guarded;
use crate::{
    error::Problem,
    matrix::{Kind, Values},
};

/// What is read; integers that are no [`Kind`] become those of the next wider one that is signed.
pub(super) const WANTED: &str = "lists of floats or integers";

/// The column of vectors.
pub(super) struct VectorColumn {
    name: String,
    pub(super) kind: Kind,
    /// Elements of a row, once they are known.
    pub(super) dim: Option<usize>,
}

impl VectorColumn {
    pub(super) fn new(field: &Field) -> Result<Self, Problem> {
        let name = field.name().clone();
        let Some(kind) = elements(field.data_type()) else {
            let found = field.data_type().to_string();
            return Err(Problem::ColumnType { column: name, found, wanted: WANTED });
        };
        let dim = match field.data_type() {
            DataType::FixedSizeList(_, dim) if *dim <= 0 => return Err(no_dimensions(*dim)),
            DataType::FixedSizeList(_, dim) => Some(*dim as usize),
            _ => None,
        };
        Ok(Self { name, kind, dim })
    }

    /// The dimension of the first row of the file, which there is.
    pub(super) fn first_dim(&self, lists: &ArrayRef) -> Result<usize, Problem> {
        self.no_null(lists, 0)?;
        let dim = match lists.data_type() {
            DataType::List(_) => lists.as_list::<i32>().value_length(0) as usize,
            DataType::LargeList(_) => lists.as_list::<i64>().value_length(0) as usize,
            DataType::ListView(_) => lists.as_list_view::<i32>().value_size(0) as usize,
            _ => lists.as_list_view::<i64>().value_size(0) as usize,
        };
        if dim == 0 { Err(no_dimensions(0)) } else { Ok(dim) }
    }

    /// Appends the elements of all lists; `first` is the number of the first row.
    pub(super) fn append(
        &self,
        lists: &ArrayRef,
        first: u64,
        values: &mut Values,
    ) -> Result<(), Problem> {
        self.no_null(lists, first)?;
        let elements = match lists.data_type() {
            DataType::FixedSizeList(..) => lists.as_fixed_size_list().values().clone(),
            DataType::List(_) => self.even(lists.as_list::<i32>(), first)?,
            DataType::LargeList(_) => self.even(lists.as_list::<i64>(), first)?,
            DataType::ListView(_) => self.gathered(lists.as_list_view::<i32>(), first)?,
            _ => self.gathered(lists.as_list_view::<i64>(), first)?,
        };
        if let Some(at) = first_null(&elements) {
            return Err(self.null(first + (at / self.dim.unwrap_or(1)) as u64));
        }
        match (values, elements.data_type()) {
            (Values::F64(values), _) => extend::<Float64Type>(values, &elements),
            (Values::F32(values), _) => extend::<Float32Type>(values, &elements),
            (Values::F16(values), _) => extend::<Float16Type>(values, &elements),
            (Values::U8(values), _) => extend::<UInt8Type>(values, &elements),
            (Values::I8(values), _) => extend::<Int8Type>(values, &elements),
            (Values::I32(values), DataType::Int16) => widen::<Int16Type, _>(values, &elements),
            (Values::I32(values), DataType::UInt16) => widen::<UInt16Type, _>(values, &elements),
            (Values::I32(values), _) => extend::<Int32Type>(values, &elements),
            (Values::I64(values), DataType::UInt32) => widen::<UInt32Type, _>(values, &elements),
            (Values::I64(values), DataType::UInt64) => self.signed(values, &elements, first)?,
            (Values::I64(values), _) => extend::<Int64Type>(values, &elements),
        }
        Ok(())
    }

    /// Appends integers that are small enough to have a sign.
    fn signed(
        &self,
        values: &mut Vec<i64>,
        elements: &ArrayRef,
        first: u64,
    ) -> Result<(), Problem> {
        let dim = self.dim.unwrap_or(1);
        for (at, value) in elements.as_primitive::<UInt64Type>().values().iter().enumerate() {
            values.push(i64::try_from(*value).map_err(|_| Problem::DoesNotFit {
                row: first + (at / dim) as u64,
                column: (at % dim) as u64,
                value: value.to_string(),
            })?);
        }
        Ok(())
    }

    /// The elements of lists that must all have the dimension, one behind the other.
    fn even<O: OffsetSizeTrait>(
        &self,
        lists: &GenericListArray<O>,
        first: u64,
    ) -> Result<ArrayRef, Problem> {
        let offsets = lists.value_offsets();
        self.all_even(offsets.windows(2).map(|ends| (ends[1] - ends[0]).as_usize()), first)?;
        let (start, end) = (offsets[0].as_usize(), offsets[lists.len()].as_usize());
        Ok(lists.values().slice(start, end - start))
    }

    /// The elements of lists that lie anywhere and must all have the dimension, in the order of the lists.
    fn gathered<O: OffsetSizeTrait>(
        &self,
        lists: &GenericListViewArray<O>,
        first: u64,
    ) -> Result<ArrayRef, Problem> {
        self.all_even(lists.value_sizes().iter().map(|size| size.as_usize()), first)?;
        let dim = self.dim.unwrap_or(0) as u64;
        let starts = lists.value_offsets().iter().map(|start| start.as_usize() as u64);
        let places = UInt64Array::from_iter_values(starts.flat_map(|start| start..start + dim));
        guarded(|| Ok(take(lists.values(), &places, None)?))
    }

    fn all_even(&self, dims: impl Iterator<Item = usize>, first_row: u64) -> Result<(), Problem> {
        let first = self.dim.unwrap_or(0);
        let odd = dims.enumerate().find(|(_, dim)| *dim != first);
        odd.map_or(Ok(()), |(row, dim)| {
            let (column, row) = (self.name.clone(), first_row + row as u64);
            Err(Problem::RaggedColumn { column, row, dim, first })
        })
    }

    fn no_null(&self, lists: &ArrayRef, first: u64) -> Result<(), Problem> {
        first_null(lists).map_or(Ok(()), |at| Err(self.null(first + at as u64)))
    }

    fn null(&self, row: u64) -> Problem {
        Problem::Null { column: self.name.clone(), row }
    }
}

/// Whether a column of this type can be one of vectors.
pub(super) fn holds_vectors(column: &DataType) -> bool {
    elements(column).is_some()
}

/// What the lists of a column are made of.
fn elements(column: &DataType) -> Option<Kind> {
    let (DataType::FixedSizeList(field, _)
    | DataType::List(field)
    | DataType::LargeList(field)
    | DataType::ListView(field)
    | DataType::LargeListView(field)) = column
    else {
        return None;
    };
    Some(match field.data_type() {
        DataType::Float64 => Kind::F64,
        DataType::Float32 => Kind::F32,
        DataType::Float16 => Kind::F16,
        DataType::UInt8 => Kind::U8,
        DataType::Int8 => Kind::I8,
        DataType::Int16 | DataType::UInt16 | DataType::Int32 => Kind::I32,
        DataType::UInt32 | DataType::UInt64 | DataType::Int64 => Kind::I64,
        _ => return None,
    })
}

fn no_dimensions(dim: i32) -> Problem {
    Problem::RowLength { row: 0, dim }
}

/// The place of the first null.
pub(super) fn first_null(array: &ArrayRef) -> Option<usize> {
    if array.null_count() == 0 {
        return None;
    }
    (0..array.len()).find(|at| array.is_null(*at))
}

fn extend<T: ArrowPrimitiveType>(values: &mut Vec<T::Native>, elements: &ArrayRef) {
    values.extend_from_slice(elements.as_primitive::<T>().values());
}

fn widen<T, W>(values: &mut Vec<W>, elements: &ArrayRef)
where
    T: ArrowPrimitiveType,
    W: From<T::Native>,
{
    values.extend(elements.as_primitive::<T>().values().iter().map(|value| W::from(*value)));
}
