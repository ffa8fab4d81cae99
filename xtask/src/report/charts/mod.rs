//! The charts of a report: which figures over which axes. A second report is drawn broken.

mod axes;
mod index;
mod kernels;
mod memory;

pub(super) use index::{build, recall};
pub(super) use kernels::{by_dimension, roofline};
pub(super) use memory::{bandwidth, latency};

use super::document::Style;
use super::model::Report;

/// A report and its name in legends, and perhaps the one to compare it with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reports<'a> {
    pub(super) this: &'a Report,
    pub(super) other: Option<&'a Report>,
}

impl<'a> Reports<'a> {
    /// Each report with the style of its lines and what to add to their names.
    fn each(self) -> impl Iterator<Item = (&'a Report, Style, &'static str)> {
        let other = self.other.map(|report| (report, Style::Broken, " (other)"));
        [(self.this, Style::Line, "")].into_iter().chain(other)
    }
}
