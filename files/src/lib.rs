//! Files of vectors, in and out: `.fbin .u8bin .i8bin .f16bin .ibin .fvecs .ivecs .bvecs .npy`, and with
//! the feature `arrow` Parquet and Arrow.
//!
//! | format | layout (little-endian) |
//! |---|---|
//! | `.fbin` and kin | `u32` rows, `u32` dimensions, then the rows |
//! | `.fvecs` and kin | per row an `i32` dimension, then the row |
//! | `.npy` | NumPy's own: versions 1 to 3, either byte order, C or Fortran order |
//!
//! Each also with `.zst` behind it, with the feature `zstd`. Capitals in the end of a name change nothing.
//!
//! Elements are of the kinds that [`Kind`] has. Of other integers in `.npy`, Parquet and Arrow, `i16`
//! and `u16` are read as `i32`, `u32` and `u64` as `i64`, which must have the value.
//!
//! No promise of a header is believed before the bytes have arrived, and whatever is wrong is a
//! [`FileError`] that names the file and the trouble.
//!
//! A file that fits into memory:
//!
//! ```
//! use nearfield_files::{Matrix, Values, read, write};
//!
//! # let dir = tempfile::tempdir()?;
//! # let path = dir.path().join("vectors.npy");
//! let matrix = Matrix::new(3, Values::F32(vec![0.0, 0.5, 1.0, 1.5, 2.0, 2.5]));
//! write(&path, &matrix)?;
//! assert_eq!(read(&path)?, matrix);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! One that need not: [`Reader`].

#![cfg_attr(docsrs, feature(doc_cfg))]

mod bin;
#[cfg(feature = "arrow")]
mod columns;
pub mod convert;
mod error;
mod format;
mod keys;
mod matrix;
mod npy;
mod reader;
mod rows;
mod source;
mod vecs;
mod write;

use std::{io::Read, path::Path};

pub use error::{FileError, Problem};
pub use keys::{Columns, Keys};
pub use matrix::{Kind, Matrix, Values};
pub use reader::{Chunk, Reader};
pub use write::{write, write_keyed};

/// Reads the matrix of a file; its name says the format.
///
/// # Errors
/// [`FileError`] when the file cannot be read or is not exactly what its header promises.
pub fn read(path: impl AsRef<Path>) -> Result<Matrix, FileError> {
    read_first(path, usize::MAX)
}

/// Like [`read`], but only the first `rows` rows: what lies behind them is neither kept nor,
/// where the layout allows, looked at.
///
/// # Errors
/// As [`read`].
pub fn read_first(path: impl AsRef<Path>, rows: usize) -> Result<Matrix, FileError> {
    Reader::open(path)?.into_matrix(rows)
}

/// Like [`read_first`], but from bytes that come from elsewhere; `path` names them and their
/// format.
///
/// # Errors
/// As [`read`].
pub fn read_from(
    path: impl AsRef<Path>,
    bytes: impl Read + Send,
    rows: usize,
) -> Result<Matrix, FileError> {
    Reader::from_bytes(path, bytes, &Columns::default())?.into_matrix(rows)
}
