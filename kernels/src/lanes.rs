//! The lane rule over pulp registers, written once for every instruction set.
//!
//! A block of 64 elements is one row of lanes. [`sums`] walks the blocks in one or more passes; a
//! pass keeps `REGS` registers per pair and per sum, so that all accumulators stay in registers, and
//! covers `REGS · width` of the 64 lanes. The lanes are independent, so passes change no bit.
#![expect(clippy::needless_range_loop, reason = "one index for the lanes and for what is loaded")]

use crate::native::{Isa, prefetch};
use crate::reference::LANES;
use crate::widen::Load;

/// What a metric sums: `SUMS` sums over lanes.
pub(crate) trait LaneSums<const SUMS: usize> {
    /// Adds one register of elements of a query and of a row to their lanes.
    fn step<S: Isa>(
        simd: S,
        query: S::f32s,
        row: S::f32s,
        sums: [S::f32s; SUMS],
    ) -> [S::f32s; SUMS];
}

/// Registers per pass for each of `chains` sums, and passes. As many registers as fit into three
/// quarters of the register file (the rest holds the operands), a power of two, at most one block.
const fn plan<S: Isa>(chains: usize) -> (usize, usize) {
    let mut registers = LANES / S::F32_LANES;
    let mut passes = 1;
    while registers * chains > S::REGISTERS * 3 / 4 {
        registers /= 2;
        passes *= 2;
    }
    (registers, passes)
}

/// Rows scored together: the most, up to four, that one pass can hold. A second pass over rows that
/// come from memory costs more than the shared loads of the query save (AVX2: 15 to 25 %).
pub(crate) const fn group<S: Isa>(sums: usize) -> usize {
    let mut rows = 4;
    while rows > 1 && plan::<S>(sums * rows).1 > 1 {
        rows /= 2;
    }
    rows
}

/// Queries and rows of a tile with one sum per pair: one register per pair and pass. The more pairs,
/// the fewer loads for each.
pub(crate) const fn tile<S: Isa>() -> (usize, usize) {
    if S::REGISTERS >= 32 { (4, 4) } else { (2, 4) }
}

/// All lanes, folded, for each pair of a query and a row, all of one length. A row that will be wanted
/// later is fetched on the way, block by block, so that the misses spread over the arithmetic: all
/// at once they fill the CPU's queue of misses, and it waits (AVX2: 15 to 45 % slower from 1.5 KB a row
/// on). Empty if there is none.
#[inline(always)]
pub(crate) fn sums<S, D, A, B, const SUMS: usize, const QUERIES: usize, const ROWS: usize>(
    simd: S,
    a: A,
    b: B,
    queries: [&[A::Element]; QUERIES],
    rows: [&[B::Element]; ROWS],
    later: &[B::Element],
) -> [[[f32; SUMS]; ROWS]; QUERIES]
where
    S: Isa,
    D: LaneSums<SUMS>,
    A: Load<S>,
    B: Load<S>,
{
    const { assert!(A::SPLIT == B::SPLIT, "registers of different elements") };
    // The only checks of lengths, in front of all branches: behind them each would save a register.
    let len = queries[0].len();
    let (queries, rows) = (cut(queries, 0, len), cut(rows, 0, len));
    macro_rules! passes {
        ($registers:literal, $passes:literal) => {
            in_passes::<S, D, A, B, SUMS, QUERIES, ROWS, $registers, $passes>(
                simd, a, b, queries, rows, later,
            )
        };
        // Half a block, or less, fills half of the registers: to fold the others, all zero, would take
        // a tenth longer.
        ($registers:literal / 2 = $half:literal) => {
            if len > LANES / 2 { passes!($registers, 1) } else { passes!($half, 1) }
        };
    }
    // A chain of conditions that are constants, not a match of the plan: of these the compiler takes the
    // one that holds before it makes code of the others.
    macro_rules! first_that_fits {
        ($(($registers:literal, $passes:literal) => $kernel:expr,)*) => {
            $(if const { matches!(plan::<S>(SUMS * QUERIES * ROWS), ($registers, $passes)) } {
                $kernel
            } else)* {
                unreachable!("no kernel for this plan")
            }
        };
    }
    first_that_fits! {
        (16, 1) => passes!(16 / 2 = 8),
        (8, 1) => passes!(8 / 2 = 4),
        (8, 2) => passes!(8, 2),
        (4, 1) => passes!(4 / 2 = 2),
        (4, 2) => passes!(4, 2),
        (4, 4) => passes!(4, 4),
        (2, 2) => passes!(2, 2),
        (2, 4) => passes!(2, 4),
        (2, 8) => passes!(2, 8),
        (1, 4) => passes!(1, 4),
        (1, 8) => passes!(1, 8),
        (1, 16) => passes!(1, 16),
    }
}

#[inline(always)]
fn in_passes<
    S,
    D,
    A,
    B,
    const SUMS: usize,
    const QUERIES: usize,
    const ROWS: usize,
    const REGS: usize,
    const PASSES: usize,
>(
    simd: S,
    a: A,
    b: B,
    queries: [&[A::Element]; QUERIES],
    rows: [&[B::Element]; ROWS],
    later: &[B::Element],
) -> [[[f32; SUMS]; ROWS]; QUERIES]
where
    S: Isa,
    D: LaneSums<SUMS>,
    A: Load<S>,
    B: Load<S>,
{
    let zero = simd.splat_f32s(0.0);
    let tails = (tails::<S, A, QUERIES>(queries), tails::<S, B, ROWS>(rows));
    let mut lanes = [[[[[zero; SUMS]; REGS]; ROWS]; QUERIES]; PASSES];
    macro_rules! pass {
        ($p:expr, $later:expr) => {
            pass::<S, D, A, B, SUMS, QUERIES, ROWS, REGS>(
                simd, a, b, $p, queries, rows, &tails, $later,
            )
        };
    }
    lanes[0] = pass!(0, later);
    for p in 1..PASSES {
        lanes[p] = pass!(p, &[]);
    }
    // Loops, not closures given to std: its functions are not compiled for this instruction set, and
    // where one is not inlined, every operation in the closure becomes a call (20 times slower).
    // And over plain ranges: where an iterator's loop is not unrolled by the first pass of optimisation, the
    // registers stay in memory (one codegen unit without LTO has no second: a pair took 20 ns instead of 5).
    let mut folded = [[[0.0; SUMS]; ROWS]; QUERIES];
    let chains = SUMS * ROWS * QUERIES;
    for first in 0..chains.div_ceil(4) {
        let (mut even, mut odd) = ([zero; 4], [zero; 4]);
        for i in 0..4 {
            let chain = first * 4 + i;
            if chain < chains {
                let (query, row, sum) = (chain / (SUMS * ROWS), chain / SUMS % ROWS, chain % SUMS);
                let mut registers = [[zero; REGS]; PASSES];
                for p in 0..PASSES {
                    for reg in 0..REGS {
                        registers[p][reg] = lanes[p][query][row][reg][sum];
                    }
                }
                (even[i], odd[i]) = halve::<S, REGS, PASSES>(simd, registers, A::SPLIT);
            }
        }
        // Not the three sums of one cosine: together they take 5 ns more at 768 elements.
        let together = QUERIES * ROWS > 1;
        let count = chains - first * 4;
        let mut sums = fold::<S>(simd, even, count, together);
        if A::SPLIT {
            let odd = fold::<S>(simd, odd, count, together);
            for i in 0..4 {
                sums[i] += odd[i];
            }
        }
        for i in 0..4 {
            let chain = first * 4 + i;
            if chain < chains {
                folded[chain / (SUMS * ROWS)][chain / SUMS % ROWS][chain % SUMS] = sums[i];
            }
        }
    }
    folded
}

/// Adds the upper half of the registers to the lower, until one is left, or where they are split two:
/// the even and the odd lanes, which meet last.
#[inline(always)]
fn halve<S: Isa, const REGS: usize, const PASSES: usize>(
    simd: S,
    mut registers: [[S::f32s; REGS]; PASSES],
    split: bool,
) -> (S::f32s, S::f32s) {
    const { assert!(REGS * PASSES <= 16, "four halvings") };
    macro_rules! halve_to {
        ($half:literal) => {
            if REGS * PASSES > $half {
                for i in 0..$half {
                    let upper = registers[(i + $half) / REGS % PASSES][(i + $half) % REGS];
                    let lower = &mut registers[i / REGS % PASSES][i % REGS];
                    *lower = simd.add_f32s(*lower, upper);
                }
            }
        };
    }
    halve_to!(8);
    halve_to!(4);
    halve_to!(2);
    if !split {
        halve_to!(1);
    }
    (registers[0][0], registers[1 / REGS % PASSES][1 % REGS])
}

/// The sums of the lanes of the first `count` registers, all in one go or one after another.
#[inline(always)]
fn fold<S: Isa>(simd: S, registers: [S::f32s; 4], count: usize, together: bool) -> [f32; 4] {
    if together {
        return simd.fold_each(registers);
    }
    let mut sums = [0.0; 4];
    for i in 0..4 {
        if i < count {
            sums[i] = simd.fold(registers[i]);
        }
    }
    sums
}

/// Accumulates the `pass`-th `REGS` registers of every block.
#[inline(always)]
#[expect(clippy::too_many_arguments, reason = "those of sums, the pass, and what both share")]
fn pass<S, D, A, B, const SUMS: usize, const QUERIES: usize, const ROWS: usize, const REGS: usize>(
    simd: S,
    a: A,
    b: B,
    pass: usize,
    queries: [&[A::Element]; QUERIES],
    rows: [&[B::Element]; ROWS],
    (query_tails, row_tails): &([A::Tail<'_>; QUERIES], [B::Tail<'_>; ROWS]),
    later: &[B::Element],
) -> [[[[S::f32s; SUMS]; REGS]; ROWS]; QUERIES]
where
    S: Isa,
    D: LaneSums<SUMS>,
    A: Load<S>,
    B: Load<S>,
{
    let mut lanes = [[[[simd.splat_f32s(0.0); SUMS]; REGS]; ROWS]; QUERIES];
    let first = pass * REGS;
    let len = queries[0].len();
    let query_blocks = blocks(queries);
    let row_blocks = blocks(rows);
    let (later_blocks, later_tail) = later.as_chunks::<LANES>();
    for i in 0..len / LANES {
        if let Some(block) = later_blocks.get(i) {
            prefetch::<LANES, _>(block);
        }
        for reg in 0..REGS {
            let query = load_all(simd, a, query_blocks, i, first + reg);
            for row in 0..ROWS {
                let loaded = b.load(simd, &row_blocks[row][i], first + reg);
                for q in 0..QUERIES {
                    let lane = &mut lanes[q][row][reg];
                    *lane = D::step(simd, query[q], loaded, *lane);
                }
            }
        }
    }
    if !later_tail.is_empty() {
        prefetch::<LANES, _>(later_tail);
    }
    for reg in 0..REGS {
        // A register of padding only would add zeros: leaving it out changes no bit.
        if A::first(first + reg) >= len % LANES {
            continue;
        }
        for q in 0..QUERIES {
            let query = a.load_tail(simd, &query_tails[q], first + reg);
            for row in 0..ROWS {
                let loaded = b.load_tail(simd, &row_tails[row], first + reg);
                let lane = &mut lanes[q][row][reg];
                *lane = D::step(simd, query, loaded, *lane);
            }
        }
    }
    lanes
}

/// Register `reg` of block `i` of every vector.
#[inline(always)]
fn load_all<S: Isa, A: Load<S>, const N: usize>(
    simd: S,
    a: A,
    blocks: [&[[A::Element; LANES]]; N],
    i: usize,
    reg: usize,
) -> [S::f32s; N] {
    let mut loaded = [simd.splat_f32s(0.0); N];
    for (loaded, blocks) in loaded.iter_mut().zip(blocks) {
        *loaded = a.load(simd, &blocks[i], reg);
    }
    loaded
}

/// A part of every vector.
#[inline(always)]
pub(crate) fn cut<E, const N: usize>(vectors: [&[E]; N], start: usize, end: usize) -> [&[E]; N] {
    let mut parts: [&[E]; N] = [&[]; N];
    for (part, vector) in parts.iter_mut().zip(vectors) {
        *part = &vector[start..end];
    }
    parts
}

/// The blocks of every vector.
#[inline(always)]
pub(crate) fn blocks<E, const N: usize>(vectors: [&[E]; N]) -> [&[[E; LANES]]; N] {
    let mut blocks: [&[[E; LANES]]; N] = [&[]; N];
    for (blocks, vector) in blocks.iter_mut().zip(vectors) {
        *blocks = vector.as_chunks().0;
    }
    blocks
}

/// The tails of vectors.
#[inline(always)]
fn tails<'a, S: Isa, A: Load<S>, const N: usize>(
    vectors: [&'a [A::Element]; N],
) -> [A::Tail<'a>; N] {
    core::array::from_fn(|i| vectors[i].as_chunks::<LANES>().1.into())
}
