//! Exact search: the distance of every point.

use crate::id::{Candidate, Id};
use crate::space::Scorer;

/// Points that are scored at once; their scores stay in the cache until they are ranked.
const CHUNK: usize = 1024;

/// Leaves the `k` nearest of `ids` in `best`, ascending, and returns how many points there were.
pub(crate) fn scan<S: Scorer>(
    scorer: &mut S,
    mut ids: impl Iterator<Item = Id>,
    k: usize,
    best: &mut Vec<Candidate>,
) -> u64 {
    best.clear();
    let mut chunk = Vec::with_capacity(CHUNK);
    let mut scores = [0.0; CHUNK];
    let mut scored = 0;
    loop {
        chunk.clear();
        chunk.extend(ids.by_ref().take(CHUNK));
        if chunk.is_empty() {
            break;
        }
        scored += chunk.len() as u64;
        scorer.score_all(&chunk, &mut scores[..chunk.len()]);
        if let Some(farthest) = best.get(k - 1) {
            keep_nearer(scorer, farthest.distance(), &mut chunk, &mut scores);
        }
        let scores = &mut scores[..chunk.len()];
        scorer.rerank(&chunk, scores);
        best.extend(chunk.iter().zip(scores).map(|(id, score)| Candidate::new(*score, *id)));
        if best.len() >= k {
            // The farthest comes last.
            best.select_nth_unstable(k - 1);
            best.truncate(k);
        }
    }
    best.sort_unstable();
    scored
}

/// Leaves the points, and their scores, that can be as near as `distance`.
fn keep_nearer<S: Scorer>(scorer: &mut S, distance: f32, ids: &mut Vec<Id>, scores: &mut [f32]) {
    let mut kept = 0;
    for place in 0..ids.len() {
        let (id, score) = (ids[place], scores[place]);
        if scorer.least(id, score) <= distance {
            (ids[kept], scores[kept]) = (id, score);
            kept += 1;
        }
    }
    ids.truncate(kept);
}
