//! Every shape of call gives, per pair, the same bits.

use nearfield_kernels::{Backend, Element, Kernel, Query, Rows};

use super::{assert_same, backends};

/// Pairs at every misalignment of 0…15 elements, one side moving against the other.
pub(crate) fn every_alignment<Q: Query<R> + Clone, R: Element>(
    what: &str,
    queries: &[Q],
    values: &[R],
    dims: impl Iterator<Item = usize>,
    kernel: impl Fn(Backend) -> Kernel<Q, R>,
    expected: impl Fn(&[Q], &[R]) -> f32,
) {
    for dim in dims {
        for offset in 0..16 {
            let a = &queries[offset..][..dim];
            let b = &values[15 - offset..][..dim];
            let expected = expected(a, b);
            for backend in backends() {
                assert_same(kernel(backend).distance(a, b), expected, || {
                    format!("{what} on {backend}, dim {dim}, offset {offset}")
                });
            }
        }
    }
}

/// Distances of queries to rows, in order, by id and as a table, must be those of the pairs. Needs
/// ten times the largest dimension, and some more, of queries and of values.
pub(crate) fn every_shape<Q: Query<R> + Clone, R: Element>(
    what: &str,
    queries: &[Q],
    values: &[R],
    dims: impl Iterator<Item = usize>,
    kernel: impl Fn(Backend) -> Kernel<Q, R>,
    expected: impl Fn(&[Q], &[R]) -> f32,
) {
    for dim in dims {
        for (extra, offset) in [(0, 0), (3, 1), (16 - dim % 16, 5)] {
            let stride = dim + extra;
            let query = &queries[offset..][..dim];
            let table = &values[offset..];
            for count in 0..=9 {
                let rows = Rows::with_stride(&table[..count * stride], dim, stride, count);
                let expected: Vec<f32> =
                    (0..count as u32).map(|id| expected(query, rows.row(id))).collect();
                // The same rows in segments of 2, 2, 4 and what is left.
                let bounds = [0, 2, 4, 8, 16].map(|row| table.len().min(row * stride));
                let segments = bounds.windows(2).map(|w| &table[w[0]..w[1]]);
                let segmented = Rows::segmented(segments, 1, dim, stride, count);
                // Every row, some twice, in no order.
                let ids: Vec<u32> = (0..count * 2).map(|i| (i * 7 % count.max(1)) as u32).collect();
                for backend in backends() {
                    let kernel = kernel(backend);
                    let at = |shape: &str, id: usize| {
                        format!("{shape} {what} on {backend}, dim {dim}, row {id} of {count}")
                    };
                    let mut out = vec![f32::NAN; count];
                    kernel.one_to_many(query, &rows, &mut out);
                    for (id, (&got, &expected)) in out.iter().zip(&expected).enumerate() {
                        assert_same(got, expected, || at("one-to-many", id));
                    }
                    for (shape, rows) in [("flat", &rows), ("segmented", &segmented)] {
                        for take in [ids.len(), ids.len().saturating_sub(1)] {
                            let mut out = vec![f32::NAN; take];
                            kernel.gather(query, rows, &ids[..take], &mut out);
                            for (&id, &got) in ids.iter().zip(&out) {
                                assert_same(got, expected[id as usize], || at(shape, id as usize));
                            }
                        }
                    }
                }
            }
        }
        every_tile(what, queries, values, dim, &kernel, &expected);
    }
}

/// Tables of queries and rows, also such as fill no tile and more than one strip of rows.
fn every_tile<Q: Query<R> + Clone, R: Element>(
    what: &str,
    queries: &[Q],
    values: &[R],
    dim: usize,
    kernel: &impl Fn(Backend) -> Kernel<Q, R>,
    expected: &impl Fn(&[Q], &[R]) -> f32,
) {
    for (height, width) in [(0, 3), (3, 0), (1, 1), (2, 5), (4, 4), (5, 3), (9, 8), (2, 70)] {
        // They overlap where there are not enough values: what matters is that they differ.
        let step = dim.min((values.len() - dim) / width.max(1));
        let all_queries: Vec<Q> =
            (0..height).flat_map(|i| queries[i..][..dim].iter().cloned()).collect();
        let all_rows: Vec<R> =
            (0..width).flat_map(|i| values[i * step..][..dim].iter().copied()).collect();
        let queries = Rows::new(&all_queries, dim);
        let rows = Rows::new(&all_rows, dim);
        for backend in backends() {
            let mut out = vec![f32::NAN; height * width];
            kernel(backend).many_to_many(&queries, &rows, &mut out);
            for (i, &got) in out.iter().enumerate() {
                let (query, row) = (i / width, i % width);
                let expected = expected(queries.row(query as u32), rows.row(row as u32));
                assert_same(got, expected, || {
                    format!("{what} on {backend}, dim {dim}, {query} × {row} of {height} × {width}")
                });
            }
        }
    }
}
