//! The same graph for any number of threads and every backend, on every CPU.

mod support;

use nearfield_hnsw::{Build, Hnsw, Index, Metric, Params, Search, Threads, Vectors, bf16, f16};
use nearfield_kernels::Backend;
use support::{FromNumber, Random, elements, vectors_on};
use twox_hash::XxHash3_64;

/// 3,000 points around 30 centres, 200 of them twice: enough for two upper levels, overflowing lists
/// and chains of copies.
fn points_of(dim: usize) -> Vec<f32> {
    let mut random = Random::new(11);
    let centres = random.normals(30 * dim);
    let mut values: Vec<f32> = Vec::new();
    for i in 0..2800 {
        let centre = &centres[i % 30 * dim..][..dim];
        values.extend(centre.iter().map(|x| x + 0.5 * random.normal()));
    }
    values.extend_from_within(..200 * dim);
    values
}

fn points() -> Vec<f32> {
    points_of(40)
}

/// Builds over the first 2,000 points and adds the others in two batches.
fn graph_hash<E: FromNumber>(
    backend: Backend,
    dim: usize,
    metric: Metric,
    threads: Threads<'_>,
) -> u64 {
    let values = elements::<E>(&points_of(dim));
    let (first, rest) = values.split_at(2000 * dim);
    let vectors = vectors_on(backend, first, dim, metric);
    let build = Build::default().threads(threads);
    let index = Hnsw::build(vectors, Params::default().ef_construction(60), build).unwrap();
    let (second, third) = rest.split_at(300 * dim);
    index.insert_batch(&support::rows(second, dim), build).unwrap();
    index.insert_batch(&support::rows(third, dim), build).unwrap();
    index.check().unwrap();
    assert_eq!(index.len(), 3000);
    index.graph_hash()
}

/// What every CPU gives. A change here means that indexes built before differ from those built
/// after: say so in the changelog.
const GOLDEN: [(Metric, u64); 4] = [
    (Metric::L2Squared, 0x0bfa_6e8f_63d1_75be),
    (Metric::InnerProduct, 0x4c86_a69c_805f_39fc),
    (Metric::Cosine, 0xb2e1_8fca_0f7d_9b2b),
    (Metric::Manhattan, 0x098f_73e2_a703_bf2f),
];

/// The same of bytes, whose cosine has a kernel of its own and whose distances tie often.
const GOLDEN_BYTES: [(Metric, u64); 3] = [
    (Metric::L2Squared, 0xcb73_2f56_8ec2_99af),
    (Metric::InnerProduct, 0x8546_4b22_0ffd_67d5),
    (Metric::Cosine, 0x40df_dd3c_646a_c832),
];

/// The same of rows that are stored in halves: 100 dimensions.
const GOLDEN_HALVES: [(Metric, u64); 5] = [
    (Metric::L2Squared, 0x79a6_efc2_56e5_1b39),
    (Metric::L2, 0x4ac7_fc4a_81bf_ac18),
    (Metric::InnerProduct, 0x1c58_c624_4548_07af),
    (Metric::Cosine, 0x1512_c710_57b0_dc46),
    (Metric::Manhattan, 0x972f_becd_1426_d3e9),
];

fn assert_golden<E: FromNumber>(dim: usize, golden: &[(Metric, u64)]) {
    for backend in Backend::available() {
        let hash = |&(metric, _): &(Metric, u64)| {
            (metric, graph_hash::<E>(backend, dim, metric, Threads::Count(2)))
        };
        let hashes: Vec<(Metric, u64)> = golden.iter().map(hash).collect();
        assert_eq!(hashes, golden, "{backend}, {}: {hashes:#x?}", E::NAME);
    }
}

#[test]
fn every_backend_gives_the_golden_graph() {
    assert_golden::<f32>(40, &GOLDEN);
}

#[test]
fn every_backend_gives_the_golden_graph_of_bytes() {
    assert_golden::<u8>(40, &GOLDEN_BYTES);
}

#[test]
fn every_backend_gives_the_golden_graph_of_halves() {
    assert_golden::<f32>(100, &GOLDEN_HALVES);
}

/// Whatever graph scalar code gives on one thread, the others give too.
fn assert_backends_agree<E: FromNumber>() {
    for metric in [Metric::L2Squared, Metric::Cosine] {
        let hash = graph_hash::<E>(Backend::Scalar, 40, metric, Threads::Count(1));
        for backend in Backend::available() {
            let other = graph_hash::<E>(backend, 40, metric, Threads::Count(3));
            assert_eq!(other, hash, "{backend}, {}, {metric}", E::NAME);
        }
    }
}

#[test]
fn every_backend_gives_one_graph_of_f16() {
    assert_backends_agree::<f16>();
}

#[test]
fn every_backend_gives_one_graph_of_bf16() {
    assert_backends_agree::<bf16>();
}

#[test]
fn every_backend_gives_one_graph_of_i8() {
    assert_backends_agree::<i8>();
}

#[test]
fn any_number_of_threads_gives_the_same_graph() {
    let best = Backend::best().unwrap();
    for count in [1, 2, 3, 8] {
        let hash = graph_hash::<f32>(best, 40, Metric::L2Squared, Threads::Count(count));
        assert_eq!(hash, GOLDEN[0].1, "{count} threads: {hash:#018x}");
    }
}

#[test]
fn any_number_of_threads_fills_lists_alike() {
    let values = points();
    let (first, rest) = values.split_at(2000 * 40);
    let hash = |count| {
        let vectors = vectors_on(Backend::best().unwrap(), first, 40, Metric::L2Squared);
        let build = Build::default().threads(count);
        let params = Params::default().keep_pruned(true).ef_construction(60);
        let index = Hnsw::build(vectors, params, build).unwrap();
        index.insert_batch(&support::rows(rest, 40), build).unwrap();
        index.check().unwrap();
        index.graph_hash()
    };
    assert_eq!([1, 2, 3, 8].map(hash), [hash(1); 4]);
}

#[test]
fn the_seed_and_the_parameters_change_the_graph() {
    let values = points();
    let hash = |params| {
        let vectors = vectors_on(Backend::best().unwrap(), &values, 40, Metric::L2Squared);
        Hnsw::build(vectors, params, Build::default()).unwrap().graph_hash()
    };
    let params = Params::default();
    let first = hash(params.clone());
    assert_eq!(first, hash(params.clone()));
    assert_ne!(first, hash(params.clone().seed(1)));
    assert_ne!(first, hash(params.clone().m(15)));
    assert_ne!(first, hash(params.clone().ef_construction(20)));
    assert_ne!(first, hash(params.keep_pruned(true)));
}

#[test]
fn growth_in_segments_gives_the_graph_of_one_segment() {
    let values = points();
    let hash = |vectors: Vectors<f32>| {
        Hnsw::build(vectors, Params::default(), Build::default()).unwrap().graph_hash()
    };
    let flat = vectors_on(Backend::best().unwrap(), &values, 40, Metric::L2Squared);
    let mut grown = Vectors::new(40, Metric::L2Squared).unwrap();
    for rows in values.chunks(40 * 7) {
        grown.extend(rows).unwrap();
    }
    assert_eq!(hash(flat), hash(grown));
}

#[test]
fn a_batch_of_searches_answers_as_single_searches_do() {
    let values = points();
    let vectors = vectors_on(Backend::best().unwrap(), &values, 40, Metric::Cosine);
    let index = Hnsw::build(vectors, Params::default(), Build::default()).unwrap();
    let queries: Vec<&[f32]> = values.chunks(40).step_by(17).collect();
    let search = Search::new(10).ef(30);
    let single: Vec<_> = queries.iter().map(|query| index.search(query, search).unwrap()).collect();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(3).build().unwrap();
    for threads in [Threads::Count(1), Threads::All, Threads::Pool(&pool), Threads::Current] {
        assert_eq!(index.search_batch(&queries, search, threads).unwrap(), single);
    }
}

/// One writer's operations on a space of one backend: the digests of the graph, and of the file.
fn changed(backend: Backend, threads: usize) -> [u64; 2] {
    let values = Random::new(36).normals(1500 * 8);
    let (first, rest) = values.split_at(1000 * 8);
    let build = Build::default().threads(threads);
    let params = Params::default().ef_construction(60);
    let space = vectors_on(backend, first, 8, Metric::L2Squared);
    let index = Index::build(space, (0..1000u64).collect(), params, build).unwrap();
    let mut random = Random::new(37);
    let mut any_key = || random.below(1000) as u64;
    for (step, row) in (0..).zip(rest.chunks(8)) {
        match step % 4 {
            0 => _ = index.insert(2000 + step, row).unwrap(),
            1 => _ = index.upsert(any_key(), row).unwrap(),
            // An equal row, and then an end of it.
            2 => _ = index.upsert(any_key(), &values[..8]).unwrap(),
            _ => _ = index.remove(&any_key()).unwrap(),
        }
    }
    let keys = (5000..5300).collect();
    index.insert_batch(keys, &support::rows(&values[..300 * 8], 8), build).unwrap();
    index.check().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("index");
    index.save(&path).unwrap();
    [index.graph_hash(), XxHash3_64::oneshot(&std::fs::read(path).unwrap())]
}

/// Found once and written down here; a change of the first is a change of every graph that lives, of the
/// second alone one of the format.
const GOLDEN_CHANGED: [u64; 2] = [0x50a5_2c49_d3c7_39d7, 0x66b1_b0a2_1240_1dd4];

#[test]
fn the_same_operations_give_the_same_graph_everywhere() {
    for backend in Backend::available() {
        let hash = changed(backend, 2);
        assert_eq!(hash, GOLDEN_CHANGED, "{backend}: {hash:#018x?}");
    }
    for threads in [1, 3] {
        assert_eq!(changed(Backend::best().unwrap(), threads), GOLDEN_CHANGED, "{threads} threads");
    }
}
