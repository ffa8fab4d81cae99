//! Indexes from files, of any element type and of other libraries, searched by ids and named by keys.

use std::{
    borrow::Cow,
    io,
    path::{Path, PathBuf},
};

use nearfield_hnsw::{
    Hnsw, Id, Index, Vectors, bf16, f16,
    file::{Corruption, FileInfo, OpenCause, OpenError},
    import::{Foreign, ImportError, Library},
    search::Searcher,
    space::{Space, VectorElement},
};
use nearfield_kernels::Metric;

use crate::{
    Table, Truth, Workload,
    ann::LoadEvent,
    mapped,
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

macro_rules! any_of {
    ($($element:ty: $any:ident;)*) => {$(
        impl From<Saved<$element>> for AnySaved {
            fn from(saved: Saved<$element>) -> Self {
                Self::$any(saved)
            }
        }
    )*};
}

any_of! { f32: F32; f16: F16; bf16: Bf16; i8: I8; u8: U8; u64: U64; }

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
    /// It is nobody's index.
    #[error("{}: no index of ours, nor of hnswlib, usearch or faiss", .0.display())]
    Unknown(PathBuf),
    /// It is an index of another library, and not whole, or cannot be read here.
    #[error("{}: {error}", path.display())]
    Import {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        error: ImportError,
    },
    /// The file does not say its metric, and nobody else did.
    #[error("{}: a file of hnswlib, which does not say its metric: use --metric", .0.display())]
    NoMetric(PathBuf),
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

/// Whose index a file holds, by its content.
#[derive(Debug)]
pub enum Format {
    /// Ours.
    Nearfield(Box<FileInfo>),
    /// That of another library.
    Foreign(Foreign),
}

impl Format {
    /// Looks at a file.
    ///
    /// # Errors
    /// When it cannot be read, or is an index of nobody known here.
    pub fn of(path: &Path) -> Result<Self, SavedError> {
        match FileInfo::read(path) {
            Ok(info) => Ok(Self::Nearfield(Box::new(info))),
            Err(OpenError { cause: OpenCause::Damaged(Corruption::NotAnIndex), .. }) => {
                Foreign::detect(path).map(Self::Foreign).map_err(at(path))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The name of the library.
    pub fn name(&self) -> String {
        match self {
            Self::Nearfield(_) => "nearfield".to_owned(),
            Self::Foreign(foreign) => foreign.library.to_string(),
        }
    }

    fn element(&self) -> &str {
        match self {
            Self::Nearfield(info) => &info.element,
            Self::Foreign(foreign) => foreign.element,
        }
    }
}

/// Puts the file before what is wrong with it.
fn at(path: &Path) -> impl FnOnce(ImportError) -> SavedError {
    |error| match error {
        ImportError::Unknown(_) => SavedError::Unknown(path.to_owned()),
        error => SavedError::Import { path: path.to_owned(), error },
    }
}

impl AnySaved {
    /// Opens a file of a format. `metric` is the one where the file does not say it, and else must be
    /// that of the file.
    ///
    /// # Errors
    /// When it cannot be read, is not whole, or cannot be searched here.
    pub fn read(
        path: &Path,
        format: &Format,
        metric: Option<Metric>,
        way: Way,
    ) -> Result<Self, SavedError> {
        let saved = match format.element() {
            "f32" => Self::F32(match format {
                Format::Foreign(foreign) => Saved::import_floats(path, foreign.library, metric)?,
                Format::Nearfield(info) => Saved::read(path, info, way)?,
            }),
            "f16" => Self::F16(Saved::read_any(path, format, way)?),
            "bf16" => Self::Bf16(Saved::read_any(path, format, way)?),
            "i8" => Self::I8(Saved::read_any(path, format, way)?),
            "u8" => Self::U8(Saved::read_any(path, format, way)?),
            "u64" => Self::U64(Saved::read_any(path, format, way)?),
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

impl Saved<f32> {
    /// An index of another library over floats.
    fn import_floats(
        path: &Path,
        library: Library,
        metric: Option<Metric>,
    ) -> Result<Self, SavedError> {
        let index = match library {
            Library::Hnswlib => {
                let metric = metric.ok_or_else(|| SavedError::NoMetric(path.to_owned()))?;
                Index::from_hnswlib(path, metric)
            }
            Library::Faiss => Index::from_faiss(path),
            _ => Index::from_usearch(path),
        };
        Ok(Self::Keyed(index.map_err(at(path))?))
    }
}

impl<E: VectorElement> Saved<E> {
    /// An index of ours, or of the one other library that has elements beside floats.
    fn read_any(path: &Path, format: &Format, way: Way) -> Result<Self, SavedError> {
        match format {
            Format::Nearfield(info) => Self::read(path, info, way),
            Format::Foreign(_) => Ok(Self::Keyed(Index::from_usearch(path).map_err(at(path))?)),
        }
    }

    fn read(path: &Path, info: &FileInfo, way: Way) -> Result<Self, SavedError> {
        Ok(match (info.keys.as_str(), way) {
            ("", Way::Open) => Self::Bare(mapped::open_bare(path)?),
            ("", Way::OpenVerified) => Self::Bare(mapped::open_bare_verified(path)?),
            ("", Way::Load) => Self::Bare(Hnsw::load(path)?),
            ("u64", Way::Open) => Self::Keyed(mapped::open(path)?),
            ("u64", Way::OpenVerified) => Self::Keyed(mapped::open_verified(path)?),
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

    /// The key of a point that lives.
    pub fn key(&self, id: Id) -> Option<u64> {
        match self {
            Self::Bare(index) => index.contains(id).then_some(id.into()),
            Self::Keyed(index) => index.key(id).copied().filter(|key| index.id(key) == Some(id)),
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
    pub fn event(&self, path: &Path, format: &Format, seconds: f64) -> io::Result<LoadEvent> {
        let vectors = self.vectors();
        Ok(LoadEvent {
            format: format.name(),
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
            prepared.map_err(|error| WorkloadError::Prepare { path: path.clone(), error })?.table;
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
            .map_err(|error| WorkloadError::Truth { path: path.to_owned(), error })?;
        truth.truncate(queries);
        Ok(truth)
    }
}
