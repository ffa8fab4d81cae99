//! The built-in space: dense vectors in aligned rows, compared by the SIMD kernels.

mod element;
mod error;
mod halves;
mod scorer;

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use nearfield_kernels::{Backend, Element, Kernel, Metric, Rows};
use twox_hash::XxHash3_64;

pub use element::VectorElement;
pub use error::{Flaw, VectorError};
use halves::{Halved, Halves};
use scorer::Compared;
pub use scorer::{QueryBuffer, VectorScorer};

use crate::id::{Id, MAX_POINTS};
use crate::space::Space;
use crate::store::Table;

/// Vectors of one dimension, element type and metric, stored in rows that begin at a cache line and
/// are padded with zeros.
///
/// Which metrics there are for an element, and what is stored:
///
/// | `E` | metrics | stored |
/// |---|---|---|
/// | `f32` | all but those over bits | as given; with [`Metric::Cosine`] **normalised**: [`get`](Self::get) returns rows so, and the distance is 1 − dot of two such rows, clamped to 0…2 |
/// | [`f16`](struct@crate::f16), [`bf16`](crate::bf16) | the same | as given: normalising would round them again |
/// | `i8`, `u8` | the same, computed from exact integer sums | as given, in a quarter of the memory of `f32` |
/// | `u64`, `u8` | [`Metric::Hamming`], [`Metric::Jaccard`] over packed bits | as given |
///
/// A query has the element type of the rows. The distances of hits are those of the kernels over
/// what is stored, to the bit.
///
/// Rows of `f32` from 64 dimensions on lie in memory as two halves: the walk compares the upper 16 bits
/// of every element, which are half the bytes to fetch, and whole rows where that cannot tell points
/// apart and for the best candidates at the end. The memory and the distances are the same.
///
/// ```
/// use nearfield_hnsw::{Build, Hnsw, Metric, Params, Search, Vectors};
///
/// let mut pixels = Vectors::<u8>::new(3, Metric::Cosine)?;
/// pixels.extend(&[0, 0, 255, /* second row: */ 10, 20, 30])?;
/// let index = Hnsw::build(pixels, Params::default(), Build::default())?;
/// let hits = index.search(&[1, 2, 3], Search::new(1))?;
/// assert_eq!((hits[0].id, hits[0].distance), (1, 0.0)); // the same direction
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// ```
/// use nearfield_hnsw::{Metric, Vectors};
///
/// let mut vectors = Vectors::<f32>::new(3, Metric::L2Squared)?;
/// vectors.extend(&[0.0, 0.0, 1.0, /* second row: */ 0.0, 2.0, 0.0])?;
/// assert_eq!(vectors.get(1).as_deref(), Some(&[0.0, 2.0, 0.0][..]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Vectors<E: VectorElement> {
    table: Table<E>,
    dim: usize,
    metric: Metric,
    kernel: Kernel<E>,
    /// How rows of `f32` are compared that are stored in halves.
    halved: Option<Halved>,
}

impl<E: VectorElement> Vectors<E> {
    /// No vectors yet, of `dim` elements (at least 1), compared by `metric` on the best backend.
    ///
    /// # Errors
    /// [`VectorError::Dimension`] when `dim` is 0; [`VectorError::Unsupported`] when the metric is
    /// not defined for `E` or a forced backend is missing.
    pub fn new(dim: usize, metric: Metric) -> Result<Self, VectorError> {
        Self::on(Backend::best()?, dim, metric)
    }

    /// As [`new`](Self::new), on a backend of your choice. All give the same distances.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn on(backend: Backend, dim: usize, metric: Metric) -> Result<Self, VectorError> {
        let kernel = Kernel::on(backend, E::scored_by(metric))?;
        let stride = stride::<E>(dim).ok_or(VectorError::Dimension { expected: 1, found: dim })?;
        let is_halved = E::HALVED && dim >= halves::SHORTEST;
        let halved = is_halved.then(|| Halved::on(backend, metric, kernel.metric())).transpose()?;
        Ok(Self { table: Table::with_capacity(0, stride), dim, metric, kernel, halved })
    }

    /// Lets the first segment hold `rows` vectors, so that they lie in one piece. Growth beyond is
    /// possible and moves nothing. Without it the first [`extend`](Self::extend) decides.
    #[must_use]
    pub fn with_capacity(self, rows: usize) -> Self {
        Self { table: Table::with_capacity(rows.min(MAX_POINTS), self.table.stride()), ..self }
    }

    /// Appends the rows of `values`, a row-major matrix of [`dim`](Self::dim) columns, and returns
    /// their ids. Nothing is appended unless every row is good.
    ///
    /// # Errors
    /// When `values` is not a whole number of rows, a row is [flawed](Flaw), ids or memory run out.
    pub fn extend(&mut self, values: &[E]) -> Result<Range<Id>, VectorError> {
        if !values.len().is_multiple_of(self.dim) {
            return Err(VectorError::Ragged { dim: self.dim, elements: values.len() });
        }
        let first = self.len();
        let len = first + values.len() / self.dim;
        if len > MAX_POINTS {
            return Err(VectorError::TooMany { points: len });
        }
        for (row, values) in values.chunks_exact(self.dim).enumerate() {
            E::inspect(values, self.metric).map_err(|flaw| VectorError::Row { row, flaw })?;
        }
        self.table.grow_to(len).map_err(|error| VectorError::Memory(error.kind()))?;
        let mut whole = Vec::new();
        for (id, values) in (first as Id..).zip(values.chunks_exact(self.dim)) {
            let row = self.table.row_mut(id);
            store(values, self.metric, self.halved.is_some(), &mut whole, row);
            if let Some(halved) = &mut self.halved {
                halved.all_short &= halves::is_short(bytemuck::cast_slice(row));
            }
        }
        Ok(first as Id..len as Id)
    }

    /// Forgets all vectors but the first `len`.
    pub(crate) fn truncate(&mut self, len: usize) {
        self.table.truncate(len);
    }

    /// Elements of a vector.
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// The metric by which they are compared.
    pub fn metric(&self) -> Metric {
        self.metric
    }

    /// The vector `id` as it is compared (see above); `None` if there is none. Borrowed where rows
    /// are stored in one piece; those of `f32` from 64 dimensions on are put together.
    pub fn get(&self, id: Id) -> Option<Cow<'_, [E]>> {
        let row = ((id as usize) < self.table.len()).then(|| self.table.row(id))?;
        if self.halved.is_none() {
            return Some(Cow::Borrowed(&row[..self.dim]));
        }
        let mut values = vec![E::zeroed(); self.dim];
        halves::join(bytemuck::cast_slice(row), bytemuck::cast_slice_mut(&mut values));
        Some(Cow::Owned(values))
    }

    /// The first elements of all rows, as many as make a row of `E` with its padding. Zeros added to
    /// both sides change no distance, to the bit, and spare the kernels a tail.
    fn rows<T: Element>(&self) -> Rows<'_, T> {
        let elements = self.table.stride();
        let stride = elements * size_of::<E>() / size_of::<T>();
        let segments = self.table.segments().map(bytemuck::cast_slice);
        Rows::segmented(segments, self.table.first_log2(), elements, stride, self.table.len())
    }

    /// What compares rows with a target in its stored form.
    fn scorer_from<'a>(&'a self, target: &'a [E], is_member: bool) -> VectorScorer<'a, E> {
        let rows = match self.halved {
            None => Compared::Whole { kernel: self.kernel, rows: self.rows(), target },
            Some(halved) => {
                let target = bytemuck::cast_slice(target);
                let is_short = is_member || halves::is_short(target);
                Compared::Halves(Halves::new(halved, self.rows(), self.rows(), target, is_short))
            }
        };
        VectorScorer::new(rows, self.kernel.metric() != self.metric)
    }
}

/// Elements from row to row: whole cache lines, or for shorter rows a power of two, so that none
/// straddles a line. `None` for a dimension of 0 or beyond the address space.
fn stride<E>(dim: usize) -> Option<usize> {
    let line = 64 / size_of::<E>();
    match dim {
        0 => None,
        _ if dim < line => Some(dim.next_power_of_two()),
        _ => dim.checked_next_multiple_of(line),
    }
}

/// Writes a good vector to a row in the form that is stored; `whole` is room for its values.
fn store<E: VectorElement>(
    values: &[E],
    metric: Metric,
    is_halved: bool,
    whole: &mut Vec<E>,
    row: &mut [E],
) {
    if !is_halved {
        return E::store(values, metric, &mut row[..values.len()]);
    }
    whole.resize(values.len(), E::zeroed());
    E::store(values, metric, whole);
    halves::split(bytemuck::cast_slice(whole), bytemuck::cast_slice_mut(row));
}

impl<E: VectorElement> Space for Vectors<E> {
    type Query = [E];
    type QueryError = VectorError;
    type Scratch = QueryBuffer<E>;
    type Scorer<'a> = VectorScorer<'a, E>;

    fn len(&self) -> usize {
        self.table.len()
    }

    fn scorer<'a>(
        &'a self,
        query: &'a [E],
        scratch: &'a mut QueryBuffer<E>,
    ) -> Result<VectorScorer<'a, E>, VectorError> {
        if query.len() != self.dim {
            return Err(VectorError::Dimension { expected: self.dim, found: query.len() });
        }
        E::inspect(query, self.metric).map_err(VectorError::Query)?;
        let (target, whole) = scratch
            .padded(self.table.stride())
            .map_err(|error| VectorError::Memory(error.kind()))?;
        store(query, self.metric, self.halved.is_some(), whole, target);
        Ok(self.scorer_from(target, false))
    }

    fn member(&self, id: Id) -> VectorScorer<'_, E> {
        self.scorer_from(self.table.row(id), true)
    }

    fn equal(&self, a: Id, b: Id) -> bool {
        bytemuck::cast_slice::<E, u8>(self.table.row(a))
            == bytemuck::cast_slice::<E, u8>(self.table.row(b))
    }

    fn fingerprint(&self, id: Id) -> u64 {
        XxHash3_64::oneshot(bytemuck::cast_slice(self.table.row(id)))
    }

    fn bytes(&self) -> usize {
        self.table.bytes()
    }
}

impl<E: VectorElement> fmt::Debug for Vectors<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vectors")
            .field("len", &self.table.len())
            .field("dim", &self.dim)
            .field("metric", &self.metric)
            .field("kernel", &self.kernel)
            .field("halved", &self.halved)
            .finish()
    }
}
