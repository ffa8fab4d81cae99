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
mod npy;
mod source;
mod vecs;
mod write;

use std::path::Path;

pub use error::{FileError, Problem};
pub use write::write;

use crate::matrix::Matrix;
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
    let matrix = || {
        let format = Format::of(path)?;
        let mut source = Source::open(path)?;
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

/// The layouts, named by the extension of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Fbin,
    F16bin,
    U8bin,
    I8bin,
    Ibin,
    Fvecs,
    Ivecs,
    Bvecs,
    Npy,
}

impl Format {
    const ALL: [(&'static str, Self); 9] = [
        ("fbin", Self::Fbin),
        ("f16bin", Self::F16bin),
        ("u8bin", Self::U8bin),
        ("i8bin", Self::I8bin),
        ("ibin", Self::Ibin),
        ("fvecs", Self::Fvecs),
        ("ivecs", Self::Ivecs),
        ("bvecs", Self::Bvecs),
        ("npy", Self::Npy),
    ];

    /// All of them, for messages.
    const LIST: &'static str = ".fbin .f16bin .u8bin .i8bin .ibin .fvecs .ivecs .bvecs .npy";

    fn of(path: &Path) -> Result<Self, Problem> {
        let name = path.file_name().and_then(|name| name.to_str()).ok_or(Problem::UnknownFormat)?;
        let name = name.strip_suffix(".zst").unwrap_or(name);
        let (_, extension) = name.rsplit_once('.').ok_or(Problem::UnknownFormat)?;
        Self::ALL
            .into_iter()
            .find(|(known, _)| *known == extension)
            .map(|(_, format)| format)
            .ok_or(Problem::UnknownFormat)
    }

    fn extension(self) -> &'static str {
        Self::ALL.into_iter().find(|(_, format)| *format == self).map_or("", |(name, _)| name)
    }
}

/// The product of a header's two numbers, in elements of `size` bytes, where this machine can address it.
fn elements(rows: u64, dim: u64, size: usize) -> Result<usize, Problem> {
    rows.checked_mul(dim)
        .filter(|count| {
            count.checked_mul(size as u64).is_some_and(|bytes| bytes <= isize::MAX as u64)
        })
        .and_then(|count| usize::try_from(count).ok())
        .ok_or(Problem::TooLarge { rows, dim })
}
