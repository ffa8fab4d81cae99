//! Many searches in parallel.

use std::{fmt, io};

use rayon::prelude::*;

use super::request::SearchError;
use crate::threads::Threads;

/// Answers all queries in parallel, each thread with a `state` of its own; answers in the order of the queries.
pub(crate) fn batch<Q: Sync, State, T: Send, E: Send>(
    queries: &[Q],
    threads: Threads<'_>,
    state: impl Fn() -> State + Send + Sync,
    answer: impl Fn(&mut State, &Q) -> Result<T, SearchError<E>> + Send + Sync,
) -> Result<Vec<T>, BatchError<E>> {
    let work = || queries.par_iter().map_init(state, answer).collect::<Vec<_>>();
    let answers = threads.run(work).map_err(BatchError::Threads)?;
    let place = |(place, answer): (usize, Result<T, _>)| {
        answer.map_err(|error| BatchError::Query { place, error })
    };
    answers.into_iter().enumerate().map(place).collect()
}

/// Why a batch of searches was refused.
#[derive(Debug)]
#[non_exhaustive]
pub enum BatchError<Q> {
    /// A query cannot be served: the first of them.
    Query {
        /// Its place in the batch.
        place: usize,
        /// What is wrong with it.
        error: SearchError<Q>,
    },
    /// The system refused the threads that [`Threads::All`] or [`Threads::Count`] ask for.
    Threads(io::Error),
}

impl<Q: fmt::Display> fmt::Display for BatchError<Q> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Query { place, error: SearchError::Query(error) } => {
                write!(f, "query {place} was refused: {error}")
            }
            // It is the request that is wrong, for all queries.
            Self::Query { error, .. } => error.fmt(f),
            Self::Threads(error) => write!(
                f,
                "the system refuses threads for the searches: {error}; ask for fewer, or pass a pool"
            ),
        }
    }
}

impl<Q: std::error::Error + 'static> std::error::Error for BatchError<Q> {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Query { error, .. } => error.source(),
            Self::Threads(error) => Some(error),
        }
    }
}
