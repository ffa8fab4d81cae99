//! `cargo xtask churn`: replace points of an index, round after round, and look at it.

use std::io::{self, Write};

use bench_suite::{
    arguments::{DataArgs, GraphArgs},
    churn::{self, Churn, Round, Searched},
    table::Prepare,
    workload::Files,
};
use nearfield_hnsw::space::VectorElement;
use nearfield_kernels::Metric;

use super::workload;

/// Files are .fbin .f16bin .u8bin .i8bin .ibin .fvecs .ivecs .bvecs or .npy, each also with .zst.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    data: DataArgs,
    /// Times that points are replaced
    #[arg(long, default_value_t = 10)]
    rounds: usize,
    /// The share of the points that a round replaces by others; as large a share is kept aside
    #[arg(long, default_value_t = 0.25)]
    share: f64,
    /// Compare every round with a fresh build of the same points, not the last alone
    #[arg(long)]
    fresh: bool,
    #[command(flatten)]
    graph: GraphArgs,
    /// Threads of builds; one replaces points [default: all cores]
    #[arg(long)]
    threads: Option<usize>,
    /// Neighbours to search for
    #[arg(long, default_value_t = 10)]
    k: usize,
    /// The beam of searches
    #[arg(long, default_value_t = 64)]
    ef: usize,
    /// Use only the first rows
    #[arg(long, value_name = "N")]
    limit_base: Option<usize>,
    /// Search only for the first queries
    #[arg(long, value_name = "N")]
    limit_query: Option<usize>,
    /// Passes over all queries; the best one counts
    #[arg(long, default_value_t = 2)]
    passes: usize,
    /// Print JSON lines instead of a table
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: Args) -> anyhow::Result<()> {
    match args.data.metric {
        Metric::Hamming | Metric::Jaccard => measure::<u64>(&args),
        _ => measure::<f32>(&args),
    }
}

fn measure<E: Prepare + VectorElement>(args: &Args) -> anyhow::Result<()> {
    let data = &args.data;
    let files = Files {
        base: data.base.clone(),
        query: data.query.clone(),
        // The points that live change, so no file can hold the truth.
        truth: None,
        metric: data.metric,
        limit_base: args.limit_base,
        limit_query: args.limit_query,
    };
    let workload = workload::read::<E>(&files)?;
    let mut to = io::stdout().lock();
    if !args.json {
        writeln!(to, "{HEAD}")?;
    }
    churn::run(&workload, &args.churn()?, |round| {
        let line = if args.json { serde_json::to_string(round)? } else { row(round) };
        writeln!(to, "{line}")?;
        to.flush()
    })?;
    Ok(())
}

impl Args {
    fn churn(&self) -> anyhow::Result<Churn> {
        for (name, value) in [("k", self.k), ("ef", self.ef), ("passes", self.passes)] {
            anyhow::ensure!(value > 0, "--{name} is 0; it must be at least 1");
        }
        let cores = || std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Ok(Churn {
            rounds: self.rounds,
            share: self.share,
            always_fresh: self.fresh,
            params: self.graph.params(),
            threads: self.threads.unwrap_or_else(cores),
            k: self.k,
            ef: self.ef,
            passes: self.passes,
        })
    }
}

const HEAD: &str = " round     live  removed  seconds  self misses  stale links   recall  queries/s  \
                    distances   of a fresh build: recall  queries/s  distances";

fn row(round: &Round) -> String {
    let searched = |searched: &Searched| {
        format!(
            "{:>8.4} {:>10.0} {:>10.0}",
            searched.recall, searched.qps, searched.distances_per_query
        )
    };
    format!(
        "{:>6} {:>8} {:>8} {:>8.2} {:>12} {:>12} {} {:>19}{}",
        round.round,
        round.live,
        round.removed,
        round.seconds,
        round.self_misses,
        round.stale_links,
        searched(&round.searched),
        "",
        round.fresh.as_ref().map_or_else(String::new, searched)
    )
}
