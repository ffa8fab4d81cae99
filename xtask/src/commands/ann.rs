//! `cargo xtask ann`: build and search an index over any files.

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use bench_suite::{
    Workload,
    ann::{self, Event, Settings},
    arguments::{IndexArgs, metric},
    each_saved,
    saved::{AnySaved, Format, Questions, Saved, Way},
    table::Prepare,
    workload::{Files, TRUTH_COLUMNS},
};
use clap::ArgAction;
use indicatif::{ProgressBar, ProgressStyle};
use nearfield_files::{Matrix, Values};
use nearfield_hnsw::{Params, Search, space::VectorElement};
use nearfield_kernels::{Backend, Metric, bf16, f16};

use super::workload;

/// Files are .fbin .f16bin .u8bin .i8bin .ibin .fvecs .ivecs .bvecs or .npy, each also with .zst. With xtask's
/// feature `arrow` they can be .parquet .arrow .feather or .arrows, too, and FILE#COLUMN names the column of
/// vectors where there is more than one.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The rows to index
    #[arg(long, value_name = "FILE", required_unless_present = "load")]
    base: Option<PathBuf>,
    /// The rows to search for
    #[arg(long, value_name = "FILE")]
    query: PathBuf,
    /// The exact nearest rows, for recall: their ids, or with --load their keys
    #[arg(long, value_name = "FILE")]
    gt: Option<PathBuf>,
    /// l2, ip, cosine (normalises f32), l1, hamming or jaccard (packed bits from u8); with --load only
    /// where the file does not say it
    #[arg(long, value_parser = metric, required_unless_present = "load")]
    metric: Option<Metric>,
    /// Save the index to a file
    #[arg(long, value_name = "FILE")]
    save: Option<PathBuf>,
    /// Search an index from a file instead of building one: ours, or hnswlib's, usearch's or faiss's
    #[arg(long, value_name = "FILE", conflicts_with_all = ["base", "save", "element", "backend", "limit_base"])]
    load: Option<PathBuf>,
    /// How --load opens a file of ours: map it, map and verify it, or read and verify it
    #[arg(long, value_enum, default_value = "load", requires = "load")]
    way: LoadWay,
    /// Write the keys that the last ef finds in the index of --load, a row of k for each query; -1 where
    /// there are fewer
    #[arg(long, value_name = "FILE", requires = "load")]
    hits: Option<PathBuf>,
    #[command(flatten)]
    index: IndexArgs,
    /// Fill short lists up with pruned neighbours
    #[arg(long, value_name = "BOOL", default_value_t = Params::default().keep_pruned, action = ArgAction::Set)]
    keep_pruned: bool,
    /// The element type of the index and of the queries; integers must be exact, floats are
    /// rounded (the truth is then computed anew) [default: f32]
    #[arg(long)]
    element: Option<Numbers>,
    /// The instruction set of every distance: scalar, avx2, avx512 or neon [default: the best]
    #[arg(long)]
    backend: Option<Backend>,
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

/// How a file of ours is opened.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum LoadWay {
    Open,
    OpenVerified,
    Load,
}

impl From<LoadWay> for Way {
    fn from(way: LoadWay) -> Self {
        match way {
            LoadWay::Open => Self::Open,
            LoadWay::OpenVerified => Self::OpenVerified,
            LoadWay::Load => Self::Load,
        }
    }
}

pub(crate) fn run(args: Args) -> anyhow::Result<()> {
    if let Some(path) = &args.load {
        return load(&args, path);
    }
    if let Some(metric @ (Metric::Hamming | Metric::Jaccard)) = args.metric {
        anyhow::ensure!(
            args.element.is_none(),
            "--metric {metric} takes packed bits; --element does not apply"
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
    let mut workload = workload::read::<E>(&args.files()?)?;
    settings.check(&workload)?;
    let wants_truth = args.index.limit_base.is_some() || args.gt.is_some();
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
    let mut printer =
        Printer { json: args.json, saves: args.save.is_some(), to: io::stdout().lock() };
    let progress = |done: usize, _total: usize| bar.set_position(done as u64);
    ann::run(&workload, &settings, args.save.as_deref(), &progress, |event| {
        bar.finish_and_clear();
        printer.print(&event)
    })?;
    Ok(())
}

/// Searches an index from a file.
fn load(args: &Args, path: &Path) -> anyhow::Result<()> {
    let mut printer =
        Printer { json: args.json, saves: args.save.is_some(), to: io::stdout().lock() };
    let format = Format::of(path)?;
    let start = Instant::now();
    let any = AnySaved::read(path, &format, args.metric, args.way.into())?;
    let seconds = start.elapsed().as_secs_f64();
    each_saved!(&any, saved => {
        printer.print(&Event::Load(saved.event(path, &format, seconds)?))?;
        let (query, truth, limit) = (args.query.clone(), args.gt.clone(), args.index.limit_query);
        let workload = workload::explained(saved.workload(&Questions { query, truth, limit }))?;
        let settings = args.settings();
        settings.check(&workload)?;
        ann::search_all(&mut saved.searcher(), &workload, &settings, |event| {
            printer.print(&event)
        })?;
        if let Some(path) = &args.hits {
            nearfield_files::write(path, &hits(saved, &workload, &settings)?)?;
        }
    });
    Ok(())
}

/// The keys that the last ef finds, a row for each query.
fn hits<E: VectorElement>(
    saved: &Saved<E>,
    workload: &Workload<E>,
    settings: &Settings,
) -> anyhow::Result<Matrix> {
    let (k, queries) = (settings.k, &workload.queries);
    let request = Search::new(k).ef(settings.ef.last().copied().unwrap_or(k));
    let mut searcher = saved.searcher();
    let mut keys = Vec::with_capacity(queries.len() * k);
    for query in 0..queries.len() {
        let hits = searcher.search(queries.row(query), request)?;
        let found = hits.iter().map(|hit| saved.key(hit.id).map_or(-1, u64::cast_signed));
        keys.extend(found.chain(std::iter::repeat(-1)).take(k));
    }
    Ok(Matrix::new(k, Values::I64(keys)))
}

impl Args {
    fn files(&self) -> anyhow::Result<Files> {
        let (Some(base), Some(metric)) = (self.base.clone(), self.metric) else {
            anyhow::bail!("--base and --metric are needed to build an index");
        };
        Ok(Files {
            base,
            query: self.query.clone(),
            truth: self.gt.clone(),
            metric,
            limit_base: self.index.limit_base,
            limit_query: self.index.limit_query,
        })
    }

    fn settings(&self) -> Settings {
        let mut settings = self.index.settings();
        settings.params.keep_pruned = self.keep_pruned;
        settings.backend = self.backend;
        settings
    }
}

/// Prints events as they come, for machines or for people.
struct Printer<W> {
    json: bool,
    /// Whether the index is saved before it is searched.
    saves: bool,
    to: W,
}

impl<W: Write> Printer<W> {
    fn print(&mut self, event: &Event) -> io::Result<()> {
        if self.json { event.write_line(&mut self.to) } else { self.row(event) }
    }

    /// The head of the table of searches.
    fn head(&mut self) -> io::Result<()> {
        let [ef, recall, qps] = ["ef", "recall", "queries/s"];
        let [p50, p99, distances] = ["p50 µs", "p99 µs", "distances"];
        writeln!(self.to, "{ef:>6} {recall:>9} {qps:>10} {p50:>9} {p99:>9} {distances:>10}")
    }

    fn row(&mut self, event: &Event) -> io::Result<()> {
        match event {
            Event::Build(e) => {
                writeln!(
                    self.to,
                    "{} rows of {} dimensions: built in {:.2} s on {} threads, {} distances and \
                     {} bytes per row, graph {}\n",
                    e.n,
                    e.dim,
                    e.seconds,
                    e.threads,
                    known(e.distances.map(|distances| distances as f64 / e.n as f64), 0),
                    known(e.bytes_per_vector, 0),
                    e.graph_hash.as_deref().unwrap_or("–")
                )?;
                if self.saves { Ok(()) } else { self.head() }
            }
            Event::Save(e) => {
                writeln!(self.to, "saved in {:.3} s, {} bytes\n", e.seconds, e.bytes)?;
                self.head()
            }
            Event::Load(e) => {
                writeln!(
                    self.to,
                    "{} points of {} dimensions ({}, {}) in a file of {}, {} bytes: opened in {:.4} s, \
                     graph {}\n",
                    e.n, e.dim, e.element, e.metric, e.format, e.bytes, e.seconds, e.graph_hash
                )?;
                self.head()
            }
            Event::Search(e) => {
                let (recall, distances) = (known(e.recall, 5), known(e.distances_per_query, 0));
                let (p50, p99) = (known(e.p50_us, 1), known(e.p99_us, 1));
                writeln!(
                    self.to,
                    "{:>6} {recall:>9} {:>10.0} {p50:>9} {p99:>9} {distances:>10}",
                    e.ef, e.qps
                )
            }
        }
    }
}

/// A figure with so many decimals, where there is one.
fn known(figure: Option<f64>, decimals: usize) -> String {
    figure.map_or_else(|| "–".to_owned(), |figure| format!("{figure:.decimals$}"))
}
