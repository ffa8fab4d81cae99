//! A matrix as a file holds it: rows of one element kind, not yet prepared for any metric.

use std::fmt;

use half::f16;

/// What the elements of a file are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the kinds name themselves")]
pub enum Kind {
    F64,
    F32,
    F16,
    U8,
    I8,
    I32,
    I64,
}

impl Kind {
    /// Its name in messages: `"f32"`, `"u8"` …
    pub fn name(self) -> &'static str {
        match self {
            Self::F64 => "f64",
            Self::F32 => "f32",
            Self::F16 => "f16",
            Self::U8 => "u8",
            Self::I8 => "i8",
            Self::I32 => "i32",
            Self::I64 => "i64",
        }
    }

    /// Bytes of an element.
    pub fn size(self) -> usize {
        match self {
            Self::F64 | Self::I64 => 8,
            Self::F32 | Self::I32 => 4,
            Self::F16 => 2,
            Self::U8 | Self::I8 => 1,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// `rows` rows of `dim` elements, row after row.
///
/// ```
/// use nearfield_files::{Kind, Matrix, Values};
///
/// let matrix = Matrix::new(2, Values::U8(vec![1, 2, 3, 4, 5, 6]));
/// assert_eq!((matrix.rows(), matrix.dim(), matrix.values().kind()), (3, 2, Kind::U8));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Matrix {
    rows: usize,
    dim: usize,
    values: Values,
}

/// The elements of a [`Matrix`], by kind.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "the kinds name themselves")]
pub enum Values {
    F64(Vec<f64>),
    F32(Vec<f32>),
    F16(Vec<f16>),
    U8(Vec<u8>),
    I8(Vec<i8>),
    I32(Vec<i32>),
    I64(Vec<i64>),
}

/// Runs one expression for whichever vector a [`Values`] holds.
macro_rules! each_kind {
    ($values:expr, $vector:ident => $body:expr) => {
        match $values {
            Values::F64($vector) => $body,
            Values::F32($vector) => $body,
            Values::F16($vector) => $body,
            Values::U8($vector) => $body,
            Values::I8($vector) => $body,
            Values::I32($vector) => $body,
            Values::I64($vector) => $body,
        }
    };
}
pub(crate) use each_kind;

impl Matrix {
    /// A matrix over `values`, row after row.
    ///
    /// # Panics
    /// When `dim` is 0 or does not divide the number of values.
    pub fn new(dim: usize, values: Values) -> Self {
        assert!(dim > 0, "a matrix needs at least one dimension");
        assert!(
            values.len().is_multiple_of(dim),
            "{} values are not a whole number of rows of {dim}",
            values.len()
        );
        Self { rows: values.len() / dim, dim, values }
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Elements in a row.
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// All elements, row after row.
    pub fn values(&self) -> &Values {
        &self.values
    }

    /// All elements, row after row, given away.
    pub fn into_values(self) -> Values {
        self.values
    }

    /// The first `rows` rows, or all where there are fewer.
    pub fn truncated(mut self, rows: usize) -> Self {
        self.rows = self.rows.min(rows);
        each_kind!(&mut self.values, v => v.truncate(self.rows * self.dim));
        self
    }
}

impl Values {
    /// No elements of a kind.
    pub fn empty(kind: Kind) -> Self {
        match kind {
            Kind::F64 => Self::F64(Vec::new()),
            Kind::F32 => Self::F32(Vec::new()),
            Kind::F16 => Self::F16(Vec::new()),
            Kind::U8 => Self::U8(Vec::new()),
            Kind::I8 => Self::I8(Vec::new()),
            Kind::I32 => Self::I32(Vec::new()),
            Kind::I64 => Self::I64(Vec::new()),
        }
    }

    /// Number of elements.
    pub fn len(&self) -> usize {
        each_kind!(self, v => v.len())
    }

    /// Whether there is no element.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What they are.
    pub fn kind(&self) -> Kind {
        match self {
            Self::F64(_) => Kind::F64,
            Self::F32(_) => Kind::F32,
            Self::F16(_) => Kind::F16,
            Self::U8(_) => Kind::U8,
            Self::I8(_) => Kind::I8,
            Self::I32(_) => Kind::I32,
            Self::I64(_) => Kind::I64,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn truncation_keeps_whole_rows_in_front() {
        let matrix = Matrix::new(2, Values::U8(vec![1, 2, 3, 4, 5, 6]));
        let cut = matrix.clone().truncated(2);
        assert_eq!((cut.rows(), cut.values()), (2, &Values::U8(vec![1, 2, 3, 4])));
        assert_eq!(matrix.clone().truncated(9), matrix);
    }

    #[test]
    #[should_panic(expected = "5 values are not a whole number of rows of 2")]
    fn a_broken_row_panics() {
        let _ = Matrix::new(2, Values::I8(vec![0; 5]));
    }
}
