//! In which order points enter the graph, and in batches of what size.

use crate::graph::mix;
use crate::id::{Candidate, Id};
use crate::space::{Scorer, Space};

/// Points that are not worth parting any more.
const TOGETHER: usize = 4;

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
pub(super) fn batches(mut ids: &mut [Id], largest: usize) -> impl Iterator<Item = &mut [Id]> {
    let mut before = 0usize;
    std::iter::from_fn(move || {
        let size = before.clamp(1, largest.max(1)).min(ids.len());
        before += size;
        ids.split_off_mut(..size).filter(|batch| !batch.is_empty())
    })
}

/// Orders points so that those near each other follow each other: the half that is nearer to one of
/// two points far apart, then the other half, each ordered so again. Searches in this order read
/// rows that the last ones have left in the cache; ADR 9 has what that saves. Returns the number of
/// distances it took.
pub(super) fn bring_together<S: Space>(space: &S, ids: &mut [Id]) -> u64 {
    if ids.len() <= TOGETHER {
        return 0;
    }
    let mut near = vec![0.0; ids.len()];
    let mut far = vec![0.0; ids.len()];
    space.member(ids[0]).score_all(ids, &mut near);
    let farthest = ids.iter().zip(&near).max_by_key(|(id, score)| Candidate::new(**score, **id));
    let Some((&opposite, _)) = farthest else { return 0 };
    space.member(opposite).score_all(ids, &mut far);
    let side = |((id, near), far): ((&Id, &f32), &f32)| Candidate::new(near - far, *id);
    let mut sides: Vec<Candidate> = ids.iter().zip(&near).zip(&far).map(side).collect();
    sides.sort_unstable();
    for (id, side) in ids.iter_mut().zip(sides) {
        *id = side.id();
    }
    let scored = 2 * ids.len() as u64;
    let (left, right) = ids.split_at_mut(ids.len() / 2);
    let (left, right) =
        rayon::join(|| bring_together(space, left), || bring_together(space, right));
    scored + left + right
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vectors::Vectors;

    #[test]
    fn neighbours_are_brought_together() {
        let mut ids: Vec<Id> = (0..1024).collect();
        shuffle(&mut ids, 3);
        // The places of a line, in the order of the shuffle.
        let places: Vec<f32> = ids.iter().map(|place| *place as f32).collect();
        let mut line = Vectors::<f32>::new(1, nearfield_kernels::Metric::Manhattan).unwrap();
        line.extend(&places).unwrap();
        let mut order: Vec<Id> = (0..1024).collect();
        let distances = bring_together(&line, &mut order);
        assert_eq!(distances, 2 * 1024 * 8); // 1024 points are halved 8 times to reach 4
        let steps = |order: &[Id]| -> f32 {
            order
                .windows(2)
                .map(|pair| (places[pair[0] as usize] - places[pair[1] as usize]).abs())
                .sum()
        };
        assert!(steps(&order) < 8.0 * 1024.0, "{}", steps(&order)); // shuffled: a third of 1024 each
        order.sort_unstable();
        assert_eq!(order, (0..1024).collect::<Vec<Id>>());
    }

    #[test]
    fn batches_double_up_to_the_largest_and_cover_everything() {
        let mut ids: Vec<Id> = (0..100).collect();
        let sizes = |ids: &mut [Id], largest| {
            batches(ids, largest).map(|batch| batch.len()).collect::<Vec<_>>()
        };
        assert_eq!(sizes(&mut ids, 20), [1, 1, 2, 4, 8, 16, 20, 20, 20, 8]);
        assert_eq!(sizes(&mut ids[..3], 0), [1, 1, 1]);
        assert_eq!(sizes(&mut [], 9), []);
        let cut: Vec<Id> = batches(&mut ids, 20).flatten().map(|id| *id).collect();
        assert_eq!(cut, (0..100).collect::<Vec<Id>>());
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
