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
#[cfg(feature = "all-commands")]
mod recall;
#[cfg(test)]
mod sample;
mod sections;
mod summary;

pub(crate) use kernels::figures as kernel_figures;
pub(crate) use model::*;
#[cfg(feature = "all-commands")]
pub(crate) use recall::{Curve, recall_drawing};

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

/// The findings as lines for a terminal.
pub(crate) fn findings(report: &Report) -> Vec<String> {
    let findings = summary::findings(report);
    let width = findings.iter().map(|f| f.figure.chars().count()).max().unwrap_or(0);
    let line = |f: &document::Finding| format!("{:>width$}  {}", f.figure, f.meaning);
    findings.iter().map(line).collect()
}
