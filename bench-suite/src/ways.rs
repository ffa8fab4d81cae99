//! The ways to compute one and the same distance: a kernel, a plain loop, another library.

use nearfield_kernels::{Element, Kernel, Query, Rows};

/// One way to compute a metric between queries of `Q` and rows of `R`.
pub trait Way<Q, R> {
    /// Whose it is: a backend's name, or a library's.
    fn name(&self) -> &'static str;

    /// The distance of a pair, computed `calls` times.
    fn pair(&self, calls: u64, a: &[Q], b: &[R]) -> f32;

    /// The distances of `query` to all `rows`, in order, into `out`.
    fn one_to_many(&self, query: &[Q], rows: &Flat<'_, R>, out: &mut [f32]);

    /// The distances of `query` to the rows named by `ids`, into `out`.
    fn gather(&self, query: &[Q], rows: &Flat<'_, R>, ids: &[u32], out: &mut [f32]);
}

/// Rows that lie next to each other, both as the kernels take them and as a plain slice, so that
/// nobody pays for the other's view.
#[derive(Debug)]
pub struct Flat<'a, R> {
    values: &'a [R],
    rows: Rows<'a, R>,
}

impl<'a, R> Flat<'a, R> {
    /// As many rows of `dim` elements as `values` holds.
    ///
    /// # Panics
    /// When `dim` is 0.
    pub fn new(values: &'a [R], dim: usize) -> Self {
        let values = &values[..values.len() / dim * dim];
        Self { values, rows: Rows::new(values, dim) }
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}

impl<Q: Query<R>, R: Element> Way<Q, R> for Kernel<Q, R> {
    fn name(&self) -> &'static str {
        self.backend().name()
    }

    fn pair(&self, calls: u64, a: &[Q], b: &[R]) -> f32 {
        repeated(calls, || self.distance(a, b))
    }

    fn one_to_many(&self, query: &[Q], rows: &Flat<'_, R>, out: &mut [f32]) {
        Kernel::one_to_many(self, query, &rows.rows, out);
    }

    fn gather(&self, query: &[Q], rows: &Flat<'_, R>, ids: &[u32], out: &mut [f32]) {
        Kernel::gather(self, query, &rows.rows, ids, out);
    }
}

/// One and the same distance, computed `calls` times. Its bits are kept in an integer, which stays in a
/// register over a call; a sum of floats does not, and its way through memory takes 5.7 ns (AMD, Zen 4
/// class), which would hide what a short pair takes.
#[inline(always)]
fn repeated(calls: u64, distance: impl Fn() -> f32) -> f32 {
    f32::from_bits((0..calls).fold(0, |bits, _| bits | distance().to_bits()))
}

/// The way of a library that has a function of two vectors, and leaves loops to its user.
///
/// The loops are compiled around `distance`, without a pointer between them. It must end in a call
/// that the compiler cannot look into (a foreign function, a pointer chosen at run time): otherwise
/// it computes a repeated pair only once.
pub fn pairwise<Q: 'static, R: 'static>(
    name: &'static str,
    distance: impl Fn(&[Q], &[R]) -> f32 + 'static,
) -> Box<dyn Way<Q, R>> {
    Box::new(Pairwise { name, distance })
}

struct Pairwise<F> {
    name: &'static str,
    distance: F,
}

impl<Q, R, F: Fn(&[Q], &[R]) -> f32> Way<Q, R> for Pairwise<F> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn pair(&self, calls: u64, a: &[Q], b: &[R]) -> f32 {
        repeated(calls, || (self.distance)(a, b))
    }

    fn one_to_many(&self, query: &[Q], rows: &Flat<'_, R>, out: &mut [f32]) {
        for (out, row) in out.iter_mut().zip(rows.values.chunks_exact(rows.rows.dim())) {
            *out = (self.distance)(query, row);
        }
    }

    fn gather(&self, query: &[Q], rows: &Flat<'_, R>, ids: &[u32], out: &mut [f32]) {
        let dim = rows.rows.dim();
        for (out, &id) in out.iter_mut().zip(ids) {
            *out = (self.distance)(query, &rows.values[id as usize * dim..][..dim]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plain;
    use nearfield_kernels::Metric;

    #[test]
    fn a_loop_over_pairs_gives_what_the_kernel_gives() {
        let values: Vec<f32> = (0..50).map(|i| (i * 7 % 11) as f32).collect();
        let (query, rows) = (&values[..4], Flat::new(&values[4..], 4));
        assert_eq!(rows.len(), 11);
        let kernel = Kernel::<f32>::best(Metric::L2Squared).unwrap();
        let plain = pairwise("plain", plain::over_floats(Metric::L2Squared).unwrap());
        let ways: [&dyn Way<f32, f32>; 2] = [&kernel, &*plain];
        assert_eq!(ways.map(Way::name), [kernel.backend().name(), "plain"]);

        let pairs = ways.map(|way| way.pair(3, query, &values[4..8]));
        assert_eq!(
            pairs,
            [plain::over_floats(Metric::L2Squared).unwrap()(query, &values[4..8]); 2]
        );
        let [ours, theirs] = ways.map(|way| {
            let (mut all, mut some) = ([0.0; 11], [0.0; 2]);
            way.one_to_many(query, &rows, &mut all);
            way.gather(query, &rows, &[10, 3], &mut some);
            assert_eq!(some, [all[10], all[3]]);
            all
        });
        assert_eq!(ours, theirs);
    }
}
