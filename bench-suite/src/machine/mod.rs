//! The machine: what it says of itself, and what its clock, arithmetic and memory really do.

mod bandwidth;
mod caches;
mod compute;
mod facts;
mod latency;
mod pages;
mod probed;
mod simd;

pub use bandwidth::{BandwidthPoint, all_threads, one_thread};
pub use caches::{Cache, Levels};
pub use compute::{ComputePeak, clock_ghz, peaks};
pub use facts::{Cpu, Facts, Feature};
pub use latency::{LatencyCurve, LatencyPoint, measure as latency};
pub use pages::{Buffer, Pages};
pub use probed::{NotAvailable, Probed};
