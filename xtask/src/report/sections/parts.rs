//! What the sections are put together from.

use bench_suite::machine::Probed;

use crate::report::document::{Block, Cell, Chart, Table};
use crate::report::format;

/// What was found, or why not, as a cell.
pub(super) fn cell<T>(probed: &Probed<T>, text: impl FnOnce(&T) -> String) -> Cell {
    match probed {
        Ok(value) => text(value).into(),
        Err(reason) => reason.to_string().into(),
    }
}

/// A table of names and what stands for them.
pub(super) fn facts(rows: Vec<(&str, Cell)>) -> Block {
    let rows = rows.into_iter().map(|(name, cell)| vec![name.into(), cell]).collect();
    Block::Table(Table { rows, words: 2, ..Table::default() })
}

pub(super) fn head(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

/// The charts that have something to show, if any.
pub(super) fn charts(charts: impl IntoIterator<Item = Option<Chart>>) -> Option<Block> {
    let charts: Vec<Chart> = charts.into_iter().flatten().collect();
    (!charts.is_empty()).then_some(Block::Charts(charts))
}

pub(super) fn number(probed: &Probed<f64>) -> Cell {
    cell(probed, |&x| format::number(x))
}
