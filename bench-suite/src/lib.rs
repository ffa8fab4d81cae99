//! What measures Nearfield: exact truth, recall runs, the machine itself.

pub mod ann;
pub mod bundled;
mod courses;
pub mod curve;
mod elements;
pub mod kernel_runs;
pub mod machine;
mod passes;
pub mod peers;
pub mod plain;
pub mod random;
pub mod recall;
pub mod roofline;
pub mod table;
pub mod timing;
pub mod truth;
pub mod ways;
pub mod workload;

// What `cargo xtask bench` does not need.
#[cfg(feature = "all-commands")]
pub mod arguments;
#[cfg(feature = "all-commands")]
pub mod churn;
#[cfg(feature = "all-commands")]
pub mod crash;
#[cfg(feature = "all-commands")]
pub mod durability;
#[cfg(feature = "all-commands")]
pub mod export;
#[cfg(feature = "all-commands")]
pub mod generated;
#[cfg(feature = "all-commands")]
pub mod kernel_cells;
#[cfg(feature = "all-commands")]
mod mapped;
#[cfg(feature = "all-commands")]
pub mod mixed;
#[cfg(feature = "all-commands")]
pub mod peer_index;
#[cfg(feature = "all-commands")]
pub mod pooled;
#[cfg(feature = "all-commands")]
pub mod rates;
#[cfg(feature = "all-commands")]
pub mod saved;
#[cfg(feature = "all-commands")]
pub mod scaling;
#[cfg(feature = "all-commands")]
pub mod stalls;
#[cfg(feature = "all-commands")]
pub mod topic;

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

/// The code of the guide, a page each.
#[cfg(doctest)]
mod guide {
    #[doc = include_str!("../../docs/guide/parameters.md")]
    struct Parameters;
    #[doc = include_str!("../../docs/guide/memory.md")]
    struct Memory;
    #[doc = include_str!("../../docs/guide/filters-and-deletes.md")]
    struct FiltersAndDeletes;
    #[doc = include_str!("../../docs/guide/persistence.md")]
    struct Persistence;
    #[doc = include_str!("../../docs/guide/concurrency.md")]
    struct Concurrency;
    #[doc = include_str!("../../docs/guide/migrating.md")]
    struct Migrating;
}
