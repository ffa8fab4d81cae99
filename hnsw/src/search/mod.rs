//! Searching: one traversal, used by queries and by the build.

mod answer;
mod beam;
mod filter;
mod pages;
mod pool;
mod request;
mod scan;
mod searcher;
mod trim;
mod view;
mod visited;

pub(crate) use beam::{Scratch, Walk};
pub use filter::Filter;
pub use pages::Pages;
pub use request::{BatchError, Search, SearchError};
pub(crate) use scan::scan;
pub use searcher::Searcher;
pub(crate) use searcher::{Scratches, search_batch};
pub(crate) use view::View;

pub use crate::index::{KeyPages, KeySearcher};
