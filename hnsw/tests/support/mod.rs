//! Points to test with, and questions that several tests ask.
#![allow(dead_code, reason = "each test binary uses a part")]

mod blind;
pub(crate) mod mapped;

pub(crate) use blind::Blind;
use nearfield_hnsw::{
    Build, Hnsw, Id, Metric, Params, Search, Vectors, bf16, f16,
    space::{Scorer, Space, VectorElement},
};
use nearfield_kernels::Backend;

/// A small generator of reproducible numbers (SplitMix64).
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let x = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        x ^ (x >> 31)
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    /// Uniform in 0…1.
    pub(crate) fn uniform(&mut self) -> f32 {
        (self.next() >> 40) as f32 / (1u64 << 24) as f32
    }

    /// About standard normal: the sum of twelve uniform numbers less six. No logarithm, so the
    /// same on every platform.
    pub(crate) fn normal(&mut self) -> f32 {
        (0..12).map(|_| self.uniform()).sum::<f32>() - 6.0
    }

    pub(crate) fn normals(&mut self, count: usize) -> Vec<f32> {
        (0..count).map(|_| self.normal()).collect()
    }

    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }
}

/// An element that numbers can be made into, of a size that suits it.
pub(crate) trait FromNumber: VectorElement {
    fn from_number(number: f32) -> Self;
}

macro_rules! from_number {
    ($($element:ty: $from:expr;)*) => {$(
        impl FromNumber for $element {
            fn from_number(number: f32) -> Self {
                let from: fn(f32) -> Self = $from;
                from(number)
            }
        }
    )*};
}

from_number! {
    f32: |x| x;
    f16: f16::from_f32;
    bf16: bf16::from_f32;
    i8: |x| (x * 20.0) as Self; // saturates, as does the next
    u8: |x| (x * 20.0 + 128.0) as Self;
    u64: |x| u64::from(x.to_bits()).wrapping_mul(0x9E37_79B9_7F4A_7C15); // some bits
}

/// Numbers as elements: floats as they are or rounded, integers of them times 20 (`u8`: plus 128).
pub(crate) fn elements<E: FromNumber>(numbers: &[f32]) -> Vec<E> {
    numbers.iter().map(|number| E::from_number(*number)).collect()
}

pub(crate) fn vectors<E: VectorElement>(values: &[E], dim: usize, metric: Metric) -> Vectors<E> {
    vectors_on(Backend::best().unwrap(), values, dim, metric)
}

pub(crate) fn vectors_on<E: VectorElement>(
    backend: Backend,
    values: &[E],
    dim: usize,
    metric: Metric,
) -> Vectors<E> {
    let mut vectors = Vectors::on(backend, dim, metric).unwrap();
    vectors.extend(values).unwrap();
    vectors
}

/// An index whose searches are led by the graph alone.
pub(crate) fn build<E: VectorElement>(values: &[E], dim: usize, params: Params) -> Hnsw<Blind<E>> {
    let space = Blind(vectors(values, dim, Metric::L2Squared));
    let index = Hnsw::build(space, params, Build::default()).unwrap();
    index.check().unwrap();
    index
}

/// The rows of a matrix of `dim` columns.
pub(crate) fn rows<E>(values: &[E], dim: usize) -> Vec<&[E]> {
    values.chunks_exact(dim).collect()
}

/// The points that a search for their own row with ef 64 does not find; an equal row counts.
pub(crate) fn self_misses<E: VectorElement>(index: &Hnsw<Blind<E>>) -> Vec<u32> {
    let row = |id| index.space().0.get(id).unwrap();
    let mut searcher = index.searcher();
    (0..index.len() as u32)
        .filter(|id| {
            let hits = searcher.search(&row(*id), Search::new(1).ef(64)).unwrap();
            row(hits[0].id) != row(*id)
        })
        .collect()
}

/// The share of the exact answers among the hits.
pub(crate) fn recall(
    exact: &[Vec<nearfield_hnsw::Hit>],
    found: &[Vec<nearfield_hnsw::Hit>],
) -> f64 {
    let common = |exact: &[nearfield_hnsw::Hit], found: &[nearfield_hnsw::Hit]| {
        exact.iter().filter(|hit| found.iter().any(|other| other.id == hit.id)).count()
    };
    let total: usize = exact.iter().map(Vec::len).sum();
    let hits: usize = exact.iter().zip(found).map(|(exact, found)| common(exact, found)).sum();
    hits as f64 / total as f64
}

/// The scorers of the first points of a space tell the distances that `distance` does, in whatever way
/// they are asked. A graph forgives much: recall alone does not show a scorer that is wrong at times.
pub(crate) fn assert_scores<S: Space>(space: &S, distance: impl Fn(Id, Id) -> f32) {
    let ids: Vec<Id> = (0..space.len().min(20) as Id).collect();
    let mut aimed = space.member(0);
    for a in &ids {
        let expected: Vec<f32> = ids.iter().map(|b| distance(*a, *b)).collect();
        let mut out = vec![f32::NAN; ids.len()];
        space.member(*a).score_all(&ids, &mut out);
        assert_eq!(out, expected, "of the member {a}");
        aimed.set_target(*a);
        aimed.score_all(&ids, &mut out);
        assert_eq!(out, expected, "aimed at {a}");
        out.iter_mut().zip(&ids).for_each(|(out, b)| *out = aimed.score(*b));
        assert_eq!(out, expected, "one by one, aimed at {a}");
    }
}
