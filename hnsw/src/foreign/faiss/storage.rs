//! Vectors, whole (`IxF2`, `IxFI`, `IxFl`) or as codes of a scalar quantizer (`IxSQ`).
//!
//! Behind the letters and the header the whole ones are an array of `f32`. A quantizer is:
//!
//! | bytes | | |
//! |---|---|---|
//! | 4 | `i32` | kind, see [`quantizer`] |
//! | 8 | `i32`, `f32` | how ranges were found |
//! | 16 | `u64` × 2 | dimensions, bytes of a code |
//! | | `f32` array | least values and steps, where there are ranges: d and d of them, or 1 and 1 |
//! | | `u8` array | the codes |

use super::super::codes::{Codes, Coding};
use super::super::cursor::{Cursor, numbers};
use super::super::error::ImportError;
use super::super::parsed::Rows;
use super::head::Head;
use super::kinds;

/// What holds the vectors of a graph.
pub(super) fn read<'a>(cursor: &mut Cursor<'a>, graph: &Head) -> Result<Rows<'a>, ImportError> {
    if cursor.peek() == Some(b"null") {
        return Err(ImportError::NoVectors);
    }
    let kind = kinds::read(cursor)?;
    match &kind {
        b"IxF2" | b"IxFI" | b"IxFl" | b"IxSQ" => {}
        _ => return Err(kinds::not_read("what holds the vectors", kind)),
    }
    Head::read(cursor)?.expect(graph)?;
    if &kind == b"IxSQ" {
        return codes(cursor, graph);
    }
    let bytes = cursor.vector(4, "the vectors")?;
    let stride = graph.dim as u64 * 4;
    all(bytes, graph, stride)?;
    Ok(Rows::Apart { bytes, stride: stride as usize })
}

fn codes<'a>(cursor: &mut Cursor<'a>, graph: &Head) -> Result<Rows<'a>, ImportError> {
    let (bits, ranges, coding) = quantizer(cursor.i32("the kind of the quantizer")?, graph.dim)?;
    cursor.items(8, 1, "how ranges were found")?;
    let dim = cursor.u64("the dimensions of codes")?;
    ImportError::unless(dim == graph.dim as u64, "the dimensions of codes", dim, graph.dim)?;
    let size = cursor.u64("the bytes of a code")?;
    let expected = (dim * bits).div_ceil(8);
    ImportError::unless(size == expected, "the bytes of a code", size, expected)?;
    let trained = cursor.vector(4, "the ranges")?;
    let bytes = cursor.vector(1, "the codes")?;
    let (count, expected) = (trained.len() / 4, 2 * ranges);
    ImportError::unless(count == expected, "the number of ranges", count, expected)?;
    all(bytes, graph, size)?;
    let trained = numbers(trained, f32::from_le_bytes);
    let (least, step) = trained.clone().zip(trained.skip(ranges)).unzip();
    Ok(Rows::Codes(Codes { bytes, stride: size as usize, coding, least, step }))
}

/// The bits of an element in a code, the number of ranges, and what codes stand for.
fn quantizer(kind: i32, dim: usize) -> Result<(u64, usize, Coding), ImportError> {
    const NAMES: [&str; 27] = [
        "8bit",
        "4bit",
        "8bit_uniform",
        "4bit_uniform",
        "fp16",
        "8bit_direct",
        "6bit",
        "bf16",
        "8bit_direct_signed",
        "0bit",
        "1bit_tqmse",
        "2bit_tqmse",
        "3bit_tqmse",
        "4bit_tqmse",
        "8bit_tqmse",
        "2bit_tq",
        "3bit_tq",
        "4bit_tq",
        "5bit_tq",
        "1bit_eden",
        "2bit_eden",
        "3bit_eden",
        "4bit_eden",
        "5bit_eden",
        "6bit_eden",
        "7bit_eden",
        "8bit_eden",
    ];
    Ok(match kind {
        0 => (8, dim, Coding::Steps(8)),
        1 => (4, dim, Coding::Steps(4)),
        2 => (8, 1, Coding::Steps(8)),
        3 => (4, 1, Coding::Steps(4)),
        4 => (16, 0, Coding::F16),
        5 => (8, 0, Coding::U8),
        6 => (6, dim, Coding::Steps(6)),
        7 => (16, 0, Coding::Bf16),
        8 => (8, 0, Coding::Signed),
        kind => {
            let name = usize::try_from(kind).ok().and_then(|kind| NAMES.get(kind));
            let found = name.map_or_else(
                || format!("number {kind}, which faiss 1.15 has not"),
                |name| format!("QT_{name}"),
            );
            return Err(ImportError::unsupported("the quantizer", found, kinds::INSTEAD));
        }
    })
}

/// There are as many vectors as points, of `size` bytes.
fn all(bytes: &[u8], graph: &Head, size: u64) -> Result<(), ImportError> {
    let expected = size.checked_mul(graph.points);
    let all = format!("{} of {} dimensions", graph.points, graph.dim);
    ImportError::unless(
        expected == Some(bytes.len() as u64),
        "the bytes of all vectors",
        bytes.len(),
        all,
    )
}
