//! Files of vectors: `.fbin .u8bin .i8bin .f16bin .ibin .fvecs .ivecs .bvecs .npy`, plain or `.zst`.
//!
//! | format | layout (little-endian) |
//! |---|---|
//! | `.fbin` and kin | `u32` rows, `u32` dimensions, then the rows |
//! | `.fvecs` and kin | per row an `i32` dimension, then the row |
//! | `.npy` | NumPy's own: versions 1 to 3, either byte order, C or Fortran order |
//!
//! No promise of a header is believed before the bytes have arrived, and whatever is wrong is a
//! [`FileError`] that names the file and the trouble.

mod bin;
mod error;
mod format;
mod npy;
mod source;
mod vecs;
mod write;

use std::{fs::File, io::Read, path::Path};

pub use error::{FileError, Problem};
pub use write::write;

use crate::matrix::Matrix;
use format::Format;
use source::Source;

/// Reads the matrix of a file; its name says the format.
///
/// # Errors
/// [`FileError`] when the file cannot be read or is not exactly what its header promises.
pub fn read(path: &Path) -> Result<Matrix, FileError> {
    read_first(path, usize::MAX)
}

/// Like [`read`], but only the first `rows` rows: what lies behind them is neither kept nor,
/// where the layout allows, looked at.
///
/// # Errors
/// As [`read`].
pub fn read_first(path: &Path, rows: usize) -> Result<Matrix, FileError> {
    let file = File::open(path).map_err(|error| FileError::new(path, error))?;
    read_from(path, file, rows)
}

/// Like [`read_first`], but from bytes that come from elsewhere; `path` names them and their
/// format.
///
/// # Errors
/// As [`read`].
pub fn read_from(path: &Path, bytes: impl Read, rows: usize) -> Result<Matrix, FileError> {
    let matrix = || {
        let format = Format::of(path).ok_or(Problem::UnknownFormat)?;
        let mut source = Source::new(path, bytes)?;
        match format {
            Format::Fbin => bin::read::<f32>(&mut source, rows),
            Format::F16bin => bin::read::<half::f16>(&mut source, rows),
            Format::U8bin => bin::read::<u8>(&mut source, rows),
            Format::I8bin => bin::read::<i8>(&mut source, rows),
            Format::Ibin => bin::read::<i32>(&mut source, rows),
            Format::Fvecs => vecs::read::<f32>(&mut source, rows),
            Format::Ivecs => vecs::read::<i32>(&mut source, rows),
            Format::Bvecs => vecs::read::<u8>(&mut source, rows),
            Format::Npy => npy::read(&mut source, rows),
        }
    };
    matrix().map_err(|problem| FileError::new(path, problem))
}
