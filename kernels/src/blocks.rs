//! Exact sums over blocks of 64 bytes, written once for every instruction set.
//!
//! A chunk of 512 blocks is summed in 32 bits, and the chunks in 64: sums are exact at any length.
#![expect(clippy::needless_range_loop, reason = "one index for a query, its row and their sums")]

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
    let mut sums = [[[token.zero(); SUMS]; ROWS]; QUERIES];
    // First what is left behind the blocks: of a short vector it is all there is.
    if !len.is_multiple_of(BLOCK) {
        let (queries, rows) = (load_tails(token, queries), load_tails(token, rows));
        step::<T, D, SUMS, QUERIES, ROWS>(token, queries, rows, &mut sums);
    }
    let (of_queries, of_rows) = (blocks(queries), blocks(rows));
    // A short pair would pay more for adding up the chains than it gains by them.
    if const { chains::<T>(QUERIES * ROWS, SUMS) == 4 } && len >= LONG {
        sums[0][0] = in_chains::<T, D, SUMS, 4>(token, of_queries[0], of_rows[0], sums[0][0]);
    } else if const { chains::<T>(QUERIES * ROWS, SUMS) == 2 } && len >= LONG {
        sums[0][0] = in_chains::<T, D, SUMS, 2>(token, of_queries[0], of_rows[0], sums[0][0]);
    } else {
        for i in 0..len / BLOCK {
            let (queries, rows) = (load(token, of_queries, i), load(token, of_rows, i));
            step::<T, D, SUMS, QUERIES, ROWS>(token, queries, rows, &mut sums);
        }
    }
    totals::<T, D, SUMS, QUERIES, ROWS>(token, sums)
}

/// Adds the blocks of a pair to `CHAINS` sums in turn, the first of which is given, and then those to it.
#[inline(always)]
fn in_chains<T, D, const SUMS: usize, const CHAINS: usize>(
    token: T,
    query: &[Block],
    row: &[Block],
    first: [T::Sums; SUMS],
) -> [T::Sums; SUMS]
where
    T: Bytes,
    D: BlockSums<SUMS>,
{
    let mut chains = [[token.zero(); SUMS]; CHAINS];
    chains[0] = first;
    let (query_groups, query_left) = query.as_chunks::<CHAINS>();
    let (row_groups, row_left) = row.as_chunks::<CHAINS>();
    for group in 0..query_groups.len() {
        for chain in 0..CHAINS {
            let query = token.load(&query_groups[group][chain]);
            let row = token.load(&row_groups[group][chain]);
            chains[chain] = D::step(token, query, row, chains[chain]);
        }
    }
    for chain in 1..CHAINS {
        if chain <= query_left.len() {
            let query = token.load(&query_left[chain - 1]);
            let row = token.load(&row_left[chain - 1]);
            chains[chain] = D::step(token, query, row, chains[chain]);
        }
    }
    let mut all = chains[0];
    for chain in 1..CHAINS {
        for sum in 0..SUMS {
            all[sum] = token.add(all[sum], chains[chain][sum]);
        }
    }
    all
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
        for row in 0..ROWS {
            of_rows[row] = D::finish(token, of_rows[row]);
        }
        if const { SUMS == 4 } {
            for row in 0..ROWS {
                totals[query][row] = totals_of(token, of_rows[row]);
            }
        } else {
            for sum in 0..SUMS {
                let mut column = [token.zero(); ROWS];
                for row in 0..ROWS {
                    column[row] = of_rows[row][sum];
                }
                let column = totals_of(token, column);
                for row in 0..ROWS {
                    totals[query][row][sum] = column[row];
                }
            }
        }
    }
    totals
}

#[inline(always)]
fn totals_of<T: Bytes, const N: usize>(token: T, sums: [T::Sums; N]) -> [i32; N] {
    let mut totals = [0; N];
    if const { N == 4 } {
        let four = token.totals([sums[0], sums[1 % N], sums[2 % N], sums[3 % N]]);
        totals.copy_from_slice(&four[..N]);
    } else {
        for i in 0..N {
            totals[i] = token.total(sums[i]);
        }
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
    for query in 0..QUERIES {
        for row in 0..ROWS {
            sums[query][row] = D::step(token, queries[query], rows[row], sums[query][row]);
        }
    }
}

/// Block `i` of every vector.
#[inline(always)]
fn load<T: Bytes, const N: usize>(token: T, blocks: [&[Block]; N], i: usize) -> [T::Block; N] {
    let mut loaded = [token.load(&blocks[0][i]); N];
    for vector in 1..N {
        loaded[vector] = token.load(&blocks[vector][i]);
    }
    loaded
}

#[inline(always)]
fn load_tails<T: Bytes, const N: usize>(token: T, vectors: [&[u8]; N]) -> [T::Block; N] {
    let mut loaded = [token.load_tail(vectors[0]); N];
    for vector in 1..N {
        loaded[vector] = token.load_tail(vectors[vector]);
    }
    loaded
}
