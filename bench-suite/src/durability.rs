//! What it takes to keep an index: to save and open it, and to log what is inserted.

use std::{
    io,
    num::NonZero,
    path::Path,
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
    thread,
    time::Instant,
};

use nearfield_hnsw::{
    Build, Durable, Index, Params, Search, Vectors,
    durable::{Every, OnFlush, Policy},
    file::OpenError,
    space::VectorElement,
};
use serde::{Deserialize, Serialize};

use crate::{mapped, workload::Workload};

/// What is measured, and on how much.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The graph.
    pub params: Params,
    /// Threads that build it.
    pub threads: NonZero<usize>,
    /// Inserts for a rate, of the first rows.
    pub inserts: usize,
    /// Threads that insert at the same time, one rate after another.
    pub writers: Vec<usize>,
}

/// One figure; as JSON, one line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "lowercase")]
pub enum Event {
    /// The index was saved.
    Save {
        /// Whose index.
        library: String,
        /// Seconds until the call returned.
        seconds: f64,
        /// Bytes of the file for each vector.
        bytes_per_vector: f64,
        /// Whether it would then survive power loss.
        synced: bool,
    },
    /// The file was opened.
    Open {
        /// Whose index.
        library: String,
        /// How.
        way: String,
        /// Milliseconds until the call returned.
        ms: f64,
        /// Milliseconds of the first search behind it.
        first_search_ms: f64,
    },
    /// Points were inserted under a log.
    Log {
        /// When they were acknowledged.
        policy: String,
        /// Threads that inserted.
        writers: usize,
        /// Inserts per second.
        inserts_per_second: f64,
    },
}

/// Keys are the numbers of rows.
type Keyed<E> = Index<u64, Vectors<E>>;

/// A way to open one.
type Opener<E> = fn(&Path) -> Result<Keyed<E>, OpenError>;

/// An index over the whole base.
///
/// # Errors
/// When a parameter is out of its range or a row is refused.
pub fn build<E: VectorElement>(
    workload: &Workload<E>,
    settings: &Settings,
) -> anyhow::Result<Keyed<E>> {
    let base = &workload.base;
    let mut vectors = Vectors::new(base.dim(), workload.metric)?;
    vectors.extend(base.values())?;
    let keys = (0..base.len() as u64).collect();
    let build = Build::default().threads(settings.threads.get());
    Ok(Index::build(vectors, keys, settings.params.clone(), build)?)
}

/// Saves the index to `path` and opens it in every way, once.
///
/// # Errors
/// When a step fails.
pub fn save_and_open<E: VectorElement>(
    index: &Keyed<E>,
    workload: &Workload<E>,
    path: &Path,
    mut report: impl FnMut(Event) -> io::Result<()>,
) -> anyhow::Result<()> {
    let library = || "nearfield".to_owned();
    let start = Instant::now();
    index.save(path)?;
    let seconds = start.elapsed().as_secs_f64();
    let bytes_per_vector = path.metadata()?.len() as f64 / index.len() as f64;
    report(Event::Save { library: library(), seconds, bytes_per_vector, synced: true })?;
    let ways: [(&str, Opener<E>); 3] = [
        ("open", |path| mapped::open(path)),
        ("open_verified", |path| mapped::open_verified(path)),
        ("load", |path| Index::load(path)),
    ];
    for (way, open) in ways {
        let start = Instant::now();
        let opened = open(path)?;
        let ms = start.elapsed().as_secs_f64() * 1e3;
        let start = Instant::now();
        opened.search(workload.queries.row(0), Search::new(10).ef(64))?;
        let first_search_ms = start.elapsed().as_secs_f64() * 1e3;
        report(Event::Open { library: library(), way: way.to_owned(), ms, first_search_ms })?;
    }
    Ok(())
}

/// Inserts the first rows into empty indexes in `folder`, under every policy and without a log.
///
/// # Errors
/// When a step fails.
pub fn log<E: VectorElement>(
    workload: &Workload<E>,
    settings: &Settings,
    folder: &Path,
    mut report: impl FnMut(Event) -> io::Result<()>,
) -> anyhow::Result<()> {
    let empty = || -> anyhow::Result<Keyed<E>> {
        let rows = settings.inserts.min(workload.base.len());
        let vectors = Vectors::new(workload.base.dim(), workload.metric)?.with_capacity(rows);
        Ok(Index::new(vectors, settings.params.clone())?)
    };
    for &writers in &settings.writers {
        let mut tell = |policy: &str, inserts_per_second| {
            report(Event::Log { policy: policy.to_owned(), writers, inserts_per_second })
        };
        let index = empty()?;
        let rate = rate(workload, settings, writers, |key, row| index.insert(key, row).map(drop))?;
        tell("no log", rate)?;
        let durable = |policy: &str| -> anyhow::Result<Durable<u64, E>> {
            Ok(Durable::create(folder.join(format!("{policy}-{writers}")), empty()?)?)
        };
        let on_flush = durable("on flush")?.relaxed(OnFlush);
        tell("on flush", logged(workload, settings, writers, &on_flush)?)?;
        let every = durable("every 1000")?.relaxed(Every(1000));
        tell("every 1000", logged(workload, settings, writers, &every)?)?;
        tell("synced", logged(workload, settings, writers, &durable("synced")?)?)?;
    }
    Ok(())
}

/// Inserts per second under a log, with all of them on the disk in the end.
fn logged<E: VectorElement, P: Policy>(
    workload: &Workload<E>,
    settings: &Settings,
    writers: usize,
    index: &Durable<u64, E, P>,
) -> anyhow::Result<f64> {
    rate(workload, settings, writers, |key, row| index.insert(key, row).map(drop))
}

/// How often `insert` runs per second, on so many threads.
fn rate<E: VectorElement, F: Send + Into<anyhow::Error>>(
    workload: &Workload<E>,
    settings: &Settings,
    writers: usize,
    insert: impl Fn(u64, &[E]) -> Result<(), F> + Sync,
) -> anyhow::Result<f64> {
    let rows = settings.inserts.min(workload.base.len());
    let next = AtomicUsize::new(0);
    let write = || {
        loop {
            let row = next.fetch_add(1, Relaxed);
            if row >= rows {
                return Ok(());
            }
            insert(row as u64, workload.base.row(row))?;
        }
    };
    let start = Instant::now();
    thread::scope(|scope| {
        let threads: Vec<_> = (0..writers).map(|_| scope.spawn(write)).collect();
        let join = |thread: thread::ScopedJoinHandle<'_, Result<(), F>>| {
            thread.join().expect("a thread that inserts panicked").map_err(Into::into)
        };
        threads.into_iter().try_for_each(join)
    })?;
    Ok(rows as f64 / start.elapsed().as_secs_f64())
}
