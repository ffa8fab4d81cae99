//! Which points a caller wants to see.

use crate::id::Id;

/// A predicate that hits must satisfy: over ids for [`Hnsw`](crate::Hnsw), over keys for
/// [`Index`](crate::Index). Every closure `Fn(&T) -> bool` is one.
///
/// It is asked during the walk, about points near the query, several times about some of them: it
/// should be fast, and must give the same answer for the same point while a search lasts.
///
/// ```
/// use nearfield_hnsw::{Filter, Id};
///
/// /// A sorted list of ids; it knows how many it allows.
/// struct Among<'a>(&'a [Id]);
///
/// impl Filter for Among<'_> {
///     fn allows(&self, id: &Id) -> bool {
///         self.0.binary_search(id).is_ok()
///     }
///     fn count(&self) -> Option<usize> {
///         Some(self.0.len())
///     }
/// }
///
/// assert!(Among(&[2, 3, 5]).allows(&3));
/// ```
pub trait Filter<T: ?Sized = Id>: Sync {
    /// Whether the search may return this point.
    fn allows(&self, point: &T) -> bool;

    /// At most how many points are allowed, if that is known. If they are few, a search scans all
    /// points at once instead of walking first.
    fn count(&self) -> Option<usize> {
        None
    }
}

impl<T: ?Sized, F: Fn(&T) -> bool + Sync> Filter<T> for F {
    fn allows(&self, point: &T) -> bool {
        self(point)
    }
}
