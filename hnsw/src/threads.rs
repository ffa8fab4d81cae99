//! Where parallel work runs.

use rayon::{ThreadPool, ThreadPoolBuildError, ThreadPoolBuilder};

/// Where parallel work runs. Rayon's global pool is used only when it is passed by being the pool
/// at hand: [`Threads::Current`].
#[derive(Clone, Copy, Debug, Default)]
pub enum Threads<'a> {
    /// As many threads as the machine has cores, started for this one call.
    #[default]
    All,
    /// So many threads (at least one), started for this one call.
    Count(usize),
    /// A pool of the caller's.
    Pool(&'a ThreadPool),
    /// The pool that the calling thread belongs to, or rayon's global one. Not for inserting from
    /// several tasks of one pool at the same time: a thread that waits for its part of the work may be
    /// given another task, which then waits for that thread.
    Current,
}

impl<'a> Threads<'a> {
    pub(crate) fn run<T: Send>(
        self,
        work: impl FnOnce() -> T + Send,
    ) -> Result<T, ThreadPoolBuildError> {
        Ok(self.start()?.run(work))
    }

    /// Starts the threads, so that nothing can fail when the work begins.
    pub(crate) fn start(self) -> Result<Started<'a>, ThreadPoolBuildError> {
        let start = |count| ThreadPoolBuilder::new().num_threads(count).build();
        Ok(match self {
            Self::All => Started::Own(start(0)?),
            Self::Count(count) => Started::Own(start(count.max(1))?),
            Self::Pool(pool) => Started::Lent(pool),
            Self::Current => Started::Current,
        })
    }
}

/// Threads that are there.
pub(crate) enum Started<'a> {
    Own(ThreadPool),
    Lent(&'a ThreadPool),
    Current,
}

impl Started<'_> {
    pub(crate) fn run<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        match self {
            Self::Own(pool) => pool.install(work),
            Self::Lent(pool) => pool.install(work),
            Self::Current => work(),
        }
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
