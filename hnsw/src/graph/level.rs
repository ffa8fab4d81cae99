//! Levels: a seeded integer hash of the id, compared with integer thresholds.
//!
//! A point is on level *l* or above with probability M⁻ˡ, as in the paper (arXiv 1603.09320, where
//! the level is ⌊−ln(u)/ln(M)⌋). No logarithm is taken: libm differs between platforms.
//!
//! Another library has drawn its levels in a way of its own: those of an imported graph are listed.

use crate::file::Bytes;
use crate::id::Id;

#[derive(Debug)]
pub(crate) struct Levels {
    seed: u64,
    /// A hash below `thresholds[l]` lifts its point above level `l`: 2⁶⁴ / Mˡ⁺¹.
    thresholds: Vec<u64>,
    /// The levels of the first ids, where they do not follow from the hash.
    listed: Option<Bytes>,
}

impl Levels {
    pub(crate) fn new(m: usize, seed: u64) -> Self {
        let mut thresholds = Vec::new();
        let mut share = (1u128 << 64) / m as u128;
        // Below 2³² fewer than one in 2³² ids would be lifted: more than there are.
        while share >= 1 << 32 {
            thresholds.push(share as u64);
            share /= m as u128;
        }
        Self { seed, thresholds, listed: None }
    }

    /// The levels that the points of an imported graph have, in order of their ids.
    pub(crate) fn listed(levels: Bytes) -> Self {
        Self { seed: 0, thresholds: Vec::new(), listed: Some(levels) }
    }

    /// The levels of an imported graph.
    #[inline(always)]
    pub(crate) fn list(&self) -> Option<&[u8]> {
        self.listed.as_deref()
    }

    pub(crate) fn of(&self, id: Id) -> usize {
        if let Some(levels) = &self.listed {
            return levels.get(id as usize).map_or(0, |level| usize::from(*level));
        }
        let hash = mix(self.seed ^ mix(u64::from(id)));
        self.thresholds.iter().take_while(|threshold| hash < **threshold).count()
    }
}

/// A bijection of 64 bits in which every input bit moves every output bit: the finaliser of
/// SplitMix64 (Steele, Lea & Flood, OOPSLA 2014).
pub(crate) fn mix(x: u64) -> u64 {
    let x = x.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ (x >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_point_in_m_is_lifted_a_level() {
        for m in [2, 5, 16] {
            let levels = Levels::new(m, 42);
            let mut counts = [0usize; 40];
            for id in 0..100_000 {
                counts[levels.of(id)] += 1;
            }
            let (mut above, mut all) = (100_000, 100_000);
            for count in counts.iter().take(3) {
                above -= count;
                let expected = all / m;
                assert!(above.abs_diff(expected) < expected / 10 + 20, "M {m}: {counts:?}");
                all = above;
            }
        }
    }

    #[test]
    fn levels_depend_on_id_and_seed_alone() {
        let levels = |seed| (0..1000).map(|id| Levels::new(16, seed).of(id)).collect::<Vec<_>>();
        assert_eq!(levels(1), levels(1));
        assert_ne!(levels(1), levels(2));
    }
}
