//! One distance in one call, and a kernel that is resolved once for many.
//!
//! `cargo run --release -p nearfield-kernels --example pairs`

use nearfield_kernels::{Kernel, Metric, Unsupported, cosine, l2_squared};

fn main() -> Result<(), Unsupported> {
    let (a, b) = ([1.0f32, 2.0, 2.0], [4.0f32, 6.0, 2.0]);
    assert_eq!(l2_squared(&a, &b), 25.0);
    assert_eq!(cosine(&a, &a), 0.0);

    // Which instruction set serves it is decided here, once.
    let kernel = Kernel::<f32>::best(Metric::Manhattan)?;
    println!("Manhattan on {}: {}", kernel.backend(), kernel.distance(&a, &b));
    assert_eq!(kernel.distance(&a, &b), 7.0);

    // What makes no sense is refused when it is asked for.
    assert!(Kernel::<f32>::best(Metric::Hamming).is_err());
    Ok(())
}
