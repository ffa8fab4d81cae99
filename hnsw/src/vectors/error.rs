//! Why vectors are refused.

use std::{fmt, io};

use nearfield_kernels::Unsupported;

/// What is wrong with one vector.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Flaw {
    /// An element is NaN or infinite.
    NotFinite {
        /// Its place in the vector.
        position: usize,
        /// The element.
        value: f32,
    },
    /// The squared norm is above `f32::MAX / 8`, so a distance to it could overflow.
    NormOverflow {
        /// The squared norm, infinite where it overflows itself.
        squared_norm: f32,
    },
    /// The squared norm of an `f16` or `bf16` vector is below `f32::MIN_POSITIVE`, so the cosine
    /// would be wrong. Scaled by a power of two, which changes no direction, it is accepted.
    NormUnderflow {
        /// The squared norm, zero where it underflows itself.
        squared_norm: f32,
    },
    /// All elements are zero: it has no direction, and the cosine is undefined.
    ZeroVector,
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFinite { position, value } => write!(f, "element {position} is {value}"),
            Self::NormOverflow { squared_norm } => {
                write!(
                    f,
                    "its squared norm of {squared_norm:e} leaves no room for distances in f32"
                )
            }
            Self::NormUnderflow { squared_norm } => {
                write!(f, "its squared norm of {squared_norm:e} is too small for a cosine in f32")
            }
            Self::ZeroVector => f.write_str("it is zero, which has no direction for the cosine"),
        }
    }
}

/// Why vectors or a query were refused.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum VectorError {
    /// No kernel for this metric and element type, or the forced backend is missing.
    Unsupported(Unsupported),
    /// A vector has the wrong number of elements.
    Dimension {
        /// What was expected (at least this, when a space is made).
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
        flaw: Flaw,
    },
    /// The query is flawed.
    Query(Flaw),
    /// The vector to be added is flawed.
    Point(Flaw),
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
            Self::Dimension { expected, found } => {
                write!(f, "a vector of {found} elements where {expected} are needed")
            }
            Self::Ragged { dim, elements } => {
                write!(f, "{elements} elements are not a whole number of rows of {dim}")
            }
            Self::Row { row, flaw } => write!(f, "row {row}: {flaw}"),
            Self::Query(flaw) | Self::Point(flaw) => flaw.fmt(f),
            Self::TooMany { points } => {
                write!(f, "{points} points; an index holds at most {}", crate::id::MAX_POINTS)
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
