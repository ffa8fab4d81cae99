//! How much inserting and searching get in each other's way.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use nearfield_hnsw::{
    Build, BuildError, Index, InsertError, Params, Search, SearchError, VectorElement, VectorError,
    Vectors,
};
use serde::{Deserialize, Serialize};

use crate::{table::Table, workload::Workload};

/// What to measure.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Runs of everything.
    pub passes: usize,
    /// Seconds that each rate of searches is measured for.
    pub seconds: f64,
    /// Points that the inserting threads insert.
    pub inserts: usize,
    /// Threads that insert, beside one.
    pub threads: usize,
    /// The graph.
    pub params: Params,
    /// Neighbours to search for.
    pub k: usize,
    /// The width of the beam.
    pub ef: usize,
}

/// One pass; all rates are per second.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rates {
    /// Points in the index in the beginning.
    pub points: usize,
    /// Inserts by one thread.
    pub inserts_1: f64,
    /// Inserts by several threads.
    pub inserts_n: f64,
    /// How many.
    pub threads: usize,
    /// Searches by one thread alone.
    pub searches_alone: f64,
    /// Searches by one thread while another inserts.
    pub searches_beside: f64,
    /// What that one inserts.
    pub inserts_beside: f64,
}

/// Why nothing was measured.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RatesError {
    /// A base that is too small.
    #[error("{rows} rows are too few to insert {inserts} and keep as many aside")]
    TooFew {
        /// Rows of the base.
        rows: usize,
        /// Points to insert.
        inserts: usize,
    },
    /// The rows were refused.
    #[error("the base was refused: {0}")]
    Base(#[from] VectorError),
    /// The index cannot be built.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// A point cannot be inserted.
    #[error(transparent)]
    Insert(#[from] InsertError<VectorError>),
    /// A search was refused.
    #[error(transparent)]
    Search(#[from] SearchError<VectorError>),
    /// The one who wanted the results does not take them.
    #[error("the results cannot be written: {0}")]
    Report(#[from] std::io::Error),
}

/// Measures, and tells `report` of each pass.
///
/// # Errors
/// [`RatesError`]; of the threads' errors the first.
pub fn run<E: VectorElement>(
    workload: &Workload<E>,
    settings: &Settings,
    mut report: impl FnMut(&Rates) -> std::io::Result<()>,
) -> Result<(), RatesError> {
    let (rows, inserts) = (workload.base.len(), settings.inserts);
    if inserts == 0 || rows <= 2 * inserts {
        return Err(RatesError::TooFew { rows, inserts });
    }
    let points = rows - 2 * inserts;
    for _ in 0..settings.passes {
        let [inserts_1, inserts_n] = [1, settings.threads].map(|threads| {
            let index = build(workload, settings, points)?;
            insert(&index, &workload.base, points..points + inserts, threads)
        });
        let index = build(workload, settings, points)?;
        let searches_alone = search(&index, workload, settings, &AtomicBool::new(false))?;
        let (searches_beside, inserts_beside) = beside(&index, workload, settings)?;
        report(&Rates {
            points,
            inserts_1: inserts_1?,
            inserts_n: inserts_n?,
            threads: settings.threads,
            searches_alone,
            searches_beside,
            inserts_beside,
        })?;
    }
    Ok(())
}

type Tested<E> = Index<u32, Vectors<E>>;

fn build<E: VectorElement>(
    workload: &Workload<E>,
    settings: &Settings,
    points: usize,
) -> Result<Tested<E>, RatesError> {
    let base = &workload.base;
    let mut vectors = Vectors::new(base.dim(), workload.metric)?.with_capacity(base.len());
    vectors.extend(&base.values()[..points * base.dim()])?;
    let keys = (0..points as u32).collect();
    Ok(Index::build(vectors, keys, settings.params.clone(), Build::default())?)
}

/// Inserts rows from several threads; returns how many a second.
fn insert<E: VectorElement>(
    index: &Tested<E>,
    base: &Table<E>,
    rows: std::ops::Range<usize>,
    threads: usize,
) -> Result<f64, RatesError> {
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
    let results: Result<(), RatesError> = thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        workers.into_iter().try_for_each(|worker| worker.join().expect("a worker panicked"))
    });
    results?;
    Ok(rows.len() as f64 / start.elapsed().as_secs_f64())
}

/// Searches on this thread until the time or everything is over; returns how often a second.
fn search<E: VectorElement>(
    index: &Tested<E>,
    workload: &Workload<E>,
    settings: &Settings,
    is_over: &AtomicBool,
) -> Result<f64, RatesError> {
    let mut searcher = index.hnsw().searcher();
    let request = Search::new(settings.k).ef(settings.ef);
    let (start, time) = (Instant::now(), Duration::from_secs_f64(settings.seconds));
    let mut searches = 0;
    while start.elapsed() < time && !is_over.load(Relaxed) {
        searcher.search(workload.queries.row(searches % workload.queries.len()), request)?;
        searches += 1;
    }
    Ok(searches as f64 / start.elapsed().as_secs_f64())
}

/// Searches on one thread while another inserts what is left of the base.
fn beside<E: VectorElement>(
    index: &Tested<E>,
    workload: &Workload<E>,
    settings: &Settings,
) -> Result<(f64, f64), RatesError> {
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        let inserter = scope.spawn(|| {
            let (start, first) = (Instant::now(), index.len());
            let mut row = first;
            while row < workload.base.len() && !is_over.load(Relaxed) {
                index.insert(row as u32, workload.base.row(row))?;
                row += 1;
            }
            // Without inserts beside them searches are not to be counted.
            is_over.store(true, Relaxed);
            Ok::<_, RatesError>((row - first) as f64 / start.elapsed().as_secs_f64())
        });
        let searches = search(index, workload, settings, &is_over);
        is_over.store(true, Relaxed);
        let inserts = inserter.join().expect("the inserter panicked")?;
        Ok((searches?, inserts))
    })
}
