//! SIMD vector distances, chosen at run time, with **the same bits on every CPU**.

mod backend;
mod batch;
mod bits;
mod element;
mod float;
mod functions;
mod kernel;
mod metric;
mod native;
mod portable;
pub mod reference;
mod rows;
mod table;
mod vectors;

pub use backend::{BACKEND_VARIABLE, Backend, Unsupported};
pub use element::Element;
pub use functions::{
    cosine, dot, hamming, jaccard, l2_squared, manhattan, squared_norm, union_intersection,
};
pub use kernel::Kernel;
pub use metric::Metric;
pub use rows::{MAX_SEGMENTS, Rows, locate};
pub use vectors::{NotNormalizable, all_finite, normalize};
