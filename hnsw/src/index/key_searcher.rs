//! One search after another that yields keys.

use std::borrow::Borrow;
use std::fmt;
use std::hash::Hash;

use super::hnsw::Hnsw;
use super::key::Key;
use super::keys::{ByKey, KeyHit, Keys};
use crate::search::{Search, SearchError, Searcher};
use crate::space::{MakeScorer, Space};

/// Runs one search after another over an [`Index`](crate::Index), in memory that it keeps between them
/// and gives back to the index when dropped: after the first searches they allocate nothing.
///
/// ```
/// use nearfield_hnsw::{Index, Metric, Params, Search, Vectors};
///
/// let index = Index::new(Vectors::<f32>::new(2, Metric::L2Squared)?, Params::default())?;
/// index.insert("east".to_owned(), &[1.0, 0.0])?;
/// index.insert("north".to_owned(), &[0.0, 1.0])?;
/// let mut searcher = index.key_searcher();
/// for (query, nearest) in [([0.9, 0.2], "east"), ([0.1, 0.7], "north")] {
///     assert_eq!(searcher.search(&query, Search::new(1))?[0].key, nearest);
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct KeySearcher<'a, K: Key, S: Space> {
    hnsw: &'a Hnsw<S>,
    keys: &'a Keys<K>,
    searcher: Searcher<'a, S>,
    hits: Vec<KeyHit<'a, K>>,
}

impl<'a, K: Key, S: Space> KeySearcher<'a, K, S> {
    pub(crate) fn new(hnsw: &'a Hnsw<S>, keys: &'a Keys<K>) -> Self {
        Self { hnsw, keys, searcher: hnsw.searcher(), hits: Vec::new() }
    }

    /// As [`Index::search`](crate::Index::search).
    ///
    /// # Errors
    /// When `k` or `ef` is 0, the radius is NaN, or the query does not fit the space.
    pub fn search(
        &mut self,
        query: &S::Query,
        search: Search<'_, K>,
    ) -> Result<&[KeyHit<'a, K>], SearchError<S::QueryError>> {
        self.search_with(query, S::scorer, search)
    }

    /// As [`search`](Self::search), for a query of any type.
    pub(crate) fn search_with<Q: ?Sized>(
        &mut self,
        query: &Q,
        scorer: MakeScorer<S, Q>,
        search: Search<'_, K>,
    ) -> Result<&[KeyHit<'a, K>], SearchError<S::QueryError>> {
        let filter = search.filter.map(|filter| ByKey { keys: self.keys, filter });
        let by_id = search.with(filter.as_ref().map(|filter| filter as _));
        self.hits.clear();
        let hits = self.searcher.search_with(query, scorer, by_id)?;
        self.hits.extend(hits.iter().filter_map(|hit| self.keys.name(*hit)));
        Ok(&self.hits)
    }

    /// As [`Index::search_near`](crate::Index::search_near).
    ///
    /// # Errors
    /// When `k` or `ef` is 0, the radius is NaN, or no point has the key.
    pub fn search_near<Q: Hash + Eq + ?Sized>(
        &mut self,
        key: &Q,
        search: Search<'_, K>,
    ) -> Result<&[KeyHit<'a, K>], SearchError<S::QueryError>>
    where
        K: Borrow<Q>,
    {
        let filter = search.filter.map(|filter| ByKey { keys: self.keys, filter });
        let by_id = search.with(filter.as_ref().map(|filter| filter as _));
        self.hits.clear();
        loop {
            let id = self.keys.find(key, self.hnsw).ok_or(SearchError::NoSuchPoint)?;
            match self.searcher.search_near(id, by_id) {
                // Replaced meanwhile: the key has another point now.
                Err(SearchError::NoSuchPoint) => {}
                hits => {
                    self.hits.extend(hits?.iter().filter_map(|hit| self.keys.name(*hit)));
                    return Ok(&self.hits);
                }
            }
        }
    }

    /// Distances that this searcher has computed so far: the cost that does not depend on the machine.
    pub fn distances(&self) -> u64 {
        self.searcher.distances()
    }

    /// The hits of the last search.
    pub(crate) fn into_hits(self) -> Vec<KeyHit<'a, K>> {
        self.hits
    }
}

impl<K: Key, S: Space> fmt::Debug for KeySearcher<'_, K, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeySearcher").field("searcher", &self.searcher).finish_non_exhaustive()
    }
}
