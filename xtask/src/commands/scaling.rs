//! `cargo xtask scaling`: how the cost of a search grows with the number of points.

use std::{
    io::{self, Write},
    num::NonZero,
    thread,
};

use bench_suite::{
    ann::Settings,
    generated::{Clustered, Shape},
    scaling::{self, Size},
};
use nearfield_hnsw::Params;

/// Nearest neighbours to search for.
const K: usize = 10;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Points of the indexes to build
    #[arg(long, value_delimiter = ',', default_value = "10000,100000,1000000")]
    points: Vec<NonZero<usize>>,
    /// Columns of a row
    #[arg(long, default_value = "64")]
    dim: NonZero<usize>,
    /// Dimensions of the patches that the points lie on
    #[arg(long, default_value_t = Shape::of_dim(1).intrinsic)]
    intrinsic: usize,
    /// Patches
    #[arg(long, default_value = "300")]
    clusters: NonZero<usize>,
    /// Half the width of the cube that the centres lie in
    #[arg(long, default_value_t = Shape::of_dim(1).spread)]
    spread: f32,
    /// Queries to search for
    #[arg(long, default_value = "1000")]
    queries: NonZero<usize>,
    /// Share of the nearest neighbours to find
    #[arg(long, default_value_t = 0.95, value_parser = share)]
    recall: f64,
    /// Threads that build [default: all cores]
    #[arg(long)]
    threads: Option<NonZero<usize>>,
    /// Print JSON lines instead of a table
    #[arg(long)]
    json: bool,
}

fn share(text: &str) -> Result<f64, String> {
    let share = text.parse().ok().filter(|share| (0.0..=1.0).contains(share));
    share.ok_or_else(|| "a share lies in 0…1".to_owned())
}

pub(crate) fn run(mut args: Args) -> anyhow::Result<()> {
    args.points.sort_unstable();
    args.points.dedup();
    let clustered = Clustered::new(args.shape());
    let settings = args.settings();
    let mut to = io::stdout().lock();
    if !args.json {
        writeln!(to, "{HEAD}")?;
    }
    let mut smallest = None;
    for points in &args.points {
        let (points, queries) = (points.get(), args.queries.get());
        let size = scaling::measure(&clustered, points, queries, args.recall, &settings)?;
        let smallest = smallest.get_or_insert(size.distances_per_query);
        let line = if args.json {
            serde_json::to_string(&size)?
        } else {
            row(&size, args.recall, *smallest)
        };
        writeln!(to, "{line}")?;
        to.flush()?;
    }
    Ok(())
}

impl Args {
    fn shape(&self) -> Shape {
        Shape {
            intrinsic: self.intrinsic,
            clusters: self.clusters.get(),
            spread: self.spread,
            ..Shape::of_dim(self.dim.get())
        }
    }

    fn settings(&self) -> Settings {
        let cores = || thread::available_parallelism().map_or(1, NonZero::get);
        Settings {
            params: Params::default(),
            threads: self.threads.map_or_else(cores, NonZero::get),
            k: K,
            ef: vec![],
            passes: 1,
            backend: None,
        }
    }
}

const HEAD: &str =
    "    points  local dim  build s  dist/point    ef   recall  dist/query  dist at recall  ratio";

/// One size: the last search, and the cost at the recall beside that of the smallest size.
fn row(size: &Size, recall: f64, smallest: Option<f64>) -> String {
    let Some(last) = size.searches.last() else { return String::new() };
    // A narrower beam than the first there is none: where it finds more than enough, its cost is a
    // bound.
    let bound = (last.recall >= Some(recall)).then_some(last.distances_per_query).flatten();
    let (sign, cost) = match size.distances_per_query {
        Some(cost) => ("", Some(cost)),
        None => ("≤", bound),
    };
    let known = |sign, value: Option<f64>, digits| {
        value.map_or_else(|| "–".to_owned(), |value| format!("{sign}{value:.digits$}"))
    };
    format!(
        "{:>10} {:>10} {:>8.2} {:>11} {:>5} {:>8} {:>11} {:>15} {:>6}",
        size.build.n,
        known("", size.local_dimension, 1),
        size.build.seconds,
        known("", size.build.distances.map(|all| all as f64 / size.build.n as f64), 0),
        last.ef,
        known("", last.recall, 4),
        known("", last.distances_per_query, 0),
        known(sign, cost, 0),
        known(sign, cost.zip(smallest).map(|(cost, smallest)| cost / smallest), 2)
    )
}
