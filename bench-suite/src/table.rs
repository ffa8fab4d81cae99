//! Rows as the kernels take them, and the ways there: converting, normalising, packing bits.

use half::{bf16, f16};
use nearfield_files::{
    Kind, Matrix, Values,
    convert::{Converted, DoesNotFit, FromNumber, convert},
};
use nearfield_kernels::{Element, Metric, NotNormalizable, Rows, normalize};

/// Rows of `dim` elements, ready for a kernel.
#[derive(Clone, Debug, PartialEq)]
pub struct Table<E> {
    dim: usize,
    values: Vec<E>,
}

impl<E> Table<E> {
    /// A table over `values`, row after row.
    ///
    /// # Panics
    /// When `dim` is 0 or does not divide the number of values.
    pub fn new(dim: usize, values: Vec<E>) -> Self {
        assert!(dim > 0, "rows need at least one dimension");
        assert!(values.len().is_multiple_of(dim), "{} values in rows of {dim}", values.len());
        Self { dim, values }
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.values.len() / self.dim
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Elements in a row.
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// Row `i`.
    ///
    /// # Panics
    /// When there are fewer rows.
    pub fn row(&self, i: usize) -> &[E] {
        &self.values[i * self.dim..][..self.dim]
    }

    /// All elements, row after row.
    pub fn values(&self) -> &[E] {
        &self.values
    }

    /// All rows, as a kernel takes them.
    pub fn rows(&self) -> Rows<'_, E> {
        Rows::new(&self.values, self.dim)
    }

    /// Keeps the first `rows` rows.
    pub fn truncate(&mut self, rows: usize) {
        self.values.truncate(rows.saturating_mul(self.dim));
    }
}

/// An element type that rows of a file can be turned into for a metric.
pub trait Prepare: Element {
    /// Dimensions that one column of a file stands for.
    const PER_COLUMN: usize = 1;

    /// Turns a file's rows into rows for `metric`.
    ///
    /// # Errors
    /// [`PrepareError`] where that makes no sense.
    fn prepare(matrix: Matrix, metric: Metric) -> Result<Prepared<Self>, PrepareError>;
}

/// Rows for a metric.
#[derive(Clone, Debug, PartialEq)]
pub struct Prepared<E> {
    /// The rows.
    pub table: Table<E>,
    /// Whether a number of the file had to be rounded, so that what is nearest may have changed.
    pub is_rounded: bool,
}

/// Floats: every kind widens, and rows for the cosine get length 1.
impl Prepare for f32 {
    fn prepare(matrix: Matrix, metric: Metric) -> Result<Prepared<Self>, PrepareError> {
        let mut prepared = converted(matrix)?;
        if metric == Metric::Cosine {
            normalise(&mut prepared.table)?;
        }
        Ok(prepared)
    }
}

/// The others: as they are, for every metric; an index stores them so.
macro_rules! prepare {
    ($($element:ty)*) => {$(
        impl Prepare for $element {
            fn prepare(matrix: Matrix, _metric: Metric) -> Result<Prepared<Self>, PrepareError> {
                converted(matrix)
            }
        }
    )*};
}

prepare! { f16 bf16 i8 u8 }

/// Packed bits: bytes as they lie in the file.
impl Prepare for u64 {
    const PER_COLUMN: usize = 8;

    fn prepare(matrix: Matrix, metric: Metric) -> Result<Prepared<Self>, PrepareError> {
        Ok(Prepared { table: packed(&matrix, metric)?, is_rounded: false })
    }
}

/// Why rows cannot be prepared for a metric.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PrepareError {
    /// A number that the element type does not have.
    #[error(transparent)]
    DoesNotFit(#[from] DoesNotFit),
    /// A row without a direction.
    #[error("row {row}: {why}")]
    NoDirection {
        /// The row, counted from 0.
        row: usize,
        /// Why it has none.
        why: NotNormalizable,
    },
    /// Bits come packed in bytes and in nothing else.
    #[error("metric `{metric}` takes packed bits, that is u8 (.u8bin); these are {kind}")]
    NotBits {
        /// The metric asked for.
        metric: Metric,
        /// The kind of element that the file has.
        kind: Kind,
    },
}

fn converted<E: FromNumber>(matrix: Matrix) -> Result<Prepared<E>, PrepareError> {
    let dim = matrix.dim();
    let Converted { values, is_rounded } = convert(matrix)?;
    Ok(Prepared { table: Table::new(dim, values), is_rounded })
}

/// Scales every row to length 1.
///
/// # Errors
/// [`PrepareError::NoDirection`] for the first row that is zero or not finite.
pub fn normalise(table: &mut Table<f32>) -> Result<(), PrepareError> {
    for (row, values) in table.values.chunks_exact_mut(table.dim).enumerate() {
        normalize(values).map_err(|why| PrepareError::NoDirection { row, why })?;
    }
    Ok(())
}

/// Bytes of packed bits as words: byte *i* of a row is byte *i mod 8* of word *i / 8*, lowest
/// first, and the last word is filled up with zeros.
fn packed(matrix: &Matrix, metric: Metric) -> Result<Table<u64>, PrepareError> {
    let Values::U8(bytes) = matrix.values() else {
        return Err(PrepareError::NotBits { metric, kind: matrix.values().kind() });
    };
    let words = bytes.chunks_exact(matrix.dim()).flat_map(|row| {
        row.chunks(8).map(|bytes| {
            let mut word = [0; 8];
            word[..bytes.len()].copy_from_slice(bytes);
            u64::from_le_bytes(word)
        })
    });
    Ok(Table::new(matrix.dim().div_ceil(8), words.collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_floats_are_normalised_for_the_cosine() {
        let matrix = || Matrix::new(2, Values::U8(vec![3, 4]));
        let floats = f32::prepare(matrix(), Metric::Cosine).unwrap();
        assert_eq!(floats.table.values(), [0.6, 0.8]);
        let bytes = u8::prepare(matrix(), Metric::Cosine).unwrap();
        assert_eq!(bytes.table.values(), [3, 4]);
        let halves = f16::prepare(matrix(), Metric::Cosine).unwrap();
        assert_eq!(halves.table.values(), [3.0, 4.0].map(f16::from_f32));
    }

    #[test]
    fn rows_are_normalised_one_by_one_and_one_without_direction_is_named() {
        let mut table = Table::new(2, vec![3.0, -4.0, 0.0, 1e-30]);
        normalise(&mut table).unwrap();
        assert_eq!(table.values(), [0.6, -0.8, 0.0, 1.0]);
        for (bad, why) in [(0.0, NotNormalizable::Zero), (f32::NAN, NotNormalizable::NotFinite)] {
            let mut table = Table::new(1, vec![1.0, bad, 1.0]);
            let error = normalise(&mut table);
            assert_eq!(error, Err(PrepareError::NoDirection { row: 1, why }));
        }
    }

    #[test]
    fn bits_fill_words_from_the_lowest_byte_and_zeros_fill_the_rest() {
        let bytes: Vec<u8> = (1..=18).collect();
        let bits = u64::prepare(Matrix::new(9, Values::U8(bytes)), Metric::Hamming).unwrap();
        assert_eq!(
            bits.table,
            Table::new(2, vec![0x0807_0605_0403_0201, 0x09, 0x1110_0f0e_0d0c_0b0a, 0x12])
        );
        let floats = Matrix::new(1, Values::F32(vec![1.0]));
        let error = u64::prepare(floats, Metric::Jaccard).unwrap_err();
        assert!(error.to_string().contains("`jaccard`") && error.to_string().contains("f32"));
    }
}
