//! The correctly rounded functions that `core` lacks: from std, or without it from libm.

#[cfg(feature = "std")]
mod source {
    pub(crate) fn mul_add(a: f32, b: f32, c: f32) -> f32 {
        a.mul_add(b, c)
    }

    pub(crate) fn sqrt_f32(x: f32) -> f32 {
        x.sqrt()
    }

    pub(crate) fn sqrt_f64(x: f64) -> f64 {
        x.sqrt()
    }
}

#[cfg(not(feature = "std"))]
mod source {
    pub(crate) use libm::{fmaf as mul_add, sqrt as sqrt_f64, sqrtf as sqrt_f32};
}

pub(crate) use source::{mul_add, sqrt_f32, sqrt_f64};
