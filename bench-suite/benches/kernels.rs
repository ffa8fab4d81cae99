//! Criterion benches of the kernels: pairs and gathered rows, for every metric and backend.
//!
//! `cargo bench -p bench-suite --bench kernels -- l2/avx512` runs a part of them.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use nearfield_kernels::{Backend, Element, Kernel, Metric, Rows};

/// Rows of a gather: as many as the neighbours of a graph node.
const ROWS: usize = 32;

fn floats(c: &mut Criterion) {
    let values: Vec<f32> =
        (0..(ROWS + 1) * 1536).map(|i| ((i * 7919) % 20011) as f32 / 10005.0 - 1.0).collect();
    for metric in [Metric::L2Squared, Metric::InnerProduct, Metric::Cosine, Metric::Manhattan] {
        kernels(c, metric, &values, &[32, 100, 128, 384, 768, 1536]);
    }
}

fn bits(c: &mut Criterion) {
    let words: Vec<u64> =
        (1..=(ROWS as u64 + 1) * 128).map(|i| i.wrapping_mul(0x9E37_79B9_7F4A_7C15)).collect();
    for metric in [Metric::Hamming, Metric::Jaccard] {
        kernels(c, metric, &words, &[4, 16, 128]);
    }
}

fn kernels<E: Element>(c: &mut Criterion, metric: Metric, values: &[E], dims: &[usize]) {
    let ids: Vec<u32> = (0..ROWS as u32).map(|i| i * 13 % ROWS as u32).collect();
    let mut out = [0.0; ROWS];
    for backend in Backend::available() {
        let kernel = Kernel::<E>::on(backend, metric).expect("a metric of this element");
        for &dim in dims {
            let (query, rest) = values.split_at(dim);
            let row = &rest[..dim];
            let rows = Rows::new(&rest[..ROWS * dim], dim);

            let mut group = c.benchmark_group(format!("{metric}/{backend}"));
            group.throughput(Throughput::Elements(1));
            group.bench_function(BenchmarkId::new("pair", dim), |b| {
                b.iter(|| kernel.distance(black_box(query), black_box(row)));
            });
            group.throughput(Throughput::Elements(ROWS as u64));
            group.bench_function(BenchmarkId::new("gather", dim), |b| {
                b.iter(|| kernel.gather(black_box(query), &rows, black_box(&ids), &mut out));
            });
            group.finish();
        }
    }
}

criterion_group!(benches, floats, bits);
criterion_main!(benches);
