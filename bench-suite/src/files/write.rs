//! Writes what the readers read, for tests and for the makers of data sets.

use std::{
    fs,
    io::{self, Write},
    path::Path,
};

use super::{
    error::{FileError, Problem},
    format::Format,
    npy,
    source::{Order, Scalar},
};
use crate::matrix::{Matrix, Values, each_kind};

/// Written once and read often: the smallest file that decompresses at full speed.
const COMPRESSION_LEVEL: i32 = 19;

/// Writes a matrix to a file; its name says the format.
///
/// # Errors
/// [`FileError`] when the format does not hold this kind of element, or the system refuses.
pub fn write(path: &Path, matrix: &Matrix) -> Result<(), FileError> {
    let write = || {
        let format = Format::of(path).ok_or(Problem::UnknownFormat)?;
        check_kind(format, matrix.values())?;
        let mut bytes = Vec::new();
        each_kind!(matrix.values(), v => body(&mut bytes, format, matrix, v))?;
        if path.extension().is_some_and(|extension| extension == "zst") {
            // In one piece, so that the compressor sees how little there may be of it.
            bytes = zstd::bulk::compress(&bytes, COMPRESSION_LEVEL)?;
        }
        fs::write(path, bytes)?;
        Ok(())
    };
    write().map_err(|problem: Problem| FileError::new(path, problem))
}

fn check_kind(format: Format, values: &Values) -> Result<(), Problem> {
    let fits = match format {
        Format::Fbin | Format::Fvecs => matches!(values, Values::F32(_)),
        Format::F16bin => matches!(values, Values::F16(_)),
        Format::U8bin | Format::Bvecs => matches!(values, Values::U8(_)),
        Format::I8bin => matches!(values, Values::I8(_)),
        Format::Ibin | Format::Ivecs => matches!(values, Values::I32(_)),
        Format::Npy => true,
    };
    let (kind, format) = (values.kind(), format.extension());
    fits.then_some(()).ok_or(Problem::WrongKind { kind, format })
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
        Format::Fvecs | Format::Ivecs | Format::Bvecs => {
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
