//! Every backend gives the bits of the reference: any length, any alignment, any shape of call.

mod common;

use common::shapes::{every_alignment, every_shape};
use common::{Noise, assert_same, backends, dims, reference, reference_bits};
use nearfield_kernels::{Backend, Element, Kernel, Metric, Query, Rows, Unsupported};

const FLOAT_METRICS: [Metric; 5] =
    [Metric::L2Squared, Metric::L2, Metric::InnerProduct, Metric::Cosine, Metric::Manhattan];
const BIT_METRICS: [Metric; 2] = [Metric::Hamming, Metric::Jaccard];

#[test]
fn float_pairs_equal_the_reference() {
    let (a, b) = (Noise::new(1).floats(4099 + 15), Noise::new(6).floats(4099 + 15));
    for metric in FLOAT_METRICS {
        let kernel = |backend| Kernel::on(backend, metric).unwrap();
        every_alignment(metric.name(), &a, &b, dims(), kernel, |a, b| reference(metric, a, b));
    }
}

#[test]
fn bit_pairs_equal_the_reference() {
    let (a, b) = (Noise::new(2).words(300 + 15), Noise::new(7).words(300 + 15));
    let bytes = (bytemuck::cast_slice::<u64, u8>(&a), bytemuck::cast_slice::<u64, u8>(&b));
    for metric in BIT_METRICS {
        let dims = || (0..=260).chain([300]);
        let kernel = |backend| Kernel::on(backend, metric).unwrap();
        every_alignment(metric.name(), &a, &b, dims(), kernel, |a, b| reference_bits(metric, a, b));
        let kernel = |backend| Kernel::on(backend, metric).unwrap();
        let expected = |a: &[u8], b: &[u8]| reference_bits(metric, &words(a), &words(b));
        every_alignment(metric.name(), bytes.0, bytes.1, dims(), kernel, expected);
    }
}

/// Counts beyond 2²⁴, which f32 does not hold: the quotient has to be of the counts themselves.
#[test]
fn bits_beyond_what_f32_counts_equal_the_reference() {
    let (a, b) = (Noise::new(8).words(400_000), Noise::new(9).words(400_000));
    for (metric, start) in
        BIT_METRICS.into_iter().flat_map(|metric| (0..4).map(move |start| (metric, start)))
    {
        let (a, b) = (&a[start..], &b[start..]);
        for backend in backends() {
            let distance = Kernel::on(backend, metric).unwrap().distance(a, b);
            assert_same(distance, reference_bits(metric, a, b), || {
                format!("{metric} on {backend}, {} words", a.len())
            });
        }
    }
}

/// Bytes as words, filled up with zeros.
fn words(bytes: &[u8]) -> Vec<u64> {
    let word = |bytes: &[u8]| bytes.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte));
    bytes.chunks(8).map(word).collect()
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
    let (queries, values) = (Noise::new(8).floats(820), Noise::new(4).floats(10 * 820));
    for metric in FLOAT_METRICS {
        let kernel = |backend| Kernel::on(backend, metric).unwrap();
        every_shape(metric.name(), &queries, &values, dims(), kernel, |a, b| {
            reference(metric, a, b)
        });
    }
}

#[test]
fn bit_rows_equal_the_pairs() {
    let (queries, values) = (Noise::new(9).words(100), Noise::new(5).words(10 * 100));
    for metric in BIT_METRICS {
        let kernel = |backend| Kernel::on(backend, metric).unwrap();
        every_shape(metric.name(), &queries, &values, 1..=70, kernel, |a, b| {
            reference_bits(metric, a, b)
        });
    }
}

/// Tables that no second-level cache holds are read in one stream.
#[test]
fn rows_of_a_long_table_equal_the_pairs() {
    let mut noise = Noise::new(6);
    let (floats, bytes) = (noise.floats(4100 * 131), noise.bytes(4700 * 450)); // 2.1 MB each
    for metric in FLOAT_METRICS {
        equal_the_pairs(&floats[7..7 + 131], &Rows::new(&floats, 131), |on| Kernel::on(on, metric));
        equal_the_pairs(&bytes[7..7 + 450], &Rows::new(&bytes, 450), |on| Kernel::on(on, metric));
    }
}

fn equal_the_pairs<E: Element + Query<E>>(
    query: &[E],
    rows: &Rows<'_, E>,
    kernel: impl Fn(Backend) -> Result<Kernel<E>, Unsupported>,
) {
    for backend in backends() {
        let kernel = kernel(backend).unwrap();
        let mut out = vec![f32::NAN; rows.len()];
        kernel.one_to_many(query, rows, &mut out);
        for (id, got) in (0..).zip(out) {
            let pair = kernel.distance(query, rows.row(id));
            assert_same(got, pair, || format!("{} on {backend}, row {id}", kernel.metric()));
        }
    }
}
