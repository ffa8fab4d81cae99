//! Points that lie very near each other: whoever searches for one that is there finds it, first; and
//! equal rows are at distance 0, to the bit.

mod support;

use nearfield_hnsw::{Build, Flat, Hnsw, Metric, Params, Search, bf16, f16};
use nearfield_kernels::Element;
use proptest::prelude::*;
use support::{FromNumber, Random, elements, vectors};

const OF_NUMBERS: [Metric; 5] =
    [Metric::L2Squared, Metric::L2, Metric::InnerProduct, Metric::Cosine, Metric::Manhattan];

/// `count` rows of `dim` numbers, which are one of a few texts each, varied by `noise`.
fn copies(texts: usize, count: usize, dim: usize, noise: f32, seed: u64) -> Vec<f32> {
    let mut random = Random::new(seed);
    let centres = random.normals(texts * dim);
    let rows = (0..count).map(|row| &centres[row % texts * dim..][..dim]);
    rows.flat_map(|centre| centre.iter().map(|x| x + noise * random.normal()).collect::<Vec<f32>>())
        .collect()
}

/// Every row is the first hit of a search for it, unless the exact index says otherwise: of points at
/// equal distances the first comes first, and by inner products a longer one is nearer.
fn assert_found<E: FromNumber>(metric: Metric, dim: usize, numbers: &[f32]) {
    let values = elements::<E>(numbers);
    let exact = Flat::new(vectors(&values, dim, metric));
    let index = Hnsw::build(vectors(&values, dim, metric), Params::default(), Build::default());
    let index = index.unwrap();
    let mut searcher = index.searcher();
    for (id, row) in values.chunks(dim).enumerate().map(|(id, row)| (id as u32, row)) {
        let context = format!("{} of {dim}, {metric}, row {id}", E::NAME);
        let all = Search::new(5).ef(index.len());
        let nearest = exact.search(row, Search::new(5)).unwrap();
        assert_eq!(index.search(row, all).unwrap(), nearest, "{context}");
        if metric == Metric::InnerProduct {
            continue;
        }
        assert_eq!(nearest[0].distance.to_bits(), 0, "{context}");
        let is_told_apart = E::NAME == f32::NAME || nearest[1].distance > 0.0;
        if !is_told_apart {
            continue;
        }
        let filter = |other: &u32| other % 2 == id % 2;
        for search in [
            Search::new(1).ef(1),
            Search::new(1).ef(10),
            Search::new(3).within(1e-5),
            Search::new(3).within(0.0),
            Search::new(3).filter(&filter),
        ] {
            let found = searcher.search(row, search).unwrap();
            assert_eq!(found.first(), Some(&nearest[0]), "{context}: {search:?}");
            let found = searcher.search_near(id, search).unwrap();
            assert_eq!(found.first(), Some(&nearest[0]), "{context}, near it: {search:?}");
        }
        assert_eq!(nearest[0].id, id, "{context}");
    }
}

/// As the report of the fault has it: 20 texts with 100 copies each that differ by 1 %.
#[test]
fn copies_of_texts_find_themselves() {
    for dim in [64, 384] {
        let values = copies(20, 2000, dim, 1e-2, 21);
        let points = vectors(&values, dim, Metric::Cosine);
        let index = Hnsw::build(points, Params::default(), Build::default()).unwrap();
        let mut searcher = index.searcher();
        for id in (0..2000).step_by(10) {
            for search in
                [Search::new(10).ef(400), Search::new(1).ef(1), Search::new(1).within(0.0)]
            {
                let hits = searcher.search_near(id, search).unwrap();
                assert_eq!(hits.first().map(|hit| (hit.id, hit.distance)), Some((id, 0.0)));
            }
        }
    }
}

#[test]
fn equal_rows_are_at_distance_0() {
    fn assert_zero<E: FromNumber>(dim: usize) {
        for scale in [1e-3, 1.0, 30.0] {
            let numbers: Vec<f32> =
                Random::new(5).normals(100 * dim).iter().map(|x| scale * x).collect();
            let values = elements::<E>(&numbers);
            if values.chunks(dim).any(|row| row.iter().all(|x| *x == E::zeroed())) {
                continue;
            }
            for metric in OF_NUMBERS.into_iter().filter(|metric| *metric != Metric::InnerProduct) {
                let exact = Flat::new(vectors(&values, dim, metric));
                for row in values.chunks(dim) {
                    let hits = exact.search(row, Search::new(1).within(0.0)).unwrap();
                    assert_eq!(hits[0].distance.to_bits(), 0, "{} of {dim}, {metric}", E::NAME);
                }
            }
        }
    }
    for dim in [3, 63, 64, 100] {
        assert_zero::<f32>(dim);
        assert_zero::<f16>(dim);
        assert_zero::<bf16>(dim);
        assert_zero::<i8>(dim);
        assert_zero::<u8>(dim);
    }
}

/// Checks numbers as elements of one type.
type Check = fn(Metric, usize, &[f32]);

const ELEMENTS: [Check; 5] = [
    assert_found::<f32>,
    assert_found::<f16>,
    assert_found::<bf16>,
    assert_found::<i8>,
    assert_found::<u8>,
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn near_duplicates_find_themselves(
        seed in 0u64..1000,
        dim in prop::sample::select(&[63usize, 64, 100, 384]),
        noise in prop::sample::select(&[1e-7f32, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1]),
        texts in 1usize..5,
        metric in prop::sample::select(&OF_NUMBERS),
        element in 0usize..2 * ELEMENTS.len(),
    ) {
        // Every other case is one of f32.
        let check = ELEMENTS.get(element).unwrap_or(&ELEMENTS[0]);
        check(metric, dim, &copies(texts, 120, dim, noise, seed));
    }
}
