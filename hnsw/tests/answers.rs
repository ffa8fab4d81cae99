//! What a search returns, and what it refuses.

mod support;

use nearfield_hnsw::{
    Build, BuildError, Flat, Hnsw, InsertError, Metric, Params, ParamsError, Search, SearchError,
    Threads, Vectors,
    search::BatchError,
    space::{InvalidVector, VectorError},
};
use proptest::prelude::*;
use support::{Random, build, vectors};

const DIM: usize = 6;

fn small(metric: Metric) -> Hnsw<Vectors<f32>> {
    let values = Random::new(21).normals(300 * DIM);
    Hnsw::build(vectors(&values, DIM, metric), Params::default(), Build::default()).unwrap()
}

#[test]
fn exactly_k_or_all_hits_ordered_and_distinct() {
    for metric in [Metric::L2Squared, Metric::InnerProduct, Metric::Cosine, Metric::Manhattan] {
        let index = small(metric);
        let query = Random::new(22).normals(DIM);
        for k in [1, 2, 64, 65, 299, 300, 301, 100_000] {
            let hits = index.search(&query, Search::new(k).ef(1)).unwrap();
            assert_eq!(hits.len(), k.min(300), "{metric}, k {k}");
            let key = |hit: &nearfield_hnsw::Hit| (hit.distance, hit.id);
            assert!(hits.windows(2).all(|pair| key(&pair[0]) < key(&pair[1])), "{metric}, k {k}");
            let mut ids: Vec<u32> = hits.iter().map(|hit| hit.id).collect();
            ids.sort_unstable();
            ids.dedup();
            assert_eq!(ids.len(), hits.len());
        }
    }
}

#[test]
fn a_search_for_everything_is_exact() {
    for metric in [Metric::L2Squared, Metric::InnerProduct, Metric::Cosine, Metric::Manhattan] {
        let index = small(metric);
        let exact = Flat::new(vectors(&Random::new(21).normals(300 * DIM), DIM, metric));
        let query = Random::new(23).normals(DIM);
        let search = Search::new(300);
        assert_eq!(index.search(&query, search).unwrap(), exact.search(&query, search).unwrap());
    }
}

#[test]
fn distances_are_those_of_the_kernels() {
    let values = Random::new(21).normals(300 * DIM);
    let query = Random::new(24).normals(DIM);
    for metric in [Metric::L2Squared, Metric::InnerProduct, Metric::Manhattan] {
        let kernel = nearfield_kernels::Kernel::<f32>::best(metric).unwrap();
        for hit in small(metric).search(&query, Search::new(300)).unwrap() {
            let row = &values[hit.id as usize * DIM..][..DIM];
            assert_eq!(hit.distance.to_bits(), kernel.distance(&query, row).to_bits());
        }
    }
}

#[test]
fn packed_bits() {
    let mut random = Random::new(25);
    let words: Vec<u64> = (0..500 * 4).map(|_| random.next()).collect();
    for metric in [Metric::Hamming, Metric::Jaccard] {
        let vectors = || {
            let mut vectors = Vectors::<u64>::new(4, metric).unwrap();
            vectors.extend(&words).unwrap();
            vectors
        };
        let index = Hnsw::build(vectors(), Params::default(), Build::default()).unwrap();
        index.check().unwrap();
        let exact = Flat::new(vectors());
        let mut common = 0;
        for query in words.chunks(4).take(50) {
            let search = Search::new(10).ef(100);
            let (found, exact) =
                (index.search(query, search).unwrap(), exact.search(query, search).unwrap());
            assert_eq!(found[0], exact[0]);
            common += found.iter().filter(|hit| hit.distance <= exact[9].distance).count();
        }
        assert!(common >= 490, "{metric}: {common} of 500");
    }
    assert!(matches!(Vectors::<u64>::new(4, Metric::Cosine), Err(VectorError::Unsupported(_))));
    assert!(matches!(Vectors::<f32>::new(4, Metric::Hamming), Err(VectorError::Unsupported(_))));
}

#[test]
fn an_empty_index_answers_with_no_hits_and_grows() {
    let vectors = Vectors::<f32>::new(DIM, Metric::L2Squared).unwrap();
    let index = Hnsw::build(vectors, Params::default(), Build::default()).unwrap();
    assert!(index.is_empty());
    index.check().unwrap();
    let query = [1.0; DIM];
    assert_eq!(index.search(&query, Search::new(3)).unwrap(), []);
    assert_eq!(index.insert_batch(&[query], Build::default()).unwrap(), 0..1);
    assert_eq!(index.insert_batch::<[f32; DIM]>(&[], Build::default()).unwrap(), 1..1);
    assert_eq!(index.search(&query, Search::new(3)).unwrap().len(), 1);
    index.check().unwrap();
}

#[test]
fn cosine_rows_are_stored_normalised() {
    let mut vectors = Vectors::<f32>::new(2, Metric::Cosine).unwrap();
    vectors.extend(&[3.0, 4.0, 0.0, -2.0]).unwrap();
    assert_eq!(vectors.get(0).as_deref(), Some(&[0.6, 0.8][..]));
    assert_eq!(vectors.get(2), None);
    let index = Hnsw::build(vectors, Params::default(), Build::default()).unwrap();
    let hits = index.search(&[0.0, 10.0], Search::new(2)).unwrap();
    assert_eq!((hits[0].id, hits[1].id, hits[1].distance), (0, 1, 2.0));
    assert!((hits[0].distance - 0.2).abs() < 1e-6);
}

#[test]
fn bad_vectors_are_refused_and_nothing_is_added() {
    let index = small(Metric::L2Squared);
    let hash = index.graph_hash();
    let good = vec![1.0; DIM];
    let with = |place: usize, value: f32| {
        let mut row = good.clone();
        row[place] = value;
        row
    };
    let infinite = InvalidVector::NotFinite { position: 2, value: f32::INFINITY };
    let cases = [
        (vec![1.0; DIM + 1], VectorError::Dimension { expected: DIM, found: DIM + 1 }),
        (with(2, f32::INFINITY), VectorError::Point(infinite)),
        (with(1, 1e19), VectorError::Point(InvalidVector::NormOverflow { squared_norm: 1e38 })),
    ];
    let mut vectors = Vectors::<f32>::new(DIM, Metric::L2Squared).unwrap();
    let ragged = VectorError::Ragged { dim: DIM, elements: DIM + 1 };
    assert_eq!(vectors.extend(&cases[0].0), Err(ragged));
    let rows = [good.clone(), cases[1].0.clone()].concat();
    assert_eq!(vectors.extend(&rows), Err(row(1, infinite)));
    assert_eq!(vectors.get(0), None);
    for (bad, expected) in cases {
        match index.insert_batch(&[good.clone(), bad.clone()], Build::default()) {
            Err(InsertError::Point { place: 1, error }) => assert_eq!(error, expected),
            other => panic!("{other:?} instead of {expected:?}"),
        }
        match index.insert(&bad) {
            Err(InsertError::Point { place: 0, error }) => assert_eq!(error, expected),
            other => panic!("{other:?} instead of {expected:?}"),
        }
    }
    let nan = index.insert_batch(&[good.clone(), with(1, f32::NAN)], Build::default()).unwrap_err();
    let message = "the index refuses the point at place 1 of the call: element 1 is NaN, where a \
                   finite number is needed";
    assert_eq!(nan.to_string(), message);
    assert_eq!((index.len(), index.space().get(300)), (300, None));
    assert_eq!(index.graph_hash(), hash);

    let mut vectors = Vectors::<f32>::new(DIM, Metric::Cosine).unwrap();
    assert_eq!(vectors.extend(&[0.0; DIM]), Err(row(0, InvalidVector::ZeroVector)));
    // Too small for f32 to tell its norm, but it has a direction.
    vectors.extend(&[1e-30; DIM]).unwrap();
    for dim in [0, u32::MAX as usize, usize::MAX] {
        let error = Vectors::<f32>::new(dim, Metric::L2Squared).unwrap_err();
        assert_eq!(error, VectorError::Dimensions { dim });
        let message = format!("vectors of {dim} elements cannot be: make it 1 to 4294967232");
        assert_eq!(error.to_string(), message);
    }
}

fn row(row: usize, flaw: InvalidVector) -> VectorError {
    VectorError::Row { row, flaw }
}

#[test]
fn bad_searches_are_refused() {
    let index = small(Metric::L2Squared);
    let query = [0.0; DIM];
    let refused = |query: &[f32], search| index.search(query, search).unwrap_err();
    assert_eq!(refused(&query, Search::new(0)), SearchError::ZeroK);
    assert_eq!(refused(&query, Search::new(1).ef(0)), SearchError::ZeroEf);
    let short = SearchError::Query(VectorError::Dimension { expected: DIM, found: 5 });
    assert_eq!(refused(&query[1..], Search::new(1)), short);
    let mut infinite = query;
    infinite[3] = f32::NEG_INFINITY;
    let flaw = InvalidVector::NotFinite { position: 3, value: f32::NEG_INFINITY };
    let error = SearchError::Query(VectorError::Query(flaw));
    assert_eq!(refused(&infinite, Search::new(1)), error);
    let batch = index.search_batch(&[query, infinite, infinite], Search::new(1), Threads::Count(2));
    let batch = batch.unwrap_err();
    assert!(matches!(&batch, BatchError::Query { place: 1, error: found } if *found == error));
    assert_eq!(
        error.to_string(),
        "the query was refused: element 3 is -inf, where a finite number is needed"
    );
    assert_eq!(
        batch.to_string(),
        "query 1 was refused: element 3 is -inf, where a finite number is needed"
    );
    let nothing = index.search_batch(&[query], Search::new(0), Threads::Count(1)).unwrap_err();
    assert_eq!(nothing.to_string(), "k is 0; ask for at least 1 hit");
    // The searcher serves on after an error.
    let mut searcher = index.searcher();
    assert!(searcher.search(&infinite, Search::new(1)).is_err());
    assert_eq!(searcher.search(&query, Search::new(1)).unwrap().len(), 1);
}

#[test]
fn bad_parameters_are_refused() {
    let attempt = |params| {
        let vectors = Vectors::<f32>::new(2, Metric::L2Squared).unwrap();
        match Hnsw::build(vectors, params, Build::default()) {
            Err(BuildError::Params(error)) => error,
            other => panic!("{other:?}"),
        }
    };
    for m in [0, 1, 513] {
        assert_eq!(attempt(Params::default().m(m)), ParamsError::M(m));
    }
    for ef_construction in [0, (1 << 20) + 1] {
        let error = attempt(Params::default().ef_construction(ef_construction));
        assert_eq!(error, ParamsError::EfConstruction(ef_construction));
    }
    let error = attempt(Params::default().m(1));
    assert_eq!(error.to_string(), "M is 1; it must be in 2…512");
}

#[test]
fn progress_counts_up_to_all_points() {
    let seen = std::sync::Mutex::new(Vec::new());
    let progress = |done, total| seen.lock().unwrap().push((done, total));
    let values = Random::new(26).normals(1000);
    let build = Build::default().progress(&progress);
    Hnsw::build(vectors(&values, 1, Metric::L2Squared), Params::default(), build).unwrap();
    let seen = seen.into_inner().unwrap();
    assert!(seen.len() > 10);
    assert!(seen.windows(2).all(|pair| pair[0].0 <= pair[1].0));
    assert_eq!(seen.last(), Some(&(1000, 1000)));
}

#[test]
fn memory_is_told_by_part() {
    let index = build(&Random::new(27).normals(1000 * 20), 20, Params::default());
    let memory = index.memory();
    assert_eq!(memory.points, 1000 * 32 * 4, "rows of 20 floats take two cache lines");
    assert!(memory.links >= 1000 * 32 * 4 && memory.links < 1000 * (32 + 4) * 4);
    assert_eq!(memory.total(), memory.points + memory.links + memory.other);
}

#[test]
fn twenty_four_bytes_a_point_are_enough_beside_rows_and_links() {
    let (n, m) = (20_000, 16);
    let params = Params::default().m(m).ef_construction(16);
    let memory = build(&Random::new(28).normals(n * 8), 8, params).memory();
    let links = n * 4 * 2 * m + n * 4 * m / (m - 1); // one point in M is on level 1, one in M² on 2 …
    assert!(memory.total() - memory.points <= links + 24 * n, "{memory:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// Whatever is inserted in whatever batches: the invariants hold, and a search for everything
    /// is exact. Few distinct coordinates, so that equal rows and ties abound.
    #[test]
    fn any_batches_of_any_points(
        rows in prop::collection::vec(prop::array::uniform3(-2i8..3), 1..150),
        cuts in prop::collection::vec(0usize..150, 0..4),
        m in 2usize..6,
        ef_construction in 1usize..40,
        keep_pruned: bool,
        seed: u64,
    ) {
        let values: Vec<f32> = rows.iter().flatten().map(|x| f32::from(*x)).collect();
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(rows.len())).collect();
        cuts.extend([0, rows.len()]);
        cuts.sort_unstable();
        let params = Params::new().m(m).ef_construction(ef_construction).keep_pruned(keep_pruned).seed(seed);
        let empty = Vectors::new(3, Metric::L2Squared).unwrap();
        let build = Build::default().threads(2);
        let index = Hnsw::build(empty, params, build).unwrap();
        for cut in cuts.windows(2) {
            index.insert_batch(&support::rows(&values[cut[0] * 3..cut[1] * 3], 3), build).unwrap();
            index.check().unwrap();
        }
        let exact = Flat::new(vectors(&values, 3, Metric::L2Squared));
        for query in values.chunks(3).take(10) {
            let search = Search::new(rows.len());
            prop_assert_eq!(index.search(query, search).unwrap(), exact.search(query, search).unwrap());
        }
    }
}
