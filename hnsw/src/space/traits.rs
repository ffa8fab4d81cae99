//! What the graph asks of the points: a scorer for a query, a scorer for a member.

use crate::id::Id;

/// A set of points, numbered from 0, in which distances can be computed.
///
/// The graph holds ids only; everything it learns of the points it learns through this trait. The
/// built-in spaces are [`Vectors`](crate::Vectors), and [`Points`](crate::space::Points) of any other type.
///
/// # A store of your own
///
/// Points can stay where they are, in a store of yours, and the space over it tells distances. Two are
/// in the repository to be taken as models: in `hnsw/examples/mapped_file.rs` the rows of a file that is
/// mapped into memory, compared by a kernel where they lie; in `hnsw/tests/stores.rs` the entries of a
/// map behind a lock, to which the application adds while searches run ([`Store`]).
///
/// A point must stay what it is, and where its id leads, as long as an index has the space: a removed
/// one as well, through which searches that are under way may pass. The graph was built by distances
/// that it would not find again. To change a point put a new one in its place
/// ([`Index::upsert`](crate::Index::upsert)).
pub trait Space: Send + Sync {
    /// What can be searched for.
    type Query: ?Sized + Sync;
    /// Why a query is refused.
    type QueryError: std::error::Error + Send;
    /// Memory in which a query is made ready (padded, normalised …); reused by the next one.
    type Scratch: Default + Send;
    /// Computes distances to one target.
    type Scorer<'a>: Scorer
    where
        Self: 'a;

    /// Number of points.
    fn len(&self) -> usize;

    /// The number of points for which room is set aside: an index sets as much aside for the links.
    fn capacity(&self) -> usize {
        self.len()
    }

    /// Whether there is no point.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Distances from a query.
    ///
    /// # Errors
    /// When the query does not fit the space: a wrong dimension, NaN …
    fn scorer<'a>(
        &'a self,
        query: &'a Self::Query,
        scratch: &'a mut Self::Scratch,
    ) -> Result<Self::Scorer<'a>, Self::QueryError>;

    /// Distances from the point `id`.
    fn member(&self, id: Id) -> Self::Scorer<'_>;

    /// Whether two points are the same: bytes, not distance. Such points are linked as one. Where that
    /// is not known, say `a == b`.
    fn equal(&self, a: Id, b: Id) -> bool;

    /// A hash of the point; equal for [`equal`](Self::equal) points, and for few others: they are all
    /// compared. Where points are equal only to themselves the id will do.
    ///
    /// It is part of a [saved graph](crate::Hnsw::save_graph), so it must be the same in another process,
    /// with another version of Rust or of your program, and on another machine: take a hash with a stated
    /// algorithm, as XXH3 or SipHash-1-3, not std's
    /// [`DefaultHasher`](std::hash::DefaultHasher), which may change.
    fn fingerprint(&self, id: Id) -> u64;

    /// Says in a few words what the points are and how they are compared, as `f32, 384, cosine`. It is
    /// saved with a [graph](crate::Hnsw::save_graph) whose points are elsewhere, and such a graph is not
    /// opened with a space that says something else. Empty, as by default, where nothing is to be
    /// compared.
    fn description(&self) -> String {
        String::new()
    }

    /// Bytes that the points take.
    fn bytes(&self) -> usize;
}

/// What makes a query of type `Q` ready: [`Space::scorer`], or what a space has for other queries.
pub(crate) type MakeScorer<S, Q> =
    for<'a> fn(
        &'a S,
        &'a Q,
        &'a mut <S as Space>::Scratch,
    ) -> Result<<S as Space>::Scorer<'a>, <S as Space>::QueryError>;

/// A space that takes new points: what [`Hnsw::insert`](crate::Hnsw::insert) and
/// [`Index`](crate::Index) need.
pub trait Store: Space {
    /// What is added. It need not be what is searched for: a space over a store of the caller's own may
    /// take the place of a point in it.
    type Point: ?Sized + Sync;
    /// Why a point is refused.
    type PointError: std::error::Error + Send;

    /// Distances from a point that is about to be added.
    ///
    /// # Errors
    /// When [`push`](Self::push) would refuse it.
    fn insert_scorer<'a>(
        &'a self,
        point: &'a Self::Point,
        scratch: &'a mut Self::Scratch,
    ) -> Result<Self::Scorer<'a>, Self::PointError>;

    /// Bytes that the point will take in the space, for a memory budget. By default those of the value
    /// itself, without what it owns elsewhere.
    fn bytes_of(&self, point: &Self::Point) -> usize {
        size_of_val(point)
    }

    /// Makes sure that the next `points` calls of [`push`](Self::push) find memory. A store that needs none,
    /// or cannot know, leaves it at the default, which does nothing.
    ///
    /// # Errors
    /// When memory runs out; then nothing has changed.
    fn reserve(&self, _points: usize) -> Result<(), Self::PointError> {
        Ok(())
    }

    /// Appends a point, while others read those before it. Its id is what [`len`](Space::len) was. An
    /// index calls it from one thread at a time; who calls it beside the index adds points that it
    /// never finds.
    ///
    /// # Errors
    /// When the point is refused or memory runs out; then nothing has changed.
    fn push(&self, point: &Self::Point) -> Result<Id, Self::PointError>;

    /// The same space with these points alone, in this order.
    ///
    /// # Errors
    /// When memory runs out.
    fn subset(&self, ids: &[Id]) -> Result<Self, Self::PointError>
    where
        Self: Sized;
}

/// Computes the distances of points from one target. Smaller is closer; never NaN.
pub trait Scorer {
    /// Makes the point `id` the target of the following calls.
    fn set_target(&mut self, id: Id);

    /// The distance of the point `id`.
    fn score(&mut self, id: Id) -> f32;

    /// The distances of the points `ids`, in order, into `out` of the same length. The points are
    /// scored together, so that their memory is fetched together.
    fn score_all(&mut self, ids: &[Id], out: &mut [f32]);

    /// A hash of the target, equal to the [`fingerprint`](Space::fingerprint) of points that equal it.
    /// With it a search for a point that is there begins at that point. `None`, as by default, where
    /// targets cannot be compared with points.
    fn fingerprint(&self) -> Option<u64> {
        None
    }

    /// Whether the point `id` equals the target, as by [`Space::equal`].
    fn equals_target(&self, _id: Id) -> bool {
        false
    }

    /// The least that the exact distance of the point `id` can be if its score is `score`. A search
    /// [reranks](Self::rerank) what it met until nothing else can be nearer than what it returns. By
    /// default nothing is known (−∞), and all candidates are reranked, at most `ef` of them. A scorer
    /// whose scores are exact returns the score.
    fn least(&mut self, _id: Id, _score: f32) -> f32 {
        f32::NEG_INFINITY
    }

    /// Replaces the scores of the points `ids` by their exact distances. A scorer may compare less
    /// than whole points on the way, as long as it finds the way; what a search returns is exact.
    /// For one whose scores are exact, nothing is to be done.
    fn rerank(&mut self, _ids: &[Id], _scores: &mut [f32]) {}
}
