//! The report to draw, and perhaps another behind it.

use crate::report::document::Style;
use crate::report::model::Report;

/// A report and its name in legends, and perhaps the one to compare it with.
#[derive(Clone, Copy, Debug)]
pub(in crate::report) struct Reports<'a> {
    pub(in crate::report) this: &'a Report,
    pub(in crate::report) other: Option<&'a Report>,
}

impl<'a> Reports<'a> {
    /// Each report with the style of its lines and what to add to their names.
    pub(super) fn each(self) -> impl Iterator<Item = (&'a Report, Style, &'static str)> {
        let other = self.other.map(|report| (report, Style::Broken, " (other)"));
        [(self.this, Style::Line, "")].into_iter().chain(other)
    }
}
