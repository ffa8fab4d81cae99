//! Exact search: the `k` rows nearest to a query, by a scan.

use alloc::collections::BinaryHeap;
use alloc::vec;
use alloc::vec::Vec;
use core::ops::Range;

use crate::element::{Element, Query};
use crate::kernel::Kernel;
use crate::rows::Rows;

/// Rows scored before the best of them are chosen.
const STRIP: usize = 256;

/// Queries that pass over the rows together; with a strip of rows 64 KiB of distances.
const BLOCK: usize = 64;

/// Rows that one task of a parallel scan passes over.
#[cfg(feature = "rayon")]
const TASK: usize = 16 * 1024;

/// A row found by a scan.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Neighbor {
    /// The row.
    pub id: u32,
    /// Its distance to the query.
    pub distance: f32,
}

impl<Q: Query<R> + Sync, R: Element> Kernel<Q, R> {
    /// The `k` rows nearest to `query`, ascending by (distance, id): exactly min(`k`, rows), the same on
    /// every CPU. NaN is farther than everything.
    ///
    /// ```
    /// use nearfield_kernels::{Kernel, Metric, Neighbor, Rows};
    ///
    /// let values = [0.0f32, 0.0, 3.0, 4.0, 1.0, 0.0];
    /// let kernel = Kernel::<f32>::best(Metric::L2Squared)?;
    /// let nearest = kernel.nearest(&[1.0, 1.0], &Rows::new(&values, 2), 2);
    /// assert_eq!(nearest, [Neighbor { id: 2, distance: 1.0 }, Neighbor { id: 0, distance: 2.0 }]);
    /// # Ok::<(), nearfield_kernels::Unsupported>(())
    /// ```
    ///
    /// # Panics
    /// When `query.len() != rows.dim()`.
    pub fn nearest(&self, query: &[Q], rows: &Rows<'_, R>, k: usize) -> Vec<Neighbor> {
        self.scan(query, rows, 0..rows.len(), k).into_neighbors()
    }

    /// The `k` rows nearest to each of the `queries`, as [`nearest`](Self::nearest) gives them; faster
    /// than one query after another, since each row that is loaded serves several.
    ///
    /// # Panics
    /// When `queries.dim() != rows.dim()`.
    pub fn nearest_to_each(
        &self,
        queries: &Rows<'_, Q>,
        rows: &Rows<'_, R>,
        k: usize,
    ) -> Vec<Vec<Neighbor>> {
        blocks(queries.len(), BLOCK)
            .flat_map(|block| self.scan_block(queries, block, rows, 0..rows.len(), k))
            .map(Best::into_neighbors)
            .collect()
    }

    /// [`nearest`](Self::nearest) in the rayon pool at hand; the same result on any number of threads.
    ///
    /// # Panics
    /// As [`nearest`](Self::nearest) does.
    #[cfg(feature = "rayon")]
    pub fn par_nearest(&self, query: &[Q], rows: &Rows<'_, R>, k: usize) -> Vec<Neighbor> {
        use rayon::prelude::*;

        let tasks: Vec<Range<usize>> = blocks(rows.len(), TASK).collect();
        let scans = tasks.into_par_iter().map(|range| self.scan(query, rows, range, k));
        scans.reduce(|| Best::new(k), Best::merge).into_neighbors()
    }

    /// [`nearest_to_each`](Self::nearest_to_each) in the rayon pool at hand; the same result on any number of
    /// threads.
    ///
    /// # Panics
    /// As [`nearest_to_each`](Self::nearest_to_each) does.
    #[cfg(feature = "rayon")]
    pub fn par_nearest_to_each(
        &self,
        queries: &Rows<'_, Q>,
        rows: &Rows<'_, R>,
        k: usize,
    ) -> Vec<Vec<Neighbor>> {
        use rayon::prelude::*;

        let queries_of: Vec<Range<usize>> = blocks(queries.len(), BLOCK).collect();
        let rows_of: Vec<Range<usize>> = blocks(rows.len(), TASK).collect();
        let nearest = |block: Range<usize>| {
            let scan = |range: &Range<usize>| {
                self.scan_block(queries, block.clone(), rows, range.clone(), k)
            };
            let none = || block.clone().map(|_| Best::new(k)).collect();
            let merge = |a: Vec<Best>, b: Vec<Best>| {
                a.into_iter().zip(b).map(|(a, b)| a.merge(b)).collect()
            };
            let best: Vec<Best> = rows_of.par_iter().map(scan).reduce(none, merge);
            best.into_iter().map(Best::into_neighbors).collect::<Vec<_>>()
        };
        queries_of.into_par_iter().flat_map_iter(nearest).collect()
    }

    /// The best of a range of rows.
    fn scan(&self, query: &[Q], rows: &Rows<'_, R>, range: Range<usize>, k: usize) -> Best {
        let mut best = Best::new(k);
        let mut distances = [0.0; STRIP];
        for strip in strips(range) {
            let out = &mut distances[..strip.len()];
            self.one_to_range(query, rows, strip.start, out);
            best.offer(strip.start, out);
        }
        best
    }

    /// The best of a range of rows for each query of a block.
    fn scan_block(
        &self,
        queries: &Rows<'_, Q>,
        block: Range<usize>,
        rows: &Rows<'_, R>,
        range: Range<usize>,
        k: usize,
    ) -> Vec<Best> {
        let mut best: Vec<Best> = block.clone().map(|_| Best::new(k)).collect();
        let mut distances = vec![0.0; BLOCK * STRIP];
        for strip in strips(range) {
            let out = &mut distances[..block.len() * strip.len()];
            self.many_to_range(queries, block.clone(), rows, strip.clone(), out);
            for (best, out) in best.iter_mut().zip(out.chunks_exact(strip.len())) {
                best.offer(strip.start, out);
            }
        }
        best
    }
}

/// Cuts 0…`len` into ranges of `size`.
fn blocks(len: usize, size: usize) -> impl Iterator<Item = Range<usize>> {
    (0..len).step_by(size).map(move |start| start..len.min(start + size))
}

fn strips(range: Range<usize>) -> impl Iterator<Item = Range<usize>> {
    blocks(range.len(), STRIP).map(move |strip| range.start + strip.start..range.start + strip.end)
}

/// The best rows seen so far: the `k` least keys.
struct Best {
    k: usize,
    keys: BinaryHeap<u64>,
}

impl Best {
    fn new(k: usize) -> Self {
        Self { k, keys: BinaryHeap::new() }
    }

    /// Offers rows `first`, `first + 1`, … with their distances.
    fn offer(&mut self, first: usize, distances: &[f32]) {
        for (i, distance) in distances.iter().enumerate() {
            self.offer_key(key(*distance, (first + i) as u32));
        }
    }

    fn offer_key(&mut self, key: u64) {
        if self.keys.len() < self.k {
            self.keys.push(key);
        } else if let Some(mut worst) = self.keys.peek_mut()
            && key < *worst
        {
            *worst = key;
        }
    }

    #[cfg(feature = "rayon")]
    fn merge(mut self, other: Self) -> Self {
        other.keys.into_iter().for_each(|key| self.offer_key(key));
        self
    }

    fn into_neighbors(self) -> Vec<Neighbor> {
        let neighbor = |key: u64| Neighbor { id: key as u32, distance: distance_of(key) };
        self.keys.into_sorted_vec().into_iter().map(neighbor).collect()
    }
}

const SIGN: u32 = 1 << 31;

/// Orders like (distance, id), NaN last.
fn key(distance: f32, id: u32) -> u64 {
    // Positive floats order like their bits, negative ones the other way round.
    let bits = if distance.is_nan() { f32::NAN.to_bits() } else { distance.to_bits() };
    let ordered = if bits & SIGN == 0 { bits | SIGN } else { !bits };
    u64::from(ordered) << 32 | u64::from(id)
}

fn distance_of(key: u64) -> f32 {
    let ordered = (key >> 32) as u32;
    f32::from_bits(if ordered & SIGN == 0 { !ordered } else { ordered & !SIGN })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_order_like_distance_then_id_and_give_the_distance_back() {
        let distances = [f32::NEG_INFINITY, -2.5, -1e-40, 0.0, 1e-40, 1.0, f32::MAX, f32::INFINITY];
        for pair in distances.windows(2) {
            assert!(key(pair[0], u32::MAX) < key(pair[1], 0), "{pair:?}");
        }
        for distance in distances {
            assert!(key(distance, 1) < key(distance, 2));
            assert!(key(distance, u32::MAX) < key(-f32::NAN, 0), "NaN is last");
            assert_eq!(distance_of(key(distance, 7)).to_bits(), distance.to_bits());
        }
        assert!(distance_of(key(-f32::NAN, 7)).is_nan());
    }
}
