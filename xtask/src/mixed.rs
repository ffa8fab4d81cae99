//! `cargo xtask mixed`: many threads change and search one index, and check each other.

use std::io::{self, Write};
use std::path::PathBuf;

use anyhow::Context;
use bench_suite::{
    arguments::{self, GraphArgs},
    mixed::{self, Line, Mixed},
    table::Prepare,
    workload::Files,
};
use nearfield_hnsw::VectorElement;
use nearfield_kernels::Metric;

use crate::workload;

/// Files are .fbin .f16bin .u8bin .i8bin .ibin .fvecs .ivecs .bvecs or .npy, each also with .zst.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The rows to insert and to search for; half of them are there in the beginning
    #[arg(long, value_name = "FILE")]
    base: PathBuf,
    /// l2, ip, cosine (normalises f32), l1, hamming or jaccard (packed bits from u8)
    #[arg(long, value_parser = arguments::metric)]
    metric: Metric,
    /// Threads that insert, replace, remove and search; two more check
    #[arg(long, default_value_t = 8)]
    threads: usize,
    /// For how long
    #[arg(long, default_value_t = 60)]
    seconds: usize,
    #[command(flatten)]
    graph: GraphArgs,
    /// Neighbours to search for
    #[arg(long, default_value_t = 10)]
    k: usize,
    /// The beam of searches
    #[arg(long, default_value_t = 64)]
    ef: usize,
    /// Use only the first rows
    #[arg(long, value_name = "N")]
    limit_base: Option<usize>,
    /// Print JSON lines instead of a table
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: Args) -> anyhow::Result<()> {
    match args.metric {
        Metric::Hamming | Metric::Jaccard => measure::<u64>(&args),
        _ => measure::<f32>(&args),
    }
}

fn measure<E: Prepare + VectorElement>(args: &Args) -> anyhow::Result<()> {
    let files = Files {
        base: args.base.clone(),
        // Every row is a query here.
        query: args.base.clone(),
        truth: None,
        metric: args.metric,
        limit_base: args.limit_base,
        limit_query: Some(1),
    };
    let workload = workload::read::<E>(&files)?;
    let params = args.graph.params();
    let Args { threads, seconds, k, ef, .. } = *args;
    let mut to = io::stdout().lock();
    if !args.json {
        writeln!(to, "{HEAD}")?;
    }
    let mut total = None;
    mixed::run(&workload, &Mixed { threads, seconds, params, k, ef }, |line| {
        let text = if args.json { serde_json::to_string(line)? } else { row(line) };
        total = (line.second == 0).then(|| line.counts.clone());
        writeln!(to, "{text}")?;
        to.flush()
    })?;
    let total = total.context("the load ended early")?;
    anyhow::ensure!(total.is_clean(), "the index did what it must not do: see the last line");
    Ok(())
}

const HEAD: &str = " second      live  searches  inserts  upserts  removes  lost keys  dead hits  \
                    repeats  short answers  self misses";

fn row(line: &Line) -> String {
    let counts = &line.counts;
    let second = if line.second == 0 { "all".into() } else { line.second.to_string() };
    format!(
        "{second:>7} {:>9} {:>9} {:>8} {:>8} {:>8} {:>10} {:>10} {:>8} {:>14} {:>12}",
        line.live,
        counts.searches,
        counts.inserts,
        counts.upserts,
        counts.removes,
        counts.lost_keys,
        counts.dead_hits,
        counts.repeats,
        counts.short_answers,
        counts.self_misses
    )
}
