//! One query against many rows: groups, and the rows fetched ahead of their use.

use core::ops::Range;

use crate::native::prefetch;
use crate::rows::Rows;
use crate::score::Score;

/// What a gather fetches ahead of its use. Short rows need more rows ahead to hide the same latency;
/// docs/adr/0007-prefetch-distance.md has the sweeps.
struct Ahead {
    bytes: usize,
    /// The fewest; more than 16 were not tried.
    rows: usize,
    /// Cache lines of the beginning of a row. The CPU's own prefetcher follows the rest of a long one.
    lines: usize,
}

/// Where rows are scored in groups. With more ahead the misses queue up: at 4 KiB and eight lines a search
/// among rows of 256 bytes was 10 % slower.
const GROUPED: Ahead = Ahead { bytes: 1536, rows: 4, lines: 4 };

/// Where rows are scored one by one; of floats, each then fetches a later one as a whole.
const SINGLE: Ahead = Ahead { bytes: 3072, rows: 2, lines: 8 };

/// Rows in order of a table of more bytes than this, and themselves of as many as [`STREAMED_ROWS`] says, are
/// scored one by one: they come from beyond the second-level cache, and four streams at once keep the
/// CPU's own prefetcher from seeing any. From memory it is up to 3 times as fast, docs/adr/0007.
const STREAMED: usize = 2 << 20;

/// Groups of shorter rows are one stream; in longer ones the prefetcher sees four.
const STREAMED_ROWS: Range<usize> = 384..8192;

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

    /// Whether the rows are read in one stream, from memory.
    #[inline(always)]
    fn streams<R>(self, rows: &Rows<'_, R>) -> bool {
        let row = rows.dim() * size_of::<R>();
        matches!(self, Self::From(_)) && STREAMED_ROWS.contains(&row) && rows.len() > STREAMED / row
    }

    /// The `i`-th row, or nothing where there is none or the CPU's own prefetcher sees it coming.
    #[inline(always)]
    fn ahead<'r, R>(self, i: usize, rows: &'r Rows<'_, R>) -> &'r [R] {
        match self {
            Self::Ids(ids) if i < ids.len() => rows.row(ids[i]),
            _ => &[],
        }
    }

    /// Fetches the beginning of that row.
    #[inline(always)]
    fn fetch<const LINES: usize, R>(self, i: usize, rows: &Rows<'_, R>) {
        let row = self.ahead(i, rows);
        if !row.is_empty() {
            prefetch::<LINES, R>(row);
        }
    }
}

impl Ahead {
    /// How many rows ahead of the one being scored are fetched.
    #[inline(always)]
    fn of<R>(&self, rows: &Rows<'_, R>) -> usize {
        let bytes = rows.dim() * size_of::<R>();
        (self.bytes / bytes).clamp(self.rows, 16)
    }
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
    let ahead = if M::GROUP == 1 { SINGLE.of(rows) } else { GROUPED.of(rows) };
    for i in 0..ahead {
        if M::GROUP == 1 {
            which.fetch::<{ SINGLE.lines }, R>(i, rows);
        } else {
            which.fetch::<{ GROUPED.lines }, R>(i, rows);
        }
    }
    let prepared = metric.prepare(token, query);
    let group = if which.streams(rows) { 1 } else { M::GROUP };
    match group {
        4 => grouped::<T, Q, R, M, 4>(token, metric, query, prepared, rows, which, out, pair),
        2 => grouped::<T, Q, R, M, 2>(token, metric, query, prepared, rows, which, out, pair),
        _ => {
            for (i, out) in out.iter_mut().enumerate() {
                let later = which.ahead(i + ahead, rows);
                if !M::FETCHES {
                    which.fetch::<{ SINGLE.lines }, R>(i + ahead, rows);
                }
                *out = metric.row(token, query, prepared, rows.row(which.id(i)), later);
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
    let ahead = GROUPED.of(rows);
    for (group, out) in out.chunks_mut(GROUP).enumerate() {
        let start = group * GROUP;
        for i in start..start + out.len() {
            which.fetch::<{ GROUPED.lines }, R>(i + ahead, rows);
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
