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
    /// The pool that the calling thread belongs to, or rayon's global one.
    Current,
}

impl Threads<'_> {
    pub(crate) fn run<T: Send>(
        self,
        work: impl FnOnce() -> T + Send,
    ) -> Result<T, ThreadPoolBuildError> {
        let start = |count| ThreadPoolBuilder::new().num_threads(count).build();
        match self {
            Self::All => Ok(start(0)?.install(work)),
            Self::Count(count) => Ok(start(count.max(1))?.install(work)),
            Self::Pool(pool) => Ok(pool.install(work)),
            Self::Current => Ok(work()),
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
