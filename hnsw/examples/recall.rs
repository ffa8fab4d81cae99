//! Measures how many of the nearest neighbours an index finds: `Flat` knows them all.
//!
//! `cargo run --release -p nearfield-hnsw --example recall`

use std::error::Error;
use std::time::Instant;

use nearfield_hnsw::{Build, Flat, Hnsw, Metric, Params, Search, Vectors};

const DIM: usize = 12;
const K: usize = 10;

/// Numbers between 0 and 1 that look random.
fn numbers(count: usize, mut state: u64) -> Vec<f32> {
    let mut next = || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1u32 << 24) as f32
    };
    (0..count).map(|_| next()).collect()
}

fn vectors(values: &[f32]) -> Result<Vectors<f32>, Box<dyn Error>> {
    let mut vectors = Vectors::new(DIM, Metric::L2Squared)?;
    vectors.extend(values)?;
    Ok(vectors)
}

fn main() -> Result<(), Box<dyn Error>> {
    let values = numbers(10_000 * DIM, 1);
    let queries = numbers(200 * DIM, 2);
    let exact = Flat::new(vectors(&values)?);
    let index = Hnsw::build(vectors(&values)?, Params::default(), Build::default())?;

    let mut truth = Vec::new();
    for query in queries.chunks_exact(DIM) {
        truth.push(exact.search(query, Search::new(K))?);
    }
    let mut recalls = Vec::new();
    for ef in [10, 40, 160] {
        let started = Instant::now();
        let mut found = 0;
        for (query, truth) in queries.chunks_exact(DIM).zip(&truth) {
            let hits = index.search(query, Search::new(K).ef(ef))?;
            found += hits.iter().filter(|hit| truth.iter().any(|near| near.id == hit.id)).count();
        }
        recalls.push(found as f64 / (K * truth.len()) as f64);
        println!("ef {ef:>3}: recall {:.3} in {:?}", recalls[recalls.len() - 1], started.elapsed());
    }
    assert!(recalls.is_sorted() && recalls[2] > 0.95);
    Ok(())
}
