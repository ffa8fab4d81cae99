//! What a process resolves once. Without std the answers are constants, and nothing is kept.

#[cfg(feature = "std")]
use std::sync::LazyLock;

use crate::backend::Unsupported;

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

/// What [`BACKEND_VARIABLE`](crate::BACKEND_VARIABLE) demands and cannot have stops a plain function,
/// which has no other way to say so.
pub(crate) fn demanded<T>(found: Result<T, Unsupported>) -> T {
    found.unwrap_or_else(|error| panic!("{error}"))
}
