//! Why vectors are refused.

use std::{fmt, io};

use nearfield_kernels::Unsupported;

/// What is wrong with one vector.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum InvalidVector {
    /// An element is NaN or infinite.
    NotFinite {
        /// Its place in the vector.
        position: usize,
        /// The element.
        value: f32,
    },
    /// The squared norm is above `f32::MAX / 8` (4.25e37: a norm of 6.5e18), so a distance to it could
    /// overflow. Under the cosine, which scales, it is accepted.
    NormOverflow {
        /// The squared norm, infinite where it overflows itself.
        squared_norm: f32,
    },
    /// The vector is not zero, but its squared norm is below `f32::MIN_POSITIVE` (1.18e-38: a norm of
    /// 1.08e-19): squares and products of its elements would vanish, and distances be 0 that are not.
    /// Under the cosine, which scales, it is accepted; the Manhattan distance has no squares.
    NormUnderflow {
        /// The squared norm, zero where it underflows itself.
        squared_norm: f32,
    },
    /// All elements are zero: it has no direction, and the cosine is undefined.
    ZeroVector,
}

impl fmt::Display for InvalidVector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFinite { position, value } => {
                write!(f, "element {position} is {value}, where a finite number is needed")
            }
            Self::NormOverflow { squared_norm } => write!(
                f,
                "its squared norm of {squared_norm:e} is above {:e}, so distances to it could overflow \
                 f32: scale all vectors down",
                f32::MAX / 8.0
            ),
            Self::NormUnderflow { squared_norm } => write!(
                f,
                "its squared norm of {squared_norm:e} is below {:e}, so distances to it would come out \
                 as 0 in f32: scale all vectors up, or set it to zero",
                f32::MIN_POSITIVE
            ),
            Self::ZeroVector => f.write_str(
                "all its elements are zero, so it has no direction and no cosine: leave it out, or \
                 choose another metric",
            ),
        }
    }
}

/// The most elements of a vector: what a saved index can state, rows padded to whole cache lines.
pub(super) const MAX_DIM: usize = u32::MAX as usize - 63;

/// Why vectors or a query were refused.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum VectorError {
    /// No kernel for this metric and element type, or the forced backend is missing.
    Unsupported(Unsupported),
    /// Vectors cannot have this number of elements: 1 to 4,294,967,232 are possible.
    Dimensions {
        /// What was asked for.
        dim: usize,
    },
    /// A vector has the wrong number of elements.
    Dimension {
        /// Elements of the vectors that are there.
        expected: usize,
        /// What came.
        found: usize,
    },
    /// A matrix is not a whole number of rows.
    Ragged {
        /// Elements of a row.
        dim: usize,
        /// Elements that came.
        elements: usize,
    },
    /// A row is flawed; nothing was added.
    Row {
        /// The row's place in what was to be added.
        row: usize,
        /// What is wrong with it.
        flaw: InvalidVector,
    },
    /// The query is flawed.
    Query(InvalidVector),
    /// The vector to be added is flawed.
    Point(InvalidVector),
    /// More points than ids.
    TooMany {
        /// How many points there would be.
        points: usize,
    },
    /// The system refused memory.
    Memory(io::ErrorKind),
}

impl fmt::Display for VectorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unsupported(error) => error.fmt(f),
            Self::Dimensions { dim } => {
                write!(f, "vectors of {dim} elements cannot be: make it 1 to {MAX_DIM}")
            }
            Self::Dimension { expected, found } => {
                write!(f, "a vector of {found} elements, where the others have {expected}")
            }
            Self::Ragged { dim, elements } => write!(
                f,
                "{elements} elements are not a whole number of rows of {dim}: pass whole rows"
            ),
            Self::Row { row, flaw } => write!(f, "row {row}: {flaw}"),
            // Who was asked to search or to insert says which query or point it is.
            Self::Query(flaw) | Self::Point(flaw) => flaw.fmt(f),
            Self::TooMany { points } => {
                let most = crate::id::MAX_POINTS;
                write!(f, "{points} points are too many: an index holds at most {most}")
            }
            Self::Memory(kind) => write!(f, "no memory for more points: {kind}"),
        }
    }
}

impl std::error::Error for VectorError {}

impl From<Unsupported> for VectorError {
    fn from(error: Unsupported) -> Self {
        Self::Unsupported(error)
    }
}
