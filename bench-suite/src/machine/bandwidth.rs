//! How many bytes a second sequential SIMD reads get out of each level of the memory hierarchy.

use std::hint::black_box;
use std::sync::Barrier;
use std::time::{Duration, Instant};

use pulp::{Arch, Simd, WithSimd};
use serde::{Deserialize, Serialize};

use super::pages::{Buffer, Pages};
use super::probed::Probed;
use crate::timing::{calls_for, fastest};

/// Read bandwidth of one thread over one working set.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct BandwidthPoint {
    /// Size of the working set.
    pub bytes: usize,
    /// Billions of bytes read per second.
    pub gb_per_s: f64,
}

/// One thread over working sets of these `sizes` (growing); `step` hears of each.
///
/// # Errors
/// When there is no memory for the largest.
pub fn one_thread(
    sizes: &[usize],
    passes: usize,
    sample: Duration,
    mut step: impl FnMut(usize),
) -> Probed<Vec<BandwidthPoint>> {
    let largest = sizes.iter().copied().max().unwrap_or(0);
    let buffer = Buffer::new(largest, Pages::Huge)?;
    let read = |&bytes: &usize| {
        step(bytes);
        let words = &buffer.as_slice::<u32>()[..bytes / size_of::<u32>()];
        let ns = fastest(passes, sample, |laps| read_all(words, laps));
        BandwidthPoint { bytes, gb_per_s: size_of_val(words) as f64 / ns }
    };
    Ok(sizes.iter().map(read).collect())
}

/// `threads` threads at once, each over `bytes` of its own: billions of bytes per second of all
/// together. The fastest of `passes`; in each, all threads start together and the last one counts.
///
/// # Errors
/// When there is no memory.
pub fn all_threads(threads: usize, bytes: usize, passes: usize, sample: Duration) -> Probed<f64> {
    let buffers: Vec<Buffer> =
        (0..threads).map(|_| Buffer::new(bytes, Pages::Huge)).collect::<Probed<_>>()?;
    let start = Barrier::new(threads);
    // Enough laps for one thread alone; together they take at least as long.
    let laps = calls_for(sample, |laps| read_all(buffers[0].as_slice(), laps));
    let mut seconds = vec![0.0f64; passes.max(1)];
    std::thread::scope(|scope| {
        let readers: Vec<_> = buffers
            .iter()
            .map(|buffer| {
                scope.spawn(|| {
                    let words = buffer.as_slice::<u32>();
                    let pass = |_| {
                        start.wait();
                        let begun = Instant::now();
                        black_box(read_all(words, laps));
                        begun.elapsed().as_secs_f64()
                    };
                    (0..passes.max(1)).map(pass).collect::<Vec<f64>>()
                })
            })
            .collect();
        for reader in readers {
            let own = reader.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            for (slowest, own) in seconds.iter_mut().zip(own) {
                *slowest = slowest.max(own);
            }
        }
    });
    let total: usize = buffers.iter().map(|b| size_of_val(b.as_slice::<u32>())).sum();
    let best = seconds.into_iter().fold(f64::MAX, f64::min);
    Ok(total as f64 * laps as f64 / best / 1e9)
}

/// Reads all `words` `laps` times with the widest vectors of this CPU.
fn read_all(words: &[u32], laps: u64) -> u32 {
    Arch::new().dispatch(ReadAll { words, laps })
}

struct ReadAll<'a> {
    words: &'a [u32],
    laps: u64,
}

impl WithSimd for ReadAll<'_> {
    type Output = u32;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> u32 {
        // One exclusive or per load: a single cycle, and at least as many per cycle as loads.
        // Eight independent sums, so that only the loads can be the limit. Each has a name: behind an
        // iterator over an array, sums can end up in memory (ADR 13).
        let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = [simd.splat_u32s(0); 8];
        for _ in 0..self.laps {
            let (vectors, rest) = S::as_simd_u32s(black_box(self.words));
            let (blocks, _) = pulp::as_arrays::<8, _>(vectors);
            debug_assert!(rest.is_empty() && blocks.len() * 8 == vectors.len());
            for block in blocks {
                a = simd.xor_u32s(a, block[0]);
                b = simd.xor_u32s(b, block[1]);
                c = simd.xor_u32s(c, block[2]);
                d = simd.xor_u32s(d, block[3]);
                e = simd.xor_u32s(e, block[4]);
                f = simd.xor_u32s(f, block[5]);
                g = simd.xor_u32s(g, block[6]);
                h = simd.xor_u32s(h, block[7]);
            }
        }
        let sums = [a, b, c, d, e, f, g, h];
        let all = sums.into_iter().fold(simd.splat_u32s(0), |a, b| simd.xor_u32s(a, b));
        bytemuck::bytes_of(&all).iter().fold(0, |x, &byte| x ^ u32::from(byte))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_read_once_a_lap() {
        // A flipped bit anywhere must change the sum after one lap, and cancel out after two.
        let mut words = vec![0u32; 1024];
        assert_eq!(read_all(&words, 1), 0);
        for i in 0..words.len() {
            words[i] = 1;
            assert_eq!(read_all(&words, 1), 1, "word {i}");
            assert_eq!(read_all(&words, 2), 0, "word {i}");
            words[i] = 0;
        }
    }

    #[test]
    fn several_threads_give_one_figure() {
        let gb_per_s = all_threads(3, 64 << 10, 2, Duration::from_micros(20)).unwrap();
        assert!(gb_per_s.is_finite() && gb_per_s > 0.0);
    }
}
