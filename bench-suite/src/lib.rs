//! What measures Nearfield: exact truth, recall runs, the machine itself.

pub mod ann;
pub mod arguments;
pub mod bundled;
pub mod churn;
mod courses;
pub mod crash;
pub mod curve;
pub mod durability;
mod elements;
pub mod export;
pub mod generated;
pub mod kernel_cells;
pub mod kernel_runs;
pub mod machine;
mod mapped;
pub mod mixed;
mod passes;
pub mod peer_index;
pub mod peers;
pub mod plain;
pub mod pooled;
pub mod random;
pub mod rates;
pub mod recall;
pub mod roofline;
pub mod saved;
pub mod scaling;
pub mod stalls;
pub mod table;
pub mod timing;
pub mod topic;
pub mod truth;
pub mod ways;
pub mod workload;

pub use table::Table;
pub use truth::Truth;
pub use workload::Workload;

/// The examples of the project's README, run as tests: this crate depends on all that they use.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;

#[cfg(doctest)]
#[doc = include_str!("../../files/README.md")]
struct FilesReadme;
