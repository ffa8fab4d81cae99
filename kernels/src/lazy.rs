//! What a process resolves once. Without std the answers are constants, and nothing is kept.

#[cfg(feature = "std")]
use std::sync::LazyLock;

/// A value made by a function at its first use.
pub(crate) struct Lazy<T> {
    #[cfg(feature = "std")]
    value: LazyLock<T>,
    #[cfg(not(feature = "std"))]
    value: fn() -> T,
}

impl<T: Copy> Lazy<T> {
    pub(crate) const fn new(make: fn() -> T) -> Self {
        Self {
            #[cfg(feature = "std")]
            value: LazyLock::new(make),
            #[cfg(not(feature = "std"))]
            value: make,
        }
    }

    #[inline(always)]
    pub(crate) fn get(&self) -> T {
        #[cfg(feature = "std")]
        return *self.value;
        #[cfg(not(feature = "std"))]
        (self.value)()
    }
}
