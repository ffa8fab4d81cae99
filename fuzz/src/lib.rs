//! What more than one target does.

mod builds;
mod folder;
mod imported;
mod seal;
mod vectors;

pub use builds::on_one_thread;
pub use folder::Folder;
pub use imported::use_imported;
pub use seal::{seal, seal_log};
pub use vectors::read_both_ways;
