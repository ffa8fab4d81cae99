//! `cargo xtask ann`: build and search an index over any files.

use std::{
    io::{self, Write},
    num::NonZero,
    path::PathBuf,
    thread,
    time::Duration,
};

use bench_suite::{
    Workload,
    ann::{self, Event, Settings},
    table::Prepare,
    workload::{Files, TRUTH_COLUMNS},
};
use clap::ArgAction;
use indicatif::{ProgressBar, ProgressStyle};
use nearfield_hnsw::{Params, VectorElement};
use nearfield_kernels::{Backend, Metric, bf16, f16};

use crate::arguments;

/// Files are .fbin .f16bin .u8bin .i8bin .ibin .fvecs .ivecs .bvecs or .npy, each also with .zst.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The rows to index
    #[arg(long, value_name = "FILE")]
    base: PathBuf,
    /// The rows to search for
    #[arg(long, value_name = "FILE")]
    query: PathBuf,
    /// The ids of the exact nearest rows, for recall
    #[arg(long, value_name = "FILE")]
    gt: Option<PathBuf>,
    /// l2, euclidean, ip, cosine (normalises f32), l1, hamming or jaccard (packed bits from u8)
    #[arg(long, value_parser = arguments::metric)]
    metric: Metric,
    /// Links of a point on each level; twice as many on the lowest
    #[arg(long, default_value_t = Params::default().m)]
    m: usize,
    /// Beam of the searches that find a new point's neighbours
    #[arg(long, default_value_t = Params::default().ef_construction)]
    ef_construction: usize,
    /// Fill short lists up with pruned neighbours
    #[arg(long, value_name = "BOOL", default_value_t = Params::default().keep_pruned, action = ArgAction::Set)]
    keep_pruned: bool,
    /// Decides levels and the order of insertion
    #[arg(long, default_value_t = Params::default().seed)]
    seed: u64,
    /// Threads that build [default: all cores]
    #[arg(long)]
    threads: Option<usize>,
    /// Neighbours to search for
    #[arg(long, default_value_t = 10)]
    k: usize,
    /// Beams of the searches to measure
    #[arg(long, value_delimiter = ',', default_value = "10,16,24,32,48,64,96,128,192,256")]
    ef: Vec<usize>,
    /// Index only the first rows; the truth is then computed anew
    #[arg(long, value_name = "N")]
    limit_base: Option<usize>,
    /// Search only for the first queries
    #[arg(long, value_name = "N")]
    limit_query: Option<usize>,
    /// The element type of the index and of the queries; integers must be exact, floats are
    /// rounded (the truth is then computed anew) [default: f32]
    #[arg(long)]
    element: Option<Numbers>,
    /// The instruction set of every distance: scalar, avx2, avx512 or neon [default: the best]
    #[arg(long)]
    backend: Option<Backend>,
    /// Passes over all queries for each ef; the best one counts
    #[arg(long, default_value_t = 3)]
    passes: usize,
    /// Print JSON lines instead of a table
    #[arg(long)]
    json: bool,
}

/// The element types that are numbers.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Numbers {
    F32,
    F16,
    Bf16,
    I8,
    U8,
}

pub(crate) fn run(args: Args) -> anyhow::Result<()> {
    if let Metric::Hamming | Metric::Jaccard = args.metric {
        anyhow::ensure!(
            args.element.is_none(),
            "--metric {} takes packed bits; --element does not apply",
            args.metric
        );
        return measure::<u64>(&args);
    }
    match args.element.unwrap_or(Numbers::F32) {
        Numbers::F32 => measure::<f32>(&args),
        Numbers::F16 => measure::<f16>(&args),
        Numbers::Bf16 => measure::<bf16>(&args),
        Numbers::I8 => measure::<i8>(&args),
        Numbers::U8 => measure::<u8>(&args),
    }
}

fn measure<E: Prepare + VectorElement>(args: &Args) -> anyhow::Result<()> {
    let settings = args.settings();
    let mut workload = Workload::<E>::read(&args.files())?;
    settings.check(&workload)?;
    let wants_truth = args.limit_base.is_some() || args.gt.is_some();
    if wants_truth && workload.truth.is_none() {
        let columns = TRUTH_COLUMNS.max(settings.k);
        let spinner = ProgressBar::new_spinner().with_message("exact truth");
        spinner.enable_steady_tick(Duration::from_millis(100));
        workload.compute_truth(settings.backend, columns)?;
        spinner.finish_and_clear();
    }

    // Hidden by itself where standard error is no terminal.
    let bar = ProgressBar::new(workload.base.len() as u64)
        .with_style(ProgressStyle::with_template("build {wide_bar} {pos}/{len} {eta}")?);
    let mut printer = Printer { json: args.json, to: io::stdout().lock() };
    let progress = |done: usize, _total: usize| bar.set_position(done as u64);
    ann::run(&workload, &settings, &progress, |event| {
        bar.finish_and_clear();
        printer.print(&event)
    })?;
    Ok(())
}

impl Args {
    fn files(&self) -> Files {
        Files {
            base: self.base.clone(),
            query: self.query.clone(),
            truth: self.gt.clone(),
            metric: self.metric,
            limit_base: self.limit_base,
            limit_query: self.limit_query,
        }
    }

    fn settings(&self) -> Settings {
        let cores = || thread::available_parallelism().map_or(1, NonZero::get);
        Settings {
            params: Params {
                m: self.m,
                ef_construction: self.ef_construction,
                seed: self.seed,
                keep_pruned: self.keep_pruned,
            },
            threads: self.threads.unwrap_or_else(cores),
            k: self.k,
            ef: self.ef.clone(),
            passes: self.passes,
            backend: self.backend,
        }
    }
}

/// Prints events as they come, for machines or for people.
struct Printer<W> {
    json: bool,
    to: W,
}

impl<W: Write> Printer<W> {
    fn print(&mut self, event: &Event) -> io::Result<()> {
        if self.json { self.line(event) } else { self.row(event) }
    }

    fn line(&mut self, event: &Event) -> io::Result<()> {
        serde_json::to_writer(&mut self.to, event)?;
        writeln!(self.to)?;
        self.to.flush()
    }

    fn row(&mut self, event: &Event) -> io::Result<()> {
        match event {
            Event::Build(e) => {
                writeln!(
                    self.to,
                    "{} rows of {} dimensions: built in {:.2} s on {} threads, {:.0} distances and \
                     {:.0} bytes per row, graph {}\n",
                    e.n,
                    e.dim,
                    e.seconds,
                    e.threads,
                    e.distances as f64 / e.n as f64,
                    e.bytes_per_vector,
                    e.graph_hash
                )?;
                let [ef, recall, qps] = ["ef", "recall", "queries/s"];
                let [p50, p99, distances] = ["p50 µs", "p99 µs", "distances"];
                writeln!(self.to, "{ef:>6} {recall:>9} {qps:>10} {p50:>9} {p99:>9} {distances:>10}")
            }
            Event::Search(e) => {
                let recall = e.recall.map_or_else(|| "–".to_owned(), |r| format!("{r:.5}"));
                writeln!(
                    self.to,
                    "{:>6} {recall:>9} {:>10.0} {:>9.1} {:>9.1} {:>10.0}",
                    e.ef, e.qps, e.p50_us, e.p99_us, e.distances_per_query
                )
            }
        }
    }
}
