//! SIMD vector distances, chosen at run time, with **the same bits on every CPU**.
//!
//! ```
//! use nearfield_kernels::{Kernel, Metric, Rows, l2_squared};
//!
//! // One call.
//! assert_eq!(l2_squared(&[1.0f32, 2.0], &[4.0, 6.0]), 25.0);
//!
//! // Many calls: resolve the kernel once.
//! let kernel = Kernel::<f32>::best(Metric::L2Squared)?;
//! assert_eq!(kernel.distance(&[1.0, 2.0], &[4.0, 6.0]), 25.0);
//!
//! // One query against all rows of a table, or against the rows named by their ids.
//! let values = [0.0, 0.0, 3.0, 4.0, 1.0, 0.0];
//! let rows = Rows::new(&values, 2);
//! let mut out = [0.0; 3];
//! kernel.one_to_many(&[0.0, 0.0], &rows, &mut out);
//! assert_eq!(out, [0.0, 25.0, 1.0]);
//! kernel.gather(&[0.0, 0.0], &rows, &[2, 1], &mut out[..2]);
//! assert_eq!(out[..2], [1.0, 25.0]);
//! # Ok::<(), nearfield_kernels::Unsupported>(())
//! ```
//!
//! # What there is
//! Kernels of a query and of rows, per element:
//!
//! | query and rows | L2², L2, inner product, cosine, Manhattan | Hamming, Jaccard |
//! |---|---|---|
//! | `f32` | lanes | |
//! | [`struct@f16`], [`bf16`] | lanes, widened | |
//! | `f32` query, rows of [`struct@f16`] or [`bf16`] | lanes, widened | |
//! | `f32` query, rows of `i8` or `u8` codes with a [`Scale`] | lanes, widened | |
//! | `i8` | integers | |
//! | `u8` | integers | counts, of packed bits |
//! | `u64`, words of packed bits | | counts |
//!
//! and how each [`Backend`] makes them:
//!
//! | | [`Scalar`](Backend::Scalar) | [`Avx2`](Backend::Avx2) | [`Avx512`](Backend::Avx512) | [`Neon`](Backend::Neon) |
//! |---|---|---|---|---|
//! | lanes | reference | 8 registers, FMA | 4 registers, FMA | 16 registers, FMA |
//! | widened: f16 | `half` | F16C | VCVTPH2PS, pairs in 256 bits where that is faster | FCVTL |
//! | widened: bf16 | `half` | shifts | shifts | shifts |
//! | integers | reference | 16-bit products, or AVX-VNNI where the CPU has it | 16-bit products, or VNNI where the CPU has it | products, or dot products where the CPU has them |
//! | counts | reference | compiled anew | compiled anew, or VPOPCNTDQ where the CPU has it | compiled anew |
//!
//! What makes no sense (Hamming over floats) is refused with [`Unsupported`] when the kernel is asked
//! for. For every metric smaller is closer.
//!
//! Each kernel takes a pair ([`Kernel::distance`]), a query and all rows of a table
//! ([`Kernel::one_to_many`]), a query and rows by their ids, fetched ahead ([`Kernel::gather`]), or many
//! queries and all rows ([`Kernel::many_to_many`]). [`Kernel::nearest`] and
//! [`Kernel::nearest_to_each`] find the k nearest rows by a scan; with the feature `rayon`,
//! `par_nearest` and `par_nearest_to_each` do so on many threads.
//!
//! # The same bits everywhere
//! The scalar [`reference`](mod@reference) is not an approximation of the fast kernels; it is their
//! specification, and they equal it to the bit. A float sum has 64 lanes: element *i* belongs to lane
//! *i mod 64*, each lane accumulates in index order with a fused multiply-add, and the lanes are
//! folded in halves. An AVX-512 kernel holds the lanes in 4 registers, AVX2 in 8, NEON in 16, the
//! reference in an array. (Any NaN counts as equal to any NaN: CPUs make different ones.) It follows:
//! - [`Kernel::one_to_many`] and [`Kernel::gather`] give, per row, what [`Kernel::distance`] gives.
//! - Zeros appended to both vectors change no bit, so padded rows may be scored at their padded length.
//! - A machine without a fused multiply-add still gets the right bits, from software, and slowly.
//!
//! f16 and bf16 widen to f32 exactly, subnormals included, and follow the same rule. The code *c* of a
//! row under an f32 query stands for `c · factor + offset`, fused and rounded once ([`Scale`]).
//! Integers and bits are summed exactly, at any length, and the sum is rounded once;
//! [`exact`](mod@exact) gives the sums of integers themselves. In 32 bits a sum could overflow at
//! 33,026 elements of `u8` (and so could any squared difference), and at 131,072 products of `i8`: the
//! kernels change to 64 bits before.
//!
//! The bits are part of the crate's interface: changing them is a breaking change.
//!
//! # Error
//! Against exact arithmetic, with *u* = 2⁻²⁴ and *k* = ⌈n / 64⌉ + 6 roundings per sum of *n* elements:
//!
//! | metric | error at most |
//! |---|---|
//! | squared L2 | *(k + 3) · u · Σ (aᵢ − bᵢ)² + n · 2⁻¹⁴⁹* |
//! | inner product | *(k + 1) · u · Σ \|aᵢ·bᵢ\| + n · 2⁻¹⁴⁹* |
//! | cosine | *(2k + 4) · u*, at norms of any magnitude |
//! | Manhattan | *(k + 2) · u · Σ \|aᵢ − bᵢ\|* |
//! | Hamming, Jaccard | counts are exact, the result is rounded once |
//!
//! L2 adds one rounding, of the root. Elements that widen count with the value they widen to; over
//! integers every sum is exact, and only the last step rounds.
//!
//! A naive loop has *n* in the place of *k*. The term *n · 2⁻¹⁴⁹* is underflow; subnormals are not
//! flushed to zero.
//!
//! # Range
//! Every sum is an `f32`, which ends at 3.4e38 and holds all of its digits from 1.2e-38 on. For finite vectors:
//! - The cosine of floats is right at any magnitude. Where a squared norm lies outside of 2⁻¹⁰⁰…2¹²⁷ (a norm
//!   outside of 8.9e-16…1.3e19) both vectors are multiplied by powers of two and summed anew: by scalar
//!   code, many times slower, with the same bits everywhere. Its last step is done in f64, where the
//!   product of two squared norms cannot overflow.
//! - L2² and L2 square: from differences of 1.8e19 on they are infinite; where all differences are less
//!   than 2.6e-23 they are 0, as if the vectors were equal; below 1e-19 digits are lost. (L2 is the root
//!   of L2²; its range is no larger.) Vectors of such magnitudes must be scaled first.
//! - The inner product is infinite where a sum overflows, and NaN where two sums overflow to infinities
//!   of opposite signs; products below 7e-46 count as 0.
//! - Manhattan is infinite from 3.4e38 on, and loses nothing to underflow.
//!
//! # NaN, infinity, zero
//! - NaN in an operand gives NaN, in every float metric. An infinity gives infinity or NaN, for the
//!   cosine always NaN. [`all_finite`] finds them beforehand.
//! - No distance is ever `−0.0`.
//! - The cosine is clamped to `0…2`, and is 1 if a vector is zero.
//!
//! # Equal vectors
//! Two vectors of the same finite numbers have the distance 0, exactly, by every metric but the inner
//! product, on every backend and for every element; a widened row and the `f32` query of the same
//! numbers, too. The one exception are two zero vectors, whose cosine is 1. By the cosine, opposite
//! vectors have exactly the distance 2.
//!
//! # Features
//! - `std` (default): the CPU is asked at run time what it can do.
//! - without `std` the crate is `no_std` (it needs `alloc`, and takes square roots and fused products
//!   from `libm`). What the CPU can do is then decided **at compile time**: only backends that
//!   `-C target-feature` or `-C target-cpu` enable are [available](Backend::is_available).
//! - `rayon`: exact search on many threads.
//!
//! WebAssembly runs on the scalar backend: its SIMD has no fused multiply-add that is the same on every
//! host.
//!
//! # Choosing a backend
//! [`Kernel::best`] takes the fastest that the CPU has; [`Kernel::on`] takes one by name. The
//! environment variable [`NEARFIELD_BACKEND`](BACKEND_VARIABLE) holds a whole process to one. A
//! backend that is not there is an error, not a silent fallback.
//!
//! ```
//! use nearfield_kernels::{Backend, Kernel, Metric};
//!
//! let (a, b) = ([0.1f32, 0.2, 0.3], [0.3f32, 0.1, 0.2]);
//! let reference = Kernel::on(Backend::Scalar, Metric::Cosine)?.distance(&a, &b);
//! for backend in Backend::available() {
//!     let distance = Kernel::on(backend, Metric::Cosine)?.distance(&a, &b);
//!     assert_eq!(distance.to_bits(), reference.to_bits());
//! }
//! # Ok::<(), nearfield_kernels::Unsupported>(())
//! ```

#![cfg_attr(not(feature = "std"), no_std)]
#![cfg_attr(docsrs, feature(doc_cfg))]

extern crate alloc;

mod apart;
mod backend;
mod batch;
mod bits;
mod blocks;
mod element;
pub mod exact;
mod float;
mod functions;
mod int;
mod integer;
mod kernel;
mod lanes;
mod lazy;
mod math;
mod metric;
mod native;
mod nearest;
mod portable;
pub mod reference;
mod rows;
mod scale;
mod score;
mod table;
mod tile;
mod vectors;
mod widen;

pub use backend::{BACKEND_VARIABLE, Backend, Unsupported};
pub use element::{Element, Query};
pub use functions::{
    Bits, Number, cosine, cosine_from, dot, hamming, jaccard, l2, l2_squared, manhattan,
    squared_norm, union_intersection,
};
pub use half::{bf16, f16};
pub use kernel::Kernel;
pub use metric::Metric;
pub use native::prefetch;
pub use nearest::Neighbor;
pub use rows::{MAX_SEGMENTS, Rows, locate};
pub use scale::Scale;
pub use vectors::{NotNormalizable, all_finite, normalize};

/// The README's example, run with the doc tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
