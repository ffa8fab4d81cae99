//! The exact nearest neighbours: computed by comparing everything with everything, or read.

use nearfield_files::{Kind, Matrix, Values};
use nearfield_kernels::{Element, Kernel};

use crate::table::Table;

/// For every query the ids of its nearest rows, nearest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Truth {
    queries: usize,
    columns: usize,
    ids: Vec<u32>,
}

/// Why a matrix is no truth for a base.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TruthError {
    /// Ids are integers.
    #[error("ids are i32 or i64; these are {kind}")]
    NotIds {
        /// The kind of element that the file has.
        kind: Kind,
    },
    /// An id that no row has.
    #[error("query {query}, neighbour {column}: there is no row {id} among {base}")]
    OutOfRange {
        /// The query, counted from 0.
        query: usize,
        /// The place among its neighbours, counted from 0.
        column: usize,
        /// The id.
        id: i64,
        /// Rows of the base.
        base: usize,
    },
    /// A key that no point of the index has.
    #[error("query {query}, neighbour {column}: no point has the key {key}")]
    NoSuchKey {
        /// The query, counted from 0.
        query: usize,
        /// The place among its neighbours, counted from 0.
        column: usize,
        /// The key.
        key: i64,
    },
}

impl Truth {
    /// Compares every query with every row of `base`, in rayon's current pool, and keeps the
    /// `k` nearest (or as many as there are), ordered by (distance, id).
    pub fn exact<E: Element>(
        kernel: Kernel<E>,
        base: &Table<E>,
        queries: &Table<E>,
        k: usize,
    ) -> Self {
        let columns = k.min(base.len());
        let nearest = kernel.par_nearest_to_each(&queries.rows(), &base.rows(), columns);
        let ids = nearest.iter().flatten().map(|neighbor| neighbor.id).collect();
        Self { queries: queries.len(), columns, ids }
    }

    /// The truth that a file holds, for a base of `base` rows.
    ///
    /// # Errors
    /// [`TruthError`] when the matrix does not hold ids below `base`.
    pub fn from_matrix(matrix: &Matrix, base: usize) -> Result<Self, TruthError> {
        let in_range = |id: i64| u32::try_from(id).ok().filter(|id| (*id as usize) < base);
        Self::named(matrix, in_range, |query, column, id| TruthError::OutOfRange {
            query,
            column,
            id,
            base,
        })
    }

    /// The truth that a file holds by the keys of an index; `id_of` tells the point of a key.
    ///
    /// # Errors
    /// [`TruthError`] when the matrix does not hold keys that are there.
    pub fn by_key(matrix: &Matrix, id_of: impl Fn(i64) -> Option<u32>) -> Result<Self, TruthError> {
        Self::named(matrix, id_of, |query, column, key| TruthError::NoSuchKey {
            query,
            column,
            key,
        })
    }

    /// The truth of a matrix of names; `unknown` says why one has no row.
    fn named(
        matrix: &Matrix,
        id_of: impl Fn(i64) -> Option<u32>,
        unknown: impl Fn(usize, usize, i64) -> TruthError,
    ) -> Result<Self, TruthError> {
        let names: Vec<i64> = match matrix.values() {
            Values::I32(names) => names.iter().copied().map(i64::from).collect(),
            Values::I64(names) => names.clone(),
            other => return Err(TruthError::NotIds { kind: other.kind() }),
        };
        let (queries, columns) = (matrix.rows(), matrix.dim());
        let id = |(place, name): (usize, i64)| {
            id_of(name).ok_or_else(|| unknown(place / columns, place % columns, name))
        };
        let ids = names.into_iter().enumerate().map(id).collect::<Result<_, _>>()?;
        Ok(Self { queries, columns, ids })
    }

    /// As a matrix that can be written to an `.ibin` file.
    ///
    /// # Panics
    /// When an id is above `i32::MAX`, or there are no columns.
    pub fn to_matrix(&self) -> Matrix {
        let id = |&id| i32::try_from(id).expect("files hold ids as i32");
        Matrix::new(self.columns, Values::I32(self.ids.iter().map(id).collect()))
    }

    /// Number of queries.
    pub fn queries(&self) -> usize {
        self.queries
    }

    /// Neighbours known of each query.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// The neighbours of one query, nearest first.
    pub fn of(&self, query: usize) -> &[u32] {
        &self.ids[query * self.columns..][..self.columns]
    }

    /// The neighbours of each query, in the order of the queries.
    pub fn rows(&self) -> impl Iterator<Item = &[u32]> {
        (0..self.queries).map(|query| self.of(query))
    }

    /// Keeps the first `queries` queries.
    pub fn truncate(&mut self, queries: usize) {
        self.queries = self.queries.min(queries);
        self.ids.truncate(self.queries * self.columns);
    }
}

#[cfg(test)]
mod tests {
    use nearfield_kernels::Metric;

    use super::*;

    #[test]
    fn the_nearest_are_those_of_a_full_sort_and_ties_go_to_the_lower_id() {
        let (rows, dim, queries, k) = (700, 256, 67, 25);
        // Few different values, hence many equal distances.
        let value = |i: usize| (i.wrapping_mul(2_654_435_761) >> 7) % 2;
        let base = Table::new(dim, (0..rows * dim).map(|i| value(i / 64) as f32).collect());
        let asked = Table::new(dim, (0..queries * dim).map(|i| value(i / 32) as f32).collect());
        let kernel = Kernel::<f32>::best(Metric::L2Squared).unwrap();

        let truth = Truth::exact(kernel, &base, &asked, k);
        let mut ties = 0;
        for query in 0..queries {
            let mut all: Vec<(f32, u32)> = (0..rows)
                .map(|id| (kernel.distance(asked.row(query), base.row(id)), id as u32))
                .collect();
            all.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
            ties += usize::from(all[k - 1].0 == all[k].0);
            assert!(truth.of(query).iter().eq(all[..k].iter().map(|(_, id)| id)), "query {query}");
        }
        assert!(ties > 0, "the test means nothing without ties at the edge");
    }

    #[test]
    fn a_small_base_gives_all_its_rows_and_an_empty_one_none() {
        let kernel = Kernel::<f32>::best(Metric::L2Squared).unwrap();
        let base = Table::new(1, vec![5.0, 1.0]);
        let queries = Table::new(1, vec![0.0, 9.0]);
        let truth = Truth::exact(kernel, &base, &queries, 10);
        assert_eq!((truth.of(0), truth.of(1)), (&[1, 0][..], &[0, 1][..]));
        let nothing = Truth::exact(kernel, &Table::new(1, vec![]), &queries, 10);
        assert_eq!((nothing.queries(), nothing.columns()), (2, 0));
    }

    #[test]
    fn ids_that_no_row_has_are_named() {
        for id in [-1, 7] {
            let matrix = Matrix::new(2, Values::I64(vec![0, 6, 1, id]));
            let error = Truth::from_matrix(&matrix, 7).unwrap_err();
            assert_eq!(error, TruthError::OutOfRange { query: 1, column: 1, id, base: 7 });
        }
        let floats = Matrix::new(1, Values::F32(vec![0.0]));
        assert_eq!(Truth::from_matrix(&floats, 7), Err(TruthError::NotIds { kind: Kind::F32 }));
        let ids = Matrix::new(2, Values::I32(vec![0, 6]));
        let truth = Truth::from_matrix(&ids, 7).unwrap();
        assert_eq!((truth.of(0), truth.to_matrix()), (&[0, 6][..], ids));
    }
}
