//! SIMD vector distances, chosen at run time, with **the same bits on every CPU**.

mod backend;
mod element;
mod kernel;
mod metric;
pub mod reference;
mod rows;

pub use backend::{BACKEND_VARIABLE, Backend};
pub use element::Element;
pub use kernel::Kernel;
pub use metric::{Metric, Unsupported};
pub use rows::{MAX_SEGMENTS, Rows, locate};
