//! What more than one target does.

mod builds;
mod folder;
mod imported;
mod mapped;
mod seal;
mod vectors;

pub use builds::on_one_thread;
pub use folder::Folder;
pub use imported::use_imported;
pub use mapped::open_mapped;
pub use seal::{seal, seal_log};
pub use vectors::read_both_ways;
