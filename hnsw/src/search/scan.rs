//! Exact search: the distance of every point.

use crate::id::{Candidate, Id};
use crate::space::Scorer;

/// Points that are scored at once; their scores stay in the cache until they are ranked.
const CHUNK: usize = 1024;

/// Leaves the `k` nearest of `ids` in `best`, ascending, and returns how many there were.
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
        let scores = &mut scores[..chunk.len()];
        scorer.score_all(&chunk, scores);
        scorer.refine(&chunk, scores);
        scored += chunk.len() as u64;
        best.extend(chunk.iter().zip(scores).map(|(id, score)| Candidate::new(*score, *id)));
        if best.len() > k {
            best.select_nth_unstable(k);
            best.truncate(k);
        }
    }
    best.sort_unstable();
    scored
}
