//! `cargo xtask rates`: how much inserting and searching get in each other's way.

use std::io::{self, Write};

use bench_suite::{
    Workload,
    arguments::DataArgs,
    rates::{self, Rates, Settings},
    table::Prepare,
    workload::Files,
};
use nearfield_hnsw::{Params, VectorElement};
use nearfield_kernels::Metric;

/// Files are .fbin .f16bin .u8bin .i8bin .ibin .fvecs .ivecs .bvecs or .npy, each also with .zst.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    data: DataArgs,
    /// Points to insert for a rate; twice as many are kept aside
    #[arg(long, default_value_t = 8000)]
    inserts: usize,
    /// Threads that insert, beside one
    #[arg(long, default_value_t = 2)]
    threads: usize,
    /// Seconds of each rate of searches
    #[arg(long, default_value_t = 2.0)]
    seconds: f64,
    /// Runs of everything
    #[arg(long, default_value_t = 3)]
    passes: usize,
    /// Links of a point on each level; twice as many on the lowest
    #[arg(long, default_value_t = Params::default().m)]
    m: usize,
    /// Beam of the searches that find a new point's neighbours
    #[arg(long, default_value_t = Params::default().ef_construction)]
    ef_construction: usize,
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
    anyhow::ensure!(args.threads > 0, "--threads is 0; it must be at least 1");
    anyhow::ensure!(args.seconds > 0.0, "--seconds is {}; it must be above 0", args.seconds);
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
        truth: None,
        metric: data.metric,
        limit_base: args.limit_base,
        limit_query: None,
    };
    let workload = Workload::<E>::read(&files)?;
    let Args { passes, seconds, inserts, threads, m, ef_construction, k, ef, .. } = *args;
    let params = Params { m, ef_construction, ..Params::default() };
    let settings = Settings { passes, seconds, inserts, threads, params, k, ef };
    let mut to = io::stdout().lock();
    if !args.json {
        writeln!(to, "{HEAD}")?;
    }
    rates::run(&workload, &settings, |rates| {
        let line = if args.json { serde_json::to_string(rates)? } else { row(rates) };
        writeln!(to, "{line}")?;
        to.flush()
    })?;
    Ok(())
}

const HEAD: &str = "  points  inserts/s by 1 thread  by several  ratio  searches/s alone  \
                    beside inserts  ratio  inserts/s beside";

fn row(rates: &Rates) -> String {
    format!(
        "{:>8} {:>22.0} {:>11.0} {:>6.2} {:>17.0} {:>15.0} {:>6.2} {:>17.0}",
        rates.points,
        rates.inserts_1,
        rates.inserts_n,
        rates.inserts_n / rates.inserts_1,
        rates.searches_alone,
        rates.searches_beside,
        rates.searches_beside / rates.searches_alone,
        rates.inserts_beside
    )
}
