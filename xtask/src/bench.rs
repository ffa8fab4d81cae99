//! `cargo xtask bench`: the hardware report.

mod index;
mod measure;
mod plan;
mod progress;

use std::path::PathBuf;

use crate::report::{self, Report};

/// Measures the machine it runs on, Nearfield's kernels, and an index over the bundled data, and
/// writes report.html, report.md and report.json.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Folder to write the report into
    #[arg(long, value_name = "DIR", default_value = "report")]
    out: PathBuf,
    /// Take about two minutes: fewer lengths, smaller data, fewer passes
    #[arg(long)]
    quick: bool,
    /// Put another machine's report.json beside this one
    #[arg(long, value_name = "OTHER.json")]
    compare: Option<PathBuf>,
    /// Present this report.json again instead of measuring
    #[arg(long, value_name = "REPORT.json", conflicts_with = "quick")]
    from: Option<PathBuf>,
}

pub(crate) fn run(args: Args) -> anyhow::Result<()> {
    // Before the minutes of measuring: a damaged file should not waste them.
    let other = args.compare.as_deref().map(Report::read).transpose()?;
    let report = match &args.from {
        Some(path) => Report::read(path)?,
        None => measure::all(args.quick),
    };
    let page = report::write(&report, other.as_ref(), &args.out)?;
    println!();
    for line in report::findings(&report) {
        println!("{line}");
    }
    if cfg!(debug_assertions) {
        println!("This program was compiled for tests: users get faster kernels and indexes.");
    }
    println!("\nThe report: {}", page.display());
    println!("also as report.md and report.json, in the same folder.");
    Ok(())
}
