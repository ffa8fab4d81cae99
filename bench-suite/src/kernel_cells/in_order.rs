//! The course over all rows of a table.

use std::hint::black_box;

use crate::courses::Course;
use crate::ways::{Flat, Way};

/// All rows, one after the other.
pub(super) struct InOrder<'a, Q, R> {
    query: &'a [Q],
    rows: Flat<'a, R>,
    out: Vec<f32>,
}

impl<'a, Q, R> InOrder<'a, Q, R> {
    pub(super) fn new(query: &'a [Q], rows: Flat<'a, R>) -> Self {
        let out = vec![0.0; rows.len()];
        Self { query, rows, out }
    }
}

impl<Q, R> Course<Q, R> for InOrder<'_, Q, R> {
    fn distances(&self) -> usize {
        self.rows.len()
    }

    fn run(&mut self, way: &dyn Way<Q, R>, calls: u64) {
        for _ in 0..calls {
            way.one_to_many(self.query, &self.rows, black_box(&mut self.out));
        }
    }
}
