//! Many queries against many rows, a tile of both at a time, like a small matrix product: each
//! vector that is loaded serves several distances.

use core::ops::Range;

use crate::rows::Rows;
use crate::score::Score;

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
        match M::TILE {
            (4, 4) => {
                tiles::<T, Q, R, M, 4, 4>(
                    token, metric, queries, of_queries, rows, strip, out, width,
                );
            }
            (2, 4) => {
                tiles::<T, Q, R, M, 2, 4>(
                    token, metric, queries, of_queries, rows, strip, out, width,
                );
            }
            _ => {
                tiles::<T, Q, R, M, 1, 1>(
                    token, metric, queries, of_queries, rows, strip, out, width,
                );
            }
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
