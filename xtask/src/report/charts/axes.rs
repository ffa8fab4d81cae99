//! Axes that hold all points, with ticks at round numbers.

use crate::report::document::{Axis, Point, Scale, Series};
use crate::report::format::{bytes, count, number};

pub(super) fn points(series: &[Series]) -> impl Iterator<Item = &Point> {
    series.iter().flat_map(|s| &s.points)
}

pub(super) fn ticks(values: &[f64]) -> Vec<(f64, String)> {
    values.iter().map(|&value| (value, plain(value))).collect()
}

/// A tick's number without digits that say nothing: `0.1`, `20`, `5,000`.
fn plain(value: f64) -> String {
    if value.fract() == 0.0 { count(value as usize) } else { value.to_string() }
}

/// A logarithmic axis of sizes that holds all points: every fourth power of two is named.
pub(super) fn sizes(series: &[Series]) -> Option<Axis> {
    let lowest = points(series).map(|p| p.x).min_by(f64::total_cmp)?;
    let highest = points(series).map(|p| p.x).max_by(f64::total_cmp)?;
    let (first, last) = (lowest.log2().floor() as u32, highest.log2().ceil() as u32);
    let tick = |log: u32| {
        let text = if (log - first).is_multiple_of(4) { bytes(1 << log) } else { String::new() };
        ((1u64 << log) as f64, text)
    };
    Some(Axis {
        label: "working set".to_owned(),
        scale: Scale::Log,
        ticks: (first..=last).map(tick).collect(),
    })
}

/// A logarithmic axis at 1, 2, 5 of each decade, just wide enough for all points.
pub(super) fn decades(label: &str, series: &[Series]) -> Option<Axis> {
    let lowest = points(series).map(|p| p.y).min_by(f64::total_cmp)?;
    let highest = points(series).map(|p| p.y).max_by(f64::total_cmp)?;
    let steps: Vec<f64> =
        (-4..9).flat_map(|e| [1.0, 2.0, 5.0].map(|m| m * 10f64.powi(e))).collect();
    let first = steps.iter().rposition(|&step| step <= lowest).unwrap_or(0);
    let last = steps.iter().position(|&step| step >= highest).unwrap_or(steps.len() - 1);
    let steps = &steps[first..=last.max(first + 1)];
    // Many decades leave no room for more than the powers of ten.
    let thin = steps.len() > 10;
    let tick = |&step: &f64| {
        let power = (step.log10() - step.log10().round()).abs() < 1e-9;
        let text = if thin && !power { String::new() } else { number_short(step) };
        (step, text)
    };
    Some(Axis {
        label: label.to_owned(),
        scale: Scale::Log,
        ticks: steps.iter().map(tick).collect(),
    })
}

fn number_short(value: f64) -> String {
    if value >= 1.0 { plain(value.round()) } else { number(value).trim_end_matches('0').to_owned() }
}
