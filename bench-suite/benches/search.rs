//! `cargo bench -p bench-suite --bench search`: one query over a small index, by width of the beam.
//!
//! Synthetic and cached, so that a change of the walk or of its kernels shows within seconds; what
//! real data of real size gives is for `cargo xtask bench` to say.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use nearfield_hnsw::{Build, Flat, Hnsw, Metric, Params, Search, Vectors};

const ROWS: usize = 10_000;
const DIM: usize = 128;
const K: usize = 10;

/// Numbers in −1…1 from a linear congruential generator (Knuth's MMIX), the same on every run.
fn noise(seed: u64) -> impl Iterator<Item = f32> {
    let next = |state: &u64| {
        Some(state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407))
    };
    let high = |state: u64| (state >> 40) as f32 / (1u64 << 23) as f32 - 1.0;
    std::iter::successors(Some(seed), next).skip(1).map(high)
}

/// Rows around 100 centres: structure that a graph can use, as real data has.
fn clustered(rows: usize, seed: u64) -> Vec<f32> {
    let centres: Vec<f32> = noise(1).take(100 * DIM).collect();
    let mut noise = noise(seed);
    (0..rows)
        .flat_map(|row| &centres[row % 100 * DIM..][..DIM])
        .map(|centre| centre + 0.5 * noise.next().unwrap_or_default())
        .collect()
}

fn search(criterion: &mut Criterion) {
    let vectors = || {
        let mut vectors = Vectors::new(DIM, Metric::L2Squared).expect("f32 has squared L2");
        vectors.extend(&clustered(ROWS, 2)).expect("noise is finite");
        vectors
    };
    let index = Hnsw::build(vectors(), Params::default(), Build::default()).expect("it fits");
    let queries = clustered(256, 3);
    let mut queries = queries.chunks_exact(DIM).cycle();
    let mut next = || queries.next().expect("a cycle does not end");

    let mut group = criterion.benchmark_group("search");
    group.throughput(Throughput::Elements(1));
    let mut searcher = index.searcher();
    for ef in [16, 64, 256] {
        let request = Search::new(K).ef(ef);
        group.bench_function(BenchmarkId::new("hnsw", ef), |bencher| {
            bencher.iter(|| searcher.search(next(), request).map(<[_]>::len));
        });
    }
    let flat = Flat::new(vectors());
    group.bench_function("flat", |bencher| {
        bencher.iter(|| flat.search(next(), Search::new(K)));
    });
    group.finish();
}

criterion_group!(benches, search);
criterion_main!(benches);
