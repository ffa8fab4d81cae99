//! Points of any type under a metric of the caller's own.

use std::borrow::Borrow;
use std::hash::Hash;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering::Acquire, Ordering::Release};
use std::sync::{Arc, Mutex, PoisonError};
use std::{fmt, io};

use super::traits::{Scorer, Space, Store};
use crate::fingerprint;
use crate::id::{Id, MAX_POINTS};
use crate::store::Slots;

/// A distance of your own, between points of any type.
///
/// For vectors under a [`Metric`](crate::Metric) that is built in use [`Vectors`](crate::Vectors): they
/// lie in one piece of memory, and SIMD kernels compare several at a time.
///
/// ```
/// use nearfield_hnsw::space::PointMetric;
///
/// /// Turns of a dial, in degrees, which must be finite.
/// struct Dial;
///
/// #[derive(Debug)]
/// struct NotFinite(f32);
///
/// impl std::fmt::Display for NotFinite {
///     fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
///         write!(f, "{} is not an angle", self.0)
///     }
/// }
///
/// impl std::error::Error for NotFinite {}
///
/// impl PointMetric for Dial {
///     type Point = f32;
///     type Error = NotFinite;
///
///     fn distance(&self, a: &f32, b: &f32) -> f32 {
///         let turn = (a - b).rem_euclid(360.0);
///         turn.min(360.0 - turn)
///     }
///
///     fn check(&self, angle: &f32) -> Result<(), NotFinite> {
///         if angle.is_finite() { Ok(()) } else { Err(NotFinite(*angle)) }
///     }
/// }
///
/// assert_eq!(Dial.distance(&350.0, &20.0), 30.0);
/// assert!(Dial.check(&f32::NAN).is_err());
/// ```
pub trait PointMetric: Send + Sync {
    /// What is compared and searched for: `str`, `[[f32; 3]]`, a type of your own that is [`Clone`].
    /// [`Points`] stores what it becomes when it is owned: `String`, `Vec<[f32; 3]>`, the same type.
    type Point: ToOwned<Owned: Send + Sync> + Sync + ?Sized;
    /// Why a point is refused; [`Infallible`](std::convert::Infallible) where every one will do.
    type Error: std::error::Error + Send + 'static;

    /// How far two points that pass the [check](Self::check) are from each other: in any unit, of
    /// either sign, and smaller is closer. Building and searching call it from many threads.
    ///
    /// - It is **symmetric** and depends on the points alone, to the bit: so the same points give the
    ///   same graph.
    /// - It is not NaN. A NaN ranks behind everything else, infinity included.
    /// - It need not keep to the triangle inequality. What is promised holds without it: every point can
    ///   be reached, hits are ordered by their exact distances. But a search goes from neighbour to
    ///   neighbour; the less it is true that what is near to a near point is near, the fewer of the
    ///   nearest it finds. [`Flat`](crate::Flat) finds them all: compare with it.
    fn distance(&self, a: &Self::Point, b: &Self::Point) -> f32;

    /// Refuses what cannot be compared, before it becomes a point or a query: a wrong dimension, NaN …
    /// Without a check of your own every point passes.
    ///
    /// # Errors
    /// When the point does not fit.
    fn check(&self, _point: &Self::Point) -> Result<(), Self::Error> {
        Ok(())
    }

    /// Says in a few words what is compared and how, settings included, as [`Space::description`]: a graph
    /// that was saved under one description is not opened under another. Empty, as by default, where
    /// nothing is to be compared.
    fn description(&self) -> String {
        String::new()
    }
}

/// A point as it is stored.
type Owned<M> = <<M as PointMetric>::Point as ToOwned>::Owned;

/// Points of any type, owned, compared by a [`PointMetric`]. More can be added while others search.
///
/// ```
/// use std::convert::Infallible;
///
/// use nearfield_hnsw::{space::{PointMetric, Points}, Build, Hnsw, Params, Search};
///
/// /// The number of places at which two words differ, and of letters that one has more.
/// struct Places;
///
/// impl PointMetric for Places {
///     type Point = str;
///     type Error = Infallible;
///
///     fn distance(&self, a: &str, b: &str) -> f32 {
///         let different = a.bytes().zip(b.bytes()).filter(|(a, b)| a != b).count();
///         (different + a.len().abs_diff(b.len())) as f32
///     }
/// }
///
/// let mut words = Points::new(Places).with_equality();
/// words.extend(["night", "light", "lights", "day"])?;
/// let index = Hnsw::build(words, Params::default(), Build::default())?;
///
/// let hits = index.search("fights", Search::new(1))?;
/// assert_eq!((hits[0].id, hits[0].distance), (2, 1.0));
/// assert_eq!(index.space().get(2), Some("lights"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Equal points
///
/// What makes two points the same is not known at first: no distance tells it, and floats have no
/// [`Eq`]. Each point then is linked by itself, and where many are equal they become each other's
/// neighbours and leave no room for links to others, as in other libraries: all can still be reached,
/// but a search with a small `ef` may end among the equal ones.
/// [`with_equality`](Self::with_equality) links them as one.
pub struct Points<M: PointMetric> {
    // Shared with the copies that `subset` makes, so that a metric need not be `Clone`.
    metric: Arc<M>,
    slots: Slots<Owned<M>>,
    /// Points that may be read: raised after the place of the last one is filled.
    len: AtomicUsize,
    growing: Mutex<()>,
    equality: Option<Equality<M::Point>>,
}

/// How equal points are recognised.
struct Equality<P: ?Sized> {
    equal: fn(&P, &P) -> bool,
    hash: fn(&P) -> u64,
}

impl<P: ?Sized> Clone for Equality<P> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<P: ?Sized> Copy for Equality<P> {}

impl<M: PointMetric> Points<M> {
    /// No points yet.
    pub fn new(metric: M) -> Self {
        Self::empty(Arc::new(metric), None)
    }

    fn empty(metric: Arc<M>, equality: Option<Equality<M::Point>>) -> Self {
        let (slots, len, growing) = Default::default();
        Self { metric, slots, len, growing, equality }
    }

    /// Links points that are equal (by [`Eq`]) as one: all are found, in ascending order of ids, and
    /// none of the others is lost behind them. Equal points must have the same distance from any other.
    ///
    /// A graph that is [saved](crate::Index::save_graph) has what [`Hash`] writes of a point in it, hashed by
    /// XXH3-64: integers little-endian, lengths as 64 bits. So it can be opened by another version of Rust
    /// and on another machine, as long as the points' [`Hash`] writes the same. What a type derives does; a
    /// slice of `usize` differs between 32 and 64 bits.
    ///
    /// For floats compare and hash the bits, in a type of your own:
    ///
    /// ```
    /// use std::hash::{Hash, Hasher};
    ///
    /// #[derive(Clone)]
    /// struct Place([f32; 2]);
    ///
    /// impl PartialEq for Place {
    ///     fn eq(&self, other: &Self) -> bool {
    ///         self.0.map(f32::to_bits) == other.0.map(f32::to_bits)
    ///     }
    /// }
    ///
    /// impl Eq for Place {}
    ///
    /// impl Hash for Place {
    ///     fn hash<H: Hasher>(&self, state: &mut H) {
    ///         self.0.map(f32::to_bits).hash(state);
    ///     }
    /// }
    /// # struct Cab;
    /// # impl nearfield_hnsw::space::PointMetric for Cab {
    /// #     type Point = Place;
    /// #     type Error = std::convert::Infallible;
    /// #     fn distance(&self, a: &Place, b: &Place) -> f32 {
    /// #         (a.0[0] - b.0[0]).abs() + (a.0[1] - b.0[1]).abs()
    /// #     }
    /// # }
    /// # let mut points = nearfield_hnsw::space::Points::new(Cab).with_equality();
    /// # points.extend([Place([0.5, 0.0]), Place([0.5, 0.0]), Place([0.5, 1.0])])?;
    /// # assert!(nearfield_hnsw::space::Space::equal(&points, 0, 1));
    /// # assert!(!nearfield_hnsw::space::Space::equal(&points, 0, 2));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn with_equality(self) -> Self
    where
        M::Point: Eq + Hash,
    {
        Self { equality: Some(Equality { equal: PartialEq::eq, hash: fingerprint::of }), ..self }
    }

    /// Appends points, owned or to be made so, and returns their ids. Nothing is appended unless every
    /// point is good.
    ///
    /// # Errors
    /// When the metric refuses a point, or there are more points than ids.
    pub fn extend<P: Into<<M::Point as ToOwned>::Owned>>(
        &mut self,
        points: impl IntoIterator<Item = P>,
    ) -> Result<Range<Id>, PointError<M::Error>> {
        let points: Vec<Owned<M>> = points.into_iter().map(Into::into).collect();
        let total = self.len() + points.len();
        if total > MAX_POINTS {
            return Err(PointError::TooMany { points: total });
        }
        for (place, point) in points.iter().enumerate() {
            let checked = self.metric.check(point.borrow());
            checked.map_err(|error| PointError::RefusedAt { place, error })?;
        }
        let first = self.len() as Id;
        for point in points {
            self.append(point)?;
        }
        Ok(first..total as Id)
    }

    /// Appends a good point.
    fn append(&self, point: Owned<M>) -> Result<Id, PointError<M::Error>> {
        // Whoever panicked with the lock has published nothing.
        let _growing = self.growing.lock().unwrap_or_else(PoisonError::into_inner);
        let len = self.len();
        if len >= MAX_POINTS {
            return Err(PointError::TooMany { points: len + 1 });
        }
        self.slots.reserve(len + 1).map_err(|error| PointError::Memory(error.kind()))?;
        self.slots.set(len as Id, point);
        self.len.store(len + 1, Release);
        Ok(len as Id)
    }

    /// The metric by which they are compared.
    pub fn metric(&self) -> &M {
        &self.metric
    }

    /// The point `id`; `None` if there is none.
    pub fn get(&self, id: Id) -> Option<&M::Point> {
        ((id as usize) < self.len()).then(|| self.point(id))
    }

    /// A point that is there.
    fn point(&self, id: Id) -> &M::Point {
        self.slots.get(id).expect("a point below the count is there").borrow()
    }

    fn scorer_from<'a>(&'a self, target: &'a M::Point) -> PointScorer<'a, M> {
        PointScorer { points: self, target }
    }
}

impl<M: PointMetric> Space for Points<M> {
    type Query = M::Point;
    type QueryError = M::Error;
    type Scratch = ();
    type Scorer<'a>
        = PointScorer<'a, M>
    where
        M: 'a;

    fn len(&self) -> usize {
        self.len.load(Acquire)
    }

    fn scorer<'a>(
        &'a self,
        query: &'a M::Point,
        _scratch: &'a mut (),
    ) -> Result<PointScorer<'a, M>, M::Error> {
        self.metric.check(query)?;
        Ok(self.scorer_from(query))
    }

    fn member(&self, id: Id) -> PointScorer<'_, M> {
        self.scorer_from(self.point(id))
    }

    fn equal(&self, a: Id, b: Id) -> bool {
        let same = |by: Equality<M::Point>| (by.equal)(self.point(a), self.point(b));
        self.equality.map_or(a == b, same)
    }

    fn fingerprint(&self, id: Id) -> u64 {
        // Points of which none is equal to another must not look alike: they would be compared, all
        // with all.
        self.equality.map_or(u64::from(id), |by| (by.hash)(self.point(id)))
    }

    fn description(&self) -> String {
        self.metric.description()
    }

    /// Bytes of the points as they are stored, with room for more. What points own elsewhere, as
    /// strings do, is not counted, here or in a
    /// [memory budget](crate::Index::with_memory_budget).
    fn bytes(&self) -> usize {
        self.slots.bytes()
    }
}

impl<M: PointMetric> Store for Points<M> {
    type Point = M::Point;
    type PointError = PointError<M::Error>;

    fn insert_scorer<'a>(
        &'a self,
        point: &'a M::Point,
        scratch: &'a mut (),
    ) -> Result<PointScorer<'a, M>, PointError<M::Error>> {
        self.scorer(point, scratch).map_err(PointError::Refused)
    }

    fn push(&self, point: &M::Point) -> Result<Id, PointError<M::Error>> {
        self.metric.check(point).map_err(PointError::Refused)?;
        self.append(point.to_owned())
    }

    fn subset(&self, ids: &[Id]) -> Result<Self, PointError<M::Error>> {
        let kept = Self::empty(Arc::clone(&self.metric), self.equality);
        for id in ids {
            kept.append(self.point(*id).to_owned())?;
        }
        Ok(kept)
    }
}

impl<M: PointMetric> fmt::Debug for Points<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Points")
            .field("len", &self.len())
            .field("has_equality", &self.equality.is_some())
            .finish_non_exhaustive()
    }
}

/// The [`Scorer`] of [`Points`].
pub struct PointScorer<'a, M: PointMetric> {
    points: &'a Points<M>,
    target: &'a M::Point,
}

impl<M: PointMetric> Scorer for PointScorer<'_, M> {
    fn set_target(&mut self, id: Id) {
        self.target = self.points.point(id);
    }

    fn score(&mut self, id: Id) -> f32 {
        self.points.metric.distance(self.target, self.points.point(id))
    }

    fn score_all(&mut self, ids: &[Id], out: &mut [f32]) {
        for (id, out) in ids.iter().zip(out) {
            *out = self.score(*id);
        }
    }

    fn least(&mut self, _id: Id, score: f32) -> f32 {
        score
    }

    fn fingerprint(&self) -> Option<u64> {
        self.points.equality.map(|by| (by.hash)(self.target))
    }

    fn equals_target(&self, id: Id) -> bool {
        let same = |by: Equality<M::Point>| (by.equal)(self.target, self.points.point(id));
        self.points.equality.is_some_and(same)
    }
}

impl<M: PointMetric> fmt::Debug for PointScorer<'_, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PointScorer").field("points", &self.points).finish_non_exhaustive()
    }
}

/// Why points were not added.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PointError<E> {
    /// The metric [refused](PointMetric::check) the point.
    Refused(E),
    /// The metric refused one of several points; none was added.
    RefusedAt {
        /// Its place among those that were to be added.
        place: usize,
        /// Why.
        error: E,
    },
    /// More points than ids.
    TooMany {
        /// How many points there would be.
        points: usize,
    },
    /// The system refused memory for the points.
    Memory(io::ErrorKind),
}

impl<E: fmt::Display> fmt::Display for PointError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(error) => error.fmt(f),
            Self::RefusedAt { place, error } => write!(f, "point {place}: {error}"),
            Self::TooMany { points } => {
                write!(f, "{points} points; an index holds at most {MAX_POINTS}")
            }
            Self::Memory(error) => write!(f, "no memory for the points: {error}"),
        }
    }
}

impl<E: std::error::Error + 'static> std::error::Error for PointError<E> {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            // It says no more than its cause, which is then in its place.
            Self::Refused(error) => error.source(),
            Self::RefusedAt { error, .. } => Some(error),
            Self::TooMany { .. } | Self::Memory(_) => None,
        }
    }
}
