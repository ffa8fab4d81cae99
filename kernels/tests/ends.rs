//! Vectors that end where their memory ends, at lengths around the ends of registers and blocks: what the unsafe
//! loads of tails are about. Small enough for Miri, which sees a read beyond an allocation; CONTRIBUTING says how.

mod common;

use bytemuck::cast_slice;
use common::{Noise, assert_same, backends};
use half::{bf16, f16};
use nearfield_kernels::{Backend, Element, Kernel, Metric, Query, Rows};

/// Lengths at which some instruction set goes over from one kind of load to another.
const LENGTHS: [usize; 13] = [0, 1, 7, 8, 9, 16, 31, 33, 63, 64, 65, 100, 130];

/// Every metric of these elements: a pair, rows in order, rows by id. Each vector has memory of its own, or ends
/// with its table's.
fn ends<Q: Query<R> + Clone, R: Element>(queries: &[Q], values: &[R]) {
    for metric in Metric::ALL {
        let Ok(reference) = Kernel::<Q, R>::on(Backend::Scalar, metric) else { continue };
        for dim in LENGTHS {
            let query: Box<[Q]> = queries[..dim].into();
            let row: Box<[R]> = values[1..][..dim].into();
            let expected = reference.distance(&query, &row);
            for backend in backends() {
                let kernel = Kernel::<Q, R>::on(backend, metric).unwrap();
                let at = || format!("{metric} on {backend}, {dim} elements");
                assert_same(kernel.distance(&query, &row), expected, at);
                if dim == 0 {
                    continue; // no table has rows without elements
                }
                let table: Box<[R]> = values[..5 * dim].into();
                let rows = Rows::new(&table, dim);
                let (mut out, mut gathered) = ([f32::NAN; 5], [f32::NAN; 2]);
                kernel.one_to_many(&query, &rows, &mut out);
                kernel.gather(&query, &rows, &[4, 0], &mut gathered);
                for (id, out) in (0..).zip(out) {
                    assert_same(out, reference.distance(&query, rows.row(id)), at);
                }
                assert_same(gathered[0], out[4], at);
                assert_same(gathered[1], out[0], at);
            }
        }
    }
}

const VALUES: usize = 5 * 130;

#[test]
fn floats_end_with_their_memory() {
    let (a, b) = (Noise::new(1).floats(VALUES), Noise::new(2).floats(VALUES));
    ends(&a, &b);
}

#[test]
fn halves_end_with_their_memory() {
    let (a, b) = (Noise::new(3).floats(VALUES), Noise::new(4).floats(VALUES));
    let f16s = |floats: &[f32]| floats.iter().map(|&x| f16::from_f32(x)).collect::<Vec<_>>();
    let bf16s = |floats: &[f32]| floats.iter().map(|&x| bf16::from_f32(x)).collect::<Vec<_>>();
    ends(&f16s(&a), &f16s(&b));
    ends(&bf16s(&a), &bf16s(&b));
    ends(&a, &f16s(&b));
    ends(&a, &bf16s(&b));
}

#[test]
fn bytes_end_with_their_memory() {
    let (a, b) = (Noise::new(5).bytes(VALUES), Noise::new(6).bytes(VALUES));
    let (signed_a, signed_b): (&[i8], &[i8]) = (cast_slice(&a), cast_slice(&b));
    ends(&a, &b);
    ends(signed_a, signed_b);
    let queries = Noise::new(7).floats(VALUES);
    ends(&queries, &b);
    ends(&queries, signed_b);
}

#[test]
fn words_end_with_their_memory() {
    ends(&Noise::new(8).words(VALUES), &Noise::new(9).words(VALUES));
}
