//! `cargo xtask durability`: what it takes to save and open an index, and to log what is inserted.

use std::{
    io::{self, Write},
    num::NonZero,
};

use bench_suite::{
    arguments::{DataArgs, GraphArgs},
    durability::{self, Event, Settings},
    table::Prepare,
    workload::Files,
};
use nearfield_hnsw::space::VectorElement;
use nearfield_kernels::Metric;

use super::workload;
use crate::process::{self, command};

/// Libraries that `bench-suite/peers/files_peer.py` measures.
const PEERS: [&str; 2] = ["hnswlib", "usearch"];

/// Files are .fbin .f16bin .u8bin .i8bin .ibin .fvecs .ivecs .bvecs or .npy, each also with .zst.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    data: DataArgs,
    #[command(flatten)]
    graph: GraphArgs,
    /// Use only the first rows
    #[arg(long, value_name = "N")]
    limit_base: Option<usize>,
    /// Inserts for each rate
    #[arg(long, default_value_t = 2000)]
    inserts: usize,
    /// Threads that insert at the same time, one rate after another
    #[arg(long, value_delimiter = ',', default_value = "1,8", value_parser = clap::value_parser!(u16).range(1..))]
    writers: Vec<u16>,
    /// Savings and openings
    #[arg(long, default_value_t = 3)]
    passes: usize,
    /// Measure hnswlib and usearch as well
    #[arg(long)]
    peers: bool,
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
    let workload = workload::read::<E>(&args.files())?;
    let settings = Settings {
        params: args.graph.params(),
        threads: std::thread::available_parallelism().unwrap_or(NonZero::<usize>::MIN),
        inserts: args.inserts,
        writers: args.writers.iter().map(|writers| usize::from(*writers)).collect(),
    };
    let folder = tempfile::tempdir()?;
    let index = durability::build(&workload, &settings)?;
    let file = folder.path().join("index");
    let print = |event: Event| print(args.json, &event);
    for _ in 0..args.passes {
        durability::save_and_open(&index, &workload, &file, print)?;
    }
    if args.peers {
        PEERS.iter().for_each(|peer| {
            if let Err(error) = measure_peer(args, peer) {
                eprintln!("{peer}: {error:#}");
            }
        });
    }
    durability::log(&workload, &settings, folder.path(), print)?;
    Ok(())
}

/// One that fails is named, and does not stop the others.
fn measure_peer(args: &Args, peer: &str) -> anyhow::Result<()> {
    let mut python = command("python3");
    python.args(["bench-suite/peers/files_peer.py", peer]).args(args.data.words());
    python.arg("--passes").arg(args.passes.to_string());
    for (name, value) in [("--m", args.graph.m), ("--ef-construction", args.graph.ef_construction)]
    {
        python.arg(name).arg(value.to_string());
    }
    if let Some(limit) = args.limit_base {
        python.arg("--limit-base").arg(limit.to_string());
    }
    for line in process::read(&mut python)?.lines() {
        print(args.json, &serde_json::from_str(line)?)?;
    }
    Ok(())
}

impl Args {
    fn files(&self) -> Files {
        Files {
            base: self.data.base.clone(),
            query: self.data.query.clone(),
            truth: None,
            metric: self.data.metric,
            limit_base: self.limit_base,
            limit_query: Some(1),
        }
    }
}

fn print(json: bool, event: &Event) -> io::Result<()> {
    let mut to = io::stdout().lock();
    if json {
        serde_json::to_writer(&mut to, event)?;
        return writeln!(to);
    }
    match event {
        Event::Save { library, seconds, bytes_per_vector, synced } => {
            let synced = if *synced { ", synced" } else { "" };
            writeln!(
                to,
                "{library:<10} save           {:>9.1} ms  {bytes_per_vector:.1} bytes per vector{synced}",
                seconds * 1e3
            )
        }
        Event::Open { library, way, ms, first_search_ms } => {
            writeln!(
                to,
                "{library:<10} {way:<14} {ms:>9.2} ms  first search {first_search_ms:.2} ms"
            )
        }
        Event::Log { policy, writers, inserts_per_second } => {
            writeln!(
                to,
                "{policy:<10} {writers:>2} writers {inserts_per_second:>12.0} inserts per second"
            )
        }
    }
}
