//! What measures Nearfield: data readers, exact truth, recall runs, the machine itself.

pub mod ann;
pub mod bundled;
pub mod files;
mod matrix;
pub mod recall;
pub mod table;
pub mod truth;
pub mod workload;

pub use matrix::{Matrix, Values};
pub use table::Table;
pub use truth::Truth;
pub use workload::Workload;
