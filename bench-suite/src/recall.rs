//! Recall: which share of the true neighbours an answer holds.
//!
//! **Definition.** Of the *k* true neighbours of a query, the last has some distance *d*. An
//! answer scores one point for each of its first *k* ids, counted once, that is one of the *k*
//! true neighbours **or lies exactly at *d***: which of several rows at the same distance came
//! into the truth is an accident, and an answer must not lose by it. Recall@k is the mean of
//! points / k over all queries (points / n where the base has only n < k rows).
//!
//! A row *nearer* than *d* that is not in the truth scores nothing. It cannot exist beside a right
//! truth, so a truth that belongs to other data or another metric shows as a bad recall.

use nearfield_kernels::{Element, Kernel};

use crate::{table::Table, truth::Truth};

/// A truth with the distances that decide ties, to mark any number of answers.
#[derive(Debug)]
pub struct Marker<'a, E: Element> {
    kernel: Kernel<E>,
    base: &'a Table<E>,
    queries: &'a Table<E>,
    truth: &'a Truth,
    k: usize,
    /// Per query the distance of its last true neighbour.
    edges: Vec<f32>,
}

impl<'a, E: Element> Marker<'a, E> {
    /// A marker for answers of `k` ids.
    ///
    /// The distances are computed anew, all with `kernel`: a file of truth holds none, and only
    /// numbers of one maker can be compared for equality.
    ///
    /// # Panics
    /// When `k` is 0, or the truth has fewer queries or, beside a larger base, fewer columns.
    pub fn new(
        kernel: Kernel<E>,
        base: &'a Table<E>,
        queries: &'a Table<E>,
        truth: &'a Truth,
        k: usize,
    ) -> Self {
        let k = k.min(base.len());
        assert!(k > 0, "recall of no neighbours");
        assert!(truth.queries() >= queries.len(), "truth of {} queries", truth.queries());
        assert!(truth.columns() >= k, "truth of {} neighbours", truth.columns());
        let edge = |query: usize| {
            let distance = |&id: &u32| kernel.distance(queries.row(query), base.row(id as usize));
            truth.of(query)[..k].iter().map(distance).fold(f32::NEG_INFINITY, f32::max)
        };
        let edges = (0..queries.len()).map(edge).collect();
        Self { kernel, base, queries, truth, k, edges }
    }

    /// Points of one answer, between 0 and min(k, n).
    pub fn points(&self, query: usize, answer: &[u32]) -> usize {
        let answer = &answer[..answer.len().min(self.k)];
        let truth = &self.truth.of(query)[..self.k];
        let is_hit = |id: u32| {
            truth.contains(&id)
                || self.kernel.distance(self.queries.row(query), self.base.row(id as usize))
                    == self.edges[query]
        };
        let is_first = |place: usize| !answer[..place].contains(&answer[place]);
        (0..answer.len()).filter(|&place| is_first(place) && is_hit(answer[place])).count()
    }

    /// The recall of one answer per query, in the order of the queries.
    pub fn recall<A: AsRef<[u32]>>(&self, answers: impl IntoIterator<Item = A>) -> f64 {
        let points = |(query, answer): (usize, A)| self.points(query, answer.as_ref());
        let points: usize = answers.into_iter().enumerate().map(points).sum();
        points as f64 / (self.k * self.queries.len()) as f64
    }
}

#[cfg(test)]
mod tests {
    use nearfield_kernels::Metric;

    use super::*;

    /// Rows at 0, 1, 2, 2, 2, 3 on a line, asked from 0.
    fn with_marker(k: usize, ids: &[i32], test: impl Fn(&Marker<'_, f32>)) {
        let base = Table::new(1, vec![0.0, 1.0, 2.0, 2.0, 2.0, 3.0]);
        let queries = Table::new(1, vec![0.0]);
        let matrix =
            nearfield_files::Matrix::new(ids.len(), nearfield_files::Values::I32(ids.to_vec()));
        let truth = Truth::from_matrix(&matrix, base.len()).unwrap();
        let kernel = Kernel::best(Metric::L2Squared).unwrap();
        test(&Marker::new(kernel, &base, &queries, &truth, k));
    }

    #[test]
    fn a_row_at_the_last_true_distance_counts_and_one_beyond_does_not() {
        with_marker(3, &[0, 1, 2, 3, 4], |marker| {
            assert_eq!(marker.points(0, &[0, 1, 2]), 3);
            assert_eq!(marker.points(0, &[0, 1, 4]), 3);
            assert_eq!(marker.points(0, &[3, 4, 2]), 3); // each as far as the third
            assert_eq!(marker.points(0, &[0, 1, 5]), 2);
            assert_eq!(marker.recall([[0, 1, 5]]), 2.0 / 3.0);
        });
    }

    #[test]
    fn an_id_counts_once_and_nothing_behind_the_first_k_counts() {
        with_marker(3, &[0, 1, 2], |marker| {
            assert_eq!(marker.points(0, &[0, 0, 0]), 1);
            assert_eq!(marker.points(0, &[5, 0, 1, 2]), 2);
            assert_eq!(marker.points(0, &[]), 0);
        });
    }

    #[test]
    fn a_wrong_truth_does_not_flatter() {
        with_marker(2, &[5, 4], |marker| assert_eq!(marker.points(0, &[0, 1]), 0));
    }

    #[test]
    fn a_base_smaller_than_k_can_be_found_whole() {
        with_marker(100, &[0, 1, 2, 3, 4, 5], |marker| {
            assert_eq!(marker.recall([[0, 1, 2, 3, 4, 5]]), 1.0);
        });
    }
}
