//! Exact sums over blocks of 64 bytes, written once for every instruction set.
//!
//! A chunk of 512 blocks is summed in 32 bits, and the chunks in 64: sums are exact at any length.

use crate::lanes::{blocks, cut};
use crate::native::{BLOCK, Bytes};

/// Elements whose sums fit into `i32`, whatever they are: 32,768 · 255² = 2,130,739,200 < 2³¹.
/// 33,026 can be too many.
pub(crate) const CHUNK: usize = 32_768;

/// From this length on a pair is dealt out to several chains: at 384 elements they cost 0.9 of 8.5 ns (AMD, Zen
/// 4), at 640 they save 0.8 of 9.8 (Intel).
const LONG: usize = 640;

type Block = [u8; BLOCK];

/// What is summed over pairs of blocks: `SUMS` sums.
pub(crate) trait BlockSums<const SUMS: usize> {
    /// Adds a block of a query and of a row.
    fn step<T: Bytes>(
        token: T,
        query: T::Block,
        row: T::Block,
        sums: [T::Sums; SUMS],
    ) -> [T::Sums; SUMS];

    /// What is left to do once all blocks are added: nothing, unless overridden.
    #[inline(always)]
    fn finish<T: Bytes>(_token: T, sums: [T::Sums; SUMS]) -> [T::Sums; SUMS] {
        sums
    }
}

/// Chains for `pairs` pairs with `sums` sums each. Several pairs hide each other's latency: two chains
/// for four rows made them 5 % slower.
const fn chains<T: Bytes>(pairs: usize, sums: usize) -> usize {
    match (pairs, sums) {
        (1, 4) if T::CHAINS > 1 => 2,
        (1, _) => T::CHAINS,
        _ => 1,
    }
}

/// The sums for each pair of a query and a row, all of one length.
#[inline(always)]
pub(crate) fn sums<T, D, const SUMS: usize, const QUERIES: usize, const ROWS: usize>(
    token: T,
    queries: [&[u8]; QUERIES],
    rows: [&[u8]; ROWS],
) -> [[[i64; SUMS]; ROWS]; QUERIES]
where
    T: Bytes,
    D: BlockSums<SUMS>,
{
    let len = queries[0].len();
    let mut exact = [[[0; SUMS]; ROWS]; QUERIES];
    let mut start = 0;
    loop {
        let end = len.min(start + CHUNK);
        let (queries, rows) = (cut(queries, start, end), cut(rows, start, end));
        let chunk = chunk_sums::<T, D, SUMS, QUERIES, ROWS>(token, queries, rows);
        for query in 0..QUERIES {
            for row in 0..ROWS {
                for sum in 0..SUMS {
                    exact[query][row][sum] += i64::from(chunk[query][row][sum]);
                }
            }
        }
        start = end;
        if start == len {
            return exact;
        }
    }
}

/// The sums of vectors no longer than a [`CHUNK`]. A pair of these takes 1 ns less without the loop above,
/// for which registers are saved.
#[inline(always)]
pub(crate) fn chunk_sums<T, D, const SUMS: usize, const QUERIES: usize, const ROWS: usize>(
    token: T,
    queries: [&[u8]; QUERIES],
    rows: [&[u8]; ROWS],
) -> [[[i32; SUMS]; ROWS]; QUERIES]
where
    T: Bytes,
    D: BlockSums<SUMS>,
{
    let len = queries[0].len();
    // One length for all, and so one mask for all tails.
    let (queries, rows) = (cut(queries, 0, len), cut(rows, 0, len));
    if (1..BLOCK).contains(&len) {
        let sums = [[[token.zero(); SUMS]; ROWS]; QUERIES];
        return totals::<T, D, SUMS, QUERIES, ROWS>(
            token,
            add_tails::<T, D, SUMS, QUERIES, ROWS>(token, queries, rows, sums),
        );
    }
    let chains = const { chains::<T>(QUERIES * ROWS, SUMS) };
    // A short pair would pay more for adding up the chains than it gains by them.
    match if len < LONG { 1 } else { chains } {
        4 => in_chunk::<T, D, SUMS, QUERIES, ROWS, 4>(token, queries, rows),
        2 => in_chunk::<T, D, SUMS, QUERIES, ROWS, 2>(token, queries, rows),
        _ => in_chunk::<T, D, SUMS, QUERIES, ROWS, 1>(token, queries, rows),
    }
}

/// The sums of one chunk. The blocks go to `CHAINS` sums in turn, which are added at the end.
#[inline(always)]
fn in_chunk<T, D, const SUMS: usize, const QUERIES: usize, const ROWS: usize, const CHAINS: usize>(
    token: T,
    queries: [&[u8]; QUERIES],
    rows: [&[u8]; ROWS],
) -> [[[i32; SUMS]; ROWS]; QUERIES]
where
    T: Bytes,
    D: BlockSums<SUMS>,
{
    let mut sums = [[[[token.zero(); SUMS]; ROWS]; QUERIES]; CHAINS];
    let len = queries[0].len();
    let (of_queries, of_rows) = (blocks(queries), blocks(rows));
    let ((query_groups, queries_left), (row_groups, rows_left)) =
        (in_groups::<CHAINS, QUERIES>(of_queries), in_groups::<CHAINS, ROWS>(of_rows));
    for group in 0..len / (BLOCK * CHAINS) {
        for (chain, sums) in sums.iter_mut().enumerate() {
            let (queries, rows) = (nth(query_groups, group), nth(row_groups, group));
            let (queries, rows) = (load(token, queries, chain), load(token, rows, chain));
            step::<T, D, SUMS, QUERIES, ROWS>(token, queries, rows, sums);
        }
    }
    for (i, sums) in sums[1..].iter_mut().enumerate() {
        if i == queries_left[0].len() {
            break;
        }
        let (queries, rows) = (load(token, queries_left, i), load(token, rows_left, i));
        step::<T, D, SUMS, QUERIES, ROWS>(token, queries, rows, sums);
    }
    if !len.is_multiple_of(BLOCK) {
        sums[0] = add_tails::<T, D, SUMS, QUERIES, ROWS>(token, queries, rows, sums[0]);
    }
    let mut all = sums[0];
    for chain in &sums[1..] {
        for query in 0..QUERIES {
            for row in 0..ROWS {
                for (all, sum) in all[query][row].iter_mut().zip(chain[query][row]) {
                    *all = token.add(*all, sum);
                }
            }
        }
    }
    totals::<T, D, SUMS, QUERIES, ROWS>(token, all)
}

/// Adds what is left of every pair behind its blocks.
#[inline(always)]
fn add_tails<T, D, const SUMS: usize, const QUERIES: usize, const ROWS: usize>(
    token: T,
    queries: [&[u8]; QUERIES],
    rows: [&[u8]; ROWS],
    mut sums: [[[T::Sums; SUMS]; ROWS]; QUERIES],
) -> [[[T::Sums; SUMS]; ROWS]; QUERIES]
where
    T: Bytes,
    D: BlockSums<SUMS>,
{
    let (queries, rows) = (load_tails(token, queries), load_tails(token, rows));
    step::<T, D, SUMS, QUERIES, ROWS>(token, queries, rows, &mut sums);
    sums
}

/// The totals of all sums, four at a time where there are four.
#[inline(always)]
fn totals<T, D, const SUMS: usize, const QUERIES: usize, const ROWS: usize>(
    token: T,
    sums: [[[T::Sums; SUMS]; ROWS]; QUERIES],
) -> [[[i32; SUMS]; ROWS]; QUERIES]
where
    T: Bytes,
    D: BlockSums<SUMS>,
{
    let mut totals = [[[0; SUMS]; ROWS]; QUERIES];
    for query in 0..QUERIES {
        let mut of_rows = sums[query];
        for of_row in &mut of_rows {
            *of_row = D::finish(token, *of_row);
        }
        if SUMS == 4 {
            for (total, sums) in totals[query].iter_mut().zip(of_rows) {
                *total = totals_of(token, sums);
            }
            continue;
        }
        for sum in 0..SUMS {
            let mut column = [token.zero(); ROWS];
            for (place, of_row) in column.iter_mut().zip(of_rows) {
                *place = of_row[sum];
            }
            for (total, column) in totals[query].iter_mut().zip(totals_of(token, column)) {
                total[sum] = column;
            }
        }
    }
    totals
}

#[inline(always)]
fn totals_of<T: Bytes, const N: usize>(token: T, sums: [T::Sums; N]) -> [i32; N] {
    let mut totals = [0; N];
    if let Some(sums) = sums.first_chunk::<4>() {
        totals.copy_from_slice(&token.totals(*sums));
        return totals;
    }
    for (total, sum) in totals.iter_mut().zip(sums) {
        *total = token.total(sum);
    }
    totals
}

/// Adds a block of every pair.
#[inline(always)]
fn step<T, D, const SUMS: usize, const QUERIES: usize, const ROWS: usize>(
    token: T,
    queries: [T::Block; QUERIES],
    rows: [T::Block; ROWS],
    sums: &mut [[[T::Sums; SUMS]; ROWS]; QUERIES],
) where
    T: Bytes,
    D: BlockSums<SUMS>,
{
    for (query, sums) in queries.into_iter().zip(sums) {
        for (row, sums) in rows.into_iter().zip(sums) {
            *sums = D::step(token, query, row, *sums);
        }
    }
}

/// As many blocks as there are chains at a time, and those that are left.
#[inline(always)]
fn in_groups<const CHAINS: usize, const N: usize>(
    blocks: [&[Block]; N],
) -> ([&[[Block; CHAINS]]; N], [&[Block]; N]) {
    let (mut groups, mut left) = ([&[][..]; N], [&[][..]; N]);
    for ((groups, left), blocks) in groups.iter_mut().zip(&mut left).zip(blocks) {
        (*groups, *left) = blocks.as_chunks();
    }
    (groups, left)
}

/// Group `i` of every vector.
#[inline(always)]
fn nth<const CHAINS: usize, const N: usize>(
    groups: [&[[Block; CHAINS]]; N],
    i: usize,
) -> [&[Block]; N] {
    let mut blocks: [&[Block]; N] = [&[]; N];
    for (blocks, groups) in blocks.iter_mut().zip(groups) {
        *blocks = &groups[i];
    }
    blocks
}

/// Block `i` of every vector.
#[inline(always)]
fn load<T: Bytes, const N: usize>(token: T, blocks: [&[Block]; N], i: usize) -> [T::Block; N] {
    let mut loaded = [token.load(&blocks[0][i]); N];
    for (loaded, blocks) in loaded.iter_mut().zip(blocks) {
        *loaded = token.load(&blocks[i]);
    }
    loaded
}

#[inline(always)]
fn load_tails<T: Bytes, const N: usize>(token: T, vectors: [&[u8]; N]) -> [T::Block; N] {
    let mut loaded = [token.load_tail(vectors[0]); N];
    for (loaded, vector) in loaded.iter_mut().zip(vectors).skip(1) {
        *loaded = token.load_tail(vector);
    }
    loaded
}
