//! How much inserting and searching get in each other's way, in our index and in others that can be
//! changed while they are searched.

use std::ffi::OsString;
use std::io;
use std::num::NonZero;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::bail;
use clap::Parser;
use nearfield_hnsw::{Build, Index, Params, Search, Vectors, space::VectorElement};
use serde::{Deserialize, Serialize};

use crate::{
    ann,
    arguments::{DataArgs, GraphArgs, Words},
    table::Table,
    workload::{Files, Workload},
};

/// What to measure on, and how.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// The vectors.
    #[command(flatten)]
    pub data: DataArgs,
    /// Points to insert for a rate; twice as many are kept aside
    #[arg(long, default_value_t = 8000)]
    pub inserts: usize,
    /// Numbers of threads that insert, beside one [default: those of 2,4,8,16 that have cores]
    #[arg(long, value_delimiter = ',')]
    pub threads: Vec<NonZero<u16>>,
    /// Seconds of each rate of searches
    #[arg(long, default_value_t = 2.0)]
    pub seconds: f64,
    /// Runs of everything
    #[arg(long, default_value_t = 3)]
    pub passes: usize,
    /// The graph.
    #[command(flatten)]
    pub graph: GraphArgs,
    /// Neighbours to search for
    #[arg(long, default_value_t = 10)]
    pub k: usize,
    /// The beam of searches
    #[arg(long, default_value_t = 64)]
    pub ef: usize,
    /// Use only the first rows
    #[arg(long, value_name = "N")]
    pub limit_base: Option<usize>,
}

impl Args {
    /// The files, and how much of them is wanted.
    pub fn files(&self) -> Files {
        Files {
            base: self.data.base.clone(),
            query: self.data.query.clone(),
            truth: None,
            metric: self.data.metric,
            limit_base: self.limit_base,
            limit_query: None,
        }
    }

    /// The settings.
    pub fn settings(&self) -> Settings {
        Settings {
            passes: self.passes,
            seconds: self.seconds,
            inserts: self.inserts,
            threads: self.threads(),
            params: self.graph.params(),
            k: self.k,
            ef: self.ef,
        }
    }

    fn threads(&self) -> Vec<usize> {
        if self.threads.is_empty() {
            return with_cores(thread::available_parallelism().map_or(1, usize::from));
        }
        self.threads.iter().map(|threads| threads.get().into()).collect()
    }

    /// The words that are read as this again, but for one pass.
    pub fn words_of_a_pass(&self) -> Vec<OsString> {
        let mut words = Words::default();
        words.add("--inserts", self.inserts.to_string());
        let threads: Vec<String> = self.threads().iter().map(usize::to_string).collect();
        words.add("--threads", threads.join(","));
        words.add("--seconds", self.seconds.to_string());
        words.add("--passes", "1");
        self.graph.add_to(&mut words);
        words.add("--k", self.k.to_string());
        words.add("--ef", self.ef.to_string());
        words.add_some("--limit-base", self.limit_base.map(|n| n.to_string()));
        [self.data.words(), words.into()].concat()
    }
}

/// The numbers of threads that tell something on a machine of so many cores.
fn with_cores(cores: usize) -> Vec<usize> {
    [2, 4, 8, 16].into_iter().filter(|threads| *threads <= cores.max(2)).collect()
}

/// What to measure.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Runs of everything.
    pub passes: usize,
    /// Seconds that each rate of searches is measured for.
    pub seconds: f64,
    /// Points that the inserting threads insert.
    pub inserts: usize,
    /// Numbers of threads that insert, beside one.
    pub threads: Vec<usize>,
    /// The graph.
    pub params: Params,
    /// Neighbours to search for.
    pub k: usize,
    /// The width of the beam.
    pub ef: usize,
}

impl Settings {
    /// The most threads that insert at once.
    pub fn most_threads(&self) -> usize {
        self.threads.iter().copied().max().unwrap_or(1)
    }

    /// The settings of a build on as many threads as insert.
    pub fn of_a_build(&self) -> ann::Settings {
        ann::Settings {
            params: self.params.clone(),
            threads: self.most_threads(),
            k: self.k,
            ef: vec![self.ef],
            passes: 1,
            backend: None,
        }
    }
}

/// One pass; all rates are per second.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rates {
    /// Whose index.
    pub library: String,
    /// Points in the index in the beginning.
    pub points: usize,
    /// Inserts by one thread.
    pub inserts_1: f64,
    /// Inserts by several threads.
    pub inserts_n: Vec<ByThreads>,
    /// Searches by one thread alone.
    pub searches_alone: f64,
    /// Searches by one thread while another inserts.
    pub searches_beside: f64,
    /// What that one inserts.
    pub inserts_beside: f64,
}

/// Inserts a second by so many threads.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ByThreads {
    /// How many.
    pub threads: usize,
    /// Of all of them together.
    pub inserts: f64,
}

/// An index that can be changed while it is searched.
pub trait Living<E>: Sized + Sync {
    /// Whose it is.
    const LIBRARY: &'static str;

    /// An index over the first `points` rows of the base, with room for the others.
    ///
    /// # Errors
    /// When the library fails.
    fn begin(workload: &Workload<E>, points: usize, settings: &Settings) -> anyhow::Result<Self>;

    /// Adds the row of this number.
    ///
    /// # Errors
    /// When the library fails.
    fn insert(&self, row: u32, values: &[E]) -> anyhow::Result<()>;

    /// Searches once.
    ///
    /// # Errors
    /// When the library fails.
    fn search(&self, query: &[E], settings: &Settings) -> anyhow::Result<()>;
}

/// Our index.
#[derive(Debug)]
pub struct Ours<E: VectorElement>(Index<u32, Vectors<E>>);

impl<E: VectorElement> Living<E> for Ours<E> {
    const LIBRARY: &'static str = "nearfield";

    fn begin(workload: &Workload<E>, points: usize, settings: &Settings) -> anyhow::Result<Self> {
        let base = &workload.base;
        let mut vectors = Vectors::new(base.dim(), workload.metric)?.with_capacity(base.len());
        vectors.extend(&base.values()[..points * base.dim()])?;
        let keys = (0..points as u32).collect();
        Ok(Self(Index::build(vectors, keys, settings.params.clone(), Build::default())?))
    }

    fn insert(&self, row: u32, values: &[E]) -> anyhow::Result<()> {
        self.0.insert(row, values)?;
        Ok(())
    }

    fn search(&self, query: &[E], settings: &Settings) -> anyhow::Result<()> {
        self.0.search(query, Search::new(settings.k).ef(settings.ef))?;
        Ok(())
    }
}

/// A whole program: reads the arguments, measures the library and prints a line of JSON for each pass.
pub fn main<L: Living<f32>>(words: impl Iterator<Item = OsString>) -> ExitCode {
    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        args: Args,
    }
    let Line { args } = Line::parse_from(words);
    let result = Workload::read(&args.files()).map_err(anyhow::Error::from).and_then(|workload| {
        run::<f32, L>(&workload, &args.settings(), |rates| {
            serde_json::to_writer(io::stdout(), rates)?;
            println!();
            Ok(())
        })
    });
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Measures, and tells `report` of each pass.
///
/// # Errors
/// What the library refused; of the threads' errors the first.
pub fn run<E: Copy + Sync, L: Living<E>>(
    workload: &Workload<E>,
    settings: &Settings,
    mut report: impl FnMut(&Rates) -> io::Result<()>,
) -> anyhow::Result<()> {
    let (rows, inserts) = (workload.base.len(), settings.inserts);
    if inserts == 0 || rows <= 2 * inserts {
        bail!("{rows} rows are too few to insert {inserts} and keep as many aside");
    }
    let points = rows - 2 * inserts;
    for _ in 0..settings.passes {
        let inserts = |threads| {
            let index = L::begin(workload, points, settings)?;
            insert(&index, &workload.base, points..points + inserts, threads)
        };
        let inserts_1 = inserts(1)?;
        let by = |&threads| Ok(ByThreads { threads, inserts: inserts(threads)? });
        let inserts_n = settings.threads.iter().map(by).collect::<anyhow::Result<_>>()?;
        let index = L::begin(workload, points, settings)?;
        let searches_alone = search(&index, workload, settings, &AtomicBool::new(false))?;
        let (searches_beside, inserts_beside) = beside(&index, workload, points, settings)?;
        report(&Rates {
            library: L::LIBRARY.to_owned(),
            points,
            inserts_1,
            inserts_n,
            searches_alone,
            searches_beside,
            inserts_beside,
        })?;
    }
    Ok(())
}

/// Inserts rows from several threads; returns how many a second.
fn insert<E: Sync, L: Living<E>>(
    index: &L,
    base: &Table<E>,
    rows: std::ops::Range<usize>,
    threads: usize,
) -> anyhow::Result<f64> {
    let next = AtomicUsize::new(rows.start);
    let work = || {
        loop {
            let row = next.fetch_add(1, Relaxed);
            if row >= rows.end {
                return Ok(());
            }
            index.insert(row as u32, base.row(row))?;
        }
    };
    let start = Instant::now();
    let results: anyhow::Result<()> = thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        workers.into_iter().try_for_each(|worker| worker.join().expect("a worker panicked"))
    });
    results?;
    Ok(rows.len() as f64 / start.elapsed().as_secs_f64())
}

/// Searches on this thread until the time or everything is over, at least once; returns how often a second.
fn search<E, L: Living<E>>(
    index: &L,
    workload: &Workload<E>,
    settings: &Settings,
    is_over: &AtomicBool,
) -> anyhow::Result<f64> {
    let (start, time) = (Instant::now(), Duration::from_secs_f64(settings.seconds));
    let mut searches = 0;
    loop {
        index.search(workload.queries.row(searches % workload.queries.len()), settings)?;
        searches += 1;
        if start.elapsed() >= time || is_over.load(Relaxed) {
            return Ok(searches as f64 / start.elapsed().as_secs_f64());
        }
    }
}

/// Searches on one thread while another inserts what is left of the base. On a busy machine one may be over
/// before the other begins; each does something all the same.
fn beside<E: Sync, L: Living<E>>(
    index: &L,
    workload: &Workload<E>,
    points: usize,
    settings: &Settings,
) -> anyhow::Result<(f64, f64)> {
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        let inserter = scope.spawn(|| {
            let start = Instant::now();
            let mut row = points;
            loop {
                index.insert(row as u32, workload.base.row(row))?;
                row += 1;
                if row == workload.base.len() || is_over.load(Relaxed) {
                    break;
                }
            }
            // Without inserts beside them searches are not to be counted.
            is_over.store(true, Relaxed);
            anyhow::Ok((row - points) as f64 / start.elapsed().as_secs_f64())
        });
        let searches = search(index, workload, settings, &is_over);
        is_over.store(true, Relaxed);
        let inserts = inserter.join().expect("the inserter panicked")?;
        Ok((searches?, inserts))
    })
}

#[cfg(test)]
mod tests {
    use nearfield_kernels::Metric;

    use super::*;

    fn workload(rows: usize) -> Workload<f32> {
        let table = |rows| Table::new(2, (0..2 * rows).map(|i| (i * i % 997) as f32).collect());
        let (base, queries) = (table(rows), table(10));
        Workload { metric: Metric::L2Squared, dim: 2, base, queries, truth: None }
    }

    fn settings(inserts: usize) -> Settings {
        let params = Params::default().ef_construction(40);
        Settings { passes: 2, seconds: 0.01, inserts, threads: vec![2, 3], params, k: 3, ef: 10 }
    }

    #[test]
    fn every_pass_has_every_rate() {
        let mut passes = Vec::new();
        let report = |rates: &Rates| {
            passes.push(rates.clone());
            Ok(())
        };
        run::<f32, Ours<f32>>(&workload(500), &settings(100), report).unwrap();
        assert_eq!(passes.len(), 2);
        for rates in passes {
            assert_eq!((&*rates.library, rates.points), ("nearfield", 300));
            let threads: Vec<usize> = rates.inserts_n.iter().map(|by| by.threads).collect();
            assert_eq!(threads, [2, 3]);
            let [two, three] = [0, 1].map(|place: usize| rates.inserts_n[place].inserts);
            let inserts = [rates.inserts_1, two, three, rates.inserts_beside];
            let searches = [rates.searches_alone, rates.searches_beside];
            assert!([&inserts[..], &searches].concat().iter().all(|rate| *rate > 0.0));
        }
    }

    #[test]
    fn more_threads_than_cores_are_only_two() {
        assert_eq!(with_cores(1), [2]);
        assert_eq!(with_cores(6), [2, 4]);
        assert_eq!(with_cores(64), [2, 4, 8, 16]);
    }

    #[test]
    fn too_few_rows_are_refused() {
        for inserts in [0, 50] {
            let error = run::<f32, Ours<f32>>(&workload(100), &settings(inserts), |_| Ok(()));
            let error = error.unwrap_err().to_string();
            assert!(error.starts_with("100 rows are too few"), "{error}");
        }
    }
}
