//! `cargo xtask mixed`: many threads change and search one index, and check each other. Then batches
//! stand in tasks of a rayon pool, and a batch of a new topic beside searches about it.

use std::io::{self, Write};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use bench_suite::{
    arguments::{self, GraphArgs},
    mixed::{self, Line, Mixed},
    pooled::{self, Beside, Pooled},
    table::Prepare,
    topic::{self, Topic},
    workload::Files,
};
use nearfield_hnsw::space::VectorElement;
use nearfield_kernels::Metric;

use super::workload;

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
    /// Rounds of batches in tasks of a rayon pool, beside each of insert_batch, insert, save and compact
    #[arg(long, default_value_t = 1000, value_name = "N")]
    rounds: usize,
    /// Points of an index, and of a batch of a new topic beside which it is searched; 0 for none
    #[arg(long, default_value_t = 20_000, value_name = "N", value_parser = clap::value_parser!(u32).range(..1 << 30))]
    topic: u32,
    /// Print JSON lines instead of a table
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: Args) -> anyhow::Result<()> {
    match args.metric {
        Metric::Hamming | Metric::Jaccard => measure::<u64>(&args),
        _ => measure::<f32>(&args),
    }?;
    run_pooled(&args)?;
    if args.topic > 0 { run_topic(&args) } else { Ok(()) }
}

/// Longer than any round takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// Batches in tasks of a pool, beside other tasks of it.
fn run_pooled(args: &Args) -> anyhow::Result<()> {
    let folder = tempfile::tempdir().context("making a folder to save into")?;
    let (rounds, threads) = (args.rounds, args.threads);
    let file = folder.path().join("index.nearfield");
    let pooled = Pooled { rounds, threads, file, patience: PATIENCE };
    for beside in Beside::ALL {
        pooled::run(&pooled, beside)?;
        if args.json {
            println!("{}", serde_json::json!({ "pooled": beside, "rounds": rounds }));
        } else {
            println!("{rounds} rounds of insert_batch beside {beside}, in tasks of one rayon pool");
        }
    }
    Ok(())
}

/// How much more a search beside a batch may take than alone.
const MOST: f64 = 2.0;

/// A batch of a new topic, beside searches about it and single inserts.
fn run_topic(args: &Args) -> anyhow::Result<()> {
    let (params, k, ef) = (args.graph.params(), args.k, args.ef);
    let outcome = topic::run(&Topic { points: args.topic, params, k, ef })
        .map_err(|failure| anyhow::anyhow!("a batch of a new topic: {failure}"))?;
    if args.json {
        println!("{}", serde_json::json!({ "topic": outcome }));
    } else {
        let (before, beside, after) = (outcome.before, outcome.beside, outcome.after);
        println!(
            "{} points of a new topic: a search takes {} distances before them, {} while they are \
             linked (at most {}), {} afterwards; of {} points inserted meanwhile {} are not found",
            args.topic,
            before.mean,
            beside.mean,
            beside.most,
            after.mean,
            outcome.late,
            outcome.lost
        );
    }
    let (ratio, lost) = (outcome.ratio(), outcome.lost);
    anyhow::ensure!(
        ratio <= MOST,
        "searches beside a batch take {ratio:.1} times the distances that they take alone; at most \
         {MOST} are allowed"
    );
    anyhow::ensure!(lost == 0, "{lost} points inserted beside a batch are not found at ef {ef}");
    Ok(())
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
