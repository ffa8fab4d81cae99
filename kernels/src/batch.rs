//! One query against many rows: groups, and the rows fetched ahead of their use.

use core::ops::Range;

use crate::apart::{Apart, Body};
use crate::native::prefetch;
use crate::rows::Rows;
use crate::score::Score;

/// What a gather fetches ahead of its use. Short rows need more rows ahead to hide the same latency;
/// docs/adr/0007-prefetch-distance.md has the sweeps.
struct Ahead {
    bytes: usize,
    /// The fewest; more than 16 were not tried.
    rows: usize,
}

/// Where rows are scored in groups. With more ahead the misses queue up: at 4 KiB and eight lines a search
/// among rows of 256 bytes was 10 % slower.
const GROUPED: Ahead = Ahead { bytes: 1536, rows: 4 };

/// Cache lines of the beginning of a row that are fetched. The CPU's own prefetcher follows the rest of a long one.
const LINES: usize = 8;

/// Of longer rows in groups half of the lines: Intel's prefetcher follows these, but shorter ones are gathered 1.1 to 1.3
/// times as fast with eight lines as with four. AMD's follows both, and pays up to 11 % for eight.
const FOLLOWED: usize = 768;

/// Where rows are scored one by one; of floats, each then fetches a later one as a whole.
const SINGLE: Ahead = Ahead { bytes: 3072, rows: 2 };

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
    fn fetch<R>(self, i: usize, rows: &Rows<'_, R>, grouped: bool) {
        let row = self.ahead(i, rows);
        if !row.is_empty() {
            fetch_start(row, grouped);
        }
    }
}

/// Fetches the beginning of a row.
#[inline(always)]
fn fetch_start<R>(row: &[R], grouped: bool) {
    if grouped && size_of_val(row) > FOLLOWED {
        prefetch::<{ LINES / 2 }, R>(row);
    } else {
        prefetch::<LINES, R>(row);
    }
}

/// Fetches the beginnings of the first rows of a gather. Not inlined: it is the same for all metrics. (It takes
/// no [`Which`], which would then lie in memory for the loops after it: a fifth more instructions.)
#[inline(never)]
fn fetch_first<R>(ids: &[u32], rows: &Rows<'_, R>, grouped: bool) {
    for &id in ids {
        fetch_start(rows.row(id), grouped);
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

/// Rows whose sums are kept until distances are made of them.
const CHUNK: usize = 64;

/// Fills `out` with the distances of `query` to `which` of the `rows`.
#[inline(always)]
pub(crate) fn one_to_many<T: Apart, Q, R, M: Score<T, Q, R>>(
    token: T,
    metric: M,
    query: &[Q],
    rows: &Rows<'_, R>,
    which: Which<'_>,
    out: &mut [f32],
) {
    if out.is_empty() {
        return;
    }
    let ahead = if const { M::GROUP == 1 } { SINGLE.of(rows) } else { GROUPED.of(rows) };
    if let Which::Ids(ids) = which {
        fetch_first(&ids[..ahead.min(ids.len())], rows, const { M::GROUP > 1 });
    }
    let prepared = metric.prepare(token, query);
    let scan = Scan { token, metric, query, prepared, rows, which, ahead };
    if const { M::IN_PLACE } {
        return scan.sums(0, M::in_place(out));
    }
    let mut sums = [M::Sums::default(); CHUNK];
    for (chunk, out) in out.chunks_mut(CHUNK).enumerate() {
        let sums = &mut sums[..out.len()];
        scan.sums(chunk * CHUNK, sums);
        let row = |i| rows.row(which.id(chunk * CHUNK + i));
        metric.finish(query, prepared, row, sums, out);
    }
}

/// A query that is compared with rows.
struct Scan<'a, T, Q, R, M: Score<T, Q, R>> {
    token: T,
    metric: M,
    query: &'a [Q],
    prepared: M::Query,
    rows: &'a Rows<'a, R>,
    which: Which<'a>,
    ahead: usize,
}

impl<T: Apart, Q, R, M: Score<T, Q, R>> Scan<'_, T, Q, R, M> {
    /// The sums of the rows from the `first` on.
    #[inline(always)]
    fn sums(&self, first: usize, out: &mut [M::Sums]) {
        // Conditions that are constants: no code is made of the other groups.
        if const { M::GROUP == 1 } || self.which.streams(self.rows) {
            self.one_by_one(first, out);
        } else if const { M::GROUP == 2 } {
            self.grouped::<2>(first, out);
        } else {
            self.grouped::<4>(first, out);
        }
    }

    #[inline(always)]
    fn grouped<const GROUP: usize>(&self, first: usize, out: &mut [M::Sums]) {
        let last = first + out.len() - 1;
        for (group, out) in out.chunks_mut(GROUP).enumerate() {
            let start = first + group * GROUP;
            for i in start..start + out.len() {
                self.which.fetch(i + self.ahead, self.rows, true);
            }
            if let [out] = out {
                *out = self.apart(self.rows.row(self.which.id(start)), &[]);
                continue;
            }
            // A short group is filled up with its last row, which costs cached arithmetic only.
            let mut group: [&[R]; GROUP] = [&[]; GROUP];
            for (i, row) in group.iter_mut().enumerate() {
                *row = self.rows.row(self.which.id((start + i).min(last)));
            }
            let sums = self.metric.rows(self.token, self.query, self.prepared, group);
            if let Some(out) = out.first_chunk_mut() {
                *out = sums;
            } else {
                out.copy_from_slice(&sums[..out.len()]);
            }
        }
    }

    #[inline(always)]
    fn one_by_one(&self, first: usize, out: &mut [M::Sums]) {
        for (i, out) in (first..).zip(out) {
            let later = self.which.ahead(i + self.ahead, self.rows);
            if const { !M::FETCHES } {
                self.which.fetch(i + self.ahead, self.rows, false);
            }
            let row = self.rows.row(self.which.id(i));
            *out = if const { M::GROUP == 1 } {
                self.metric.row(self.token, self.query, self.prepared, row, later)
            } else {
                self.apart(row, later)
            };
        }
    }

    /// The sums of one row, where rows are scored in groups: one that no group takes, or one of many bytes.
    #[inline(always)]
    fn apart(&self, row: &[R], later: &[R]) -> M::Sums {
        let &Self { token, metric, query, prepared, .. } = self;
        token.call(Row { metric, query, prepared, row, later })
    }
}

/// A row alone.
struct Row<'a, Q, R, M, P> {
    metric: M,
    query: &'a [Q],
    prepared: P,
    row: &'a [R],
    later: &'a [R],
}

impl<T, Q, R, M: Score<T, Q, R>> Body<T> for Row<'_, Q, R, M, M::Query> {
    type Output = M::Sums;

    #[inline(always)]
    fn run(self, token: T) -> M::Sums {
        self.metric.row(token, self.query, self.prepared, self.row, self.later)
    }
}
