//! Searching: one traversal, used by queries and by the build.

mod answer;
mod batch;
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

pub use batch::BatchError;
pub(crate) use batch::batch;
pub(crate) use beam::{Scratch, Walk};
pub use filter::Filter;
pub use pages::Pages;
pub use request::{Search, SearchError};
pub(crate) use scan::scan;
pub(crate) use searcher::Scratches;
pub use searcher::Searcher;
pub(crate) use view::View;

pub use crate::index::{KeyPages, KeySearcher};
