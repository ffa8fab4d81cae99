//! The nearest rows of a table, exactly: by distances to all rows, and by `nearest`, which keeps the best.
//!
//! `cargo run --release -p nearfield-kernels --example exact_search`

use nearfield_kernels::{Kernel, Metric, Rows, Unsupported};

fn main() -> Result<(), Unsupported> {
    // 1,000 rows of 8, next to each other.
    let values: Vec<f32> = (0..8000).map(|i| ((i * 37) % 101) as f32).collect();
    let rows = Rows::new(&values, 8);
    let query = &values[8 * 123..][..8];

    let kernel = Kernel::<f32>::best(Metric::L2Squared)?;
    let mut distances = vec![0.0; rows.len()];
    kernel.one_to_many(query, &rows, &mut distances);
    let closest = distances.iter().copied().fold(f32::INFINITY, f32::min);

    for nearest in kernel.nearest(query, &rows, 3) {
        println!("row {} at {}", nearest.id, nearest.distance);
    }
    assert_eq!(kernel.nearest(query, &rows, 1)[0].distance, closest);
    assert_eq!(distances[123], 0.0);
    Ok(())
}
