//! Writes what the readers read, for tests and for the makers of data sets.

use std::{
    fs,
    io::{self, Write},
    path::Path,
};

use crate::{
    error::{FileError, Problem},
    format::{Format, is_compressed},
    keys::Keys,
    matrix::{Matrix, Values, each_kind},
    npy,
    source::{Order, Scalar},
};

/// Writes a matrix to a file; its name says the format. In Parquet and Arrow the column is called
/// `vector`.
///
/// # Errors
/// [`FileError`] when the format does not hold this kind of element, or the system refuses.
pub fn write(path: impl AsRef<Path>, matrix: &Matrix) -> Result<(), FileError> {
    let path = path.as_ref();
    to_file(path, matrix, None).map_err(|problem| FileError::new(path, problem))
}

/// Writes a matrix and a key for each of its rows to a Parquet or Arrow file, into columns called
/// `key` and `vector`.
///
/// # Errors
/// As [`write()`]; also where there is not one key for each row, or the format has no room for keys.
pub fn write_keyed(path: impl AsRef<Path>, matrix: &Matrix, keys: &Keys) -> Result<(), FileError> {
    let path = path.as_ref();
    to_file(path, matrix, Some(keys)).map_err(|problem| FileError::new(path, problem))
}

fn to_file(path: &Path, matrix: &Matrix, keys: Option<&Keys>) -> Result<(), Problem> {
    let format = Format::of(path).ok_or(Problem::UnknownFormat)?;
    check(format, matrix, keys)?;
    let mut bytes = Vec::new();
    if format.has_columns() {
        table(&mut bytes, format, matrix, keys)?;
    } else {
        each_kind!(matrix.values(), v => body(&mut bytes, format, matrix, v))?;
    }
    if is_compressed(path) {
        bytes = compressed(&bytes)?;
    }
    Ok(fs::write(path, bytes)?)
}

#[cfg(feature = "arrow")]
fn table(
    to: &mut Vec<u8>,
    format: Format,
    matrix: &Matrix,
    keys: Option<&Keys>,
) -> Result<(), Problem> {
    crate::columns::write(to, format, matrix, keys)
}

#[cfg(not(feature = "arrow"))]
fn table(
    _to: &mut Vec<u8>,
    format: Format,
    _matrix: &Matrix,
    _keys: Option<&Keys>,
) -> Result<(), Problem> {
    Err(Problem::NeedsFeature { format: format.extension(), feature: "arrow" })
}

/// In one piece, so that the compressor sees how little there may be of it; and, as files are written
/// once and read often, the smallest that decompresses at full speed.
#[cfg(feature = "zstd")]
fn compressed(bytes: &[u8]) -> Result<Vec<u8>, Problem> {
    Ok(zstd::bulk::compress(bytes, 19)?)
}

#[cfg(not(feature = "zstd"))]
fn compressed(_bytes: &[u8]) -> Result<Vec<u8>, Problem> {
    Err(Problem::NeedsFeature { format: "zst", feature: "zstd" })
}

fn check(format: Format, matrix: &Matrix, keys: Option<&Keys>) -> Result<(), Problem> {
    let (kind, rows) = (matrix.values().kind(), matrix.rows());
    match (format, keys) {
        (Format::Bin(only) | Format::Vecs(only), _) if only != kind => {
            Err(Problem::WrongKind { kind, format: format.extension() })
        }
        (_, Some(_)) if !format.has_columns() => Err(Problem::NoColumns(format.extension())),
        (_, Some(keys)) if keys.len() != rows => Err(Problem::KeyCount { keys: keys.len(), rows }),
        _ => Ok(()),
    }
}

fn body<T: Scalar>(
    to: &mut impl Write,
    format: Format,
    matrix: &Matrix,
    values: &[T],
) -> io::Result<()> {
    let swapped: Vec<T>; // filled only where the machine itself is big-endian
    let values = if Order::NATIVE == Order::Little {
        values
    } else {
        swapped = values.iter().map(|value| value.swapped()).collect();
        &swapped
    };
    let too_many = |_| io::Error::other("more rows or dimensions than the format can say");
    match format {
        Format::Npy => to.write_all(&npy_header(matrix))?,
        Format::Vecs(_) => {
            let dim = i32::try_from(matrix.dim()).map_err(too_many)?;
            for row in values.chunks_exact(matrix.dim()) {
                to.write_all(&dim.to_le_bytes())?;
                to.write_all(bytemuck::cast_slice(row))?;
            }
            return Ok(());
        }
        _ => {
            to.write_all(&u32::try_from(matrix.rows()).map_err(too_many)?.to_le_bytes())?;
            to.write_all(&u32::try_from(matrix.dim()).map_err(too_many)?.to_le_bytes())?;
        }
    }
    to.write_all(bytemuck::cast_slice(values))
}

fn npy_header(matrix: &Matrix) -> Vec<u8> {
    let descr = match matrix.values() {
        Values::F64(_) => "<f8",
        Values::F32(_) => "<f4",
        Values::F16(_) => "<f2",
        Values::U8(_) => "|u1",
        Values::I8(_) => "|i1",
        Values::I32(_) => "<i4",
        Values::I64(_) => "<i8",
    };
    let (rows, dim) = (matrix.rows(), matrix.dim());
    let mut text =
        format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({rows}, {dim}), }}");
    // The array begins at a multiple of 64 bytes, and the header ends with a line break.
    let unpadded = npy::MAGIC.len() + 4 + text.len() + 1;
    text.push_str(&" ".repeat(unpadded.next_multiple_of(64) - unpadded));
    text.push('\n');
    let length = (text.len() as u16).to_le_bytes();
    [npy::MAGIC.as_slice(), &[1, 0], &length, text.as_bytes()].concat()
}
