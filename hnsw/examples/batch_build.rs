//! Builds an index over many vectors in parallel. The graph does not depend on the number of threads.
//!
//! `cargo run --release -p nearfield-hnsw --example batch_build`

use std::error::Error;

use nearfield_hnsw::{Build, Index, Metric, Params, Search, Threads, Vectors};

const DIM: usize = 16;
const ROWS: u64 = 5_000;

fn build(values: &[f32], build: Build<'_>) -> Result<Index<u64, Vectors<f32>>, Box<dyn Error>> {
    let mut vectors = Vectors::new(DIM, Metric::L2Squared)?.with_capacity(ROWS as usize);
    vectors.extend(values)?; // rows, one behind the other
    Ok(Index::build(vectors, (0..ROWS).collect(), Params::default(), build)?)
}

fn main() -> Result<(), Box<dyn Error>> {
    // Numbers that look random. Yours come from a file: see the crate nearfield-files.
    let numbers = (0..ROWS as u32 * DIM as u32).map(|i| i.wrapping_mul(2_654_435_761) >> 16);
    let values: Vec<f32> = numbers.map(|number| number as f32).collect();

    let progress = |done: usize, total: usize| eprintln!("{done} of {total} points");
    let index = build(&values, Build::default().progress(&progress))?;
    let alone = build(&values, Build::default().threads(1))?;
    assert_eq!(index.graph_hash(), alone.graph_hash());

    // More points, all or none of them.
    let rows: Vec<Vec<f32>> = values.chunks_exact(DIM).take(100).map(<[f32]>::to_vec).collect();
    index.insert_batch((ROWS..ROWS + 100).collect(), &rows, Build::default())?;
    assert_eq!(index.len(), ROWS as usize + 100);

    // Many searches, on all cores.
    let answers = index.search_batch(&rows, Search::new(2), Threads::All)?;
    assert!(answers.iter().all(|hits| hits[0].distance == 0.0 && hits[1].distance == 0.0));
    println!("{} points, graph {:016x}", index.len(), alone.graph_hash());
    Ok(())
}
