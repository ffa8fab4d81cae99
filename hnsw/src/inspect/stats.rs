//! What an index is made of, in numbers.

use crate::graph::{Graph, Snapshot};
use crate::inspect::memory::Memory;

/// A picture of an index at one moment.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Stats {
    /// Points that live.
    pub live: usize,
    /// Points that were removed or replaced, and still take space.
    pub removed: usize,
    /// Bytes in use, by part.
    pub memory: Memory,
    /// How many living points stand on each level and no higher, from 0 up. Copies of a point count on
    /// level 0.
    pub levels: Vec<usize>,
    /// The least, the mean and the largest number of links on level 0, copies apart.
    pub degrees: Degrees,
    /// Links that still lead to removed points; the next removals replace them.
    pub stale_links: usize,
}

/// Numbers of links.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Degrees {
    /// The fewest that a point has.
    pub min: usize,
    /// The mean.
    pub mean: f64,
    /// The most that a point has.
    pub max: usize,
}

impl Stats {
    pub(crate) fn of(graph: &Graph, memory: Memory) -> Self {
        let mut levels = Vec::new();
        let mut degrees = Vec::new();
        let (mut live, mut stale_links) = (0, 0);
        for id in graph.living() {
            let is_copy = graph.is_copy(id);
            let level = if is_copy { 0 } else { graph.level(id) };
            levels.resize(levels.len().max(level + 1), 0);
            levels[level] += 1;
            live += 1;
            if !is_copy {
                degrees.push(graph.links(id, 0).count());
            }
            let links = (0..=level).flat_map(|level| graph.links(id, level));
            let inside = links.filter(|link| (*link as usize) < graph.len());
            stale_links += inside.filter(|link| graph.is_dead(*link)).count();
        }
        let degrees = Degrees {
            min: degrees.iter().copied().min().unwrap_or(0),
            mean: degrees.iter().sum::<usize>() as f64 / degrees.len().max(1) as f64,
            max: degrees.iter().copied().max().unwrap_or(0),
        };
        let removed = graph.removals() as usize;
        Self { live, removed, memory, levels, degrees, stale_links }
    }
}

/// Whether a third of the space is that of removed points, or more.
pub(crate) fn should_compact(snapshot: Snapshot) -> bool {
    snapshot.removals > 0 && snapshot.removals as usize * 2 >= snapshot.live()
}
