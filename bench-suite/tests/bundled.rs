//! The data in the repository is what its description says.

use bench_suite::{Truth, bundled};
use nearfield_kernels::Metric;

#[test]
fn fashion_mnist_is_whole_and_its_truth_is_true() {
    let mut set = bundled::fashion_mnist().unwrap();
    assert_eq!((set.base.len(), set.base.dim(), set.queries.len()), (60_000, 784, 10_000));
    assert_eq!(set.metric, Metric::L2Squared);
    let pixels = |values: &[f32]| values.iter().all(|v| (0.0..=255.0).contains(v));
    assert!(pixels(set.base.values()) && pixels(set.queries.values()));

    // The truth of all queries would take minutes in a test; a few are enough to show a mix-up.
    let truth = set.truth.take().unwrap();
    assert_eq!((truth.queries(), truth.columns()), (10_000, 100));
    set.limit(60_000, 8);
    let kernel = set.kernel(None).unwrap();
    let recomputed = Truth::exact(kernel, &set.base, &set.queries, 100);
    for query in 0..8 {
        let distances = |ids: &[u32]| -> Vec<f32> {
            let row = |&id: &u32| set.base.row(id as usize);
            ids.iter().map(|id| kernel.distance(set.queries.row(query), row(id))).collect()
        };
        // Rows at one distance may stand in any order, so distances are compared, not ids.
        assert_eq!(distances(truth.of(query)), distances(recomputed.of(query)), "query {query}");
    }
}

#[test]
fn wordnet_minilm_is_whole_and_its_truth_is_what_its_maker_computes() {
    let set = bundled::wordnet_minilm().unwrap();
    assert_eq!((set.base.len(), set.base.dim()), (bundled::WORDNET_ROWS, 384));
    assert_eq!((set.queries.len(), set.metric), (bundled::WORDNET_QUERIES, Metric::Cosine));
    let truth = set.truth.as_ref().unwrap();
    assert_eq!((truth.queries(), truth.columns()), (bundled::WORDNET_QUERIES, 100));
    assert_eq!(*truth, bundled::wordnet_truth(&set).unwrap());
}
