//! Tells whose file it is by its content.

use std::borrow::Cow;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use nearfield_kernels::Metric;

use super::cursor::Cursor;
use super::error::ImportError;
use super::library::Library;
use super::{faiss, hnswlib, usearch};

/// What a file of another library holds, as its first bytes tell.
///
/// ```no_run
/// use nearfield_hnsw::{import::{Foreign, Library}, Index, Metric, Vectors};
///
/// let file = Foreign::detect("vectors.index")?;
/// assert_eq!((file.library, file.element), (Library::Usearch, "f32"));
/// let index = Index::<u64, Vectors<f32>>::from_usearch("vectors.index")?;
/// # Ok::<(), nearfield_hnsw::import::ImportError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Foreign {
    /// Which library wrote it.
    pub library: Library,
    /// The type of its elements, as [`Element::NAME`](nearfield_kernels::Element::NAME) names it; that
    /// which an index has that is made of it.
    pub element: &'static str,
    /// The elements of a vector.
    pub dim: usize,
    /// How many points there are, removed ones among them.
    pub points: u64,
    /// The metric; `None` where the file does not tell.
    pub metric: Option<Metric>,
}

/// So much of the beginning of a file is looked at: the heads of all libraries are in it, and those of
/// faiss's indexes around a graph.
const START: u64 = 1 << 16;

impl Foreign {
    /// Looks at a file, of which it reads a few bytes, however long it is.
    ///
    /// # Errors
    /// When it cannot be read, is of none of the libraries, or has no vectors, or such as are not read.
    pub fn detect(path: impl AsRef<Path>) -> Result<Self, ImportError> {
        let path = path.as_ref();
        let failed = |error| ImportError::Read { path: path.to_owned(), error };
        let mut file = File::open(path).map_err(failed)?;
        let mut part = |at: u64, count: u64| {
            let mut bytes = Vec::new();
            file.seek(SeekFrom::Start(at))?;
            (&file).take(count).read_to_end(&mut bytes).map(|_| Cow::from(bytes))
        };
        let start = part(0, START).map_err(failed)?;
        look(&start, |at, count| part(at, count).map_err(failed))
    }

    /// Looks at the bytes of a file.
    ///
    /// # Errors
    /// As [`detect`](Self::detect).
    pub fn detect_bytes(bytes: &[u8]) -> Result<Self, ImportError> {
        look(bytes, |at, count| {
            let rest = usize::try_from(at).ok().and_then(|at| bytes.get(at..)).unwrap_or(&[]);
            Ok(Cow::from(&rest[..rest.len().min(count as usize)]))
        })
    }
}

/// What a file is that begins with `start`, and of which `part` reads so many bytes from a place on, or
/// as many as there are.
fn look<'a>(
    start: &[u8],
    mut part: impl FnMut(u64, u64) -> Result<Cow<'a, [u8]>, ImportError>,
) -> Result<Foreign, ImportError> {
    if usearch::is_head(start) {
        return Err(ImportError::NoVectors);
    }
    for matrix in usearch::Matrix::candidates(start) {
        // No file is longer than the system can say.
        let Some(end) = matrix.end().filter(|end| *end <= i64::MAX as u64) else { continue };
        let head = part(end, usearch::HEAD as u64)?;
        if usearch::is_head(&head) {
            let head = usearch::Head::read(&mut Cursor::new(&head), matrix)?;
            return Ok(Foreign {
                library: Library::Usearch,
                element: head.element,
                dim: usize::try_from(head.dim).unwrap_or(usize::MAX),
                points: head.points,
                metric: Some(head.metric),
            });
        }
    }
    match faiss::summary(start) {
        Ok(faiss::Summary { dim, points, metric }) => {
            let library = Library::Faiss;
            return Ok(Foreign { library, element: "f32", dim, points, metric: Some(metric) });
        }
        Err(ImportError::Unknown(_)) => {}
        Err(error) => return Err(error),
    }
    match hnswlib::Head::read(&mut Cursor::new(start)) {
        Ok(hnswlib::Head { points, dim, .. }) => {
            Ok(Foreign { library: Library::Hnswlib, element: "f32", dim, points, metric: None })
        }
        Err(_) => Err(ImportError::Unknown(None)),
    }
}
