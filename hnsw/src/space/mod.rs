//! Where the points are: what an index asks of a space, and points of any type under a metric of the caller's.
//!
//! [`Vectors`](crate::Vectors) are the space of most indexes.

mod points;
mod traits;

pub use crate::id::MAX_POINTS;
pub use points::{PointError, PointMetric, PointScorer, Points};
pub(crate) use traits::MakeScorer;
pub use traits::{Scorer, Space, Store};

pub use crate::vectors::{InvalidVector, QueryBuffer, VectorElement, VectorError, VectorScorer};
