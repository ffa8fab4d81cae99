//! A kernel: one metric over one element type, resolved to one backend.

use crate::backend::{Backend, Unsupported};
use crate::element::Element;
use crate::metric::Metric;
use crate::rows::Rows;
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
pub struct Kernel<E: 'static> {
    table: &'static Table<E>,
    metric: Metric,
    backend: Backend,
}

impl<E> Clone for Kernel<E> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<E> Copy for Kernel<E> {}

impl<E: Element> Kernel<E> {
    /// The fastest kernel that this CPU has for `metric`, or the one that
    /// [`BACKEND_VARIABLE`](crate::BACKEND_VARIABLE) demands.
    ///
    /// # Errors
    /// [`Unsupported`] when the metric makes no sense for `E` or the forced backend is missing.
    pub fn best(metric: Metric) -> Result<Self, Unsupported> {
        Self::on(Backend::best()?, metric)
    }

    /// The kernel of one backend by name, for tests and benchmarks.
    ///
    /// # Errors
    /// [`Unsupported`] when the metric makes no sense for `E` or the CPU lacks the backend.
    pub fn on(backend: Backend, metric: Metric) -> Result<Self, Unsupported> {
        Ok(Self { table: E::table(backend, metric)?, metric, backend })
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
    pub fn distance(&self, a: &[E], b: &[E]) -> f32 {
        assert!(a.len() == b.len(), "vectors of {} and {} elements", a.len(), b.len());
        self.table.pair(a, b)
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
    pub fn one_to_many(&self, query: &[E], rows: &Rows<'_, E>, out: &mut [f32]) {
        self.check(query, rows, rows.len(), out, "rows");
        self.table.one_to_many(query, rows, out);
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
    pub fn gather(&self, query: &[E], rows: &Rows<'_, E>, ids: &[u32], out: &mut [f32]) {
        self.check(query, rows, ids.len(), out, "ids");
        self.table.gather(query, rows, ids, out);
    }

    #[inline]
    fn check(&self, query: &[E], rows: &Rows<'_, E>, count: usize, out: &[f32], of: &str) {
        let (len, dim) = (query.len(), rows.dim());
        assert!(len == dim, "a query of {len} elements against rows of {dim}");
        assert!(out.len() == count, "room for {} distances of {count} {of}", out.len());
    }
}
