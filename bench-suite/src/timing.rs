//! How a figure is made of timed passes, the same way for every probe.

use std::hint::black_box;
use std::time::{Duration, Instant};

/// Nanoseconds per call of `work`, which runs as many calls as it is told: the **fastest** of
/// `passes` samples of about `sample` each.
///
/// The minimum, because everything that disturbs a pass (interrupts, neighbours on a shared
/// machine, a clock that has yet to rise) only ever adds time.
pub fn fastest<R>(passes: usize, sample: Duration, mut work: impl FnMut(u64) -> R) -> f64 {
    let calls = calls_for(sample, &mut work);
    (0..passes.max(1)).map(|_| nanoseconds_per_call(calls, &mut work)).fold(f64::MAX, f64::min)
}

/// How many calls of `work` take about `sample`; warms caches and clock on the way.
pub fn calls_for<R>(sample: Duration, mut work: impl FnMut(u64) -> R) -> u64 {
    let mut calls = 1;
    loop {
        let start = Instant::now();
        black_box(work(calls));
        let elapsed = start.elapsed();
        // Below a tenth of the sample the timer itself is too large a share of what it shows.
        if elapsed * 10 >= sample {
            let scale = sample.as_secs_f64() / elapsed.as_secs_f64().max(1e-9);
            return ((calls as f64 * scale) as u64).max(1);
        }
        calls *= 4;
    }
}

/// One timed sample of `calls` calls.
pub fn nanoseconds_per_call<R>(calls: u64, mut work: impl FnMut(u64) -> R) -> f64 {
    let start = Instant::now();
    black_box(work(calls));
    start.elapsed().as_secs_f64() * 1e9 / calls as f64
}

/// The least of the samples of each item, all of them taking turns in each of `passes`: whatever
/// disturbs the machine disturbs them alike. `sample` gives nanoseconds.
pub fn alternate<T>(
    passes: usize,
    items: &mut [T],
    mut sample: impl FnMut(&mut T) -> f64,
) -> Vec<f64> {
    let mut best = vec![f64::MAX; items.len()];
    for _ in 0..passes.max(1) {
        for (item, best) in items.iter_mut().zip(&mut best) {
            *best = best.min(sample(item));
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn taking_turns_runs_every_item_in_every_pass_and_keeps_the_least() {
        let mut order = String::new();
        let mut ns = [3.0, 9.0, 2.0, 8.0, 4.0, 7.0].into_iter();
        let best = alternate(3, &mut ['a', 'b'], |&mut item| {
            order.push(item);
            ns.next().unwrap()
        });
        assert_eq!(order, "ababab");
        assert_eq!(best, [2.0, 7.0]);
    }
}
