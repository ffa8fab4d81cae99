//! A cell: one figure of a kernel, and the best that a peer does in its place.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How the vectors are gone through, which says where they lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shape {
    /// The same two vectors, in the first-level cache.
    Pair,
    /// Rows in order, out of the second-level cache.
    OneToMany,
    /// Random rows in hops, out of memory.
    Gather,
}

impl Shape {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Pair, Self::OneToMany, Self::Gather];

    /// The name in reports and arguments.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pair => "pair",
            Self::OneToMany => "one_to_many",
            Self::Gather => "gather",
        }
    }

    /// Where the vectors lie.
    pub const fn place(self) -> &'static str {
        match self {
            Self::Pair => "l1",
            Self::OneToMany => "l2",
            Self::Gather => "memory",
        }
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The time of one kernel over vectors of one length on one course, beside the fastest peer's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cell {
    /// The metric's name.
    pub metric: String,
    /// The elements' name.
    pub element: String,
    /// Numbers in a vector, or bits.
    pub dim: usize,
    /// How the vectors are gone through.
    pub shape: Shape,
    /// Where they lie.
    #[serde(rename = "where")]
    pub place: String,
    /// Whose kernel.
    pub backend: String,
    /// Nanoseconds per distance.
    pub ns: f64,
    /// The fastest peer, if there is any.
    pub peer: Option<String>,
    /// Its nanoseconds per distance.
    pub peer_ns: Option<f64>,
}

impl Cell {
    /// How many times as fast as the fastest peer.
    pub fn ratio(&self) -> Option<f64> {
        Some(self.peer_ns? / self.ns)
    }
}
