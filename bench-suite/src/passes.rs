//! Answers all queries, pass after pass, on one thread, and keeps the times of the best pass.

use std::time::Instant;

use crate::table::Table;

/// The answers of the last pass and the times of the fastest.
#[derive(Debug)]
pub(crate) struct Passes {
    width: usize,
    answers: Vec<u32>,
    /// Ids found for each query, at most the width.
    found: Vec<usize>,
    /// Seconds that the fastest pass took.
    seconds: f64,
    /// Seconds of each query in the fastest pass, sorted.
    times: Vec<f64>,
}

impl Passes {
    /// Runs `answer` for every query of every pass; it writes at most `width` ids to the front of
    /// what it is given and returns how many.
    ///
    /// # Errors
    /// The first that `answer` returns, with the number of the query.
    pub(crate) fn run<Q, E>(
        queries: &Table<Q>,
        width: usize,
        passes: usize,
        mut answer: impl FnMut(&[Q], &mut [u32]) -> Result<usize, E>,
    ) -> Result<Self, (usize, E)> {
        let asked = queries.len();
        let mut answers = vec![0; width * asked];
        let (mut found, mut times) = (vec![0; asked], vec![0.0; asked]);
        let (mut best, mut best_times) = (f64::INFINITY, Vec::new());
        for _ in 0..passes {
            let start = Instant::now();
            // One look at the clock per query ends its time and begins the next one's.
            let mut last = start;
            let places = answers.chunks_exact_mut(width).zip(&mut found).zip(&mut times);
            for (query, ((out, found), time)) in places.enumerate() {
                *found = answer(queries.row(query), out).map_err(|error| (query, error))?;
                let now = Instant::now();
                *time = (now - last).as_secs_f64();
                last = now;
            }
            let seconds = (last - start).as_secs_f64();
            if seconds < best {
                best = seconds;
                best_times.clone_from(&times);
            }
        }
        best_times.sort_unstable_by(f64::total_cmp);
        Ok(Self { width, answers, found, seconds: best, times: best_times })
    }

    /// The ids found for each query, in the order of the queries.
    pub(crate) fn answers(&self) -> impl Iterator<Item = &[u32]> {
        let rows = self.answers.chunks_exact(self.width).zip(&self.found);
        rows.map(|(ids, &found)| &ids[..found.min(ids.len())])
    }

    /// Queries per second.
    pub(crate) fn qps(&self) -> f64 {
        self.times.len() as f64 / self.seconds
    }

    /// Microseconds within which so large a share of the queries was answered.
    pub(crate) fn percentile_us(&self, share: f64) -> f64 {
        percentile(&self.times, share) * 1e6
    }
}

/// The smallest of the sorted values that so large a share of them does not exceed.
fn percentile(sorted: &[f64], share: f64) -> f64 {
    let rank = (sorted.len() as f64 * share).ceil() as usize;
    sorted[rank.max(1) - 1]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_one_of_the_values() {
        let values: Vec<f64> = (1..=200).map(f64::from).collect();
        assert_eq!((percentile(&values, 0.50), percentile(&values, 0.99)), (100.0, 198.0));
        assert_eq!(percentile(&[7.0], 0.01), 7.0);
    }

    #[test]
    fn an_answer_holds_what_was_found_and_no_more() {
        let queries = Table::new(1, vec![1u8, 0, 2]);
        let answer = |query: &[u8], out: &mut [u32]| {
            out[..query[0].into()].fill(7);
            Ok::<_, ()>(query[0].into())
        };
        let passes = Passes::run(&queries, 2, 2, answer).unwrap();
        assert_eq!(passes.answers().collect::<Vec<_>>(), [&[7][..], &[], &[7, 7]]);
    }

    #[test]
    fn an_error_names_its_query() {
        let refuse_two =
            |query: &[u8], _: &mut [u32]| if query[0] == 2 { Err("two") } else { Ok(0) };
        let passes = Passes::run(&Table::new(1, vec![1, 0, 2]), 1, 1, refuse_two);
        assert_eq!(passes.unwrap_err(), (2, "two"));
    }
}
