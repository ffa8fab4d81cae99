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

/// temporary until the kernels branch lands
pub fn dot(a: &[f32], b: &[f32]) -> f32 {
    reference::dot(a, b)
}
/// temporary
pub fn can_normalize(v: &[f32]) -> bool {
    v.iter().any(|x| *x != 0.0)
}
/// temporary
pub fn normalize(v: &mut [f32]) {
    let n = v.iter().map(|x| f64::from(*x) * f64::from(*x)).sum::<f64>().sqrt();
    for x in v {
        *x = (f64::from(*x) / n) as f32
    }
}
