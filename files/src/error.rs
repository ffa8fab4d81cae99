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
    #[error("the header says 0 dimensions")]
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
    #[error("bytes follow the last of its {rows} rows of {dim}")]
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
    #[error("row {row} says it has {dim} dimensions")]
    RowLength {
        /// The row, counted from 0.
        row: u64,
        /// What it says.
        dim: i32,
    },
    /// Rows of different lengths.
    #[error("row {row} has {dim} dimensions, the rows before it {first}")]
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
    #[error("no .npy file: it does not begin with \\x93NUMPY")]
    NotNpy,
    /// A version of the format that did not exist when this was written.
    #[error("version {0}.{1} of the .npy format; 1.0, 2.0 and 3.0 are known")]
    NpyVersion(u8, u8),
    /// A `.npy` header that cannot be understood.
    #[error("the .npy header is damaged: {0}")]
    NpyHeader(&'static str),
    /// A `.npy` element type that is not read.
    #[error("elements of type {0}; f8, f4, f2, u1, i1, i4 and i8 are read")]
    NpyType(String),
    /// A `.npy` array that is not a matrix.
    #[error("an array of {} axes is no matrix", .0.len())]
    NpyShape(Vec<u64>),
    /// Elements of one kind, to be written to a format of another.
    #[error("elements of type {kind} do not fit a .{format} file")]
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
        "{}; name one",
        if .0.is_empty() { "no column holds lists of numbers".to_owned() }
        else { format!("the columns {} hold lists of numbers", quoted(.0)) }
    )]
    WhichColumn(Vec<String>),
    /// A column of another type than is wanted.
    #[error("column `{column}` holds {found}, where {wanted} are wanted")]
    ColumnType {
        /// The column.
        column: String,
        /// What it holds.
        found: String,
        /// What it should hold.
        wanted: &'static str,
    },
    /// A row without a value, or with a vector that lacks an element.
    #[error("column `{column}`: a null in row {row}")]
    Null {
        /// The column.
        column: String,
        /// The first such row, counted from 0.
        row: u64,
    },
    /// Lists of different lengths.
    #[error("column `{column}`: row {row} has {dim} dimensions, the rows before it {first}")]
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
    #[error("{keys} keys for {rows} rows")]
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
