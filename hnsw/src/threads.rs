//! Where parallel work runs.

use std::{io, thread};

use rayon::{ThreadPool, ThreadPoolBuilder};

/// Points that are worth a thread of their own. Fewer are linked before another thread has started.
const POINTS_PER_THREAD: usize = 32;

/// Where parallel work runs. Rayon's global pool is used only when it is passed by being the pool
/// at hand: [`Threads::Current`].
///
/// A batch that is inserted into an index keeps other writers waiting, and tasks of a caller's pool may
/// be among them. It never waits for such a pool: with [`Pool`](Self::Pool) and
/// [`Current`](Self::Current) it starts as many threads of its own as the pool has. So tasks of one pool
/// can insert into one index in any way.
#[derive(Clone, Copy, Debug, Default)]
pub enum Threads<'a> {
    /// As many threads as the machine has cores, started for this one call.
    #[default]
    All,
    /// So many threads (at least one, at most as many as the machine has cores), started for this one
    /// call.
    Count(usize),
    /// A pool of the caller's.
    Pool(&'a ThreadPool),
    /// The pool that the calling thread belongs to, or rayon's global one.
    Current,
}

impl Threads<'_> {
    /// Runs work that waits for nobody: searches, and what belongs to the caller alone.
    pub(crate) fn run<T: Send>(self, work: impl FnOnce() -> T + Send) -> io::Result<T> {
        match self {
            Self::All => Ok(start(usize::MAX)?.install(work)),
            Self::Count(count) => Ok(start(count)?.install(work)),
            Self::Pool(pool) => Ok(pool.install(work)),
            Self::Current => Ok(work()),
        }
    }

    /// Starts threads for `points` points that are linked while other writers wait. No task of another
    /// pool runs on them, so none can wait there for what this writer has.
    pub(crate) fn start_apart(self, points: usize) -> io::Result<Apart> {
        let count = match self {
            Self::All => usize::MAX,
            Self::Count(count) => count,
            Self::Pool(pool) => pool.current_num_threads(),
            Self::Current if rayon::current_thread_index().is_some() => {
                rayon::current_num_threads()
            }
            // Outside of a pool this would start the global one.
            Self::Current => usize::MAX,
        };
        Ok(Apart(start(count.min(points.div_ceil(POINTS_PER_THREAD)))?))
    }
}

/// Starts a pool, of no more threads than there are cores: more only get in each other's way (1,000 on two
/// cores took 25 s for a build of 300 points).
fn start(count: usize) -> io::Result<ThreadPool> {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let pool = ThreadPoolBuilder::new().num_threads(count.clamp(1, cores)).build();
    pool.map_err(io::Error::other)
}

/// Threads that take no tasks but those of one batch.
pub(crate) struct Apart(ThreadPool);

impl Apart {
    /// Runs `work` on these threads, and waits for them without taking up other work: a thread of a pool
    /// that waits in rayon is given other tasks of its pool, and one of those may wait for the lock that
    /// this thread has.
    pub(crate) fn run<T: Send>(&self, work: impl FnOnce() -> T + Send) -> io::Result<T> {
        if rayon::current_thread_index().is_none() {
            return Ok(self.0.install(work));
        }
        thread::scope(|scope| {
            let waits = thread::Builder::new().spawn_scoped(scope, || self.0.install(work))?;
            waits.join().or_else(|panic| std::panic::resume_unwind(panic))
        })
    }
}

impl From<usize> for Threads<'_> {
    fn from(count: usize) -> Self {
        Self::Count(count)
    }
}

impl<'a> From<&'a ThreadPool> for Threads<'a> {
    fn from(pool: &'a ThreadPool) -> Self {
        Self::Pool(pool)
    }
}
