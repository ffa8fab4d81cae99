//! A base, queries and their truth under one metric: what an index is measured on.

use std::path::{Path, PathBuf};

use nearfield_files::{Columns, FileError, Matrix, Reader};
use nearfield_kernels::{Backend, Element, Kernel, Metric, Unsupported};

use crate::{
    table::{Prepare, PrepareError, Table},
    truth::{Truth, TruthError},
};

/// True neighbours computed where no file says how many.
pub const TRUTH_COLUMNS: usize = 100;

/// Everything an index is measured on. Base and queries have one dimension, neither is empty, and
/// the truth, where there is one, has a row for every query and ids of the base.
#[derive(Clone, Debug)]
pub struct Workload<E> {
    /// How points are compared.
    pub metric: Metric,
    /// Elements of a row as the file has them; of packed bits, the bits.
    pub dim: usize,
    /// The rows to index.
    pub base: Table<E>,
    /// The rows to search for.
    pub queries: Table<E>,
    /// The exact answers, where they are known.
    pub truth: Option<Truth>,
}

/// The files of a [`Workload`], and how much of them is wanted.
#[derive(Clone, Debug)]
pub struct Files {
    /// The rows to index.
    pub base: PathBuf,
    /// The rows to search for.
    pub query: PathBuf,
    /// The ids of the exact nearest rows.
    pub truth: Option<PathBuf>,
    /// How points are compared.
    pub metric: Metric,
    /// Rows of the base to keep.
    pub limit_base: Option<usize>,
    /// Queries to keep.
    pub limit_query: Option<usize>,
}

/// Why files make no workload.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WorkloadError {
    /// A file cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// A file without rows, or a limit that leaves none.
    #[error("{}: no rows", .0.display())]
    Empty(PathBuf),
    /// Rows that make no sense under the metric.
    #[error("{}: {source}", path.display())]
    Prepare {
        /// The file.
        path: PathBuf,
        /// What is wrong with its rows.
        source: PrepareError,
    },
    /// Base and queries do not lie in one space.
    #[error(
        "{} has {base_dim} dimensions, but {} has {query_dim}", base.display(), query.display()
    )]
    Dimensions {
        /// The file of the base.
        base: PathBuf,
        /// Its dimension.
        base_dim: usize,
        /// The file of the queries.
        query: PathBuf,
        /// Its dimension.
        query_dim: usize,
    },
    /// Queries of another dimension than the index that is searched.
    #[error("{} has {query_dim} dimensions, but the index has {index_dim}", query.display())]
    IndexDimension {
        /// The file of the queries.
        query: PathBuf,
        /// Its dimension.
        query_dim: usize,
        /// The dimension of the index.
        index_dim: usize,
    },
    /// Ids that are none.
    #[error("{}: {source}", path.display())]
    Truth {
        /// The file.
        path: PathBuf,
        /// What is wrong with its ids.
        source: TruthError,
    },
    /// A truth for fewer queries.
    #[error("{} has {truth} rows for {queries} queries", path.display())]
    TruthRows {
        /// The file of the truth.
        path: PathBuf,
        /// Its rows.
        truth: usize,
        /// The queries that want one.
        queries: usize,
    },
}

impl<E: Prepare> Workload<E> {
    /// Reads the files and prepares their rows for the metric.
    ///
    /// A truth is for the whole base and for the numbers of the files: where the limit cuts the
    /// base, or the element type rounds a number, the truth of the file is checked and dropped;
    /// [`compute_truth`](Self::compute_truth) makes the right one, of the rows as they are searched.
    ///
    /// # Errors
    /// [`WorkloadError`] names the file and what is wrong with it.
    pub fn read(files: &Files) -> Result<Self, WorkloadError> {
        let limit = files.limit_base.unwrap_or(usize::MAX);
        // One row beyond the limit tells whether it cuts anything, and no more need be read.
        let base_matrix = read_rows(&files.base, limit.saturating_add(1))?;
        let is_cut = base_matrix.rows() > limit;
        let base_matrix = base_matrix.truncated(limit);
        let query_matrix = read_rows(&files.query, files.limit_query.unwrap_or(usize::MAX))?;
        let (base_dim, query_dim) = (base_matrix.dim(), query_matrix.dim());
        if base_dim != query_dim {
            let (base, query) = (files.base.clone(), files.query.clone());
            return Err(WorkloadError::Dimensions { base, base_dim, query, query_dim });
        }
        for (path, matrix) in [(&files.base, &base_matrix), (&files.query, &query_matrix)] {
            if matrix.rows() == 0 {
                return Err(WorkloadError::Empty(path.clone()));
            }
        }
        let truth = match &files.truth {
            Some(path) => {
                let base = if is_cut { usize::MAX } else { base_matrix.rows() };
                Some(read_truth(path, base, query_matrix.rows())?)
            }
            None => None,
        };
        let prepare = |matrix, path: &Path| {
            E::prepare(matrix, files.metric)
                .map_err(|source| WorkloadError::Prepare { path: path.to_owned(), source })
        };
        let base = prepare(base_matrix, &files.base)?;
        let queries = prepare(query_matrix, &files.query)?;
        let is_other = is_cut || base.is_rounded || queries.is_rounded;
        Ok(Self {
            metric: files.metric,
            dim: base_dim * E::PER_COLUMN,
            base: base.table,
            queries: queries.table,
            truth: truth.filter(|_| !is_other),
        })
    }
}

impl<E: Element> Workload<E> {
    /// The first rows of the base.
    pub fn first(&self, rows: usize) -> Table<E> {
        let mut first = self.base.clone();
        first.truncate(rows);
        first
    }

    /// Computes the truth of the rows at hand, `columns` neighbours per query, in rayon's current
    /// pool.
    ///
    /// # Errors
    /// When `backend`, or the one that the environment forces, cannot be had.
    pub fn compute_truth(
        &mut self,
        backend: Option<Backend>,
        columns: usize,
    ) -> Result<(), Unsupported> {
        let kernel = self.kernel(backend)?;
        self.truth = Some(Truth::exact(kernel, &self.base, &self.queries, columns));
        Ok(())
    }

    /// The first rows of the base and the first queries; a cut base drops the truth.
    pub fn limit(&mut self, base: usize, queries: usize) {
        if base < self.base.len() {
            self.base.truncate(base);
            self.truth = None;
        }
        self.queries.truncate(queries);
        if let Some(truth) = &mut self.truth {
            truth.truncate(queries);
        }
    }

    /// The kernel of its metric, on `backend` or the one that a process gets by itself.
    ///
    /// # Errors
    /// When the backend cannot be had.
    pub fn kernel(&self, backend: Option<Backend>) -> Result<Kernel<E>, Unsupported> {
        match backend {
            Some(backend) => Kernel::on(backend, self.metric),
            None => Kernel::best(self.metric),
        }
    }
}

/// The first rows of a file. Where there is no file of this name, `FILE#COLUMN` is a column of `FILE`.
pub(crate) fn read_rows(path: &Path, rows: usize) -> Result<Matrix, FileError> {
    let parts = path.to_str().and_then(|path| path.rsplit_once('#'));
    let reader = match parts {
        Some((file, column)) if !path.exists() => {
            Reader::open_columns(file, &Columns::default().vectors(column))
        }
        _ => Reader::open(path),
    };
    reader?.into_matrix(rows)
}

/// The ids of a file, which must be good for `base` rows and at least `queries` queries.
fn read_truth(path: &Path, base: usize, queries: usize) -> Result<Truth, WorkloadError> {
    let matrix = nearfield_files::read(path)?;
    if matrix.rows() < queries {
        let truth = matrix.rows();
        return Err(WorkloadError::TruthRows { path: path.to_owned(), truth, queries });
    }
    let mut truth = Truth::from_matrix(&matrix, base)
        .map_err(|source| WorkloadError::Truth { path: path.to_owned(), source })?;
    truth.truncate(queries);
    Ok(truth)
}
