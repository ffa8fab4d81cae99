//! Recall against the exact index.

mod support;

use nearfield_hnsw::{Build, Flat, Hnsw, Metric, Params, Search, Threads};
use support::{Random, recall, vectors};

fn recall_of(
    metric: Metric,
    values: &[f32],
    queries: &[Vec<f32>],
    dim: usize,
    params: Params,
    ef: usize,
) -> f64 {
    let index = Hnsw::build(vectors(values, dim, metric), params, Build::default()).unwrap();
    index.check().unwrap();
    let exact = Flat::new(vectors(values, dim, metric));
    let search = Search::new(10).ef(ef);
    let exact = exact.search_batch(queries, search, Threads::All).unwrap();
    recall(&exact, &index.search_batch(queries, search, Threads::All).unwrap())
}

/// 5,000 standard-normal vectors of 64 dimensions, M 16, ef_construction 200, ef 50, k 10, 20 fresh
/// queries for each of 5 seeds: hnswlib reaches 0.90. The figures are the same on every machine, but
/// 100 queries are few: these find 0.948 and 0.904, 5,000 find 0.942 and 0.897 (ADR 5).
#[test]
fn the_published_case() {
    for (keep_pruned, at_least) in [(true, 0.941), (false, 0.90)] {
        let mut sum = 0.0;
        for seed in 0..5 {
            let mut random = Random::new(seed);
            let values = random.normals(5000 * 64);
            let queries: Vec<Vec<f32>> = (0..20).map(|_| random.normals(64)).collect();
            let params = Params::default().keep_pruned(keep_pruned).seed(seed);
            sum += recall_of(Metric::L2Squared, &values, &queries, 64, params, 50);
        }
        let mean = sum / 5.0;
        println!("keep_pruned {keep_pruned}: recall {mean:.4}");
        assert!(mean >= at_least, "keep_pruned {keep_pruned}: {mean:.4} < {at_least}");
    }
}
