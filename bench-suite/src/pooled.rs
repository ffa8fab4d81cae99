//! Batches from tasks of a rayon pool, beside other work on the index in tasks of the same pool.
//!
//! A batch waits for threads, and a thread of a pool that waits takes up another task of it. If that one
//! wants what the batch holds, nothing ever moves again. That is what this looks for.

use std::{
    fmt,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::Relaxed},
        mpsc::{self, RecvTimeoutError},
    },
    thread,
    time::Duration,
};

use nearfield_hnsw::{Build, Index, Params, Vectors};
use nearfield_kernels::Metric;
use rayon::{ThreadPool, ThreadPoolBuilder};
use serde::{Deserialize, Serialize};

/// What tasks of the pool do beside batches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Beside {
    /// Insert batches, too.
    InsertBatch,
    /// Insert single points.
    Insert,
    /// Save the index.
    Save,
    /// Compact the index.
    Compact,
}

impl Beside {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::InsertBatch, Self::Insert, Self::Save, Self::Compact];
}

impl fmt::Display for Beside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::InsertBatch => "insert_batch",
            Self::Insert => "insert",
            Self::Save => "save",
            Self::Compact => "compact",
        })
    }
}

/// What to do, and how often.
#[derive(Clone, Debug)]
pub struct Pooled {
    /// Rounds of each combination.
    pub rounds: usize,
    /// Threads of the pool.
    pub threads: usize,
    /// Where to save the index.
    pub file: PathBuf,
    /// How long a round may take; one that hangs takes for ever.
    pub patience: Duration,
}

/// Why the rounds did not end well.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PooledError {
    /// Nothing moved.
    #[error(
        "round {round} of insert_batch beside {beside}, in tasks of one rayon pool, did not end within {patience:?}: it hangs"
    )]
    Hangs {
        /// What stood beside the batches.
        beside: Beside,
        /// The round.
        round: usize,
        /// How long it was waited for.
        patience: Duration,
    },
    /// The index refused something, or has lost it.
    #[error("insert_batch beside {beside}: {reason}")]
    Failed {
        /// What stood beside the batches.
        beside: Beside,
        /// The reason.
        reason: String,
    },
}

/// Runs the rounds of one combination; returns the points that the last index has in the end. When a round
/// hangs, its threads stay behind: the caller should end the process.
///
/// # Errors
/// [`PooledError`].
pub fn run(pooled: &Pooled, beside: Beside) -> Result<usize, PooledError> {
    let (send, receive) = mpsc::channel();
    let (rounds, patience) = (pooled.rounds, pooled.patience);
    let pooled = pooled.clone();
    thread::spawn(move || {
        let outcome = Rounds::new(&pooled, beside).and_then(|rounds| rounds.run(&send));
        if let Err(reason) = outcome {
            let _ = send.send(Err(reason));
        }
    });
    let mut points = 0;
    for round in 0..rounds {
        points = match receive.recv_timeout(patience) {
            Ok(Ok(points)) => points,
            Ok(Err(failure)) => {
                return Err(PooledError::Failed { beside, reason: failure.to_string() });
            }
            Err(RecvTimeoutError::Timeout) => {
                return Err(PooledError::Hangs { beside, round, patience });
            }
            Err(RecvTimeoutError::Disconnected) => {
                return Err(PooledError::Failed { beside, reason: "a task panicked".into() });
            }
        };
    }
    Ok(points)
}

type Failure = Box<dyn std::error::Error + Send + Sync>;
type Tested = Index<u32, Vectors<f32>>;

/// Points of a batch.
const BATCH: u32 = 40;

/// Batches of a round, and tasks that stand beside them.
const TASKS: usize = 3;

/// Rounds until a new index is begun, so that a round stays short.
const ROUNDS_PER_INDEX: usize = 20;

struct Rounds {
    rounds: usize,
    beside: Beside,
    file: PathBuf,
    pool: Arc<ThreadPool>,
    /// For batches that bring their own.
    other: ThreadPool,
    next_key: AtomicU32,
}

impl Rounds {
    fn new(pooled: &Pooled, beside: Beside) -> Result<Self, Failure> {
        let pool = |threads| ThreadPoolBuilder::new().num_threads(threads).build();
        Ok(Self {
            rounds: pooled.rounds,
            beside,
            file: pooled.file.clone(),
            pool: Arc::new(pool(pooled.threads)?),
            other: pool(2)?,
            next_key: AtomicU32::new(0),
        })
    }

    fn run(&self, done: &mpsc::Sender<Result<usize, Failure>>) -> Result<(), Failure> {
        let mut index = empty()?;
        for round in 0..self.rounds {
            if round % ROUNDS_PER_INDEX == 0 {
                index = empty()?;
                self.next_key.store(0, Relaxed);
            }
            self.round(&index, round)?;
            index.check()?;
            let keys = self.next_key.load(Relaxed);
            if let Some(lost) = (0..keys).find(|key| !index.contains(key)) {
                return Err(format!("key {lost} of {keys} is lost").into());
            }
            if done.send(Ok(index.len())).is_err() {
                break;
            }
        }
        Ok(())
    }

    /// Batches and what stands beside them, each in a task of the pool.
    fn round(&self, index: &Tested, round: usize) -> Result<(), Failure> {
        let build = match round % 3 {
            0 => Build::default(),
            1 => Build::default().threads(2),
            _ => Build::default().threads(&self.other),
        };
        let (send, receive) = mpsc::channel();
        self.pool.scope(|tasks| {
            for _ in 0..TASKS {
                let (batches, besides) = (send.clone(), send.clone());
                tasks.spawn(move |_| drop(batches.send(self.insert_batch(index, build))));
                tasks.spawn(move |_| drop(besides.send(self.do_beside(index, build))));
            }
        });
        drop(send);
        receive.into_iter().collect()
    }

    fn insert_batch(&self, index: &Tested, build: Build<'_>) -> Result<(), Failure> {
        let first = self.next_key.fetch_add(BATCH, Relaxed);
        let keys: Vec<u32> = (first..first + BATCH).collect();
        let rows: Vec<[f32; 2]> = keys.iter().map(|key| row(*key)).collect();
        index.insert_batch(keys, &rows, build)?;
        Ok(())
    }

    fn do_beside(&self, index: &Tested, build: Build<'_>) -> Result<(), Failure> {
        match self.beside {
            Beside::InsertBatch => self.insert_batch(index, build)?,
            Beside::Insert => {
                for _ in 0..BATCH {
                    let key = self.next_key.fetch_add(1, Relaxed);
                    index.insert(key, &row(key))?;
                }
            }
            Beside::Save => index.save(&self.file)?,
            Beside::Compact => index.compact(build)?.check()?,
        }
        Ok(())
    }
}

fn empty() -> Result<Tested, Failure> {
    let params = Params::default().m(8).ef_construction(16);
    Ok(Index::new(Vectors::new(2, Metric::L2Squared)?, params)?)
}

fn row(key: u32) -> [f32; 2] {
    [key as f32, (key % 7) as f32]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_round_that_does_not_end_is_named() {
        let file = std::env::temp_dir().join("never-written.nearfield");
        let pooled = Pooled { rounds: 1, threads: 1, file, patience: Duration::ZERO };
        let error = run(&pooled, Beside::Insert).unwrap_err();
        assert!(matches!(error, PooledError::Hangs { round: 0, .. }), "{error}");
        assert!(error.to_string().contains("insert_batch beside insert,"), "{error}");
    }
}
