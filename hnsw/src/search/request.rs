//! What a search is asked for, and why it can be refused.

use std::fmt;

use super::filter::Filter;
use crate::id::Id;

/// What a search is asked for: how many hits, how hard to look for them, and which.
///
/// `T` is what the filter looks at: ids for [`Hnsw`](crate::Hnsw) and [`Flat`](crate::Flat), keys for
/// [`Index`](crate::Index).
///
/// ```
/// use nearfield_hnsw::{Build, Hnsw, Metric, Params, Search, Vectors};
///
/// let mut vectors = Vectors::<f32>::new(1, Metric::Manhattan)?;
/// vectors.extend(&[0.0, 1.0, 2.0, 3.0, 4.0, 5.0])?;
/// let index = Hnsw::build(vectors, Params::default(), Build::default())?;
/// let ids = |search: Search<'_>| -> Result<Vec<u32>, Box<dyn std::error::Error>> {
///     Ok(index.search(&[3.2], search)?.iter().map(|hit| hit.id).collect())
/// };
///
/// assert_eq!(ids(Search::new(2).ef(64))?, [3, 4]); // the 2 nearest, with a beam of 64 candidates
/// assert_eq!(ids(Search::new(2).filter(&|id: &u32| id % 2 == 0))?, [4, 2]); // … of the even ones
/// assert_eq!(ids(Search::new(100).within(1.5))?, [3, 4, 2]); // all within 1.5, but 100 at most
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub struct Search<'a, T: ?Sized = Id> {
    pub(crate) k: usize,
    pub(crate) ef: usize,
    pub(crate) within: Option<f32>,
    pub(crate) filter: Option<&'a dyn Filter<T>>,
}

impl<'a, T: ?Sized> Search<'a, T> {
    /// The default beam: on 50,000 WordNet embeddings it finds 98.9 % of the ten nearest.
    const DEFAULT_EF: usize = 64;

    /// A search for the `k` nearest points; exactly min(`k`, points) come back.
    pub const fn new(k: usize) -> Self {
        Self { k, ef: Self::DEFAULT_EF, within: None, filter: None }
    }

    /// The number of candidates that the search keeps. Larger finds more and takes longer, both
    /// roughly in proportion; raised to `k` where it is smaller. An exact index ignores it.
    pub const fn ef(self, ef: usize) -> Self {
        Self { ef, ..self }
    }

    /// Only points at a distance of at most `radius`: with 0, those that equal the query, whose distance
    /// is exactly 0 for every metric but the inner product, and those too near to be told from it. `k` is then the most that come back. The beam
    /// widens as long as all that it holds lie within, so `ef` may be much smaller than `k`.
    pub const fn within(self, radius: f32) -> Self {
        Self { within: Some(radius), ..self }
    }

    /// Only points that `filter` allows: exactly min(`k`, allowed points) come back. The walk goes on
    /// until it has found `ef` of them; where few match, all points are scanned instead.
    pub const fn filter(self, filter: &'a dyn Filter<T>) -> Self {
        Self { filter: Some(filter), ..self }
    }

    pub(crate) fn check<Q>(self) -> Result<Self, SearchError<Q>> {
        match self {
            Self { k: 0, .. } => Err(SearchError::ZeroK),
            Self { ef: 0, .. } => Err(SearchError::ZeroEf),
            Self { within: Some(radius), .. } if radius.is_nan() => Err(SearchError::Radius),
            Self { within: Some(_), .. } => Ok(self),
            Self { k, ef, .. } => Ok(Self { ef: ef.max(k), ..self }),
        }
    }

    /// Whether a point at this distance is wanted.
    pub(crate) fn reaches(&self, distance: f32) -> bool {
        self.within.is_none_or(|radius| distance <= radius)
    }

    /// The same request with another filter.
    pub(crate) fn with<'b, U: ?Sized>(self, filter: Option<&'b dyn Filter<U>>) -> Search<'b, U> {
        Search { k: self.k, ef: self.ef, within: self.within, filter }
    }
}

impl<T: ?Sized> Clone for Search<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: ?Sized> Copy for Search<'_, T> {}

impl<T: ?Sized> fmt::Debug for Search<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Search")
            .field("k", &self.k)
            .field("ef", &self.ef)
            .field("within", &self.within)
            .field("filter", &self.filter.map(Filter::count))
            .finish()
    }
}

/// Why a search was refused. `Q` is the space's own [`QueryError`](crate::space::Space::QueryError).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SearchError<Q> {
    /// `k` is 0.
    ZeroK,
    /// `ef` is 0.
    ZeroEf,
    /// The radius is NaN.
    Radius,
    /// The point whose neighbours are wanted is not there.
    NoSuchPoint,
    /// The query does not fit the points.
    Query(Q),
}

impl<Q: fmt::Display> fmt::Display for SearchError<Q> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ZeroK => f.write_str("k is 0; ask for at least 1 hit"),
            Self::ZeroEf => f.write_str("ef is 0; give the search at least 1 candidate to keep"),
            Self::Radius => {
                f.write_str("the radius is NaN; give a number, or no radius to search everywhere")
            }
            Self::NoSuchPoint => f.write_str(
                "the point whose neighbours are wanted is not there: it was never added, or removed",
            ),
            Self::Query(error) => write!(f, "the query was refused: {error}"),
        }
    }
}

impl<Q: std::error::Error + 'static> std::error::Error for SearchError<Q> {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Query(error) => Some(error),
            _ => None,
        }
    }
}

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
        match &self.error {
            SearchError::Query(error) => write!(f, "query {} was refused: {error}", self.query),
            // It is the request that is wrong, for all queries.
            error => error.fmt(f),
        }
    }
}

impl<Q: std::error::Error + 'static> std::error::Error for BatchError<Q> {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.error.source()
    }
}
