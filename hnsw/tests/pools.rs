//! Any call may come from a task of a rayon pool, beside any other: nothing waits for ever.

mod support;

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::mpsc;
use std::time::Duration;

use nearfield_hnsw::{Build, Index, Metric, Params, Threads, Vectors};
use rayon::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};

type Tested = Index<u32, Vectors<f32>>;

/// Rounds of each combination. Before the mend each of them stopped in its first round.
const ROUNDS: u32 = 250;
const TASKS: u32 = 6;

/// How long is waited before a test is said to hang: far longer than it takes.
const PATIENCE: Duration = Duration::from_secs(300);

fn pool(threads: usize) -> ThreadPool {
    ThreadPoolBuilder::new().num_threads(threads).build().unwrap()
}

fn index() -> Tested {
    let params = Params::default().m(4).ef_construction(8);
    Index::new(Vectors::new(2, Metric::L2Squared).unwrap(), params).unwrap()
}

fn batch(index: &Tested, next: &AtomicU32, build: Build<'_>) {
    let first = next.fetch_add(3, Relaxed);
    let keys: Vec<u32> = (first..first + 3).collect();
    let rows: Vec<_> = keys.iter().map(|key| [*key as f32, (key % 7) as f32]).collect();
    index.insert_batch(keys, &rows, build).unwrap();
}

/// Runs the same tasks round after round in a pool of two, and fails where a round does not end.
fn rounds(what: &str, task: impl Fn(&ThreadPool, &Tested, &AtomicU32, u32) + Sync + Send) {
    let (ended, end) = mpsc::channel();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            let pool = pool(2);
            for _ in 0..ROUNDS {
                let (index, next) = (index(), AtomicU32::new(0));
                let work = |number| task(&pool, &index, &next, number);
                pool.install(|| (0..TASKS).into_par_iter().for_each(work));
                index.check().unwrap();
                assert_eq!(index.len(), next.load(Relaxed) as usize);
            }
            ended.send(()).unwrap();
        });
        if end.recv_timeout(PATIENCE) == Err(mpsc::RecvTimeoutError::Timeout) {
            eprintln!("{what}: a round does not end");
            std::process::exit(1); // threads that hang cannot be joined
        }
    });
}

#[test]
fn batches_on_threads_of_their_own() {
    rounds("all", |_, index, next, _| batch(index, next, Build::default()));
    rounds("two", |_, index, next, _| batch(index, next, Build::default().threads(2)));
}

#[test]
fn batches_with_pools() {
    let other = pool(2);
    rounds("the same pool", |pool, index, next, _| {
        batch(index, next, Build::default().threads(pool));
    });
    rounds("another pool", |_, index, next, _| {
        batch(index, next, Build::default().threads(&other));
    });
    rounds("current", |_, index, next, _| {
        batch(index, next, Build::default().threads(Threads::Current));
    });
}

#[test]
fn batches_beside_single_points_saving_and_compacting() {
    let folder = tempfile::tempdir().unwrap();
    rounds("all together", |pool, index, next, number| match number {
        0 => index.save(folder.path().join("index")).unwrap(),
        1 => _ = index.compact(Build::default().threads(pool)).unwrap(),
        2 | 3 => {
            let key = next.fetch_add(1, Relaxed);
            index.insert(key, &[key as f32, 0.5]).unwrap();
        }
        4 => batch(index, next, Build::default()),
        _ => batch(index, next, Build::default().threads(pool)),
    });
}

#[test]
fn batches_from_outside_on_a_pool_whose_tasks_insert() {
    let (ended, end) = mpsc::channel();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            let (pool, index, next) = (pool(2), index(), AtomicU32::new(0));
            std::thread::scope(|scope| {
                scope.spawn(|| {
                    let one = || {
                        let key = next.fetch_add(1, Relaxed);
                        index.insert(key, &[key as f32, 0.5]).unwrap();
                    };
                    pool.scope(|tasks| {
                        (0..2).for_each(|_| tasks.spawn(|_| (0..ROUNDS).for_each(|_| one())));
                    });
                });
                (0..ROUNDS / 5).for_each(|_| batch(&index, &next, Build::default().threads(&pool)));
            });
            index.check().unwrap();
            ended.send(()).unwrap();
        });
        if end.recv_timeout(PATIENCE) == Err(mpsc::RecvTimeoutError::Timeout) {
            eprintln!("a batch waits for a pool whose tasks wait for it");
            std::process::exit(1);
        }
    });
}
