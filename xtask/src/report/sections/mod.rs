//! From numbers to a document: one module per section.

mod index;
mod kernels;
mod machine;
mod memory;

use bench_suite::machine::Probed;

pub(super) use machine::CpuTitle;

use super::charts::Reports;
use super::document::{Block, Cell, Chart, Document, Table};
use super::format;
use super::model::Report;
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
        title: this.facts.cpu.title(),
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

/// What was found, or why not, as a cell.
fn cell<T>(probed: &Probed<T>, text: impl FnOnce(&T) -> String) -> Cell {
    match probed {
        Ok(value) => text(value).into(),
        Err(reason) => reason.to_string().into(),
    }
}

/// A table of names and what stands for them.
fn facts(rows: Vec<(&str, Cell)>) -> Block {
    let rows = rows.into_iter().map(|(name, cell)| vec![name.into(), cell]).collect();
    Block::Table(Table { rows, words: 2, ..Table::default() })
}

fn head(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

/// The charts that have something to show, if any.
fn charts(charts: impl IntoIterator<Item = Option<Chart>>) -> Option<Block> {
    let charts: Vec<Chart> = charts.into_iter().flatten().collect();
    (!charts.is_empty()).then_some(Block::Charts(charts))
}

fn number(probed: &Probed<f64>) -> Cell {
    cell(probed, |&x| format::number(x))
}
