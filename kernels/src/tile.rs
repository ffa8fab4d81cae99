//! Many queries against many rows, a tile of both at a time, like a small matrix product: each
//! vector that is loaded serves several distances.
#![expect(clippy::needless_range_loop, reason = "one index for a tile and for its vectors")]

use alloc::vec;
use core::ops::Range;

use crate::apart::Apart;
use crate::rows::Rows;
use crate::score::Score;
use crate::widen::{WidenAll, Widening};

/// Rows that are passed over with one tile of queries after another: 64 of 1,024 floats are 256 KiB,
/// which the second-level cache keeps.
const STRIP: usize = 64;

/// Writes the distances of some queries to some rows, query after query.
#[inline(always)]
pub(crate) fn many_to_many<T: Copy, Q, R, M: Score<T, Q, R>>(
    token: T,
    metric: M,
    queries: &Rows<'_, Q>,
    of_queries: Range<usize>,
    rows: &Rows<'_, R>,
    of_rows: Range<usize>,
    out: &mut [f32],
) {
    let width = of_rows.len();
    for first in of_rows.clone().step_by(STRIP) {
        let strip = first..of_rows.end.min(first + STRIP);
        let out = &mut out[first - of_rows.start..];
        let of_queries = of_queries.clone();
        // Conditions that are constants: no code is made of the other tiles.
        macro_rules! tiles {
            ($queries:literal, $rows:literal) => {
                tiles::<T, Q, R, M, $queries, $rows>(
                    token, metric, queries, of_queries, rows, strip, out, width,
                )
            };
        }
        if const { M::TILE.0 == 4 } {
            tiles!(4, 4);
        } else if const { M::TILE.0 == 2 } {
            tiles!(2, 4);
        } else {
            tiles!(1, 1);
        }
    }
}

/// One strip of rows: what is prepared of them serves all queries.
#[inline(always)]
#[expect(clippy::too_many_arguments, reason = "two tables, a range of each, and where to write")]
fn tiles<T, Q, R, M, const QUERIES: usize, const ROWS: usize>(
    token: T,
    metric: M,
    queries: &Rows<'_, Q>,
    of_queries: Range<usize>,
    rows: &Rows<'_, R>,
    strip: Range<usize>,
    out: &mut [f32],
    width: usize,
) where
    T: Copy,
    M: Score<T, Q, R>,
{
    // Tiles at the end are filled up with the last query or row: a few distances too many.
    let query = |i: usize| queries.row(i.min(of_queries.end - 1) as u32);
    let row = |i: usize| rows.row(i.min(strip.end - 1) as u32);
    let mut prepared = [metric.prepare_row(token, row(strip.start)); STRIP];
    for i in 1..strip.len() {
        prepared[i] = metric.prepare_row(token, row(strip.start + i));
    }
    for q in of_queries.clone().step_by(QUERIES) {
        let mut tile_queries = [(query(q), metric.prepare(token, query(q))); QUERIES];
        for i in 1..QUERIES {
            tile_queries[i] = (query(q + i), metric.prepare(token, query(q + i)));
        }
        for r in (0..strip.len()).step_by(ROWS) {
            let mut tile_rows = [(row(strip.start + r), prepared[r]); ROWS];
            for i in 1..ROWS {
                tile_rows[i] = (row(strip.start + r + i), prepared[(r + i).min(STRIP - 1)]);
            }
            let distances = metric.tile(token, tile_queries, tile_rows);
            let (height, count) = (of_queries.end - q, ROWS.min(strip.len() - r));
            for (i, distances) in distances.iter().take(height).enumerate() {
                let start = (q - of_queries.start + i) * width + r;
                out[start..start + count].copy_from_slice(&distances[..count]);
            }
        }
    }
}

/// The same for numbers that are widened: `floats` scores tables of f32. What is widened of a strip of
/// rows serves all queries.
#[inline(always)]
#[expect(clippy::too_many_arguments, reason = "two tables, a range and a kind of number of each")]
pub(crate) fn widened<T: Apart, A: WidenAll<T>, B: WidenAll<T>>(
    token: T,
    a: A,
    b: B,
    queries: &Rows<'_, A::Element>,
    of_queries: Range<usize>,
    rows: &Rows<'_, B::Element>,
    of_rows: Range<usize>,
    out: &mut [f32],
    floats: impl Fn(&Rows<'_, f32>, &Rows<'_, f32>, &mut [f32]),
) {
    let (dim, width) = (rows.dim(), of_rows.len());
    let mut wide_queries = vec![0.0; of_queries.len() * dim];
    for (i, wide) in of_queries.clone().zip(wide_queries.chunks_exact_mut(dim)) {
        token.call(Widening { numbers: a, from: queries.row(i as u32), to: wide });
    }
    let wide_queries = Rows::new(&wide_queries, dim);
    let mut wide_rows = vec![0.0; STRIP.min(width) * dim];
    let mut distances = vec![0.0; of_queries.len() * STRIP.min(width)];
    for first in of_rows.clone().step_by(STRIP) {
        let strip = STRIP.min(of_rows.end - first);
        let wide_rows = &mut wide_rows[..strip * dim];
        for (i, wide) in wide_rows.chunks_exact_mut(dim).enumerate() {
            token.call(Widening { numbers: b, from: rows.row((first + i) as u32), to: wide });
        }
        let distances = &mut distances[..of_queries.len() * strip];
        floats(&wide_queries, &Rows::new(wide_rows, dim), distances);
        for (i, distances) in distances.chunks_exact(strip).enumerate() {
            out[i * width + first - of_rows.start..][..strip].copy_from_slice(distances);
        }
    }
}
