//! The float kernels, written once for every instruction set: the lane rule over pulp registers.
//!
//! A block of 64 elements is one row of lanes. [`lane_sums`] walks the blocks in one or more passes;
//! a pass keeps `REGS` registers per row and per sum, so that all accumulators stay in registers,
//! and covers `REGS · width` of the 64 lanes. The lanes are independent, so passes change no bit.

use pulp::Simd;

use crate::batch::Score;
use crate::native::Isa;
use crate::reference::{LANES, cosine_of};

/// A distance made of `SUMS` lane sums.
pub(crate) trait LaneSums<const SUMS: usize>: Copy {
    /// Adds one register of elements of the query and of a row to their lanes.
    fn step<S: Isa>(
        simd: S,
        query: S::f32s,
        row: S::f32s,
        sums: [S::f32s; SUMS],
    ) -> [S::f32s; SUMS];

    /// The distance that the folded sums make. It must not show the sign of a sum that is zero: a
    /// lane can underflow to −0.0, and whether that survives depends on how much padding is added.
    fn finish(self, sums: [f32; SUMS]) -> f32;
}

/// `Σ (qᵢ − rᵢ)²`
#[derive(Clone, Copy, Default)]
pub(crate) struct L2Squared;

impl LaneSums<1> for L2Squared {
    #[inline(always)]
    fn step<S: Isa>(simd: S, query: S::f32s, row: S::f32s, [sum]: [S::f32s; 1]) -> [S::f32s; 1] {
        let d = simd.sub_f32s(query, row);
        [simd.mul_add_f32s(d, d, sum)]
    }

    #[inline(always)]
    fn finish(self, [sum]: [f32; 1]) -> f32 {
        sum
    }
}

/// `0 − Σ qᵢ·rᵢ`
#[derive(Clone, Copy, Default)]
pub(crate) struct InnerProduct;

impl LaneSums<1> for InnerProduct {
    #[inline(always)]
    fn step<S: Isa>(simd: S, query: S::f32s, row: S::f32s, [sum]: [S::f32s; 1]) -> [S::f32s; 1] {
        [simd.mul_add_f32s(query, row, sum)]
    }

    #[inline(always)]
    fn finish(self, [dot]: [f32; 1]) -> f32 {
        0.0 - dot
    }
}

/// `Σ |qᵢ − rᵢ|`
#[derive(Clone, Copy, Default)]
pub(crate) struct Manhattan;

impl LaneSums<1> for Manhattan {
    #[inline(always)]
    fn step<S: Isa>(simd: S, query: S::f32s, row: S::f32s, [sum]: [S::f32s; 1]) -> [S::f32s; 1] {
        // Not pulp's abs_f32s: it is not inline(always), and a call per register would remain.
        let magnitude = simd.not_f32s(simd.splat_f32s(-0.0));
        [simd.add_f32s(sum, simd.and_f32s(magnitude, simd.sub_f32s(query, row)))]
    }

    #[inline(always)]
    fn finish(self, [sum]: [f32; 1]) -> f32 {
        sum
    }
}

/// Cosine of a pair: dot product and both squared norms.
#[derive(Clone, Copy, Default)]
pub(crate) struct Cosine;

impl LaneSums<3> for Cosine {
    #[inline(always)]
    fn step<S: Isa>(
        simd: S,
        query: S::f32s,
        row: S::f32s,
        [dot, query_norm, row_norm]: [S::f32s; 3],
    ) -> [S::f32s; 3] {
        [
            simd.mul_add_f32s(query, row, dot),
            simd.mul_add_f32s(query, query, query_norm),
            simd.mul_add_f32s(row, row, row_norm),
        ]
    }

    #[inline(always)]
    fn finish(self, [dot, query_norm, row_norm]: [f32; 3]) -> f32 {
        cosine_of(dot, query_norm, row_norm)
    }
}

/// Cosine of rows to a query whose squared norm is known.
#[derive(Clone, Copy)]
struct CosineTo {
    query_norm: f32,
}

impl LaneSums<2> for CosineTo {
    #[inline(always)]
    fn step<S: Isa>(
        simd: S,
        query: S::f32s,
        row: S::f32s,
        [dot, row_norm]: [S::f32s; 2],
    ) -> [S::f32s; 2] {
        [simd.mul_add_f32s(query, row, dot), simd.mul_add_f32s(row, row, row_norm)]
    }

    #[inline(always)]
    fn finish(self, [dot, row_norm]: [f32; 2]) -> f32 {
        cosine_of(dot, self.query_norm, row_norm)
    }
}

impl<S: Isa, D: LaneSums<1> + Default> Score<S, f32> for D {
    const GROUP: usize = group::<S>(1);
    type Prepared = ();

    #[inline(always)]
    fn prepare(self, _simd: S, _query: &[f32]) {}

    #[inline(always)]
    fn pair(self, simd: S, a: &[f32], b: &[f32]) -> f32 {
        let [distance] = distances(simd, self, a, [b]);
        distance
    }

    #[inline(always)]
    fn rows<const ROWS: usize>(
        self,
        simd: S,
        query: &[f32],
        (): (),
        rows: [&[f32]; ROWS],
    ) -> [f32; ROWS] {
        distances(simd, self, query, rows)
    }
}

impl<S: Isa> Score<S, f32> for Cosine {
    const GROUP: usize = group::<S>(2); // of CosineTo
    /// The query's squared norm.
    type Prepared = f32;

    #[inline(always)]
    fn prepare(self, simd: S, query: &[f32]) -> f32 {
        let [distance] = distances(simd, InnerProduct, query, [query]);
        0.0 - distance
    }

    #[inline(always)]
    fn pair(self, simd: S, a: &[f32], b: &[f32]) -> f32 {
        let [distance] = distances(simd, self, a, [b]);
        distance
    }

    #[inline(always)]
    fn rows<const ROWS: usize>(
        self,
        simd: S,
        query: &[f32],
        query_norm: f32,
        rows: [&[f32]; ROWS],
    ) -> [f32; ROWS] {
        distances(simd, CosineTo { query_norm }, query, rows)
    }
}

/// The distances of `query` to `rows`, all of one length.
#[inline(always)]
fn distances<S: Isa, D: LaneSums<SUMS>, const SUMS: usize, const ROWS: usize>(
    simd: S,
    distance: D,
    query: &[f32],
    rows: [&[f32]; ROWS],
) -> [f32; ROWS] {
    let sums = match const { plan::<S>(SUMS * ROWS) } {
        (16, 1) => lane_sums::<S, D, SUMS, ROWS, 16, 1>(simd, query, rows),
        (8, 1) => lane_sums::<S, D, SUMS, ROWS, 8, 1>(simd, query, rows),
        (8, 2) => lane_sums::<S, D, SUMS, ROWS, 8, 2>(simd, query, rows),
        (4, 1) => lane_sums::<S, D, SUMS, ROWS, 4, 1>(simd, query, rows),
        (4, 2) => lane_sums::<S, D, SUMS, ROWS, 4, 2>(simd, query, rows),
        _ => unreachable!("no kernel for this plan"),
    };
    let mut distances = [0.0; ROWS];
    for (out, sums) in distances.iter_mut().zip(sums) {
        *out = distance.finish(sums);
    }
    distances
}

/// Registers per pass for each of `chains` sums, and passes. As many registers as fit into three
/// quarters of the register file (the rest holds the operands), a power of two, at most one block.
const fn plan<S: Simd>(chains: usize) -> (usize, usize) {
    let mut registers = LANES / S::F32_LANES;
    let mut passes = 1;
    while registers * chains > S::REGISTER_COUNT * 3 / 4 {
        registers /= 2;
        passes *= 2;
    }
    (registers, passes)
}

/// Rows scored together: the most, up to four, that one pass can hold. A second pass over rows that
/// come from memory costs more than the shared loads of the query save (AVX2: 15 to 25 %).
const fn group<S: Simd>(sums: usize) -> usize {
    let mut rows = 4;
    while rows > 1 && plan::<S>(sums * rows).1 > 1 {
        rows /= 2;
    }
    rows
}

/// All lanes, folded, for each row and sum.
#[inline(always)]
fn lane_sums<
    S: Isa,
    D: LaneSums<SUMS>,
    const SUMS: usize,
    const ROWS: usize,
    const REGS: usize,
    const PASSES: usize,
>(
    simd: S,
    query: &[f32],
    rows: [&[f32]; ROWS],
) -> [[f32; SUMS]; ROWS] {
    let zero = simd.splat_f32s(0.0);
    let mut passes = [[[[zero; SUMS]; REGS]; ROWS]; PASSES];
    for (p, lanes) in passes.iter_mut().enumerate() {
        *lanes = pass::<S, D, SUMS, ROWS, REGS>(simd, p, query, rows);
    }
    // Loops, not closures given to std: its functions are not compiled for this instruction set, and
    // where one is not inlined, every operation in the closure becomes a call (20 times slower).
    let mut folded = [[0.0; SUMS]; ROWS];
    for (row, folded) in folded.iter_mut().enumerate() {
        for (sum, folded) in folded.iter_mut().enumerate() {
            let mut lanes = [zero; REGS];
            for (reg, lane) in lanes.iter_mut().enumerate() {
                let mut column = [zero; PASSES];
                for (p, lane) in column.iter_mut().enumerate() {
                    *lane = passes[p][row][reg][sum];
                }
                *lane = fold(simd, column);
            }
            // pulp folds the lanes of a register in halves too.
            *folded = simd.reduce_sum_f32s(fold(simd, lanes));
        }
    }
    folded
}

/// Adds the upper half to the lower, until one register is left.
#[inline(always)]
fn fold<S: Isa, const N: usize>(simd: S, mut lanes: [S::f32s; N]) -> S::f32s {
    let mut half = N / 2;
    while half > 0 {
        for i in 0..half {
            lanes[i] = simd.add_f32s(lanes[i], lanes[i + half]);
        }
        half /= 2;
    }
    lanes[0]
}

/// Accumulates the `pass`-th `REGS` registers of every block.
#[inline(always)]
fn pass<S, D, const SUMS: usize, const ROWS: usize, const REGS: usize>(
    simd: S,
    pass: usize,
    query: &[f32],
    rows: [&[f32]; ROWS],
) -> [[[S::f32s; SUMS]; REGS]; ROWS]
where
    S: Isa,
    D: LaneSums<SUMS>,
{
    let mut lanes = [[[simd.splat_f32s(0.0); SUMS]; REGS]; ROWS];
    let first = pass * REGS;

    let (query_blocks, query_tail) = query.as_chunks::<LANES>();
    // One length for all: the only bounds checks are these.
    let blocks = rows.map(|row| &row.as_chunks::<LANES>().0[..query_blocks.len()]);
    let tails = rows.map(|row| &row.as_chunks::<LANES>().1[..query_tail.len()]);

    for (i, query) in query_blocks.iter().enumerate() {
        let query = S::as_simd_f32s(query).0;
        for reg in 0..REGS {
            for (lanes, blocks) in lanes.iter_mut().zip(blocks) {
                let row = S::as_simd_f32s(&blocks[i]).0;
                lanes[reg] = D::step(simd, query[first + reg], row[first + reg], lanes[reg]);
            }
        }
    }
    for reg in 0..REGS {
        let start = (first + reg) * S::F32_LANES;
        // A register of padding only would add zeros: leaving it out changes no bit.
        if start < query_tail.len() {
            let query = simd.load_part(&query_tail[start..]);
            for (lanes, tail) in lanes.iter_mut().zip(tails) {
                lanes[reg] = D::step(simd, query, simd.load_part(&tail[start..]), lanes[reg]);
            }
        }
    }
    lanes
}
