//! A query of `f32` over rows that are stored as `f16`: half the memory, and nothing of the query is rounded.
//!
//! `cargo run --release -p nearfield-kernels --example f32_over_f16`

use nearfield_kernels::{Kernel, Metric, Rows, Unsupported, f16};

fn main() -> Result<(), Unsupported> {
    let rows: Vec<f16> = [1.0, 0.0, 0.0, 1.0, 0.5, 0.5].map(f16::from_f32).to_vec();
    let rows = Rows::new(&rows, 2);

    let kernel = Kernel::<f32, f16>::best(Metric::InnerProduct)?;
    let mut distances = [0.0; 3];
    kernel.one_to_many(&[0.25, 0.75], &rows, &mut distances);
    println!("{distances:?}");
    assert_eq!(distances, [-0.25, -0.75, -0.5]); // smaller is closer
    Ok(())
}
