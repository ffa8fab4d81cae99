//! Figures of several rounds: medians, and by how much ours is better within each round.

use super::worker::Measured;

/// A figure of one library beside ours.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Figure {
    /// The median over the rounds.
    pub(super) median: f64,
    /// The factor by which ours is better, where both have the figure.
    pub(super) ratio: Option<Ratio>,
}

/// A factor, taken within each round, where both met the same machine.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Ratio {
    pub(super) lowest: f64,
    pub(super) median: f64,
    pub(super) highest: f64,
    pub(super) rounds: usize,
}

/// A figure of `theirs`, and how it stands to ours of the same round; `better` makes the factor of
/// ours and theirs. `None` where no round has it.
pub(super) fn beside(
    ours: Option<&[Measured]>,
    theirs: &[Measured],
    figure: impl Fn(&Measured) -> Option<f64>,
    better: fn(f64, f64) -> f64,
) -> Option<Figure> {
    let pairs = ours.unwrap_or_default().iter().zip(theirs);
    let factors = pairs.filter_map(|(ours, theirs)| Some(better(figure(ours)?, figure(theirs)?)));
    let factors: Vec<f64> = factors.collect();
    let ratio = median(&factors).map(|median| Ratio {
        lowest: factors.iter().copied().fold(f64::INFINITY, f64::min),
        median,
        highest: factors.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        rounds: factors.len(),
    });
    let figures: Vec<f64> = theirs.iter().filter_map(figure).collect();
    Some(Figure { median: median(&figures)?, ratio })
}

/// Recall and queries per second at each ef, medians over the rounds.
pub(super) fn median_points(rounds: &[Measured]) -> Vec<(f64, f64)> {
    let searches = rounds.first().map_or(0, |round| round.searches.len());
    let point = |place: usize| {
        let at = rounds.iter().filter_map(|round| round.searches.get(place));
        let recalls: Vec<f64> = at.clone().filter_map(|search| search.recall).collect();
        Some((median(&recalls)?, median(&at.map(|search| search.qps).collect::<Vec<_>>())?))
    };
    (0..searches).filter_map(point).collect()
}

/// The middle one of the values, or the mean of the two in the middle.
fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let (lower, upper) = (sorted.get(sorted.len().checked_sub(1)? / 2)?, sorted[sorted.len() / 2]);
    Some(f64::midpoint(*lower, upper))
}

#[cfg(test)]
pub(super) mod tests {
    use bench_suite::ann::{BuildEvent, SearchEvent};

    use super::*;

    /// A round with these seconds for the build and these points of (recall, QPS, distances).
    pub(in crate::commands::peers) fn round(
        seconds: f64,
        points: &[(f64, f64, Option<f64>)],
    ) -> Measured {
        let search = |&(recall, qps, distances_per_query): &(f64, f64, Option<f64>)| SearchEvent {
            ef: 10,
            recall: Some(recall),
            qps,
            p50_us: None,
            p99_us: None,
            distances_per_query,
        };
        let build = BuildEvent {
            n: 100,
            dim: 2,
            threads: 1,
            seconds,
            distances: None,
            bytes_per_vector: Some(12.0),
            graph_hash: None,
        };
        Measured { build, searches: points.iter().map(search).collect() }
    }

    #[test]
    fn a_median_is_in_the_middle() {
        assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[4.0, 1.0, 2.0, 8.0]), Some(3.0));
        assert_eq!(median(&[]), None);
    }

    #[test]
    fn factors_are_taken_within_a_round() {
        let rounds = |seconds: [f64; 3]| seconds.map(|seconds| round(seconds, &[]));
        // The machine slows down from round to round.
        let (ours, theirs) = (rounds([1.0, 10.0, 100.0]), rounds([2.0, 30.0, 150.0]));
        let seconds = |measured: &Measured| Some(measured.build.seconds);
        let figure = beside(Some(&ours), &theirs, seconds, |ours, theirs| theirs / ours).unwrap();
        let ratio = Ratio { lowest: 1.5, median: 2.0, highest: 3.0, rounds: 3 };
        assert_eq!(figure, Figure { median: 30.0, ratio: Some(ratio) });
        let alone = beside(None, &theirs, seconds, |ours, theirs| theirs / ours).unwrap();
        assert_eq!(alone, Figure { median: 30.0, ratio: None });
        assert_eq!(beside(Some(&ours), &theirs, |_| None, |_, _| 1.0), None);
    }

    #[test]
    fn points_are_medians_for_each_ef() {
        let rounds = [
            round(1.0, &[(0.90, 100.0, None), (0.99, 10.0, None)]),
            round(1.0, &[(0.92, 300.0, None), (0.99, 20.0, None)]),
            round(1.0, &[(0.91, 200.0, None), (0.99, 90.0, None)]),
        ];
        assert_eq!(median_points(&rounds), [(0.91, 200.0), (0.99, 20.0)]);
    }
}
