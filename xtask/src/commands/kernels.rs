//! `cargo xtask kernels`: time every kernel, beside the same functions of other libraries.

use std::io::{self, Write};
use std::time::Duration;

use anyhow::{Result, ensure};
use bench_suite::arguments;
use bench_suite::kernel_cells::{self, Plan, Shape};
use bench_suite::machine::{Facts, Levels};
use bench_suite::peers::{self, Faiss};
use clap::builder::PossibleValuesParser;
use nearfield_kernels::{Backend, Metric};

use crate::process::{self, cargo};

mod table;

/// Many short samples rather than few long ones: some of them then pass undisturbed.
const SAMPLE: Duration = Duration::from_micros(500);

/// Rows are gathered out of so much memory.
const GATHERED: usize = 1 << 30;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Time numkong, simsimd, diskann-vector and faiss too, and show who is faster
    #[arg(long)]
    peers: bool,
    /// The instruction set: scalar, avx2, avx512 or neon [default: the best]
    #[arg(long)]
    backend: Option<Backend>,
    /// Print JSON lines instead of a table
    #[arg(long)]
    json: bool,
    /// Metrics: l2, euclidean, ip, cosine, l1, hamming, jaccard [default: all]
    #[arg(long, value_delimiter = ',', value_parser = arguments::metric)]
    metric: Vec<Metric>,
    /// Elements of query and rows [default: all]
    #[arg(long, value_delimiter = ',', value_parser = PossibleValuesParser::new(kernel_cells::elements()))]
    element: Vec<String>,
    /// Dimensions, which are bits for hamming and jaccard [default: 32 to 4096; bits to 32768]
    #[arg(long, value_delimiter = ',')]
    dim: Vec<usize>,
    /// Pairs in L1, one query to many rows in L2, rows gathered from memory [default: all]
    #[arg(long, value_delimiter = ',', value_parser = shape)]
    shape: Vec<Shape>,
    /// Passes over each cell; the best one counts
    #[arg(long, default_value_t = 20)]
    passes: usize,
}

fn shape(name: &str) -> Result<Shape, String> {
    let known = || format!("known are {}", Shape::ALL.map(Shape::name).join(", "));
    Shape::ALL.into_iter().find(|shape| shape.name() == name).ok_or_else(known)
}

pub(crate) fn run(args: Args) -> Result<()> {
    if args.peers && !peers::LINKED {
        return again_with_peers();
    }
    let plan = args.plan()?;
    let faiss = args.peers.then(Faiss::start).and_then(|started| {
        started.inspect_err(|missing| eprintln!("{missing}; the others go on")).ok()
    });
    let mut to = io::stdout().lock();
    if !args.json {
        writeln!(to, "{}", table::HEAD)?;
    }
    let mut cells = vec![];
    kernel_cells::measure(&plan, faiss, |cell| {
        let line = if args.json { serde_json::to_string(&cell)? } else { table::row(&cell) };
        cells.push(cell);
        writeln!(to, "{line}")?;
        to.flush()
    })?;
    ensure!(!cells.is_empty(), "no kernel has any of these metrics, elements and dimensions");
    if !args.json {
        write!(to, "{}", table::summary(&cells))?;
    }
    Ok(())
}

/// The same command from a build that has the peers in it; this one goes without them, so that
/// nobody compiles them who does not ask for them.
fn again_with_peers() -> Result<()> {
    let run = ["run", "--quiet", "--release", "--package=xtask", "--features=peers", "--"];
    let mut cargo = cargo(run);
    process::hand_over(cargo.args(std::env::args_os().skip(1)))
}

impl Args {
    fn plan(&self) -> Result<Plan> {
        fn or_all<T: Clone>(some: &[T], all: impl IntoIterator<Item = T>) -> Vec<T> {
            if some.is_empty() { all.into_iter().collect() } else { some.to_vec() }
        }
        Ok(Plan {
            backend: self.backend.map_or_else(Backend::best, Ok)?,
            metrics: or_all(&self.metric, Metric::ALL),
            elements: or_all(&self.element, kernel_cells::elements().map(str::to_owned)),
            dims: (!self.dim.is_empty()).then(|| self.dim.clone()),
            shapes: or_all(&self.shape, Shape::ALL),
            // Half: the rest is for the query, the results, and hash conflicts.
            ordered_bytes: Levels::of(&Facts::gather().caches, GATHERED).l2 / 2,
            gather_bytes: GATHERED,
            passes: self.passes,
            sample: SAMPLE,
            peers: self.peers,
        })
    }
}
