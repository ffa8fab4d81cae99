//! `cargo xtask benchmarks`: renders BENCHMARKS.md and its chart from the measurements in `benchmarks/`.
//!
//! A file of `benchmarks/` is one measurement: where, when and how it was made, and its figures. The
//! files are rendered in the order of their names. To add a measurement, add a file and run the
//! command; a test compares what is committed with what the files say.

mod chart;

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;
use serde_json::Value;

use self::chart::{Chart, commas};
use crate::process;

const DOCUMENT: &str = "BENCHMARKS.md";

const HEAD: &str = "\
<!-- Written by `cargo xtask benchmarks` from the files in benchmarks/. Change those, not this. -->

# Benchmarks

Each table names the machine, the day and the command that made it. Other work often ran on these virtual
machines, so ratios say more than times; numbers of distances and recall are exact. To measure your own machine,
run `cargo xtask bench`.
";

/// Arguments of `cargo xtask benchmarks`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Only say whether the files are what the measurements say.
    #[arg(long)]
    check: bool,
}

/// One file of `benchmarks/`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Measurement {
    section: String,
    title: String,
    machine: String,
    date: String,
    command: String,
    /// What was measured, and under which conditions.
    about: String,
    columns: Vec<String>,
    rows: Vec<Vec<Value>>,
    /// What the figures leave out.
    #[serde(default)]
    notes: Vec<String>,
    chart: Option<Chart>,
}

pub(crate) fn run(args: Args) -> Result<()> {
    for (path, text) in render(&process::root())? {
        let is_new = fs::read_to_string(&path).map_or(true, |old| old != text);
        if is_new && args.check {
            bail!("{} is not up to date; run `cargo xtask benchmarks`", path.display());
        }
        if is_new {
            fs::write(&path, text).with_context(|| path.display().to_string())?;
            println!("wrote {}", path.display());
        }
    }
    Ok(())
}

/// The files that the measurements make, with their content.
fn render(root: &Path) -> Result<Vec<(PathBuf, String)>> {
    let mut document = HEAD.to_owned();
    let mut files = Vec::new();
    let mut section = String::new();
    for (path, measurement) in read(&root.join("benchmarks"))? {
        if measurement.section != section {
            section.clone_from(&measurement.section);
            write!(document, "\n## {section}\n")?;
        }
        measurement.render(&mut document).with_context(|| path.display().to_string())?;
        if let Some(chart) = &measurement.chart {
            let svg = chart.draw(&measurement.rows).with_context(|| path.display().to_string())?;
            files.push((root.join(&chart.path), svg));
        }
    }
    files.push((root.join(DOCUMENT), document));
    Ok(files)
}

fn read(folder: &Path) -> Result<Vec<(PathBuf, Measurement)>> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        paths.push(entry?.path());
    }
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    paths.sort();
    let parse = |path: PathBuf| {
        let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        let measurement =
            serde_json::from_str(&text).with_context(|| path.display().to_string())?;
        Ok((path, measurement))
    };
    paths.into_iter().map(parse).collect()
}

impl Measurement {
    fn render(&self, out: &mut String) -> Result<()> {
        write!(out, "\n### {}\n\n{}\n\n", self.title, self.about)?;
        writeln!(
            out,
            "- Machine: {}\n- Date: {}\n- Command: `{}`",
            self.machine, self.date, self.command
        )?;
        if let Some(chart) = &self.chart {
            write!(out, "\n![{}]({})\n", chart.title, chart.path)?;
        }
        write!(
            out,
            "\n| {} |\n|{}\n",
            self.columns.join(" | "),
            "---|".repeat(self.columns.len())
        )?;
        for row in &self.rows {
            ensure!(
                row.len() == self.columns.len(),
                "a row has {} cells instead of {}",
                row.len(),
                self.columns.len()
            );
            let cells = row.iter().map(cell).collect::<Result<Vec<_>>>()?;
            writeln!(out, "| {} |", cells.join(" | "))?;
        }
        for note in &self.notes {
            write!(out, "\n{note}\n")?;
        }
        Ok(())
    }
}

/// A cell as it is shown: whole numbers with commas, others with two digits, nothing as a dash.
fn cell(value: &Value) -> Result<String> {
    Ok(match value {
        Value::Null => "–".to_owned(),
        Value::String(text) => text.clone(),
        Value::Number(number) => match (number.as_u64(), number.as_f64()) {
            (Some(whole), _) => commas(whole),
            (None, Some(float)) => format!("{float:.2}"),
            (None, None) => bail!("{number} is out of range"),
        },
        other => bail!("{other} is neither a text nor a number"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_files_are_what_the_measurements_say() {
        for (path, text) in render(&process::root()).unwrap() {
            let committed = fs::read_to_string(&path).unwrap().replace("\r\n", "\n");
            assert!(
                committed == text,
                "{} is not up to date; run `cargo xtask benchmarks`",
                path.display()
            );
        }
    }

    #[test]
    fn cells_are_shown_as_a_reader_expects() {
        let shown = |json: &str| cell(&serde_json::from_str(json).unwrap()).unwrap();
        assert_eq!(shown("1234567"), "1,234,567");
        assert_eq!(shown("999"), "999");
        assert_eq!(shown("2.1"), "2.10");
        assert_eq!(shown("null"), "–");
        assert_eq!(shown("\"6.1 s\""), "6.1 s");
        assert!(cell(&Value::Bool(true)).is_err());
    }
}
