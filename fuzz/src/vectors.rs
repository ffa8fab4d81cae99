//! A file of vectors, read in one piece and in chunks.

use nearfield_files::{Columns, Matrix, Problem, Reader, Values, read_from};

/// Reads the bytes in one piece and in chunks of two rows, which must agree, and have no more elements
/// than there are bytes, which the shortest integers have twice as many of once they are read.
pub fn read_both_ways(name: &str, bytes: &[u8]) {
    let whole = read_from(name, bytes, usize::MAX);
    if let Ok(matrix) = &whole {
        let size = matrix.values().kind().size();
        assert!(matrix.values().len() * size <= 2 * bytes.len(), "more elements than bytes");
    }
    let chunked = in_chunks(name, bytes);
    match (whole, chunked) {
        (Ok(whole), Ok(chunked)) => assert_eq!(bits(&whole), bits(&chunked)),
        (Err(whole), Err(chunked)) => same(&whole.problem, &chunked),
        (whole, chunked) => panic!("{whole:?} in one piece, {chunked:?} in chunks"),
    }
}

fn in_chunks(name: &str, bytes: &[u8]) -> Result<Matrix, Problem> {
    let mut reader =
        Reader::from_bytes(name, bytes, &Columns::default()).map_err(|error| error.problem)?;
    let mut values = Values::empty(reader.kind());
    for chunk in reader.chunks(2) {
        let chunk = chunk.map_err(|error| error.problem)?;
        append(&mut values, chunk.matrix.values());
    }
    Ok(Matrix::new(reader.dim(), values))
}

fn append(all: &mut Values, next: &Values) {
    match (all, next) {
        (Values::F64(all), Values::F64(next)) => all.extend(next),
        (Values::F32(all), Values::F32(next)) => all.extend(next),
        (Values::F16(all), Values::F16(next)) => all.extend(next),
        (Values::U8(all), Values::U8(next)) => all.extend(next),
        (Values::I8(all), Values::I8(next)) => all.extend(next),
        (Values::I32(all), Values::I32(next)) => all.extend(next),
        (Values::I64(all), Values::I64(next)) => all.extend(next),
        (all, next) => panic!("a chunk of {} among {}", next.kind(), all.kind()),
    }
}

/// The dimension and the bytes of a matrix, in which NaN equals itself.
fn bits(matrix: &Matrix) -> (usize, Vec<u8>) {
    let bytes = match matrix.values() {
        Values::F64(v) => v.iter().flat_map(|x| x.to_bits().to_le_bytes()).collect(),
        Values::F32(v) => v.iter().flat_map(|x| x.to_bits().to_le_bytes()).collect(),
        Values::F16(v) => v.iter().flat_map(|x| x.to_bits().to_le_bytes()).collect(),
        Values::U8(v) => v.clone(),
        Values::I8(v) => v.iter().flat_map(|x| x.to_le_bytes()).collect(),
        Values::I32(v) => v.iter().flat_map(|x| x.to_le_bytes()).collect(),
        Values::I64(v) => v.iter().flat_map(|x| x.to_le_bytes()).collect(),
    };
    (matrix.dim(), bytes)
}

/// That one problem is the other, down to its numbers.
fn same(whole: &Problem, chunked: &Problem) {
    assert_eq!(whole.to_string(), chunked.to_string());
}
