//! Which cells to time, and for how long.

use std::time::Duration;

use nearfield_kernels::{Backend, Metric};

use super::cell::Shape;

/// Dimensions where none are asked for.
pub const DIMS: [usize; 9] = [32, 100, 128, 256, 384, 768, 960, 1536, 4096];

/// More of them for packed bits.
pub const BIT_DIMS: [usize; 5] = [512, 1024, 2048, 8192, 32768];

/// What to time, and for how long.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Whose kernels.
    pub backend: Backend,
    /// Metrics; those that an element has no kernel for are left out.
    pub metrics: Vec<Metric>,
    /// Some of [`elements`](super::elements).
    pub elements: Vec<String>,
    /// Dimensions instead of [`DIMS`] and [`BIT_DIMS`].
    pub dims: Option<Vec<usize>>,
    /// Courses through memory.
    pub shapes: Vec<Shape>,
    /// Bytes of the rows that are read in order.
    pub ordered_bytes: usize,
    /// Memory from which rows are gathered; should be far above the last cache.
    pub gather_bytes: usize,
    /// Passes, of which the fastest counts.
    pub passes: usize,
    /// Length of one sample.
    pub sample: Duration,
    /// Whether to time the peers too.
    pub peers: bool,
}

impl Plan {
    /// The dimensions for elements that hold `per_element` of them: those that fill whole elements.
    pub(super) fn dims(&self, per_element: usize) -> Vec<usize> {
        let bits = if per_element == 1 { &[][..] } else { &BIT_DIMS };
        let mut dims = self.dims.clone().unwrap_or_else(|| [&DIMS, bits].concat());
        dims.retain(|&dim| dim > 0 && dim.is_multiple_of(per_element));
        dims.sort_unstable();
        dims
    }
}
