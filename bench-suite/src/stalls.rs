//! The longest that one insert, one removal or one search takes, on the way to many points.
//!
//! Points come one by one and in order, along a line: so that every growth of every table lies on the
//! way, and removals meet the deepest trees. Then every eighth is removed, which sweeps several times. A second
//! thread searches all the while.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use nearfield_hnsw::{Index, Params, Search, Vectors};
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
    /// Milliseconds of CPU of the call that took most of it, where the system tells: what other
    /// threads and machines take from the core is not in it.
    pub most_cpu_ms: Option<f64>,
    /// Which call that was.
    pub costliest: Option<usize>,
}

impl Spread {
    /// # Panics
    /// When there was no call.
    fn of(operation: &str, calls: &[Cost]) -> Self {
        let ms = |time: Duration| time.as_secs_f64() * 1e3;
        let (longest, most) =
            calls.iter().enumerate().max_by_key(|(_, c)| c.wall).expect("no call");
        let costs = calls.iter().enumerate().filter_map(|(call, cost)| Some((call, cost.cpu?)));
        let costliest = costs.max_by_key(|(_, cpu)| *cpu);
        let mut sorted: Vec<Duration> = calls.iter().map(|call| call.wall).collect();
        sorted.sort_unstable();
        Self {
            operation: operation.to_owned(),
            calls: calls.len(),
            median_ms: ms(sorted[calls.len() / 2]),
            most_of_99_percent_ms: ms(sorted[calls.len() * 99 / 100]),
            most_ms: ms(most.wall),
            longest,
            most_cpu_ms: costliest.map(|(_, cpu)| ms(cpu)),
            costliest: costliest.map(|(call, _)| call),
        }
    }
}

/// What one call took.
#[derive(Clone, Copy)]
struct Cost {
    wall: Duration,
    cpu: Option<Duration>,
}

impl Cost {
    fn of(call: impl FnOnce() -> Result<(), Failure>) -> Result<Self, Failure> {
        let (start, cpu) = (Instant::now(), cpu_time());
        call()?;
        let (wall, end) = (start.elapsed(), cpu_time());
        Ok(Self { wall, cpu: end.zip(cpu).map(|(end, start)| end - start) })
    }
}

/// The CPU time that this thread has had.
fn cpu_time() -> Option<Duration> {
    #[cfg(target_os = "linux")]
    return rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime).try_into().ok();
    #[cfg(not(target_os = "linux"))]
    None
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
    let params = Params::default().m(8).ef_construction(16);
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
) -> Result<(Vec<Cost>, Vec<Cost>), Failure> {
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        let searcher = scope.spawn(|| {
            let mut random = Random::new(2);
            let mut times = vec![];
            while times.is_empty() || !is_over.load(Relaxed) {
                let query = point(random.below(points.into()) as u32, &mut random);
                times.push(Cost::of(|| {
                    index.search(&query, Search::new(10))?;
                    Ok(())
                })?);
            }
            Ok::<_, Failure>(times)
        });
        let mut times = vec![];
        let outcome = writer(&mut |call| {
            times.push(Cost::of(call)?);
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
        let cost = |(wall, cpu)| {
            let [wall, cpu] = [wall, cpu].map(Duration::from_millis);
            Cost { wall, cpu: Some(cpu) }
        };
        let spread = Spread::of("insert", &[(1, 1), (2, 2), (9, 1), (3, 3)].map(cost));
        assert_eq!((spread.calls, spread.longest), (4, 2));
        assert_eq!((spread.median_ms, spread.most_ms), (3.0, 9.0));
        assert_eq!((spread.costliest, spread.most_cpu_ms), (Some(3), Some(3.0)));
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
