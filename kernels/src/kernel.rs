//! A kernel: one metric over one element type, resolved to one backend.

use crate::{Backend, Element, Metric, Rows, Unsupported};

/// The functions of one (backend, metric, element).
#[derive(Debug)]
pub struct Table<E: 'static> {
    pub(crate) pair: fn(&[E], &[E]) -> f32,
}

/// A distance function, resolved once and then called as often as you like.
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
        if !backend.is_available() {
            return Err(Unsupported::Backend(backend));
        }
        let table =
            E::table(backend, metric).ok_or(Unsupported::Pair { metric, element: E::NAME })?;
        Ok(Self { table, metric, backend })
    }

    /// The metric it computes.
    pub fn metric(&self) -> Metric {
        self.metric
    }

    /// The backend it runs on.
    pub fn backend(&self) -> Backend {
        self.backend
    }

    /// The distance of `a` and `b`.
    ///
    /// # Panics
    /// When the lengths differ.
    pub fn distance(&self, a: &[E], b: &[E]) -> f32 {
        assert!(a.len() == b.len(), "vectors of {} and {} elements", a.len(), b.len());
        (self.table.pair)(a, b)
    }

    /// The distances of `query` to all `rows`, in order, into `out`: per row exactly what
    /// [`distance`](Self::distance) gives.
    ///
    /// # Panics
    /// When `query.len() != rows.dim()` or `out.len() != rows.len()`.
    pub fn one_to_many(&self, query: &[E], rows: &Rows<'_, E>, out: &mut [f32]) {
        for (id, out) in out.iter_mut().enumerate() {
            *out = self.distance(query, rows.row(id as u32));
        }
    }

    /// The distances of `query` to the rows named by `ids`, into `out`: per row exactly what
    /// [`distance`](Self::distance) gives. Fetches the rows ahead of their use.
    ///
    /// # Panics
    /// When `query.len() != rows.dim()`, `out.len() != ids.len()`, or an id is not below `rows.len()`.
    pub fn gather(&self, query: &[E], rows: &Rows<'_, E>, ids: &[u32], out: &mut [f32]) {
        for (&id, out) in ids.iter().zip(out) {
            *out = self.distance(query, rows.row(id));
        }
    }
}

impl Element for f32 {
    const NAME: &'static str = "f32";

    fn table(_backend: Backend, metric: Metric) -> Option<&'static Table<Self>> {
        use crate::reference as r;
        Some(match metric {
            Metric::L2Squared => &Table { pair: r::l2_squared },
            Metric::InnerProduct => &Table { pair: |a, b| 0.0 - r::dot(a, b) },
            Metric::Cosine => &Table { pair: r::cosine },
            Metric::Manhattan => &Table { pair: r::manhattan },
            _ => return None,
        })
    }
}

impl Element for u64 {
    const NAME: &'static str = "u64 (packed bits)";

    fn table(_backend: Backend, metric: Metric) -> Option<&'static Table<Self>> {
        use crate::reference as r;
        Some(match metric {
            Metric::Hamming => &Table { pair: |a, b| r::hamming(a, b) as f32 },
            Metric::Jaccard => &Table {
                pair: |a, b| {
                    let (union, intersection) = r::union_intersection(a, b);
                    r::jaccard_of(union, intersection)
                },
            },
            _ => return None,
        })
    }
}
