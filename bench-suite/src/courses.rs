//! What a way is timed on: the same pair, rows in order, random rows in hops.

use std::hint::black_box;
use std::time::Duration;

use crate::random::Random;
use crate::timing::{calls_for, nanoseconds_per_call};
use crate::ways::{Flat, Way};

/// Rows per hop: about the neighbours of one node of a graph.
const HOP: usize = 32;

/// Vectors, and the order in which they are compared.
pub(crate) trait Course<Q, R> {
    /// Distances in one call.
    fn distances(&self) -> usize;

    /// Goes through it `calls` times.
    fn run(&mut self, way: &dyn Way<Q, R>, calls: u64);
}

/// The same two vectors again and again.
pub(crate) struct Pair<'a, Q, R> {
    pub(crate) a: &'a [Q],
    pub(crate) b: &'a [R],
}

impl<Q, R> Course<Q, R> for Pair<'_, Q, R> {
    fn distances(&self) -> usize {
        1
    }

    fn run(&mut self, way: &dyn Way<Q, R>, calls: u64) {
        black_box(way.pair(calls, self.a, self.b));
    }
}

/// Random rows, a hop of them per call. Where the next hop goes depends on the result of the last,
/// as in a graph.
pub(crate) struct Hops<'a, Q, R> {
    query: &'a [Q],
    rows: Flat<'a, R>,
    ids: Vec<u32>,
    /// Goes on from sample to sample: no way finds rows that the one before it left in a cache.
    cursor: usize,
}

impl<'a, Q, R> Hops<'a, Q, R> {
    pub(crate) fn new(query: &'a [Q], rows: Flat<'a, R>) -> Self {
        // A million: enough that a lap over them empties any cache.
        let mut random = Random::new(0x1d5);
        let ids = (0..1 << 20).map(|_| random.below(rows.len() as u64) as u32).collect();
        Self { query, rows, ids, cursor: 0 }
    }
}

impl<Q, R> Course<Q, R> for Hops<'_, Q, R> {
    fn distances(&self) -> usize {
        HOP
    }

    fn run(&mut self, way: &dyn Way<Q, R>, calls: u64) {
        let mut out = [0.0; HOP];
        for _ in 0..calls {
            let ids = &self.ids[self.cursor..self.cursor + HOP];
            way.gather(self.query, &self.rows, ids, &mut out);
            self.cursor += HOP + (out[HOP - 1].to_bits() & 1) as usize;
            self.cursor = if self.cursor + HOP > self.ids.len() { 0 } else { self.cursor };
        }
    }
}

/// A way, and how many calls of it make a sample on one course.
pub(crate) struct Runner<'a, Q, R> {
    way: &'a dyn Way<Q, R>,
    calls: u64,
}

impl<'a, Q, R> Runner<'a, Q, R> {
    /// For samples of about the time `sample`.
    pub(crate) fn new(
        way: &'a dyn Way<Q, R>,
        course: &mut dyn Course<Q, R>,
        sample: Duration,
    ) -> Self {
        Self { way, calls: calls_for(sample, |calls| course.run(way, calls)) }
    }

    /// Nanoseconds per distance in one sample.
    pub(crate) fn sample(&self, course: &mut dyn Course<Q, R>) -> f64 {
        // Whoever ran before may have left the caches to us, or emptied them: untimed.
        course.run(self.way, 1);
        let ns = nanoseconds_per_call(self.calls, |calls| course.run(self.way, calls));
        ns / course.distances() as f64
    }
}
