//! One query against many rows: groups, and the rows fetched ahead of their use.

use crate::native::prefetch;
use crate::rows::Rows;
use crate::score::Score;

/// How many rows ahead of the one being scored a gather fetches. Of 4, 8 and 12, four was the best
/// or within 2 % of it at 128, 384 and 768 floats (docs/adr/0002-float-kernels.md has the sweep).
const AHEAD: usize = 4;

/// Cache lines fetched of each row ahead. The CPU's own prefetcher follows the rest of a long row;
/// asking for four lines made rows of 768 floats 8 % slower.
const LINES_AHEAD: usize = 2;

/// Scores rows `first`, `first + 1`, … in order, as many as `out` has room for.
#[inline(always)]
pub(crate) fn one_to_many<T: Copy, Q, R>(
    token: T,
    metric: impl Score<T, Q, R>,
    query: &[Q],
    rows: &Rows<'_, R>,
    first: usize,
    out: &mut [f32],
) {
    // Rows in order need no hint: the CPU's own prefetcher sees them coming.
    scored(token, metric, query, out, |i| rows.row((first + i) as u32), |_| ());
}

/// Scores the rows named by `ids`.
#[inline(always)]
pub(crate) fn gather<T: Copy, Q, R>(
    token: T,
    metric: impl Score<T, Q, R>,
    query: &[Q],
    rows: &Rows<'_, R>,
    ids: &[u32],
    out: &mut [f32],
) {
    let fetch = |i: usize| {
        if let Some(&id) = ids.get(i) {
            prefetch::<LINES_AHEAD, R>(rows.row(id));
        }
    };
    (0..AHEAD).for_each(fetch);
    scored(token, metric, query, out, |i| rows.row(ids[i]), |i| fetch(i + AHEAD));
}

/// Fills `out` with the distances to `row(0)`, `row(1)`, …; calls `before(i)` ahead of each row.
#[inline(always)]
fn scored<'a, T: Copy, Q, R: 'a, M: Score<T, Q, R>>(
    token: T,
    metric: M,
    query: &[Q],
    out: &mut [f32],
    row: impl Fn(usize) -> &'a [R],
    before: impl Fn(usize),
) {
    match M::GROUP {
        4 => grouped::<T, Q, R, M, 4>(token, metric, query, out, row, before),
        2 => grouped::<T, Q, R, M, 2>(token, metric, query, out, row, before),
        _ => grouped::<T, Q, R, M, 1>(token, metric, query, out, row, before),
    }
}

#[inline(always)]
fn grouped<'a, T: Copy, Q, R: 'a, M: Score<T, Q, R>, const GROUP: usize>(
    token: T,
    metric: M,
    query: &[Q],
    out: &mut [f32],
    row: impl Fn(usize) -> &'a [R],
    before: impl Fn(usize),
) {
    if out.is_empty() {
        return;
    }
    let prepared = metric.prepare(token, query);
    let last = out.len() - 1;
    for (group, out) in out.chunks_mut(GROUP).enumerate() {
        let start = group * GROUP;
        for i in start..start + out.len() {
            before(i);
        }
        if let [out] = out {
            [*out] = metric.rows(token, query, prepared, [row(start)]);
        } else {
            // A short group is filled up with its last row, which costs cached arithmetic only.
            let rows = core::array::from_fn::<_, GROUP, _>(|i| row((start + i).min(last)));
            let distances = metric.rows(token, query, prepared, rows);
            out.copy_from_slice(&distances[..out.len()]);
        }
    }
}
