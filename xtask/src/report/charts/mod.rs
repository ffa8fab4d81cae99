//! The charts of a report: which figures over which axes. A second report is drawn broken.

mod axes;
mod index;
mod kernels;
mod memory;
mod reports;

#[cfg(feature = "all-commands")]
pub(super) use index::recall_of;
pub(super) use index::{build, recall};
pub(super) use kernels::{by_dimension, roofline};
pub(super) use memory::{bandwidth, latency};
pub(super) use reports::Reports;
