//! What can be wrong with a file of vectors.

use std::{
    io,
    path::{Path, PathBuf},
};

use crate::{format::Format, matrix::Kind};

/// A file that could not be read or written, and why.
#[derive(Debug, thiserror::Error)]
#[error("{}: {problem}", path.display())]
pub struct FileError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub problem: Problem,
}

impl FileError {
    pub(crate) fn new(path: &Path, problem: impl Into<Problem>) -> Self {
        Self { path: path.to_owned(), problem: problem.into() }
    }
}

/// What is wrong with a file.
///
/// [`FileError`] prints it behind the file's name, so the texts say only what was found.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// The system refused: no such file, no permission, a full disk.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// The name does not end in a known format.
    #[error(
        "the name ends in no known format; known are {known}, each also with .zst behind it",
        known = Format::LIST
    )]
    UnknownFormat,
    /// The format is read and written only where an optional feature of this crate is on.
    #[error("a .{format} file needs the feature `{feature}` of nearfield-files, which is off")]
    NeedsFeature {
        /// The format, as the name says it.
        format: &'static str,
        /// The feature.
        feature: &'static str,
    },
    /// The zstd stream is damaged or cut short.
    #[error("damaged zstd stream: {0}")]
    Compression(io::Error),
    /// The file ends inside its header.
    #[error("the file ends after {found} bytes, inside its header of {needed}")]
    ShortHeader {
        /// Bytes that the header needs.
        needed: u64,
        /// Bytes that are there.
        found: u64,
    },
    /// The header promises rows without elements.
    #[error("the header says 0 dimensions; a vector has at least 1")]
    NoDimensions,
    /// More than this machine can address.
    #[error("{rows} rows of {dim} are more than this machine can address")]
    TooLarge {
        /// Rows in the header.
        rows: u64,
        /// Dimensions in the header.
        dim: u64,
    },
    /// The file ends before the rows that its header promises.
    #[error(
        "the header says {rows} rows of {dim}, which take {needed} bytes, but {found} follow it"
    )]
    Truncated {
        /// Rows in the header.
        rows: u64,
        /// Dimensions in the header.
        dim: u64,
        /// Bytes that these rows take.
        needed: u64,
        /// Bytes that are there.
        found: u64,
    },
    /// The file goes on behind its last row.
    #[error("bytes follow the last of the {rows} rows of {dim} that the header says")]
    Trailing {
        /// Rows in the header.
        rows: u64,
        /// Dimensions in the header.
        dim: u64,
    },
    /// A file whose rows carry the dimension has no row, hence no dimension.
    #[error("the file is empty, so its dimension is unknown")]
    Empty,
    /// A row that carries an impossible length.
    #[error("row {row} says that it has {dim} dimensions; a vector has at least 1")]
    RowLength {
        /// The row, counted from 0.
        row: u64,
        /// What it says.
        dim: i32,
    },
    /// Rows of different lengths.
    #[error("row {row} has {dim} dimensions, the rows before it {first}; all must have the same")]
    Ragged {
        /// The first row that differs, counted from 0.
        row: u64,
        /// Its dimension.
        dim: i32,
        /// The dimension of row 0.
        first: i32,
    },
    /// The file ends inside a row.
    #[error("the file ends inside row {row}: {found} bytes of {needed}")]
    ShortRow {
        /// The row, counted from 0.
        row: u64,
        /// Bytes of a row, with its length in front.
        needed: u64,
        /// Bytes of this row that are there.
        found: u64,
    },
    /// No `.npy` file, whatever its name says.
    #[error("this is no .npy file: it does not begin with \\x93NUMPY")]
    NotNpy,
    /// A version of the format that did not exist when this was written.
    #[error("version {0}.{1} of the .npy format is not known; 1.0, 2.0 and 3.0 are")]
    NpyVersion(u8, u8),
    /// A `.npy` header that cannot be understood.
    #[error("the .npy header is damaged: {0}")]
    NpyHeader(&'static str),
    /// A `.npy` element type that is not read.
    #[error(
        "the elements are {}, which are not read; save the array as numbers that are, \
         as with `array.astype('float32')`",
        npy_type(.0)
    )]
    NpyType(String),
    /// A `.npy` array whose elements are structures, or arrays themselves.
    #[error(
        "the elements are structures, {}, which are not read; save the field that holds the vectors, \
         as with `numpy.save(path, array['field'])`",
        shortened(.0)
    )]
    NpyStructure(String),
    /// A `.npy` array that is not a matrix.
    #[error(
        "the array has the shape ({}), which is no matrix; reshape it to (rows, dimensions)",
        shape(.0)
    )]
    NpyShape(Vec<u64>),
    /// An integer that the next wider kind does not have, see [`Kind::I64`].
    #[error(
        "row {row}, column {column}: {value} does not fit i64, as which unsigned integers are read"
    )]
    DoesNotFit {
        /// The row, counted from 0.
        row: u64,
        /// The column, counted from 0.
        column: u64,
        /// The number.
        value: String,
    },
    /// Elements of one kind, to be written to a format of another.
    #[error("elements of type {kind} do not fit a .{format} file; convert them, or write .npy")]
    WrongKind {
        /// The kind of the elements.
        kind: Kind,
        /// The format that the name asks for.
        format: &'static str,
    },
    /// Columns or keys in a format that has none.
    #[error("a .{0} file has no columns with names, so none can be chosen and none holds keys")]
    NoColumns(&'static str),
    /// The container around the columns is damaged, or has something in it that is not read.
    #[error("{0}")]
    Container(Box<dyn std::error::Error + Send + Sync>),
    /// No column of this name.
    #[error("there is no column `{name}`; there are {}", quoted(.there))]
    NoSuchColumn {
        /// The name.
        name: String,
        /// The names that there are.
        there: Vec<String>,
    },
    /// No column can be told to be the one of the vectors.
    #[error(
        "the columns {} hold lists of numbers; name one",
        quoted(.0)
    )]
    WhichColumn(Vec<String>),
    /// No column holds vectors.
    #[error("no column holds {wanted}; there are {}", .there.join(", "))]
    NoVectors {
        /// What is read.
        wanted: &'static str,
        /// The columns that there are, with their types.
        there: Vec<String>,
    },
    /// A column of another type than is wanted.
    #[error(
        "column `{column}` holds {found}, where {wanted} are wanted; cast it, or name another column"
    )]
    ColumnType {
        /// The column.
        column: String,
        /// What it holds.
        found: String,
        /// What it should hold.
        wanted: &'static str,
    },
    /// A row without a value, or with a vector that lacks an element.
    #[error("column `{column}`: a null in row {row}; leave such rows out, or fill them")]
    Null {
        /// The column.
        column: String,
        /// The first such row, counted from 0.
        row: u64,
    },
    /// Lists of different lengths.
    #[error(
        "column `{column}`: row {row} has {dim} dimensions, the rows before it {first}; \
         all must have the same"
    )]
    RaggedColumn {
        /// The column.
        column: String,
        /// The first row that differs, counted from 0.
        row: u64,
        /// Its dimension.
        dim: usize,
        /// The dimension of row 0.
        first: usize,
    },
    /// Keys that are not one for each row.
    #[error("{keys} keys were given for {rows} rows; give each row one")]
    KeyCount {
        /// The keys.
        keys: usize,
        /// The rows.
        rows: usize,
    },
}

fn quoted(names: &[String]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// At most so much of what a file says is repeated.
const SHOWN: usize = 80;

fn shortened(text: &str) -> String {
    let end = text.char_indices().nth(SHOWN).map(|(end, _)| end);
    end.map_or_else(|| text.to_owned(), |end| format!("{} …", &text[..end]))
}

fn shape(axes: &[u64]) -> String {
    let shown = axes.iter().take(8).map(u64::to_string).collect::<Vec<_>>().join(", ");
    if axes.len() > 8 { format!("{shown}, …") } else { shown }
}

/// A type of elements as NumPy writes it, in words.
fn npy_type(descr: &str) -> String {
    let kind = descr.trim_start_matches(['<', '>', '|', '=']);
    let words = match kind.chars().next() {
        Some('b') => "truth values",
        Some('c') => "complex numbers",
        Some('f') => "floats of another width than 8, 4 or 2 bytes",
        Some('S' | 'a') => "bytes",
        Some('U') => "text",
        Some('O') => "Python objects",
        Some('M') => "dates",
        Some('m') => "spans of time",
        Some('V') => "bytes without a type",
        _ => "of a type that is not known",
    };
    format!("{words} (`{}`)", shortened(descr))
}
