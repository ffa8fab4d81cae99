//! What a search is asked for, and why it can be refused.

use std::fmt;

/// What a search is asked for: how many hits, and how hard to look for them.
///
/// ```
/// use nearfield_hnsw::Search;
///
/// let search = Search::new(10).ef(64); // the 10 nearest, with a beam of 64 candidates
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct Search {
    pub(crate) k: usize,
    pub(crate) ef: usize,
}

impl Search {
    /// The default beam: on 50,000 WordNet embeddings it finds 98.9 % of the ten nearest.
    const DEFAULT_EF: usize = 64;

    /// A search for the `k` nearest points; exactly min(`k`, points) come back.
    pub const fn new(k: usize) -> Self {
        Self { k, ef: Self::DEFAULT_EF }
    }

    /// The number of candidates that the search keeps. Larger finds more and takes longer, both
    /// roughly in proportion; raised to `k` where it is smaller. An exact index ignores it.
    pub const fn ef(self, ef: usize) -> Self {
        Self { ef, ..self }
    }

    pub(crate) fn check<Q>(self) -> Result<Self, SearchError<Q>> {
        match self {
            Self { k: 0, .. } => Err(SearchError::ZeroK),
            Self { ef: 0, .. } => Err(SearchError::ZeroEf),
            Self { k, ef } => Ok(Self { k, ef: ef.max(k) }),
        }
    }
}

/// Why a search was refused. `Q` is the space's own [`QueryError`](crate::Space::QueryError).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SearchError<Q> {
    /// `k` is 0.
    ZeroK,
    /// `ef` is 0.
    ZeroEf,
    /// The query does not fit the points.
    Query(Q),
}

impl<Q: fmt::Display> fmt::Display for SearchError<Q> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ZeroK => f.write_str("k is 0; a search returns at least one hit"),
            Self::ZeroEf => f.write_str("ef is 0; a search keeps at least one candidate"),
            Self::Query(error) => write!(f, "the query was refused: {error}"),
        }
    }
}

impl<Q: std::error::Error> std::error::Error for SearchError<Q> {}

/// Why a batch of searches was refused: the first query, by its place, that cannot be served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchError<Q> {
    /// The place of the query in the batch.
    pub query: usize,
    /// What is wrong with it.
    pub error: SearchError<Q>,
}

impl<Q: fmt::Display> fmt::Display for BatchError<Q> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "query {}: {}", self.query, self.error)
    }
}

impl<Q: std::error::Error> std::error::Error for BatchError<Q> {}
