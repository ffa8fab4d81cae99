//! One query against many rows: groups, and the rows fetched ahead of their use.

use crate::native::prefetch;
use crate::rows::Rows;

/// Rows scored together. Four rows × four accumulators fill half of AVX-512's registers and load
/// each register of the query once for all four.
const GROUP: usize = 4;

/// How many rows ahead of the one being scored a gather fetches.
const AHEAD: usize = 8;

/// Cache lines fetched of each row ahead; the CPU's own prefetcher follows the rest of a long row.
const LINES_AHEAD: usize = 2;

/// A metric over elements `E` on the instruction set with token `T`, as the loops over rows see it.
pub(crate) trait Score<T, E>: Copy + Default {
    /// What is computed once per query.
    type Prepared: Copy;

    /// Computes it.
    fn prepare(self, token: T, query: &[E]) -> Self::Prepared;

    /// The distance of two vectors of one length.
    fn pair(self, token: T, a: &[E], b: &[E]) -> f32;

    /// The distances of the query to rows of its length: to the bit what [`pair`](Self::pair) gives.
    fn rows<const ROWS: usize>(
        self,
        token: T,
        query: &[E],
        prepared: Self::Prepared,
        rows: [&[E]; ROWS],
    ) -> [f32; ROWS];
}

/// Scores all rows in order.
#[inline(always)]
pub(crate) fn one_to_many<T: Copy, E>(
    token: T,
    score: impl Score<T, E>,
    query: &[E],
    rows: &Rows<'_, E>,
    out: &mut [f32],
) {
    // Rows in order need no hint: the CPU's own prefetcher sees them coming.
    scored(token, score, query, out, |i| rows.row(i as u32), |_| ());
}

/// Scores the rows named by `ids`.
#[inline(always)]
pub(crate) fn gather<T: Copy, E>(
    token: T,
    score: impl Score<T, E>,
    query: &[E],
    rows: &Rows<'_, E>,
    ids: &[u32],
    out: &mut [f32],
) {
    let fetch = |i: usize| {
        if let Some(&id) = ids.get(i) {
            prefetch::<LINES_AHEAD, E>(rows.row(id));
        }
    };
    (GROUP..AHEAD).for_each(fetch);
    scored(
        token,
        score,
        query,
        out,
        |i| rows.row(ids[i]),
        |i| {
            (i + AHEAD..i + AHEAD + GROUP).for_each(fetch);
        },
    );
}

/// Fills `out` with the distances to `row(0)`, `row(1)`, …; calls `before(i)` ahead of each group.
#[inline(always)]
fn scored<'a, T: Copy, E: 'a>(
    token: T,
    score: impl Score<T, E>,
    query: &[E],
    out: &mut [f32],
    row: impl Fn(usize) -> &'a [E],
    before: impl Fn(usize),
) {
    if out.is_empty() {
        return;
    }
    let prepared = score.prepare(token, query);
    let last = out.len() - 1;
    for (group, out) in out.chunks_mut(GROUP).enumerate() {
        let start = group * GROUP;
        before(start);
        if let [out] = out {
            [*out] = score.rows(token, query, prepared, [row(start)]);
        } else {
            // Two or three rows are filled up with the last one, which costs cached arithmetic only.
            let rows = core::array::from_fn::<_, GROUP, _>(|i| row((start + i).min(last)));
            let distances = score.rows(token, query, prepared, rows);
            out.copy_from_slice(&distances[..out.len()]);
        }
    }
}
