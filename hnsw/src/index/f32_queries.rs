//! Searches with queries of `f32` over vectors of any element type.

use std::borrow::Borrow;

use super::Index;
use super::flat::Flat;
use super::hnsw::Hnsw;
use super::key::Key;
use super::key_searcher::KeySearcher;
use super::keys::KeyHit;
use super::read::KeyPages;
use crate::id::Hit;
use crate::search::{BatchError, Pages, Search, SearchError, Searcher};
use crate::threads::Threads;
use crate::vectors::{VectorElement, VectorError, Vectors};

impl<E: VectorElement> Hnsw<Vectors<E>> {
    /// As [`search`](Self::search), with a query of `f32` over vectors of any numbers: `f16`, `bf16`,
    /// `i8`, `u8`. The query is not rounded; every distance is that of the query as it came to the
    /// vector as it is stored, whose elements are taken for the numbers that they are. Over `f32` it is
    /// `search`.
    ///
    /// ```
    /// use nearfield_hnsw::{Build, Hnsw, Metric, Params, Search, Vectors};
    ///
    /// let mut vectors = Vectors::<i8>::new(2, Metric::L2Squared)?;
    /// vectors.extend(&[10, 0, 0, 20])?;
    /// let index = Hnsw::build(vectors, Params::default(), Build::default())?;
    /// let hits = index.search_f32(&[9.5, 0.5], Search::new(1))?;
    /// assert_eq!((hits[0].id, hits[0].distance), (0, 0.5));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`search`](Self::search); [`VectorError::Unsupported`] where the vectors are packed bits.
    pub fn search_f32(
        &self,
        query: &[f32],
        search: Search<'_>,
    ) -> Result<Vec<Hit>, SearchError<VectorError>> {
        self.searcher().search_f32(query, search).map(<[Hit]>::to_vec)
    }

    /// As [`search_batch`](Self::search_batch), each query as in [`search_f32`](Self::search_f32).
    ///
    /// # Errors
    /// The first query that cannot be served; or the system refuses threads.
    pub fn search_batch_f32<Q: Borrow<[f32]> + Sync>(
        &self,
        queries: &[Q],
        search: Search<'_>,
        threads: Threads<'_>,
    ) -> Result<Vec<Vec<Hit>>, BatchError<VectorError>> {
        self.search_batch_with(queries, Vectors::f32_scorer, search, threads)
    }

    /// As [`pages`](Self::pages), with a query as in [`search_f32`](Self::search_f32).
    ///
    /// # Errors
    /// As [`search_f32`](Self::search_f32).
    pub fn pages_f32<'a>(
        &'a self,
        query: &'a [f32],
        search: Search<'a>,
    ) -> Result<Pages<'a, Vectors<E>, [f32]>, SearchError<VectorError>> {
        self.pages_with(query, Vectors::f32_scorer, search)
    }
}

impl<E: VectorElement> Searcher<'_, Vectors<E>> {
    /// As [`search`](Self::search), with a query as in [`Hnsw::search_f32`].
    ///
    /// # Errors
    /// As [`Hnsw::search_f32`].
    ///
    /// # Panics
    /// As [`search`](Self::search).
    pub fn search_f32(
        &mut self,
        query: &[f32],
        search: Search<'_>,
    ) -> Result<&[Hit], SearchError<VectorError>> {
        self.search_with(query, Vectors::f32_scorer, search)
    }
}

impl<E: VectorElement> Flat<Vectors<E>> {
    /// As [`search`](Self::search), with a query as in [`Hnsw::search_f32`].
    ///
    /// ```
    /// use nearfield_hnsw::{Flat, Metric, Search, Vectors, f16};
    ///
    /// let mut vectors = Vectors::<f16>::new(1, Metric::L2)?;
    /// vectors.extend(&[5.0, 1.0, 3.0].map(f16::from_f32))?;
    /// let hits = Flat::new(vectors).search_f32(&[2.1], Search::new(1))?;
    /// assert_eq!((hits[0].id, hits[0].distance), (2, 3.0 - 2.1));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`Hnsw::search_f32`].
    pub fn search_f32(
        &self,
        query: &[f32],
        search: Search<'_>,
    ) -> Result<Vec<Hit>, SearchError<VectorError>> {
        self.search_with(query, Vectors::f32_scorer, search)
    }

    /// As [`search_batch`](Self::search_batch), each query as in [`Hnsw::search_f32`].
    ///
    /// # Errors
    /// The first query that cannot be served; or the system refuses threads.
    pub fn search_batch_f32<Q: Borrow<[f32]> + Sync>(
        &self,
        queries: &[Q],
        search: Search<'_>,
        threads: Threads<'_>,
    ) -> Result<Vec<Vec<Hit>>, BatchError<VectorError>> {
        self.search_batch_with(queries, Vectors::f32_scorer, search, threads)
    }
}

impl<K: Key, E: VectorElement> Index<K, Vectors<E>> {
    /// As [`search`](Self::search), with a query of `f32` over vectors of any numbers, which is not
    /// rounded: see [`Hnsw::search_f32`].
    ///
    /// ```
    /// use nearfield_hnsw::{Index, Metric, Params, Search, Vectors, f16};
    ///
    /// let index = Index::new(Vectors::<f16>::new(2, Metric::Cosine)?, Params::default())?;
    /// index.insert("east".to_owned(), &[1.0, 0.0].map(f16::from_f32))?;
    /// index.insert("north".to_owned(), &[0.0, 1.0].map(f16::from_f32))?;
    /// let embedding: &[f32] = &[0.9, 0.2];
    /// assert_eq!(index.search_f32(embedding, Search::new(1))?[0].key, "east");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`search`](Self::search); [`VectorError::Unsupported`] where the vectors are packed bits.
    pub fn search_f32(
        &self,
        query: &[f32],
        search: Search<'_, K>,
    ) -> Result<Vec<KeyHit<'_, K>>, SearchError<VectorError>> {
        let mut searcher = self.key_searcher();
        searcher.search_f32(query, search)?;
        Ok(searcher.into_hits())
    }

    /// As [`search_batch`](Self::search_batch), each query as in [`search_f32`](Self::search_f32).
    ///
    /// # Errors
    /// The first query that cannot be served; or the system refuses threads.
    pub fn search_batch_f32<Q: Borrow<[f32]> + Sync>(
        &self,
        queries: &[Q],
        search: Search<'_, K>,
        threads: Threads<'_>,
    ) -> Result<Vec<Vec<KeyHit<'_, K>>>, BatchError<VectorError>> {
        self.search_batch_with(queries, Vectors::f32_scorer, search, threads)
    }

    /// As [`pages`](Self::pages), with a query as in [`search_f32`](Self::search_f32).
    ///
    /// # Errors
    /// As [`search_f32`](Self::search_f32).
    pub fn pages_f32<'a>(
        &'a self,
        query: &'a [f32],
        search: Search<'a, K>,
    ) -> Result<KeyPages<'a, K, Vectors<E>, [f32]>, SearchError<VectorError>> {
        self.pages_with(query, Vectors::f32_scorer, search)
    }
}

impl<'a, K: Key, E: VectorElement> KeySearcher<'a, K, Vectors<E>> {
    /// As [`Index::search_f32`].
    ///
    /// # Errors
    /// As [`Index::search_f32`].
    pub fn search_f32(
        &mut self,
        query: &[f32],
        search: Search<'_, K>,
    ) -> Result<&[KeyHit<'a, K>], SearchError<VectorError>> {
        self.search_with(query, Vectors::f32_scorer, search)
    }
}
