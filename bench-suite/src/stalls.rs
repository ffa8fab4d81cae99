//! The longest that one insert, one removal or one search takes, on the way to many points.
//!
//! Points come one by one and in order, along a line: so that every growth of every table lies on the
//! way, and removals meet the deepest trees. Then every eighth is removed, which sweeps several times. A second
//! thread searches all the while.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use nearfield_hnsw::{Index, Params, Search, VectorError, Vectors};
use nearfield_kernels::Metric;
use serde::{Deserialize, Serialize};

use crate::random::Random;

/// How long the calls of one kind took.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    /// What was called.
    pub operation: String,
    /// How often.
    pub calls: usize,
    /// Milliseconds that half of the calls took at most.
    pub median_ms: f64,
    /// Milliseconds that 99 of 100 calls took at most.
    pub most_of_99_percent_ms: f64,
    /// Milliseconds of the longest call.
    pub most_ms: f64,
    /// Which call that was, counted from 0.
    pub longest: usize,
}

impl Spread {
    /// # Panics
    /// When there was no call.
    fn of(operation: &str, times: &[Duration]) -> Self {
        let ms = |time: Duration| time.as_secs_f64() * 1e3;
        let longest = (0..times.len()).max_by_key(|call| times[*call]).expect("no call");
        let mut sorted = times.to_vec();
        sorted.sort_unstable();
        Self {
            operation: operation.to_owned(),
            calls: times.len(),
            median_ms: ms(sorted[times.len() / 2]),
            most_of_99_percent_ms: ms(sorted[times.len() * 99 / 100]),
            most_ms: ms(times[longest]),
            longest,
        }
    }
}

/// What went wrong.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

type Tested = Index<u32, Vectors<f32>>;

/// A point every tenth of a unit along a line, with a little noise across it.
fn point(place: u32, random: &mut Random) -> [f32; 4] {
    [place as f32 / 10.0, random.unit(), random.unit(), random.unit()]
}

/// Measures inserts, removals and searches of an index that grows to `points` points.
///
/// # Errors
/// When the index refuses one of them.
///
/// # Panics
/// When there are no points, or the index has a bug.
pub fn measure(points: u32) -> Result<Vec<Spread>, Failure> {
    let params = Params { m: 8, ef_construction: 16, ..Params::default() };
    let index = Index::new(Vectors::<f32>::new(4, Metric::L2Squared)?, params)?;
    let (inserts, beside_inserts) = beside_searches(&index, points, |time| {
        let mut random = Random::new(1);
        (0..points).try_for_each(|key| {
            let point = point(key, &mut random);
            time(&mut || index.insert(key, &point).map(drop).map_err(Into::into))
        })
    })?;
    let (removals, beside_removals) = beside_searches(&index, points, |time| {
        let mut keys = (0..points).step_by(8);
        keys.try_for_each(|key| time(&mut || index.remove(&key).map(drop).map_err(Into::into)))
    })?;
    index.check()?;
    Ok(vec![
        Spread::of("insert", &inserts),
        Spread::of("search beside inserts", &beside_inserts),
        Spread::of("remove", &removals),
        Spread::of("search beside removals", &beside_removals),
    ])
}

/// A call to time.
type Call<'a> = &'a mut dyn FnMut() -> Result<(), Failure>;

/// The times of the calls that `writer` makes, and of the searches beside them, of which there is at least
/// one.
fn beside_searches(
    index: &Tested,
    points: u32,
    writer: impl FnOnce(&mut dyn FnMut(Call<'_>) -> Result<(), Failure>) -> Result<(), Failure>,
) -> Result<(Vec<Duration>, Vec<Duration>), Failure> {
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        let searcher = scope.spawn(|| {
            let mut random = Random::new(2);
            let mut times = vec![];
            while times.is_empty() || !is_over.load(Relaxed) {
                let query = point(random.below(points.into()) as u32, &mut random);
                let start = Instant::now();
                index.search(&query, Search::new(10))?;
                times.push(start.elapsed());
            }
            Ok::<_, nearfield_hnsw::SearchError<VectorError>>(times)
        });
        let mut times = vec![];
        let outcome = writer(&mut |call| {
            let start = Instant::now();
            call()?;
            times.push(start.elapsed());
            Ok(())
        });
        is_over.store(true, Relaxed);
        let searches = searcher.join().expect("the searcher panicked")?;
        outcome?;
        Ok((times, searches))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_names_the_longest_call() {
        let times = [1, 2, 9, 3].map(Duration::from_millis);
        let spread = Spread::of("insert", &times);
        assert_eq!((spread.calls, spread.longest), (4, 2));
        assert_eq!((spread.median_ms, spread.most_ms), (3.0, 9.0));
    }

    #[test]
    fn every_call_is_timed() {
        let spreads = measure(400).unwrap();
        let calls =
            |operation: &str| spreads.iter().find(|s| s.operation == operation).unwrap().calls;
        assert_eq!((calls("insert"), calls("remove")), (400, 50));
        assert!(calls("search beside inserts") > 0 && calls("search beside removals") > 0);
    }
}
