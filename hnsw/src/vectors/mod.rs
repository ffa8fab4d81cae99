//! The built-in space: dense vectors in aligned rows, compared by the SIMD kernels.

mod against_f32;
mod bound;
mod element;
mod error;
mod f32_queries;
mod identity;
mod mixed;
mod saved;
mod scorer;
mod split_rows;

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use nearfield_kernels::{Backend, Element, Kernel, Metric, Rows};

pub use element::VectorElement;
use error::MAX_DIM;
pub use error::{InvalidVector, VectorError};
use identity::{equal, fingerprint};
pub(crate) use saved::{RowsError, element_name};
use scorer::Compared;
pub use scorer::{QueryBuffer, VectorScorer};
use split_rows::{Halved, SplitRows};

use crate::id::{Id, MAX_POINTS};
use crate::space::{Space, Store};
use crate::store::Table;

/// Vectors of one dimension, element type and metric, stored in rows that begin at a cache line and
/// are padded with zeros.
///
/// Which metrics there are for an element, and what is stored:
///
/// | `E` | metrics | stored |
/// |---|---|---|
/// | `f32` | all but those over bits | as given; with [`Metric::Cosine`] **normalised**: [`get`](Self::get) returns rows so, and the distance is half the squared Euclidean distance of two such rows, at most 2 |
/// | [`f16`](struct@crate::f16), [`bf16`](crate::bf16) | the same | as given: normalising would round them again |
/// | `i8`, `u8` | the same, computed from exact integer sums | as given, in a quarter of the memory of `f32` |
/// | `u64`, `u8` | [`Metric::Hamming`], [`Metric::Jaccard`] over packed bits | as given |
///
/// Which vectors are taken, as rows and as queries: their elements are finite, and their norm is at most
/// 6.5e18 and, under L2 and inner products, 0 or at least 1.08e-19 ([`InvalidVector`] has the exact bounds): then
/// no distance overflows and none vanishes. Differences below 1e-19 do vanish when they are squared. The
/// cosine takes every finite vector but zero.
///
/// A query has the element type of the rows, or is of `f32`
/// ([`Hnsw::search_f32`](crate::Hnsw::search_f32)). The distances of hits are those of the kernels over
/// what is stored, to the bit, and the same from [`Flat`](crate::Flat) and [`Hnsw`](crate::Hnsw). Equal
/// rows are at distance 0, exactly, but for inner products: `within(0.0)` finds them. Cosine distances
/// lie in 0…2; half the squared distance of normalised rows is their cosine distance, computed so that
/// near-duplicates are told apart where 1 − dot would round.
///
/// Rows of `f32` from 64 dimensions on lie in memory as two halves: the walk compares the upper 16 bits
/// of every element, which are half the bytes to fetch. At the end whole rows are compared, until none
/// that the walk has met can be nearer than what is returned. The memory and the distances are the same.
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
    /// What tells the distances of hits where rows are normalised.
    normalised: Option<Kernel<E>>,
    /// How rows of `f32` are compared that are stored in halves.
    halved: Option<Halved>,
    /// Whether the upper halves are the [whole truth](split_rows::is_short) about every row. It is cleared
    /// before a row that is not short is published.
    all_short: AtomicBool,
}

impl<E: VectorElement> Vectors<E> {
    /// No vectors yet, of `dim` elements (1 to 4,294,967,232), compared by `metric` on the best backend.
    ///
    /// # Errors
    /// [`VectorError::Dimensions`] when `dim` is out of this range; [`VectorError::Unsupported`] when the metric is
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
        let stride = stride::<E>(dim).ok_or(VectorError::Dimensions { dim })?;
        let is_halved = E::HALVED && dim >= split_rows::SHORTEST;
        let (scored, last) = (kernel.metric(), E::told_by(metric));
        let halved = is_halved.then(|| Halved::on(backend, metric, scored, last)).transpose()?;
        let normalised = (scored != metric).then(|| Kernel::on(backend, last)).transpose()?;
        let table = Table::with_capacity(0, stride);
        let all_short = AtomicBool::new(true);
        Ok(Self { table, dim, metric, kernel, normalised, halved, all_short })
    }

    /// As [`new`](Self::new), with rows that are walked by their whole distances, as those are of the
    /// graphs of other libraries.
    pub(crate) fn whole(dim: usize, metric: Metric) -> Result<Self, VectorError> {
        Ok(Self { halved: None, ..Self::new(dim, metric)? })
    }

    /// Lets the first segment hold `rows` vectors, so that they lie in one piece, as the links of an
    /// index over them will. Growth beyond is possible and moves nothing. Without it the first [`extend`](Self::extend) decides.
    #[must_use]
    pub fn with_capacity(self, rows: usize) -> Self {
        Self { table: Table::with_capacity(rows.min(MAX_POINTS), self.table.stride()), ..self }
    }

    /// Appends the rows of `values`, a row-major matrix of [`dim`](Self::dim) columns, and returns
    /// their ids. Nothing is appended unless every row is good.
    ///
    /// # Errors
    /// When `values` is not a whole number of rows, a row is [flawed](InvalidVector), ids or memory run out.
    pub fn extend(&mut self, values: &[E]) -> Result<Range<Id>, VectorError> {
        if !values.len().is_multiple_of(self.dim) {
            return Err(VectorError::Ragged { dim: self.dim, elements: values.len() });
        }
        let rows = values.len() / self.dim;
        if self.len() + rows > MAX_POINTS {
            return Err(VectorError::TooMany { points: self.len() + rows });
        }
        for (row, values) in values.chunks_exact(self.dim).enumerate() {
            E::inspect(values, self.metric).map_err(|flaw| VectorError::Row { row, flaw })?;
        }
        let first = self.append(values)?;
        Ok(first..first + rows as Id)
    }

    /// Appends good rows and returns the first one's id.
    fn append(&self, values: &[E]) -> Result<Id, VectorError> {
        let mut whole = Vec::new();
        let fill = |row: usize, out: &mut [E]| {
            let values = &values[row * self.dim..][..self.dim];
            store(values, self.metric, self.halved.is_some(), &mut whole, out);
            self.note(out);
        };
        let first = self.table.append(values.len() / self.dim, fill);
        first.map(|first| first as Id).map_err(|error| VectorError::Memory(error.kind()))
    }

    /// Takes note of what a row in its stored form is like, before it is published.
    fn note(&self, row: &[E]) {
        if self.halved.is_some() && !split_rows::is_short(bytemuck::cast_slice(row)) {
            self.all_short.store(false, Relaxed);
        }
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
        split_rows::join(bytemuck::cast_slice(row), bytemuck::cast_slice_mut(&mut values));
        Some(Cow::Owned(values))
    }

    /// Refuses a vector that does not fit.
    fn inspect(
        &self,
        vector: &[E],
        flawed: fn(InvalidVector) -> VectorError,
    ) -> Result<(), VectorError> {
        if vector.len() != self.dim {
            return Err(VectorError::Dimension { expected: self.dim, found: vector.len() });
        }
        E::inspect(vector, self.metric).map_err(flawed)
    }

    /// The first elements of all rows, as many as make a row of `E` with its padding. Zeros added to
    /// both sides change no distance, to the bit, and spare the kernels a tail.
    fn rows<T: Element>(&self) -> Rows<'_, T> {
        let (len, elements) = (self.table.len(), self.table.stride());
        let stride = elements * size_of::<E>() / size_of::<T>();
        let segments = self.table.segments(len).map(bytemuck::cast_slice);
        Rows::segmented(segments, self.table.first_log2(), elements, stride, len)
    }

    /// What compares rows with a target in its stored form.
    fn scorer_from<'a>(&'a self, target: &'a [E], is_member: bool) -> VectorScorer<'a, E> {
        let rows = match self.halved {
            None => Compared::Whole { kernel: self.kernel, rows: self.rows(), target },
            Some(halved) => {
                let target = bytemuck::cast_slice(target);
                let (whole, upper) = (self.rows(), self.rows());
                // After the rows: where one of them is not short, this has been cleared.
                let is_exact =
                    self.all_short.load(Relaxed) && (is_member || split_rows::is_short(target));
                Compared::SplitRows(SplitRows::new(halved, whole, upper, target, is_exact))
            }
        };
        VectorScorer::new(rows, self.normalised)
    }
}

/// Elements from row to row: whole cache lines, or for shorter rows a power of two, so that none
/// straddles a line. `None` for a dimension of 0 or above [`MAX_DIM`].
fn stride<E>(dim: usize) -> Option<usize> {
    let line = 64 / size_of::<E>();
    match dim {
        1..=MAX_DIM if dim < line => Some(dim.next_power_of_two()),
        1..=MAX_DIM => Some(dim.next_multiple_of(line)),
        _ => None,
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
    split_rows::split(bytemuck::cast_slice(whole), bytemuck::cast_slice_mut(row));
}

impl<E: VectorElement> Space for Vectors<E> {
    type Query = [E];
    type QueryError = VectorError;
    type Scratch = QueryBuffer<E>;
    type Scorer<'a> = VectorScorer<'a, E>;

    fn len(&self) -> usize {
        self.table.len()
    }

    fn capacity(&self) -> usize {
        self.table.first_rows()
    }

    fn scorer<'a>(
        &'a self,
        query: &'a [E],
        scratch: &'a mut QueryBuffer<E>,
    ) -> Result<VectorScorer<'a, E>, VectorError> {
        self.inspect(query, VectorError::Query)?;
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
        equal(self.table.row(a), self.table.row(b))
    }

    fn fingerprint(&self, id: Id) -> u64 {
        fingerprint(self.table.row(id))
    }

    fn description(&self) -> String {
        format!("{}, {}, {}", element_name::<E>(), self.dim, self.metric.name())
    }

    fn bytes(&self) -> usize {
        self.table.bytes()
    }
}

impl<E: VectorElement> Store for Vectors<E> {
    type Point = [E];
    type PointError = VectorError;

    fn insert_scorer<'a>(
        &'a self,
        point: &'a [E],
        scratch: &'a mut QueryBuffer<E>,
    ) -> Result<VectorScorer<'a, E>, VectorError> {
        self.inspect(point, VectorError::Point)?;
        self.scorer(point, scratch)
    }

    fn bytes_of(&self, _point: &[E]) -> usize {
        self.table.stride() * size_of::<E>()
    }

    fn reserve(&self, points: usize) -> Result<(), VectorError> {
        let len = self.len().saturating_add(points);
        self.table.reserve(len).map_err(|error| VectorError::Memory(error.kind()))
    }

    fn push(&self, point: &[E]) -> Result<Id, VectorError> {
        self.inspect(point, VectorError::Point)?;
        if self.len() >= MAX_POINTS {
            return Err(VectorError::TooMany { points: self.len() + 1 });
        }
        self.append(point)
    }

    fn subset(&self, ids: &[Id]) -> Result<Self, VectorError> {
        let kept = Self::on(self.kernel.backend(), self.dim, self.metric)?;
        let copy = |row: usize, out: &mut [E]| {
            let stored = self.table.row(ids[row]);
            if self.halved.is_some() == kept.halved.is_some() {
                out.copy_from_slice(stored);
            } else {
                let values = bytemuck::cast_slice(&stored[..self.dim]);
                split_rows::split(values, bytemuck::cast_slice_mut(out));
            }
            kept.note(out);
        };
        let copied = kept.table.append(ids.len(), copy);
        copied.map_err(|error| VectorError::Memory(error.kind()))?;
        Ok(kept)
    }
}

impl<E: VectorElement> fmt::Debug for Vectors<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vectors")
            .field("len", &self.table.len())
            .field("dim", &self.dim)
            .field("metric", &self.metric)
            .field("kernel", &self.kernel)
            .field("normalised", &self.normalised)
            .field("halved", &self.halved)
            .field("all_short", &self.all_short)
            .finish()
    }
}
