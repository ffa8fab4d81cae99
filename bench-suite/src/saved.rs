//! Indexes from files, of any element type and of other libraries, searched by ids and named by keys.

use std::{
    borrow::Cow,
    io,
    path::{Path, PathBuf},
};

use nearfield_hnsw::{
    FileInfo, Hnsw, Id, Index, OpenError, Searcher, Space, VectorElement, Vectors, bf16, f16,
};
use nearfield_kernels::Metric;

use crate::{
    Table, Truth, Workload,
    ann::LoadEvent,
    table::Prepare,
    workload::{WorkloadError, read_rows},
};

/// An index from a file. Without keys of its own its ids are the keys.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "there is one of them")]
pub enum Saved<E: VectorElement> {
    /// A graph over vectors.
    Bare(Hnsw<Vectors<E>>),
    /// The same with keys.
    Keyed(Index<u64, Vectors<E>>),
}

/// An index of whichever element type the file has.
#[derive(Debug)]
#[expect(missing_docs, reason = "the types name themselves")]
pub enum AnySaved {
    F32(Saved<f32>),
    F16(Saved<f16>),
    Bf16(Saved<bf16>),
    I8(Saved<i8>),
    U8(Saved<u8>),
    U64(Saved<u64>),
}

/// Runs one expression for whichever index an [`AnySaved`] holds.
#[macro_export]
macro_rules! each_saved {
    ($any:expr, $index:ident => $body:expr) => {
        match $any {
            $crate::saved::AnySaved::F32($index) => $body,
            $crate::saved::AnySaved::F16($index) => $body,
            $crate::saved::AnySaved::Bf16($index) => $body,
            $crate::saved::AnySaved::I8($index) => $body,
            $crate::saved::AnySaved::U8($index) => $body,
            $crate::saved::AnySaved::U64($index) => $body,
        }
    };
}

/// How a file of ours is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Mapped, unverified.
    Open,
    /// Mapped and verified.
    OpenVerified,
    /// Read and verified.
    Load,
}

/// Why a file is not searched.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SavedError {
    /// It is no index, or not whole.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// An index of points that are not in the file, or of elements unknown here.
    #[error("{}: an index of elements `{element}` cannot be searched here", path.display())]
    Element {
        /// The file.
        path: PathBuf,
        /// The elements that it names.
        element: String,
    },
    /// Keys that are not numbers.
    #[error("{}: keys `{keys}` instead of u64", path.display())]
    Keys {
        /// The file.
        path: PathBuf,
        /// The encoding of its keys.
        keys: String,
    },
    /// The metric is another one than was asked for.
    #[error("{}: the metric is {found}, not {asked}", path.display())]
    Metric {
        /// The file.
        path: PathBuf,
        /// The metric asked for.
        asked: Metric,
        /// The metric in the file.
        found: Metric,
    },
}

impl AnySaved {
    /// Opens a file by its content. `metric` is what it must be, where the file says it.
    ///
    /// # Errors
    /// When it cannot be read, is not whole, or cannot be searched here.
    pub fn read(path: &Path, metric: Option<Metric>, way: Way) -> Result<Self, SavedError> {
        let info = FileInfo::read(path)?;
        let saved = match info.element.as_str() {
            "f32" => Self::F32(Saved::read(path, &info, way)?),
            "f16" => Self::F16(Saved::read(path, &info, way)?),
            "bf16" => Self::Bf16(Saved::read(path, &info, way)?),
            "i8" => Self::I8(Saved::read(path, &info, way)?),
            "u8" => Self::U8(Saved::read(path, &info, way)?),
            "u64" => Self::U64(Saved::read(path, &info, way)?),
            element => {
                let (path, element) = (path.to_owned(), element.to_owned());
                return Err(SavedError::Element { path, element });
            }
        };
        let found = each_saved!(&saved, index => index.vectors().metric());
        match metric {
            Some(asked) if asked != found => {
                Err(SavedError::Metric { path: path.to_owned(), asked, found })
            }
            _ => Ok(saved),
        }
    }
}

impl<E: VectorElement> Saved<E> {
    fn read(path: &Path, info: &FileInfo, way: Way) -> Result<Self, SavedError> {
        Ok(match (info.keys.as_str(), way) {
            ("", Way::Open) => Self::Bare(Hnsw::open(path)?),
            ("", Way::OpenVerified) => Self::Bare(Hnsw::open_verified(path)?),
            ("", Way::Load) => Self::Bare(Hnsw::load(path)?),
            ("u64", Way::Open) => Self::Keyed(Index::open(path)?),
            ("u64", Way::OpenVerified) => Self::Keyed(Index::open_verified(path)?),
            ("u64", Way::Load) => Self::Keyed(Index::load(path)?),
            (keys, _) => {
                let (path, keys) = (path.to_owned(), keys.to_owned());
                return Err(SavedError::Keys { path, keys });
            }
        })
    }

    /// The vectors, those that were removed among them.
    pub fn vectors(&self) -> &Vectors<E> {
        match self {
            Self::Bare(index) => index.space(),
            Self::Keyed(index) => index.space(),
        }
    }

    /// What searches by ids.
    pub fn searcher(&self) -> Searcher<'_, Vectors<E>> {
        match self {
            Self::Bare(index) => index.searcher(),
            Self::Keyed(index) => index.searcher(),
        }
    }

    /// Number of points that live.
    pub fn len(&self) -> usize {
        match self {
            Self::Bare(index) => index.len(),
            Self::Keyed(index) => index.len(),
        }
    }

    /// Whether no point lives.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The point of a key.
    pub fn id(&self, key: u64) -> Option<Id> {
        match self {
            Self::Bare(index) => key.try_into().ok().filter(|id| index.contains(*id)),
            Self::Keyed(index) => index.id(&key),
        }
    }

    /// Bytes that the index takes, by the count of the index.
    pub fn bytes(&self) -> usize {
        match self {
            Self::Bare(index) => index.memory().total(),
            Self::Keyed(index) => index.memory().total(),
        }
    }

    /// The digest of the graph.
    pub fn graph_hash(&self) -> u64 {
        match self {
            Self::Bare(index) => index.graph_hash(),
            Self::Keyed(index) => index.graph_hash(),
        }
    }

    /// What opening it took, which was so many seconds.
    ///
    /// # Errors
    /// When the length of the file cannot be had.
    pub fn event(&self, path: &Path, seconds: f64) -> io::Result<LoadEvent> {
        let vectors = self.vectors();
        Ok(LoadEvent {
            format: "nearfield".into(),
            element: E::NAME.into(),
            metric: vectors.metric().name().into(),
            n: self.len(),
            dim: vectors.dim(),
            seconds,
            bytes: path.metadata()?.len(),
            graph_hash: format!("{:016x}", self.graph_hash()),
        })
    }

    /// All rows as they are stored, by id.
    pub fn table(&self) -> Table<E> {
        let vectors = self.vectors();
        let ids = 0..Space::len(vectors) as Id;
        let rows = ids.filter_map(|id| vectors.get(id));
        Table::new(vectors.dim(), rows.flat_map(Cow::into_owned).collect())
    }
}

/// What is to be searched for in an index from a file.
#[derive(Clone, Debug)]
pub struct Questions {
    /// The rows to search for.
    pub query: PathBuf,
    /// The keys of the exact nearest points.
    pub truth: Option<PathBuf>,
    /// Queries to keep.
    pub limit: Option<usize>,
}

impl<E: VectorElement + Prepare> Saved<E> {
    /// The questions as a workload over the points of the index: keys of the truth become ids. Without a
    /// truth there are no rows in it, since nobody needs them.
    ///
    /// # Errors
    /// When a file cannot be read, or does not fit the index.
    pub fn workload(&self, questions: &Questions) -> Result<Workload<E>, WorkloadError> {
        let (vectors, path) = (self.vectors(), &questions.query);
        let matrix = read_rows(path, questions.limit.unwrap_or(usize::MAX))?;
        let (dim, rows) = (matrix.dim(), matrix.rows());
        if rows == 0 {
            return Err(WorkloadError::Empty(path.clone()));
        }
        let prepared = E::prepare(matrix, vectors.metric());
        let queries =
            prepared.map_err(|source| WorkloadError::Prepare { path: path.clone(), source })?.table;
        if queries.dim() != vectors.dim() {
            return Err(WorkloadError::IndexDimension {
                query: path.clone(),
                query_dim: queries.dim(),
                index_dim: vectors.dim(),
            });
        }
        let truth = questions.truth.as_ref().map(|path| self.truth(path, rows)).transpose()?;
        let base = if truth.is_some() { self.table() } else { Table::new(vectors.dim(), vec![]) };
        Ok(Workload { metric: vectors.metric(), dim: dim * E::PER_COLUMN, base, queries, truth })
    }

    /// The truth of a file, whose numbers are keys.
    fn truth(&self, path: &Path, queries: usize) -> Result<Truth, WorkloadError> {
        let matrix = nearfield_files::read(path)?;
        if matrix.rows() < queries {
            let truth = matrix.rows();
            return Err(WorkloadError::TruthRows { path: path.to_owned(), truth, queries });
        }
        let id = |key: i64| self.id(key.try_into().ok()?);
        let mut truth = Truth::by_key(&matrix, id)
            .map_err(|source| WorkloadError::Truth { path: path.to_owned(), source })?;
        truth.truncate(queries);
        Ok(truth)
    }
}
