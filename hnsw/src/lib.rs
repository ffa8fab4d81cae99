//! Approximate nearest neighbours on a flat-array HNSW graph: **the same graph for any number of
//! threads**, every point reachable.

mod build;
mod flat;
mod graph;
mod hnsw;
mod id;
mod memory;
mod params;
mod search;
mod space;
mod store;
mod threads;
mod vectors;

pub use build::{Build, BuildError};
pub use flat::Flat;
pub use graph::Broken;
pub use hnsw::Hnsw;
pub use id::{Hit, Id, MAX_POINTS};
pub use memory::Memory;
pub use nearfield_kernels::{Backend, Metric};
pub use params::{Params, ParamsError};
pub use search::{BatchError, Search, SearchError, Searcher};
pub use space::{Scorer, Space};
pub use threads::Threads;
pub use vectors::{Flaw, QueryBuffer, VectorElement, VectorError, VectorScorer, Vectors};
