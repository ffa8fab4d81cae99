//! `cargo xtask peers`: index libraries side by side, in one run, at equal recall.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use bench_suite::arguments::{DataArgs, IndexArgs};
use bench_suite::bundled;
use clap::builder::PossibleValuesParser;

use library::{LIBRARIES, Library};
use rounds::Outcome;

mod figures;
mod library;
mod rounds;
mod table;
mod worker;

/// Without files: the bundled Fashion-MNIST.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    data: Option<DataArgs>,
    #[command(flatten)]
    index: IndexArgs,
    /// Times that each library builds and searches; their order changes from one to the next
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Measure only these, and ours [default: all]
    #[arg(long, value_name = "NAMES", value_delimiter = ',', value_parser = PossibleValuesParser::new(library::names()))]
    only: Vec<String>,
    /// Seconds that one library may take for one build and its searches
    #[arg(long, value_name = "SECONDS", default_value_t = 3600)]
    time_limit: u64,
    /// Print JSON lines instead of a table
    #[arg(long)]
    json: bool,
    /// Draw queries per second against recall into this file (.svg)
    #[arg(long, value_name = "FILE")]
    plot: Option<PathBuf>,
}

pub(crate) fn run(args: Args) -> Result<()> {
    if let Some(path) = &args.plot {
        let is_svg = path.extension().is_some_and(|extension| extension == "svg");
        ensure!(is_svg, "{}: the plot is an .svg", path.display());
    }
    let words = args.words()?;
    let plan = rounds::Plan {
        jobs: args.libraries().map(|library| library.job(&words)).collect::<Result<_>>()?,
        rounds: args.rounds,
        limit: Duration::from_secs(args.time_limit),
        json: args.json,
    };
    let outcomes = rounds::measure(plan)?;
    ensure!(outcomes.iter().any(|outcome| outcome.rounds.is_ok()), "no library was measured");
    if !args.json {
        print!("{}", table::text(&outcomes));
    }
    if let Some(path) = &args.plot {
        let drawing = crate::report::recall_drawing(args.index.k, curves(&outcomes))?;
        fs::write(path, drawing).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

impl Args {
    /// Ours first, whatever else is asked for.
    fn libraries(&self) -> impl Iterator<Item = &'static Library> {
        let asked = |library: &&Library| {
            library.is_ours() || self.only.is_empty() || self.only.iter().any(|n| n == library.name)
        };
        LIBRARIES.iter().filter(asked)
    }

    /// What every library's process is told.
    fn words(&self) -> Result<Vec<std::ffi::OsString>> {
        let bundled = || DataArgs::from(bundled::fashion_mnist_files());
        let mut data = self.data.clone().unwrap_or_else(bundled);
        ensure!(
            data.gt.is_some() || self.index.limit_base.is_some(),
            "speed means nothing without recall: give --gt or --limit-base"
        );
        // The processes run in the workspace's root.
        for path in [&mut data.base, &mut data.query].into_iter().chain(&mut data.gt) {
            *path = std::path::absolute(&*path)?;
        }
        Ok([data.words(), self.index.words()].concat())
    }
}

/// Each library's points, medians over the rounds.
fn curves(outcomes: &[Outcome]) -> Vec<crate::report::Curve> {
    let measured = |outcome: &Outcome| {
        let rounds = outcome.rounds.as_ref().ok()?;
        let points = figures::median_points(rounds);
        Some(crate::report::Curve { name: outcome.name.to_owned(), points })
    };
    outcomes.iter().filter_map(measured).collect()
}
