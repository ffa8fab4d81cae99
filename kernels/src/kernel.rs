//! A kernel: one metric over one element type, resolved to one backend.

use core::ops::Range;

use crate::backend::{Backend, Unsupported};
use crate::batch::Which;
use crate::element::{Element, Query};
use crate::math::sqrt_f32;
use crate::metric::Metric;
use crate::rows::Rows;
use crate::scale::Scale;
use crate::table::Table;

/// A distance function, resolved once and then called as often as you like.
///
/// Small, `Copy`, `Send` and `Sync`. A call costs one indirect call over the bare kernel.
///
/// ```
/// use nearfield_kernels::{Kernel, Metric};
///
/// let floats = Kernel::<f32>::best(Metric::InnerProduct)?;
/// assert_eq!(floats.distance(&[1.0, 2.0], &[3.0, 4.0]), -11.0);
///
/// let bits = Kernel::<u64>::best(Metric::Jaccard)?;
/// assert_eq!(bits.distance(&[0b1110], &[0b0111]), 0.5);
/// # Ok::<(), nearfield_kernels::Unsupported>(())
/// ```
#[derive(Debug)]
pub struct Kernel<Q: Query<R>, R: Element = Q> {
    table: &'static Table<Q, R, Q::Scale>,
    scale: Q::Scale,
    metric: Metric,
    backend: Backend,
}

impl<Q: Query<R>, R: Element> Clone for Kernel<Q, R> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<Q: Query<R>, R: Element> Copy for Kernel<Q, R> {}

impl<Q: Query<R>, R: Element> Kernel<Q, R> {
    /// The fastest kernel that this CPU has for `metric`, or the one that
    /// [`BACKEND_VARIABLE`](crate::BACKEND_VARIABLE) demands.
    ///
    /// # Errors
    /// [`Unsupported`] when the metric makes no sense for the elements or the forced backend is missing.
    pub fn best(metric: Metric) -> Result<Self, Unsupported> {
        Self::on(Backend::best()?, metric)
    }

    /// The kernel of one backend by name, for tests and benchmarks.
    ///
    /// # Errors
    /// [`Unsupported`] when the metric makes no sense for the elements or the CPU lacks the backend.
    pub fn on(backend: Backend, metric: Metric) -> Result<Self, Unsupported> {
        Ok(Self { table: Q::table(backend, metric)?, scale: Default::default(), metric, backend })
    }

    /// The metric it computes.
    pub fn metric(&self) -> Metric {
        self.metric
    }

    /// The backend it runs on.
    pub fn backend(&self) -> Backend {
        self.backend
    }

    /// The distance of `a` and `b`; its range is stated with its [`Metric`]. Two empty vectors have
    /// the distance 0, by cosine 1.
    ///
    /// # Panics
    /// When the lengths differ.
    #[inline]
    pub fn distance(&self, a: &[Q], b: &[R]) -> f32 {
        assert!(a.len() == b.len(), "vectors of {} and {} elements", a.len(), b.len());
        self.rooted(self.table.pair(self.scale, a, b))
    }

    /// The distances of `query` to all `rows`, in order, into `out`: per row exactly what
    /// [`distance`](Self::distance) gives.
    ///
    /// ```
    /// use nearfield_kernels::{Kernel, Metric, Rows};
    ///
    /// let values = [0.0f32, 0.0, 3.0, 4.0, 1.0, 0.0];
    /// let mut out = [0.0; 3];
    /// let kernel = Kernel::best(Metric::L2Squared)?;
    /// kernel.one_to_many(&[0.0, 0.0], &Rows::new(&values, 2), &mut out);
    /// assert_eq!(out, [0.0, 25.0, 1.0]);
    /// # Ok::<(), nearfield_kernels::Unsupported>(())
    /// ```
    ///
    /// # Panics
    /// When `query.len() != rows.dim()` or `out.len() != rows.len()`.
    #[inline]
    pub fn one_to_many(&self, query: &[Q], rows: &Rows<'_, R>, out: &mut [f32]) {
        self.check(query, rows, rows.len(), out, "rows");
        self.one_to_these(query, rows, Which::From(0), out);
    }

    /// The distances of `query` to the rows named by `ids`, into `out`: per row exactly what
    /// [`distance`](Self::distance) gives. Fetches the rows ahead of their use. An id may occur more
    /// than once.
    ///
    /// ```
    /// use nearfield_kernels::{Kernel, Metric, Rows};
    ///
    /// let values = [0.0f32, 0.0, 3.0, 4.0, 1.0, 0.0];
    /// let mut out = [0.0; 2];
    /// let kernel = Kernel::best(Metric::Manhattan)?;
    /// kernel.gather(&[0.0, 0.0], &Rows::new(&values, 2), &[2, 1], &mut out);
    /// assert_eq!(out, [1.0, 7.0]);
    /// # Ok::<(), nearfield_kernels::Unsupported>(())
    /// ```
    ///
    /// # Panics
    /// When `query.len() != rows.dim()`, `out.len() != ids.len()`, or an id is not below `rows.len()`.
    #[inline]
    pub fn gather(&self, query: &[Q], rows: &Rows<'_, R>, ids: &[u32], out: &mut [f32]) {
        self.check(query, rows, ids.len(), out, "ids");
        self.one_to_these(query, rows, Which::Ids(ids), out);
    }

    /// The distances of all `queries` to all `rows`, into `out`: that of query *i* and row *j* at
    /// `i · rows.len() + j`, exactly what [`distance`](Self::distance) gives. Each vector loaded serves
    /// several distances, as in a matrix product.
    ///
    /// ```
    /// use nearfield_kernels::{Kernel, Metric, Rows};
    ///
    /// let queries = [0.0f32, 0.0, 1.0, 1.0];
    /// let values = [0.0f32, 0.0, 3.0, 4.0, 1.0, 0.0];
    /// let mut out = [0.0; 6];
    /// let kernel = Kernel::<f32>::best(Metric::L2Squared)?;
    /// kernel.many_to_many(&Rows::new(&queries, 2), &Rows::new(&values, 2), &mut out);
    /// assert_eq!(out, [0.0, 25.0, 1.0, 2.0, 13.0, 1.0]);
    /// # Ok::<(), nearfield_kernels::Unsupported>(())
    /// ```
    ///
    /// # Panics
    /// When `queries.dim() != rows.dim()` or `out.len() != queries.len() * rows.len()`.
    pub fn many_to_many(&self, queries: &Rows<'_, Q>, rows: &Rows<'_, R>, out: &mut [f32]) {
        // No slice is as long as the largest usize.
        let count = queries.len().saturating_mul(rows.len());
        assert!(out.len() == count, "room for {} distances of {count} pairs", out.len());
        self.many_to_range(queries, 0..queries.len(), rows, 0..rows.len(), out);
    }

    /// The distances of `query` to the rows from `first` on, as many as `out` has room for.
    pub(crate) fn one_to_range(
        &self,
        query: &[Q],
        rows: &Rows<'_, R>,
        first: usize,
        out: &mut [f32],
    ) {
        self.check(query, rows, out.len(), out, "rows");
        self.one_to_these(query, rows, Which::From(first), out);
    }

    /// The distances of some queries to some rows, query after query.
    pub(crate) fn many_to_range(
        &self,
        queries: &Rows<'_, Q>,
        of_queries: Range<usize>,
        rows: &Rows<'_, R>,
        of_rows: Range<usize>,
        out: &mut [f32],
    ) {
        let dim = queries.dim();
        assert!(dim == rows.dim(), "queries of {dim} elements against rows of {}", rows.dim());
        self.table.many_to_many(self.scale, queries, of_queries, rows, of_rows, out);
        self.root_all(out);
    }

    #[inline(always)]
    fn one_to_these(&self, query: &[Q], rows: &Rows<'_, R>, which: Which<'_>, out: &mut [f32]) {
        self.table.one_to_many(self.scale, query, rows, which, out);
        self.root_all(out);
    }

    /// L2 is the root of what the table of squared L2 gives.
    #[inline(always)]
    fn rooted(&self, distance: f32) -> f32 {
        if self.metric == Metric::L2 { sqrt_f32(distance) } else { distance }
    }

    #[inline(always)]
    fn root_all(&self, out: &mut [f32]) {
        if self.metric == Metric::L2 {
            for distance in out {
                *distance = sqrt_f32(*distance);
            }
        }
    }

    #[inline]
    fn check(&self, query: &[Q], rows: &Rows<'_, R>, count: usize, out: &[f32], of: &str) {
        let (len, dim) = (query.len(), rows.dim());
        assert!(len == dim, "a query of {len} elements against rows of {dim}");
        assert!(out.len() == count, "room for {} distances of {count} {of}", out.len());
    }
}

impl<R: Element> Kernel<f32, R>
where
    f32: Query<R, Scale = Scale>,
{
    /// The same kernel over rows whose codes stand for the numbers that `scale` says.
    ///
    /// # Panics
    /// When the factor or the offset is not finite.
    #[must_use]
    pub fn scaled(self, scale: Scale) -> Self {
        let Scale { factor, offset } = scale;
        assert!(factor.is_finite() && offset.is_finite(), "codes of {factor} and {offset}");
        Self { scale, ..self }
    }
}
