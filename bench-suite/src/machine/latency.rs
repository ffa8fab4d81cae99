//! How long a read takes whose address depends on the read before it.
//!
//! The working set's cache lines are linked into one random cycle, and the chase follows it: no
//! prefetcher can guess the next line, and no two reads overlap. That is what a graph search pays
//! for the first line of a row that it has not seen.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::pages::{Buffer, Pages};
use super::probed::Probed;
use crate::random::Random;
use crate::timing::fastest;

/// Bytes per link of the chain: a cache line of all x86 and most Arm CPUs.
const LINE: usize = 64;
const WORDS: usize = LINE / size_of::<u64>();

/// Random read latency over working sets of growing size, on one kind of pages.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LatencyCurve {
    /// The pages asked for.
    pub pages: Pages,
    /// How much of the memory really lay on huge pages.
    pub huge_share: Probed<f64>,
    /// One point per working set, growing.
    pub points: Vec<LatencyPoint>,
}

/// The latency within one working set.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct LatencyPoint {
    /// Size of the working set.
    pub bytes: usize,
    /// Nanoseconds per dependent read.
    pub ns: f64,
}

/// Measures working sets of these `sizes` (growing, multiples of 64 bytes); `step` hears of each.
///
/// # Errors
/// When there is no memory for the largest.
pub fn measure(
    sizes: &[usize],
    pages: Pages,
    passes: usize,
    sample: Duration,
    mut step: impl FnMut(usize),
) -> Probed<LatencyCurve> {
    let largest = sizes.iter().copied().max().unwrap_or(0);
    let mut buffer = Buffer::new(largest, pages)?;
    let huge_share = buffer.huge_share();
    let mut points = Vec::with_capacity(sizes.len());
    for &bytes in sizes {
        step(bytes);
        let words = &mut buffer.as_mut_slice::<u64>()[..bytes / size_of::<u64>()];
        link(words);
        let words = &*words;
        // A lap first, so that what fits a cache lies in it (and no more than a lap's worth of DRAM).
        let mut at = chase(words, 0, (bytes / LINE).min(1 << 19) as u64);
        let ns = fastest(passes, sample, |steps| {
            at = chase(words, at, steps);
            at
        });
        points.push(LatencyPoint { bytes, ns });
    }
    Ok(LatencyCurve { pages, huge_share, points })
}

/// Makes the first word of each line the index of the first word of the next line on the cycle.
fn link(words: &mut [u64]) {
    let next = one_cycle(words.len() / WORDS, &mut Random::new(0x4ea6));
    for (line, &next) in words.chunks_exact_mut(WORDS).zip(&next) {
        line[0] = u64::from(next) * WORDS as u64;
    }
}

/// A random permutation that is a single cycle over `0..n` (Sattolo's shuffle): following it visits
/// everything, where a plain shuffle would often be caught in a short cycle that fits a cache.
fn one_cycle(n: usize, random: &mut Random) -> Vec<u32> {
    let mut next: Vec<u32> = (0..n as u32).collect();
    for i in (1..n).rev() {
        next.swap(i, random.below(i as u64) as usize);
    }
    next
}

fn chase(words: &[u64], mut at: u64, steps: u64) -> u64 {
    for _ in 0..steps {
        // The bounds check is predicted and off the critical path.
        at = words[at as usize];
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_chain_is_one_cycle_through_every_line() {
        for lines in [1, 2, 3, 16, 1_000, 4_096] {
            let mut words = vec![u64::MAX; lines * WORDS];
            link(&mut words);
            let mut seen = vec![false; lines];
            let mut at = 0;
            for _ in 0..lines {
                assert_eq!(at as usize % WORDS, 0, "the middle of a line");
                assert!(!std::mem::replace(&mut seen[at as usize / WORDS], true), "a short cycle");
                at = chase(&words, at, 1);
            }
            assert_eq!(at, 0, "the cycle closes after {lines} steps");
            assert!(seen.into_iter().all(|seen| seen));
        }
    }

    #[test]
    fn measuring_gives_a_point_per_size() {
        let sizes = [4_096, 65_536];
        let mut steps = vec![];
        let curve =
            measure(&sizes, Pages::Small, 1, Duration::from_micros(10), |n| steps.push(n)).unwrap();
        assert_eq!(steps, sizes);
        assert_eq!(curve.points.iter().map(|p| p.bytes).collect::<Vec<_>>(), sizes);
        assert!(curve.points.iter().all(|p| p.ns > 0.0));
    }
}
