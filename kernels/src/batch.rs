//! One query against many rows: groups, and the rows fetched ahead of their use.

use crate::native::prefetch;
use crate::rows::Rows;
use crate::score::Score;

/// Bytes of rows that a gather fetches ahead: eight rows of 512 bytes. Short rows need more rows ahead
/// to hide the same latency; docs/adr/0007-prefetch-distance.md has the sweep.
const BYTES_AHEAD: usize = 4096;

/// Rows fetched ahead: fewer than 4 hide too little, more than 16 were not tried.
const ROWS_AHEAD: (usize, usize) = (4, 16);

/// Cache lines fetched of each row ahead. The CPU's own prefetcher follows the rest of a long row.
const LINES_AHEAD: usize = 8;

/// Which rows of a table are scored, as many as there is room for.
#[derive(Clone, Copy)]
pub(crate) enum Which<'a> {
    /// This one and those behind it.
    From(usize),
    /// Those with these ids.
    Ids(&'a [u32]),
}

impl Which<'_> {
    #[inline(always)]
    fn id(self, i: usize) -> u32 {
        match self {
            Self::From(first) => (first + i) as u32,
            Self::Ids(ids) => ids[i],
        }
    }

    /// Fetches the `i`-th row, if there is one and the CPU's own prefetcher does not see it coming.
    #[inline(always)]
    fn fetch<R>(self, i: usize, rows: &Rows<'_, R>) {
        if let Self::Ids(ids) = self
            && let Some(&id) = ids.get(i)
        {
            prefetch::<LINES_AHEAD, R>(rows.row(id));
        }
    }
}

/// How many rows ahead of the one being scored a gather fetches.
#[inline(always)]
fn ahead<R>(rows: &Rows<'_, R>) -> usize {
    let bytes = rows.dim() * size_of::<R>();
    (BYTES_AHEAD / bytes).clamp(ROWS_AHEAD.0, ROWS_AHEAD.1)
}

/// Fills `out` with the distances of `query` to `which` of the `rows`; `pair` is that of the metric, as
/// a function.
#[inline(always)]
pub(crate) fn one_to_many<T: Copy, Q, R, M: Score<T, Q, R>>(
    token: T,
    metric: M,
    query: &[Q],
    rows: &Rows<'_, R>,
    which: Which<'_>,
    out: &mut [f32],
    pair: impl Fn(&[Q], &[R]) -> f32,
) {
    if out.is_empty() {
        return;
    }
    let ahead = ahead(rows);
    (0..ahead).for_each(|i| which.fetch(i, rows));
    let prepared = metric.prepare(token, query);
    match M::GROUP {
        4 => grouped::<T, Q, R, M, 4>(token, metric, query, prepared, rows, which, out, pair),
        2 => grouped::<T, Q, R, M, 2>(token, metric, query, prepared, rows, which, out, pair),
        _ => {
            for (i, out) in out.iter_mut().enumerate() {
                which.fetch(i + ahead, rows);
                [*out] = metric.rows(token, query, prepared, [rows.row(which.id(i))]);
            }
        }
    }
}

#[inline(always)]
#[expect(clippy::too_many_arguments, reason = "those of one_to_many, and what it has prepared")]
fn grouped<T: Copy, Q, R, M: Score<T, Q, R>, const GROUP: usize>(
    token: T,
    metric: M,
    query: &[Q],
    prepared: M::Query,
    rows: &Rows<'_, R>,
    which: Which<'_>,
    out: &mut [f32],
    pair: impl Fn(&[Q], &[R]) -> f32,
) {
    let last = out.len() - 1;
    let ahead = ahead(rows);
    for (group, out) in out.chunks_mut(GROUP).enumerate() {
        let start = group * GROUP;
        for i in start..start + out.len() {
            which.fetch(i + ahead, rows);
        }
        if let [out] = out {
            *out = pair(query, rows.row(which.id(start)));
        } else {
            // A short group is filled up with its last row, which costs cached arithmetic only.
            let group: [&[R]; GROUP] =
                core::array::from_fn(|i| rows.row(which.id((start + i).min(last))));
            let distances = metric.rows(token, query, prepared, group);
            out.copy_from_slice(&distances[..out.len()]);
        }
    }
}
