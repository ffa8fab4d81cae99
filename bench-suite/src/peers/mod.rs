//! What other libraries offer for the same distances, to be timed beside the kernels.
//!
//! `numkong`, `simsimd` and `diskann-vector` are linked in with the feature `peers`; each gets the
//! best path that its public functions have on this CPU. faiss runs in a process of its own
//! ([`Faiss`]). hnswlib is no peer here: its Python package shows no kernel.

use nearfield_kernels::Metric;

use crate::ways::Way;

mod faiss;
#[cfg(feature = "peers")]
mod linked;

pub use faiss::{Faiss, Laps};

/// Whether this build has the libraries that are linked in.
pub const LINKED: bool = cfg!(feature = "peers");

/// What the linked libraries offer for queries of this type against rows of `R`.
pub trait Peers<R = Self>: Sized {
    /// Their ways to compute `metric` over vectors of `dim` dimensions; all of them return what the
    /// kernels return, but for rounding.
    fn peers(_metric: Metric, _dim: usize) -> Vec<Box<dyn Way<Self, R>>> {
        vec![]
    }
}

#[cfg(not(feature = "peers"))]
impl<Q, R> Peers<R> for Q {}
