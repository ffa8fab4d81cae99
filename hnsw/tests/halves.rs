//! Rows of `f32` that are stored in halves, of which a search compares the upper ones: what it
//! returns is exact all the same, and points that these cannot tell apart are found.

mod support;

use nearfield_hnsw::{Build, Flat, Hit, Hnsw, Metric, Params, Search, Threads};
use nearfield_kernels::Kernel;
use support::{Random, build, recall, self_misses, vectors};

const METRICS: [Metric; 5] =
    [Metric::L2Squared, Metric::L2, Metric::InnerProduct, Metric::Cosine, Metric::Manhattan];

#[test]
fn distances_are_those_of_the_kernels_to_the_bit() {
    for dim in [64, 65, 100, 784] {
        let values = Random::new(1).normals(300 * dim);
        for metric in METRICS {
            let points = vectors(&values, dim, metric);
            let index = Hnsw::build(points, Params::default(), Build::default()).unwrap();
            let flat = Flat::new(vectors(&values, dim, metric));
            let told = if metric == Metric::Cosine { Metric::L2Squared } else { metric };
            let kernel = Kernel::<f32>::best(told).unwrap();
            for (query, row) in values.chunks(dim).enumerate().step_by(30) {
                let hits = index.search(row, Search::new(10).ef(300)).unwrap();
                assert_eq!(hits, flat.search(row, Search::new(10)).unwrap(), "{metric}, {dim}");
                let target = index.space().get(query as u32).unwrap();
                for hit in hits {
                    let row = index.space().get(hit.id).unwrap();
                    let distance = kernel.distance(&target, &row);
                    let cosine = (0.5 * distance).min(2.0);
                    let distance = if metric == Metric::Cosine { cosine } else { distance };
                    assert_eq!(hit.distance.to_bits(), distance.to_bits(), "{metric}, {dim}");
                }
            }
        }
    }
}

#[test]
fn what_comes_in_comes_out() {
    let values = [Random::new(2).normals(99), vec![f32::MIN_POSITIVE / 2.0]].concat();
    let points = vectors(&values, 100, Metric::L2Squared);
    assert_eq!(points.get(0).as_deref(), Some(&values[..]));
    assert_eq!(points.get(1), None);
}

/// Rows that differ by less than a `bf16` can tell. In so many dimensions a search of whole rows misses
/// one in some thousands too (number 900 of the 96-d ones, by ef 64).
#[test]
fn near_duplicates_are_found() {
    for (dim, scale) in [(64, 1e-3), (96, 1e-3), (96, 1e-6), (200, 0.01)] {
        let mut random = Random::new(3);
        let centre = random.normals(dim);
        let noise = |random: &mut Random| -> Vec<f32> {
            centre.iter().map(|x| x + scale * random.normal()).collect()
        };
        let mut rows: Vec<Vec<f32>> = (0..1000).map(|_| noise(&mut random)).collect();
        rows.extend((0..1000).map(|_| random.normals(dim)));
        for keep_pruned in [false, true] {
            let params = Params::default().keep_pruned(keep_pruned);
            let missed = self_misses(&build(&rows.concat(), dim, params));
            assert!(missed.len() <= 1, "{dim}-d, {scale}, {keep_pruned}: {missed:?} are missed");
        }
    }
}

/// Far from the origin everything is near everything else, measured by its norm.
#[test]
fn an_offset_costs_no_recall() {
    let dim = 96;
    let mut random = Random::new(4);
    let centres = random.normals(20 * dim);
    let mut draw = |count: usize, offset: f32| -> Vec<f32> {
        let rows = (0..count).map(|i| &centres[i % 20 * dim..][..dim]);
        rows.flat_map(|centre| {
            centre.iter().map(|x| x + 0.3 * random.normal() + offset).collect::<Vec<f32>>()
        })
        .collect()
    };
    for offset in [0.0, 10.0, 1000.0] {
        let (values, queries) = (draw(3000, offset), draw(100, offset));
        let queries: Vec<&[f32]> = queries.chunks(dim).collect();
        let index = build(&values, dim, Params::default());
        assert!(self_misses(&index).is_empty());
        let flat = Flat::new(vectors(&values, dim, Metric::L2Squared));
        let exact = flat.search_batch(&queries, Search::new(10), Threads::All).unwrap();
        let found = index.search_batch(&queries, Search::new(10).ef(64), Threads::All).unwrap();
        let recall = recall(&exact, &found);
        assert!(recall >= 0.97, "offset {offset}: recall {recall}");
    }
}

/// Upper halves of small integers are exact, and nothing more is compared; until a row comes whose
/// values have lower halves, or such a query.
#[test]
fn integers_and_fractions_mix() {
    let dim = 80;
    let mut random = Random::new(5);
    let integers: Vec<f32> = (0..1000 * dim).map(|_| random.below(256) as f32).collect();
    let fractions: Vec<f32> = (0..200 * dim).map(|_| 256.0 * random.uniform()).collect();
    let index = build(&integers, dim, Params::default());
    let query = &fractions[..dim];
    let kernel = Kernel::<f32>::best(Metric::L2Squared).unwrap();
    let nearest = |values: &[f32]| -> Vec<Hit> {
        let rows = values.chunks(dim).zip(0..);
        let mut hits: Vec<Hit> =
            rows.map(|(row, id)| Hit { id, distance: kernel.distance(query, row) }).collect();
        hits.sort_by(|a, b| a.distance.total_cmp(&b.distance).then(a.id.cmp(&b.id)));
        hits.truncate(10);
        hits
    };
    let search = Search::new(10).ef(1200);
    assert_eq!(index.search(query, search).unwrap(), nearest(&integers));
    index.insert_batch(&support::rows(&fractions, dim), Build::default()).unwrap();
    index.check().unwrap();
    assert_eq!(
        index.search(query, search).unwrap(),
        nearest(&[integers, fractions.clone()].concat())
    );
    assert!(self_misses(&index).is_empty());
}
