//! What a search costs against its recall: what lies between the points that were measured.

use crate::ann::SearchEvent;

/// Queries per second at a recall: between the two measured points around it (straight in the
/// logarithm of QPS), the best measured one when all lie above, `None` when none reaches it.
pub fn qps_at(searches: &[SearchEvent], recall: f64) -> Option<f64> {
    at(&qps(searches), recall)
}

/// [`qps_at`], but `None` also when all points lie above: two libraries compared there would not
/// be compared at one recall.
pub fn qps_between(searches: &[SearchEvent], recall: f64) -> Option<f64> {
    between(&qps(searches), recall)
}

/// Distances computed for a query at a recall, between two measured points like [`qps_between`].
pub fn distances_between(searches: &[SearchEvent], recall: f64) -> Option<f64> {
    // Queries per distance fall as queries per second do.
    let point = |search: &SearchEvent| Some((search.recall?, 1.0 / search.distances_per_query?));
    let points: Vec<(f64, f64)> = searches.iter().filter_map(point).collect();
    between(&points, recall).map(|queries_per_distance| 1.0 / queries_per_distance)
}

/// Recall and queries per second of every search whose recall is known.
fn qps(searches: &[SearchEvent]) -> Vec<(f64, f64)> {
    searches.iter().filter_map(|search| Some((search.recall?, search.qps))).collect()
}

fn at(points: &[(f64, f64)], recall: f64) -> Option<f64> {
    let points = points.iter().copied();
    let (above, best) =
        points.clone().filter(|point| point.0 >= recall).max_by(|a, b| a.1.total_cmp(&b.1))?;
    let below = points
        .filter(|&(reached, value)| reached < recall && value > best)
        .max_by(|a, b| a.0.total_cmp(&b.0));
    let Some((below, value)) = below else { return Some(best) };
    let share = (recall - below) / (above - below);
    Some((value.ln() + share * (best.ln() - value.ln())).exp())
}

fn between(points: &[(f64, f64)], recall: f64) -> Option<f64> {
    let reaches_below = points.iter().any(|point| point.0 <= recall);
    reaches_below.then(|| at(points, recall))?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn search(recall: f64, qps: f64, distances: f64) -> SearchEvent {
        SearchEvent {
            ef: 0,
            recall: Some(recall),
            qps,
            p50_us: None,
            p99_us: None,
            distances_per_query: Some(distances),
        }
    }

    #[test]
    fn a_recall_lies_between_its_neighbours() {
        let mut searches = vec![
            search(0.90, 16_000.0, 100.0),
            search(0.98, 4_000.0, 400.0),
            search(1.0, 1_000.0, 900.0),
        ];
        for at in [qps_at, qps_between] {
            assert!((at(&searches, 0.98).unwrap() - 4_000.0).abs() < 1e-6);
            // Half of the way in recall is half of the way in the logarithm.
            assert!((at(&searches, 0.94).unwrap() - 8_000.0).abs() < 1e-6);
            assert!((at(&searches, 0.90).unwrap() - 16_000.0).abs() < 1e-6);
        }
        assert!((distances_between(&searches, 0.94).unwrap() - 200.0).abs() < 1e-6);
        assert_eq!(qps_at(&searches, 0.5), Some(16_000.0), "all lie above: the best of them");
        assert_eq!((qps_between(&searches, 0.5), distances_between(&searches, 0.5)), (None, None));
        searches.pop();
        assert_eq!((qps_at(&searches, 0.99), qps_between(&searches, 0.99)), (None, None));
    }
}
