//! `cargo xtask stalls`: the longest that one insert, removal or search takes on the way to many points.

use std::num::NonZero;

use anyhow::anyhow;
use bench_suite::stalls;

/// The points are generated: they come in order, one by one, and every eighth is removed.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Points to insert
    #[arg(long, default_value = "1000000", value_name = "N")]
    points: NonZero<u32>,
}

pub(crate) fn run(args: Args) -> anyhow::Result<()> {
    let points = args.points.get();
    let spreads =
        stalls::measure(points).map_err(|failure| anyhow!("{points} points: {failure}"))?;
    println!(
        "{:<24}{:>10}{:>12}{:>12}{:>12}{:>12}{:>12}{:>12}",
        "", "calls", "median ms", "99 % ms", "most ms", "at call", "most CPU ms", "at call"
    );
    for spread in &spreads {
        println!(
            "{:<24}{:>10}{:>12.3}{:>12.3}{:>12.3}{:>12}{:>12.3}{:>12}",
            spread.operation,
            spread.calls,
            spread.median_ms,
            spread.most_of_99_percent_ms,
            spread.most_ms,
            spread.longest,
            spread.most_cpu_ms.unwrap_or(f64::NAN),
            spread.costliest.unwrap_or(0),
        );
    }
    println!("{}", serde_json::json!({ "points": points, "spreads": spreads }));
    Ok(())
}
