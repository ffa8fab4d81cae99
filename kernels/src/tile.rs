//! Many queries against many rows, a tile of both at a time, like a small matrix product: each
//! vector that is loaded serves several distances.

use crate::rows::Rows;
use crate::score::Score;

/// Rows that are passed over with one tile of queries after another: 64 of 1,024 floats are 256 KiB,
/// which the second-level cache keeps.
const STRIP: usize = 64;

/// Writes the distance of query *i* to row *j* to `out[i · rows.len() + j]`.
#[inline(always)]
pub(crate) fn many_to_many<T: Copy, Q, R, M: Score<T, Q, R>>(
    token: T,
    metric: M,
    queries: &Rows<'_, Q>,
    rows: &Rows<'_, R>,
    out: &mut [f32],
) {
    match M::TILE {
        (4, 4) => tiled::<T, Q, R, M, 4, 4>(token, metric, queries, rows, out),
        (2, 4) => tiled::<T, Q, R, M, 2, 4>(token, metric, queries, rows, out),
        _ => tiled::<T, Q, R, M, 1, 1>(token, metric, queries, rows, out),
    }
}

#[inline(always)]
fn tiled<T, Q, R, M, const QUERIES: usize, const ROWS: usize>(
    token: T,
    metric: M,
    queries: &Rows<'_, Q>,
    rows: &Rows<'_, R>,
    out: &mut [f32],
) where
    T: Copy,
    M: Score<T, Q, R>,
{
    if queries.is_empty() || rows.is_empty() {
        return;
    }
    for first in (0..rows.len()).step_by(STRIP) {
        let strip = STRIP.min(rows.len() - first);
        let mut prepared = [metric.prepare_row(token, rows.row(first as u32)); STRIP];
        for i in 1..strip {
            prepared[i] = metric.prepare_row(token, rows.row((first + i) as u32));
        }
        for query in (0..queries.len()).step_by(QUERIES) {
            // Tiles at the end are filled up with the last query or row: a few distances too many.
            let mut of_tile = [(queries.row(0), metric.prepare(token, queries.row(0))); QUERIES];
            for (i, of_tile) in of_tile.iter_mut().enumerate() {
                let vector = queries.row((query + i).min(queries.len() - 1) as u32);
                *of_tile = (vector, metric.prepare(token, vector));
            }
            for row in (0..strip).step_by(ROWS) {
                let mut rows_of_tile = [(rows.row(first as u32), prepared[0]); ROWS];
                for (i, of_tile) in rows_of_tile.iter_mut().enumerate() {
                    let at = (row + i).min(strip - 1);
                    *of_tile = (rows.row((first + at) as u32), prepared[at]);
                }
                let distances = metric.tile(token, of_tile, rows_of_tile);
                for (i, distances) in distances.iter().take(queries.len() - query).enumerate() {
                    let start = (query + i) * rows.len() + first + row;
                    let count = ROWS.min(strip - row);
                    out[start..start + count].copy_from_slice(&distances[..count]);
                }
            }
        }
    }
}
