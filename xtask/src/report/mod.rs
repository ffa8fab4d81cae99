//! The hardware report: its data, what it says about them, and how it looks.
//!
//! One way only: a [`Report`] (numbers) becomes a document (sections, tables, charts), and the
//! document becomes HTML, Markdown or terminal text. No renderer looks at the numbers.

mod charts;
mod compare;
mod document;
mod format;
mod html;
mod kernels;
mod markdown;
mod model;
mod names;
mod plot;
#[cfg(test)]
mod sample;
mod sections;
mod summary;

pub(crate) use kernels::figures as kernel_figures;
pub(crate) use model::*;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

/// Writes `report.html`, `report.md` and `report.json` into `folder`, and says where the page is.
///
/// # Errors
/// When a file cannot be written.
pub(crate) fn write(
    report: &Report,
    other: Option<&Report>,
    folder: &Path,
) -> anyhow::Result<PathBuf> {
    let document = sections::document(report, other);
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let put = |name: &str, text: String| {
        let path = folder.join(name);
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
        anyhow::Ok(path)
    };
    put("report.json", report.to_json()?)?;
    put("report.md", markdown::text(&document))?;
    put("report.html", html::page(&document)?)
}

/// A library's points of recall and queries per second, for [`recall_drawing`].
#[derive(Clone, Debug)]
pub(crate) struct Curve {
    pub(crate) name: String,
    pub(crate) points: Vec<(f64, f64)>,
}

/// An SVG file of its own: queries per second against recall@`k`, the curves beside each other.
///
/// # Errors
/// When there is no point, or it cannot be drawn.
pub(crate) fn recall_drawing(k: usize, curves: Vec<Curve>) -> anyhow::Result<String> {
    let series = curves.into_iter().enumerate().map(|(colour, curve)| document::Series {
        name: curve.name,
        colour,
        style: document::Style::Line,
        points: curve.points.into_iter().map(|(x, y)| document::Point::new(x, y)).collect(),
    });
    let chart = charts::recall_of(k, series.collect()).context("there is nothing to draw")?;
    plot::file(&chart)
}

/// The findings as lines for a terminal.
pub(crate) fn findings(report: &Report) -> Vec<String> {
    let findings = summary::findings(report);
    let width = findings.iter().map(|f| f.figure.chars().count()).max().unwrap_or(0);
    let line = |f: &document::Finding| format!("{:>width$}  {}", f.figure, f.meaning);
    findings.iter().map(line).collect()
}
