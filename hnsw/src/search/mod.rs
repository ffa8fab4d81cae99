//! Searching: one traversal, used by queries and by the build.

mod beam;
mod pool;
mod request;
mod searcher;
mod visited;

pub(crate) use beam::{Scratch, Walk};
pub use request::{BatchError, Search, SearchError};
pub use searcher::Searcher;
pub(crate) use searcher::{Scratches, search_batch};
