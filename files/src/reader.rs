//! Reading a file from the front, some rows at a time.

use std::{
    fmt,
    fs::File,
    io::Read,
    path::{Path, PathBuf},
};

use crate::{
    bin::Bin,
    error::{FileError, Problem},
    format::Format,
    keys::{Columns, Keys},
    matrix::{Kind, Matrix, Values},
    npy,
    rows::Rows,
    source::{Input, Source},
    vecs::Vecs,
};

/// A file that is read in chunks, so that it need not fit into memory.
///
/// ```
/// use nearfield_files::{Matrix, Reader, Values, write};
///
/// # let dir = tempfile::tempdir()?;
/// # let path = dir.path().join("vectors.fbin");
/// write(&path, &Matrix::new(2, Values::F32(vec![0.0, 1.0, 2.0, 3.0, 4.0, 5.0])))?;
///
/// let mut reader = Reader::open(&path)?;
/// assert_eq!((reader.dim(), reader.total()), (2, Some(3)));
/// let mut firsts = Vec::new();
/// for chunk in reader.chunks(2) {
///     let chunk = chunk?;
///     firsts.push((chunk.first, chunk.matrix.rows()));
/// }
/// assert_eq!(firsts, [(0, 2), (2, 1)]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// A `.npy` array in Fortran order lies column by column: of such a file all is read with the first chunk.
/// Parquet, and Arrow files (which end in a table of contents), are brought into memory where they are
/// compressed as a whole or come from elsewhere than a file.
pub struct Reader<'a> {
    path: PathBuf,
    rows: Box<dyn Rows + Send + 'a>,
    done: u64,
    /// Whether there is nothing more to be had: the end, or an error.
    is_over: bool,
}

/// Rows of a file, one behind the other.
#[derive(Clone, Debug, PartialEq)]
pub struct Chunk {
    /// The number of its first row in the file, counted from 0.
    pub first: u64,
    /// The rows, at least one.
    pub matrix: Matrix,
    /// Their keys, where a [column of keys](Columns::keys) was asked for.
    pub keys: Option<Keys>,
}

impl Reader<'static> {
    /// Opens a file; its name says the format.
    ///
    /// # Errors
    /// [`FileError`] when the file cannot be read, or what stands before its rows makes no sense.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, FileError> {
        Self::open_columns(path, &Columns::default())
    }

    /// As [`open`](Self::open), with a choice of columns, where the format has columns.
    ///
    /// # Errors
    /// As [`open`](Self::open), and when there are no such columns.
    pub fn open_columns(path: impl AsRef<Path>, columns: &Columns) -> Result<Self, FileError> {
        let path = path.as_ref();
        let file = File::open(path).map_err(|error| FileError::new(path, error))?;
        Self::of(path, Input::File(file), columns)
    }
}

impl<'a> Reader<'a> {
    /// Reads bytes that come from elsewhere; `path` names them and their format.
    ///
    /// # Errors
    /// As [`open_columns`](Reader::open_columns).
    pub fn from_bytes(
        path: impl AsRef<Path>,
        bytes: impl Read + Send + 'a,
        columns: &Columns,
    ) -> Result<Self, FileError> {
        Self::of(path.as_ref(), Input::Stream(Box::new(bytes)), columns)
    }

    fn of(path: &Path, input: Input<'a>, columns: &Columns) -> Result<Self, FileError> {
        let rows = rows(path, input, columns).map_err(|problem| FileError::new(path, problem))?;
        Ok(Self { path: path.to_owned(), rows, done: 0, is_over: false })
    }

    /// Elements of a row.
    pub fn dim(&self) -> usize {
        self.rows.dim()
    }

    /// What the elements are.
    pub fn kind(&self) -> Kind {
        self.rows.kind()
    }

    /// Rows in the whole file, where it says so before they are read. Good enough for a bar of progress;
    /// to reserve room only where the file is trusted, for it may be a lie: what counts is what the
    /// chunks bring.
    pub fn total(&self) -> Option<u64> {
        self.rows.total()
    }

    /// Rows that chunks have brought so far.
    pub fn done(&self) -> u64 {
        self.done
    }

    /// The next `rows` rows (0 counts as 1), fewer only at the end of the file; none behind it.
    ///
    /// # Errors
    /// [`FileError`] when the file cannot be read or is not exactly what its header promises. Of some
    /// damage only the last chunk can tell. There are no chunks behind an error.
    pub fn next_chunk(&mut self, rows: usize) -> Result<Option<Chunk>, FileError> {
        if self.is_over {
            return Ok(None);
        }
        let taken = self.rows.next(rows.max(1)).map_err(|problem| {
            self.is_over = true;
            FileError::new(&self.path, problem)
        })?;
        let (first, matrix) = (self.done, Matrix::new(self.rows.dim(), taken.values));
        self.done += matrix.rows() as u64;
        self.is_over = matrix.rows() == 0;
        Ok((!self.is_over).then_some(Chunk { first, matrix, keys: taken.keys }))
    }

    /// All chunks that are left, of `rows` rows each but for the last: an iterator over
    /// [`next_chunk`](Self::next_chunk).
    pub fn chunks(&mut self, rows: usize) -> impl Iterator<Item = Result<Chunk, FileError>> + '_ {
        std::iter::from_fn(move || self.next_chunk(rows).transpose())
    }

    /// The next `rows` rows in one piece, or all that are left where there are fewer: also none.
    ///
    /// # Errors
    /// As [`next_chunk`](Self::next_chunk).
    pub fn into_matrix(mut self, rows: usize) -> Result<Matrix, FileError> {
        let chunk = if rows == 0 { None } else { self.next_chunk(rows)? };
        let empty = || Matrix::new(self.dim(), Values::empty(self.kind()));
        Ok(chunk.map_or_else(empty, |chunk| chunk.matrix))
    }
}

fn rows<'a>(
    path: &Path,
    input: Input<'a>,
    columns: &Columns,
) -> Result<Box<dyn Rows + Send + 'a>, Problem> {
    let format = Format::of(path).ok_or(Problem::UnknownFormat)?;
    if format.has_columns() {
        return table(path, format, input, columns);
    }
    if *columns != Columns::default() {
        return Err(Problem::NoColumns(format.extension()));
    }
    let source = Source::new(path, input)?;
    Ok(match format {
        Format::Bin(kind) => Box::new(Bin::open(source, kind)?),
        Format::Vecs(kind) => Box::new(Vecs::open(source, kind)?),
        _ => npy::open(source)?,
    })
}

#[cfg(feature = "arrow")]
fn table<'a>(
    path: &Path,
    format: Format,
    input: Input<'a>,
    columns: &Columns,
) -> Result<Box<dyn Rows + Send + 'a>, Problem> {
    crate::columns::open(format, path, input, columns)
}

#[cfg(not(feature = "arrow"))]
fn table<'a>(
    _path: &Path,
    format: Format,
    _input: Input<'a>,
    _columns: &Columns,
) -> Result<Box<dyn Rows + Send + 'a>, Problem> {
    Err(Problem::NeedsFeature { format: format.extension(), feature: "arrow" })
}

impl fmt::Debug for Reader<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader")
            .field("path", &self.path)
            .field("kind", &self.kind())
            .field("dim", &self.dim())
            .field("total", &self.total())
            .field("done", &self.done)
            .finish_non_exhaustive()
    }
}
