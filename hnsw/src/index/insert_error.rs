//! Why points were not added.

use std::{fmt, io};

use super::hnsw::Unwritable;
use crate::id::{Id, MAX_POINTS};

/// Why points were not added. The index is as before.
#[derive(Debug)]
#[non_exhaustive]
pub enum InsertError<E> {
    /// A point was refused.
    Point {
        /// Its place in the batch, 0 for a single point.
        place: usize,
        /// Why.
        error: E,
    },
    /// The key of a point is there already, or twice in a batch.
    KeyExists {
        /// Its place in the batch, 0 for a single point.
        place: usize,
    },
    /// There is not one key for each point of a batch.
    Keys {
        /// How many keys came.
        keys: usize,
        /// How many points came.
        points: usize,
    },
    /// The point to be replaced does not live.
    NoSuchPoint {
        /// Its id.
        id: Id,
    },
    /// Something else pushed points into the space while this batch did. Only the index may push.
    OutOfTurn {
        /// Its place in the batch.
        place: usize,
        /// The id that the space gave.
        id: Id,
        /// The id that was next.
        expected: Id,
    },
    /// More points than ids, those that were removed among them.
    TooMany {
        /// How many points there would be.
        points: usize,
    },
    /// The memory budget does not allow it.
    Budget {
        /// Bytes allowed.
        budget: usize,
        /// Bytes that would be in use: rows, links, and what finds equal rows.
        needed: usize,
    },
    /// The system refused memory for the links.
    Memory(io::Error),
    /// The system refused threads.
    Threads(io::Error),
    /// The index cannot be changed.
    Unwritable(Unwritable),
}

impl<E> From<Unwritable> for InsertError<E> {
    fn from(unwritable: Unwritable) -> Self {
        Self::Unwritable(unwritable)
    }
}

impl<E: fmt::Display> fmt::Display for InsertError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Point { place, error } => {
                write!(f, "the index refuses the point at place {place} of the call: {error}")
            }
            Self::KeyExists { place } => write!(
                f,
                "the key at place {place} of the call has a point already; `upsert` replaces it"
            ),
            Self::Keys { keys, points } => write!(
                f,
                "the call has {keys} key{} and {points} point{}; each point needs one key",
                plural(*keys),
                plural(*points)
            ),
            Self::NoSuchPoint { id } => {
                write!(f, "there is no living point {id} to replace; `insert` adds one")
            }
            Self::OutOfTurn { place, id, expected } => write!(
                f,
                "the space gave the point at place {place} the id {id} where {expected} was next: \
                 something else pushes into the space; let only the index do so"
            ),
            Self::TooMany { points } => write!(
                f,
                "the index would hold {points} points, removed ones among them; it can hold \
                 {MAX_POINTS}. `Index::compact` gives the ids of removed points back"
            ),
            Self::Budget { budget, needed } => write!(
                f,
                "{needed} bytes would be in use and the memory budget is {budget}; raise it, or \
                 compact the index"
            ),
            Self::Memory(error) => {
                write!(f, "the system refuses memory for the new points: {error}")
            }
            Self::Threads(error) => {
                write!(f, "the system refuses threads for the batch: {error}; ask for fewer")
            }
            Self::Unwritable(error) => error.fmt(f),
        }
    }
}

impl<E: std::error::Error + 'static> std::error::Error for InsertError<E> {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Point { error, .. } => Some(error),
            Self::Memory(error) => Some(error),
            Self::Threads(error) => Some(error),
            // It says no more than its cause, which is then in its place.
            Self::Unwritable(error) => error.source(),
            _ => None,
        }
    }
}

fn plural(count: usize) -> &'static str {
    if count == 1 { "" } else { "s" }
}
