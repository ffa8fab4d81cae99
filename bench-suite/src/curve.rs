//! Queries per second against recall: what lies between the points that were measured.

use crate::ann::SearchEvent;

/// Recall and queries per second of every search whose recall is known.
pub fn points(searches: &[SearchEvent]) -> impl Iterator<Item = (f64, f64)> {
    searches.iter().filter_map(|search| Some((search.recall?, search.qps)))
}

/// Queries per second at a recall: between the two measured points around it (straight in the
/// logarithm of QPS), the best measured one when all lie above, `None` when none reaches it.
pub fn qps_at(searches: &[SearchEvent], recall: f64) -> Option<f64> {
    let (above, qps_above) = points(searches)
        .filter(|&(reached, _)| reached >= recall)
        .max_by(|a, b| a.1.total_cmp(&b.1))?;
    let below = points(searches)
        .filter(|&(reached, qps)| reached < recall && qps > qps_above)
        .max_by(|a, b| a.0.total_cmp(&b.0));
    let Some((below, qps_below)) = below else { return Some(qps_above) };
    let share = (recall - below) / (above - below);
    Some((qps_below.ln() + share * (qps_above.ln() - qps_below.ln())).exp())
}

/// [`qps_at`], but `None` also when all points lie above: two libraries compared there would not
/// be compared at one recall.
pub fn qps_between(searches: &[SearchEvent], recall: f64) -> Option<f64> {
    let reaches_below = points(searches).any(|(reached, _)| reached <= recall);
    reaches_below.then(|| qps_at(searches, recall))?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn qps_at_a_recall_lies_between_its_neighbours() {
        let search = |recall, qps| SearchEvent {
            recall: Some(recall),
            qps,
            ef: 0,
            p50_us: None,
            p99_us: None,
            distances_per_query: None,
        };
        let mut searches =
            vec![search(0.90, 16_000.0), search(0.98, 4_000.0), search(1.0, 1_000.0)];
        for at in [qps_at, qps_between] {
            assert!((at(&searches, 0.98).unwrap() - 4_000.0).abs() < 1e-6);
            // Half of the way in recall is half of the way in the logarithm.
            assert!((at(&searches, 0.94).unwrap() - 8_000.0).abs() < 1e-6);
            assert!((at(&searches, 0.90).unwrap() - 16_000.0).abs() < 1e-6);
        }
        assert_eq!(qps_at(&searches, 0.5), Some(16_000.0), "all lie above: the best of them");
        assert_eq!(qps_between(&searches, 0.5), None);
        searches.pop();
        assert_eq!((qps_at(&searches, 0.99), qps_between(&searches, 0.99)), (None, None));
    }
}
