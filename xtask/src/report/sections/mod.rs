//! From numbers to a document: one module per section.

mod index;
mod kernels;
mod machine;
mod memory;
mod parts;

use super::charts::Reports;
use super::document::Document;
use super::format;
use super::model::Report;
use super::names::cpu_title;
use super::{compare, summary};

/// Everything a report says, beside `other` when there is one.
pub(super) fn document(this: &Report, other: Option<&Report>) -> Document {
    let reports = Reports { this, other };
    let run = &this.run;
    let mut sections: Vec<_> =
        other.map(|other| compare::section(this, other)).into_iter().collect();
    sections.push(machine::section(this));
    sections.push(memory::section(reports));
    sections.push(kernels::section(this));
    sections.extend(index::sections(reports));
    let kind = if run.quick { "quick run" } else { "full run" };
    Document {
        title: cpu_title(&this.facts.cpu),
        subtitle: format!(
            "Nearfield {} hardware report · {} · {kind} of {}",
            run.version,
            format::date(&run.date),
            duration(run.seconds)
        ),
        findings: summary::findings(this),
        caveats: summary::caveats(this),
        sections,
        footer: format!(
            "Made by “cargo xtask bench{}”. All figures are in report.json (schema version {}).",
            if run.quick { " --quick" } else { "" },
            this.schema
        ),
    }
}

fn duration(seconds: f64) -> String {
    if seconds < 90.0 { format!("{seconds:.0} s") } else { format!("{:.1} min", seconds / 60.0) }
}
