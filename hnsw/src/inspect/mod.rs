//! What an index is made of, and what must always hold of it.

mod memory;
mod stats;

pub use memory::Memory;
pub(crate) use stats::should_compact;
pub use stats::{Degrees, Stats};

pub use crate::graph::InvariantViolation;
