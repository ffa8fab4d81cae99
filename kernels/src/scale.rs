//! What integer codes stand for.

/// The numbers that integer codes stand for: code *c* is `c · factor + offset`, fused and rounded
/// once to f32. The default, factor 1 and offset 0, takes the codes as they are.
///
/// ```
/// use nearfield_kernels::{Kernel, Metric, Scale};
///
/// let scale = Scale { factor: 0.5, offset: -1.0 }; // codes 0…255 are −1.0, −0.5, … 126.5
/// let kernel = Kernel::<f32, u8>::best(Metric::L2Squared)?.scaled(scale);
/// assert_eq!(kernel.distance(&[0.0, 1.0], &[2, 6]), 1.0); // the row is [0.0, 2.0]
/// # Ok::<(), nearfield_kernels::Unsupported>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scale {
    /// The difference that one step of the code makes; finite.
    pub factor: f32,
    /// What code 0 stands for; finite.
    pub offset: f32,
}

impl Default for Scale {
    fn default() -> Self {
        Self { factor: 1.0, offset: 0.0 }
    }
}
