//! Every backend gives the bits of the reference: any length, any alignment, any shape of call.

mod common;

use common::{Noise, assert_same, backends, dims, every_shape, reference, reference_bits};
use nearfield_kernels::{Kernel, Metric};

const FLOAT_METRICS: [Metric; 4] =
    [Metric::L2Squared, Metric::InnerProduct, Metric::Cosine, Metric::Manhattan];
const BIT_METRICS: [Metric; 2] = [Metric::Hamming, Metric::Jaccard];

#[test]
fn float_pairs_equal_the_reference() {
    let values = Noise::new(1).floats(2 * (4099 + 15));
    for metric in FLOAT_METRICS {
        for dim in dims() {
            for offset in 0..16 {
                // One side moves through all alignments, the other against it.
                let a = &values[offset..][..dim];
                let b = &values[4099 + 15 - offset..][..dim];
                let expected = reference(metric, a, b);
                for backend in backends() {
                    let kernel = Kernel::<f32>::on(backend, metric).unwrap();
                    assert_same(kernel.distance(a, b), expected, || {
                        format!("{metric} on {backend}, dim {dim}, offset {offset}")
                    });
                }
            }
        }
    }
}

#[test]
fn bit_pairs_equal_the_reference() {
    let words = Noise::new(2).words(2 * (300 + 15));
    for metric in BIT_METRICS {
        for dim in (0..=260).chain([300]) {
            for offset in 0..16 {
                let a = &words[offset..][..dim];
                let b = &words[300 + 15 - offset..][..dim];
                let expected = reference_bits(metric, a, b);
                for backend in backends() {
                    let kernel = Kernel::<u64>::on(backend, metric).unwrap();
                    assert_same(kernel.distance(a, b), expected, || {
                        format!("{metric} on {backend}, {dim} words, offset {offset}")
                    });
                }
            }
        }
    }
}

#[test]
fn zero_padding_changes_no_bit() {
    let mut noise = Noise::new(3);
    for dim in 0..=200 {
        let a = noise.floats(dim);
        let b = noise.floats(dim);
        for padded in [dim.next_multiple_of(16), dim.next_multiple_of(64), dim + 100] {
            let mut long_a = a.clone();
            let mut long_b = b.clone();
            long_a.resize(padded, 0.0);
            long_b.resize(padded, 0.0);
            for metric in FLOAT_METRICS {
                let expected = reference(metric, &a, &b);
                assert_same(reference(metric, &long_a, &long_b), expected, || {
                    format!("reference of {metric}, {dim} padded to {padded}")
                });
                for backend in backends() {
                    let kernel = Kernel::<f32>::on(backend, metric).unwrap();
                    assert_same(kernel.distance(&long_a, &long_b), expected, || {
                        format!("{metric} on {backend}, {dim} padded to {padded}")
                    });
                }
            }
        }
    }
}

#[test]
fn sums_that_cancel_or_vanish_are_never_negative_zero() {
    let tiny = f32::from_bits(1);
    for dim in 1..=130 {
        for fill in [0.0, -0.0, tiny, -tiny] {
            let a = vec![tiny; dim];
            let b = vec![fill; dim];
            for metric in FLOAT_METRICS {
                let expected = reference(metric, &a, &b);
                for backend in backends() {
                    let distance = Kernel::on(backend, metric).unwrap().distance(&a, &b);
                    assert_same(distance, expected, || format!("{metric} on {backend}, {dim}"));
                    assert_ne!(distance.to_bits(), (-0.0f32).to_bits(), "{metric} on {backend}");
                }
            }
        }
    }
}

#[test]
fn float_rows_equal_the_pairs() {
    let dims = || (1..=80).chain([96, 100, 127, 128, 129, 200, 256, 260, 384, 784]);
    let values = Noise::new(4).floats(10 * 820);
    for metric in FLOAT_METRICS {
        every_shape(metric, &values, dims(), |a, b| reference(metric, a, b));
    }
}

#[test]
fn bit_rows_equal_the_pairs() {
    let words = Noise::new(5).words(10 * 100);
    for metric in BIT_METRICS {
        every_shape(metric, &words, 1..=70, |a, b| reference_bits(metric, a, b));
    }
}
