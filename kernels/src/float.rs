//! The float metrics, written once for every instruction set: what is summed by the lane rule, and
//! what the sums make.

use core::marker::PhantomData;

use crate::apart::{Apart, Body};
use crate::lanes::{LaneSums, group, sums, tile};
use crate::native::Isa;
use crate::reference::{cosine_of_sound, cosines_of, is_sound, rescaled_cosine};
use crate::score::Score;
use crate::widen::{Load, Widen};

/// A metric over numbers that `A` and `B` load.
#[derive(Clone, Copy)]
pub(crate) struct Over<D, A, B> {
    pub(crate) query: A,
    pub(crate) row: B,
    metric: PhantomData<D>,
}

impl<D, A, B> Over<D, A, B> {
    pub(crate) fn loading(query: A, row: B) -> Self {
        Self { query, row, metric: PhantomData }
    }
}

/// A metric that is one lane sum: what it makes of it. It must not show the sign of a sum that is
/// zero: a lane can underflow to −0.0, and whether that survives depends on how much padding is added.
pub(crate) trait OneSum: LaneSums<1> + Copy {
    fn finish(sum: f32) -> f32;
}

/// `Σ (qᵢ − rᵢ)²`
#[derive(Clone, Copy)]
pub(crate) struct L2Squared;

impl LaneSums<1> for L2Squared {
    #[inline(always)]
    fn step<S: Isa>(simd: S, query: S::f32s, row: S::f32s, [sum]: [S::f32s; 1]) -> [S::f32s; 1] {
        let d = simd.sub_f32s(query, row);
        [simd.mul_add_f32s(d, d, sum)]
    }
}

impl OneSum for L2Squared {
    #[inline(always)]
    fn finish(sum: f32) -> f32 {
        sum
    }
}

/// `0 − Σ qᵢ·rᵢ`
#[derive(Clone, Copy)]
pub(crate) struct InnerProduct;

impl LaneSums<1> for InnerProduct {
    #[inline(always)]
    fn step<S: Isa>(simd: S, query: S::f32s, row: S::f32s, [sum]: [S::f32s; 1]) -> [S::f32s; 1] {
        [simd.mul_add_f32s(query, row, sum)]
    }
}

impl OneSum for InnerProduct {
    #[inline(always)]
    fn finish(dot: f32) -> f32 {
        0.0 - dot
    }
}

/// `Σ |qᵢ − rᵢ|`
#[derive(Clone, Copy)]
pub(crate) struct Manhattan;

impl LaneSums<1> for Manhattan {
    #[inline(always)]
    fn step<S: Isa>(simd: S, query: S::f32s, row: S::f32s, [sum]: [S::f32s; 1]) -> [S::f32s; 1] {
        // Not pulp's abs_f32s: it is not inline(always), and a call per register would remain.
        let magnitude = simd.not_f32s(simd.splat_f32s(-0.0));
        [simd.add_f32s(sum, simd.and_f32s(magnitude, simd.sub_f32s(query, row)))]
    }
}

impl OneSum for Manhattan {
    #[inline(always)]
    fn finish(sum: f32) -> f32 {
        sum
    }
}

/// Cosine of a pair: dot product and both squared norms.
#[derive(Clone, Copy)]
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
}

/// What is left of it where the query's squared norm is known.
struct CosineTo;

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
}

impl<S, D, A, B> Score<S, A::Element, B::Element> for Over<D, A, B>
where
    S: Isa + Apart,
    D: OneSum,
    A: Load<S, Scale = ()>,
    B: Load<S>,
{
    type Scale = B::Scale;
    type Query = ();
    type Row = ();
    type Sums = f32;
    const FETCHES: bool = true;
    const IN_PLACE: bool = true;
    const GROUP: usize = group::<S>(1);
    const TILE: (usize, usize) = tile::<S>();

    #[inline(always)]
    fn new(scale: B::Scale) -> Self {
        Self::loading(A::new(()), B::new(scale))
    }

    #[inline(always)]
    fn prepare(self, _simd: S, _query: &[A::Element]) {}

    #[inline(always)]
    fn prepare_row(self, _simd: S, _row: &[B::Element]) {}

    #[inline(always)]
    fn pair(self, simd: S, a: &[A::Element], b: &[B::Element]) -> f32 {
        let [[[sum]]] = sums::<S, D, A, B, 1, 1, 1>(simd, self.query, self.row, [a], [b], &[]);
        D::finish(sum)
    }

    #[inline(always)]
    fn tile<const QUERIES: usize, const ROWS: usize>(
        self,
        simd: S,
        queries: [(&[A::Element], ()); QUERIES],
        rows: [(&[B::Element], ()); ROWS],
    ) -> [[f32; ROWS]; QUERIES] {
        let sums = simd.call(Tile::<D, _, _, _, _>::new(self.query, self.row, queries, rows));
        let mut distances = [[0.0; ROWS]; QUERIES];
        for query in 0..QUERIES {
            for row in 0..ROWS {
                distances[query][row] = D::finish(sums[query][row]);
            }
        }
        distances
    }

    #[inline(always)]
    fn rows<const ROWS: usize>(
        self,
        simd: S,
        query: &[A::Element],
        (): (),
        rows: [&[B::Element]; ROWS],
    ) -> [f32; ROWS] {
        let [sums] = sums::<S, D, A, B, 1, 1, ROWS>(simd, self.query, self.row, [query], rows, &[]);
        let mut distances = [0.0; ROWS];
        for row in 0..ROWS {
            distances[row] = D::finish(sums[row][0]);
        }
        distances
    }

    #[inline(always)]
    fn row(
        self,
        simd: S,
        query: &[A::Element],
        (): (),
        row: &[B::Element],
        later: &[B::Element],
    ) -> f32 {
        let [[[sum]]] =
            sums::<S, D, A, B, 1, 1, 1>(simd, self.query, self.row, [query], [row], later);
        D::finish(sum)
    }

    #[inline(always)]
    fn in_place(distances: &mut [f32]) -> &mut [f32] {
        distances
    }
}

impl<S, A, B> Score<S, A::Element, B::Element> for Over<Cosine, A, B>
where
    S: Isa + Apart,
    A: Load<S, Scale = ()>,
    B: Load<S>,
{
    type Scale = B::Scale;
    /// The squared norm.
    type Query = f32;
    /// The squared norm.
    type Row = f32;
    /// The dot product and the row's squared norm.
    type Sums = [f32; 2];
    const FETCHES: bool = true;
    const GROUP: usize = group::<S>(2); // of CosineTo
    const TILE: (usize, usize) = tile::<S>();

    #[inline(always)]
    fn new(scale: B::Scale) -> Self {
        Self::loading(A::new(()), B::new(scale))
    }

    #[inline(always)]
    fn prepare(self, simd: S, query: &[A::Element]) -> f32 {
        simd.call(SquaredNorm { numbers: self.query, vector: query })
    }

    #[inline(always)]
    fn prepare_row(self, simd: S, row: &[B::Element]) -> f32 {
        simd.call(SquaredNorm { numbers: self.row, vector: row })
    }

    #[inline(always)]
    fn pair(self, simd: S, a: &[A::Element], b: &[B::Element]) -> f32 {
        let [[[dot, query_norm, row_norm]]] =
            sums::<S, Cosine, A, B, 3, 1, 1>(simd, self.query, self.row, [a], [b], &[]);
        if !(is_sound(query_norm) & is_sound(row_norm)) {
            return self.rescaled(a, b);
        }
        cosine_of_sound(dot, query_norm, row_norm)
    }

    #[inline(always)]
    fn rows<const ROWS: usize>(
        self,
        simd: S,
        query: &[A::Element],
        _query_norm: f32,
        rows: [&[B::Element]; ROWS],
    ) -> [[f32; 2]; ROWS] {
        let [sums] =
            sums::<S, CosineTo, A, B, 2, 1, ROWS>(simd, self.query, self.row, [query], rows, &[]);
        sums
    }

    #[inline(always)]
    fn row(
        self,
        simd: S,
        query: &[A::Element],
        _query_norm: f32,
        row: &[B::Element],
        later: &[B::Element],
    ) -> [f32; 2] {
        let [[sums]] =
            sums::<S, CosineTo, A, B, 2, 1, 1>(simd, self.query, self.row, [query], [row], later);
        sums
    }

    #[inline(always)]
    fn finish<'r>(
        self,
        query: &[A::Element],
        query_norm: f32,
        row: impl Fn(usize) -> &'r [B::Element],
        sums: &[[f32; 2]],
        out: &mut [f32],
    ) where
        B::Element: 'r,
    {
        cosines_of(query_norm.into(), sums, out);
        let mut all_sound = is_sound(query_norm);
        for [_, row_norm] in sums {
            all_sound &= is_sound(*row_norm);
        }
        if !all_sound {
            self.rescale(query, query_norm, row, sums, out);
        }
    }

    #[inline(always)]
    fn tile<const QUERIES: usize, const ROWS: usize>(
        self,
        simd: S,
        queries: [(&[A::Element], f32); QUERIES],
        rows: [(&[B::Element], f32); ROWS],
    ) -> [[f32; ROWS]; QUERIES] {
        let tile = Tile::<InnerProduct, _, _, _, _>::new(self.query, self.row, queries, rows);
        let dots = simd.call(tile);
        let mut distances = [[0.0; ROWS]; QUERIES];
        for query in 0..QUERIES {
            let mut sums = [[0.0; 2]; ROWS];
            for row in 0..ROWS {
                sums[row] = [dots[query][row], rows[row].1];
            }
            cosines_of(queries[query].1.into(), &sums, &mut distances[query]);
        }
        let mut all_sound = true;
        for (_, squared_norm) in queries {
            all_sound &= is_sound(squared_norm);
        }
        for (_, squared_norm) in rows {
            all_sound &= is_sound(squared_norm);
        }
        if !all_sound {
            self.rescale_tile(queries, rows, &mut distances);
        }
        distances
    }
}

/// `Σ vᵢ²`
struct SquaredNorm<'a, A: Widen> {
    numbers: A,
    vector: &'a [A::Element],
}

impl<S: Isa, A: Load<S>> Body<S> for SquaredNorm<'_, A> {
    type Output = f32;

    #[inline(always)]
    fn run(self, simd: S) -> f32 {
        let Self { numbers: n, vector: v } = self;
        let [[[norm]]] = sums::<S, InnerProduct, A, A, 1, 1, 1>(simd, n, n, [v], [v], &[]);
        norm
    }
}

/// One sum for each pair of a query and a row.
struct Tile<'a, D, A: Widen, B: Widen, const QUERIES: usize, const ROWS: usize> {
    query: A,
    row: B,
    queries: [&'a [A::Element]; QUERIES],
    rows: [&'a [B::Element]; ROWS],
    sum: PhantomData<D>,
}

impl<'a, D, A: Widen, B: Widen, const QUERIES: usize, const ROWS: usize>
    Tile<'a, D, A, B, QUERIES, ROWS>
{
    #[inline(always)]
    fn new<P, N>(
        query: A,
        row: B,
        queries: [(&'a [A::Element], P); QUERIES],
        rows: [(&'a [B::Element], N); ROWS],
    ) -> Self
    where
        P: Copy,
        N: Copy,
    {
        Self { query, row, queries: vectors(queries), rows: vectors(rows), sum: PhantomData }
    }
}

impl<S, D, A, B, const QUERIES: usize, const ROWS: usize> Body<S>
    for Tile<'_, D, A, B, QUERIES, ROWS>
where
    S: Isa,
    D: LaneSums<1>,
    A: Load<S>,
    B: Load<S>,
{
    type Output = [[f32; ROWS]; QUERIES];

    #[inline(always)]
    fn run(self, simd: S) -> [[f32; ROWS]; QUERIES] {
        let Self { query, row, queries, rows, .. } = self;
        let sums = sums::<S, D, A, B, 1, QUERIES, ROWS>(simd, query, row, queries, rows, &[]);
        let mut flat = [[0.0; ROWS]; QUERIES];
        for query in 0..QUERIES {
            for row in 0..ROWS {
                flat[query][row] = sums[query][row][0];
            }
        }
        flat
    }
}

/// What is done where squared norms are not sound. Not inlined: it would cost the kernels registers.
impl<A: Widen<Scale = ()>, B: Widen> Over<Cosine, A, B> {
    #[cold]
    #[inline(never)]
    fn rescaled(self, a: &[A::Element], b: &[B::Element]) -> f32 {
        rescaled_cosine(a.len(), &|i| self.query.widen(a[i]), &|i| self.row.widen(b[i]))
    }

    /// Replaces the distances that need it.
    #[cold]
    #[inline(never)]
    fn rescale<'r>(
        self,
        query: &[A::Element],
        query_norm: f32,
        row: impl Fn(usize) -> &'r [B::Element],
        sums: &[[f32; 2]],
        out: &mut [f32],
    ) where
        B::Element: 'r,
    {
        for (i, (out, [_, row_norm])) in out.iter_mut().zip(sums).enumerate() {
            if !(is_sound(query_norm) && is_sound(*row_norm)) {
                *out = self.rescaled(query, row(i));
            }
        }
    }

    /// The same in a tile.
    #[cold]
    #[inline(never)]
    fn rescale_tile<const QUERIES: usize, const ROWS: usize>(
        self,
        queries: [(&[A::Element], f32); QUERIES],
        rows: [(&[B::Element], f32); ROWS],
        distances: &mut [[f32; ROWS]; QUERIES],
    ) {
        for ((query, query_norm), distances) in queries.into_iter().zip(distances) {
            for ((row, row_norm), distance) in rows.into_iter().zip(distances) {
                if !(is_sound(query_norm) && is_sound(row_norm)) {
                    *distance = self.rescaled(query, row);
                }
            }
        }
    }
}

/// The vectors without what was prepared of them. (`array::map` would be a call, see [`sums`].)
#[inline(always)]
pub(crate) fn vectors<E, P, const N: usize>(prepared: [(&[E], P); N]) -> [&[E]; N] {
    let mut vectors: [&[E]; N] = [&[]; N];
    for i in 0..N {
        vectors[i] = prepared[i].0;
    }
    vectors
}
