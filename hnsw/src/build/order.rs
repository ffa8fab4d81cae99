//! In which order points enter the graph, and in batches of what size.

use crate::graph::mix;
use crate::id::Id;

/// Shuffles by Fisher and Yates, with a SplitMix64 sequence. Rows often come sorted (by class, by
/// time); in that order each batch would know its own kind alone.
pub(super) fn shuffle(ids: &mut [Id], seed: u64) {
    for last in (1..ids.len()).rev() {
        let random = mix(seed ^ mix(last as u64));
        // The high half of the product maps 64 random bits onto 0…last.
        let place = ((u128::from(random) * (last as u128 + 1)) >> 64) as usize;
        ids.swap(last, place);
    }
}

/// The size at which batches stop doubling, for an index that will hold `points` points.
pub(super) fn largest_batch(points: usize, share: f64) -> usize {
    (points as f64 * share) as usize
}

/// Cuts `ids` into batches of 1, 1, 2, 4, … `largest` points.
pub(super) fn batches(ids: &[Id], largest: usize) -> impl Iterator<Item = &[Id]> {
    let mut start = 0;
    std::iter::from_fn(move || {
        let size = start.clamp(1, largest.max(1)).min(ids.len() - start);
        start += size;
        (size > 0).then(|| &ids[start - size..start])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_double_up_to_the_largest_and_cover_everything() {
        let ids: Vec<Id> = (0..100).collect();
        let sizes = |ids, largest| batches(ids, largest).map(<[Id]>::len).collect::<Vec<_>>();
        assert_eq!(sizes(&ids, 20), [1, 1, 2, 4, 8, 16, 20, 20, 20, 8]);
        assert_eq!(sizes(&ids[..3], 0), [1, 1, 1]);
        assert_eq!(sizes(&[], 9), []);
        assert_eq!(batches(&ids, 20).flatten().copied().collect::<Vec<_>>(), ids);
    }

    #[test]
    fn a_shuffle_is_a_permutation_that_the_seed_decides() {
        let shuffled = |seed| {
            let mut ids: Vec<Id> = (0..1000).collect();
            shuffle(&mut ids, seed);
            ids
        };
        assert_eq!(shuffled(1), shuffled(1));
        assert_ne!(shuffled(1), shuffled(2));
        assert!(shuffled(1).iter().zip(0..).filter(|(a, b)| **a == *b).count() < 20);
        let mut sorted = shuffled(1);
        sorted.sort_unstable();
        assert_eq!(sorted, (0..1000).collect::<Vec<Id>>());
    }
}
