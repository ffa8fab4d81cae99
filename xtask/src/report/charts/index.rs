//! Searching and building an index.

use super::axes::{decades, points, ticks};
use crate::report::document::{Axis, Chart, Point, Scale, Series, Style};
use crate::report::model::IndexFigures;

/// Recall against queries per second on one data set.
pub(in crate::report) fn recall(
    this: &IndexFigures,
    other: Option<&IndexFigures>,
) -> Option<Chart> {
    let mut series = vec![];
    for (figures, style, name) in both(this, other) {
        let points = figures.searches.iter().filter_map(|s| {
            let label = if style == Style::Line { format!("ef {}", s.ef) } else { String::new() };
            Some(Point::new(s.recall?, s.qps).labelled(label))
        });
        series.push(Series { name: name.to_owned(), colour: 0, style, points: points.collect() });
    }
    recall_of(this.k, series)
}

/// Recall against queries per second, of any series.
pub(in crate::report) fn recall_of(k: usize, series: Vec<Series>) -> Option<Chart> {
    let lowest = points(&series).map(|p| p.x).fold(1.0, f64::min);
    let all = [0.0, 0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 0.999, 0.9999];
    let first = all.iter().rposition(|&tick| tick <= lowest).unwrap_or(0);
    let text = |&tick: &f64| (tick, if tick > 0.9995 { "1".to_owned() } else { tick.to_string() });
    Some(Chart {
        title: "Queries per second by recall".to_owned(),
        caption:
            "One thread, best of the passes. Up and to the right is better. The axis gives each \
                  further nine the same room; what reaches 1 stands at the edge."
                .to_owned(),
        x: Axis {
            label: format!("recall@{k}"),
            scale: Scale::Recall,
            ticks: all[first..].iter().map(text).collect(),
        },
        y: decades("queries per second", &series)?,
        series,
    })
}

/// Build time by threads on one data set.
pub(in crate::report) fn build(this: &IndexFigures, other: Option<&IndexFigures>) -> Option<Chart> {
    let mut series = vec![];
    for (figures, style, name) in both(this, other) {
        let points =
            figures.builds.iter().map(|b| Point::new(b.threads as f64, b.seconds)).collect();
        series.push(Series { name: name.to_owned(), colour: 0, style, points });
    }
    // Where each thread does its full share.
    let first = this.builds.first()?;
    let ideal = |threads: usize| {
        Point::new(threads as f64, first.seconds * first.threads as f64 / threads as f64)
    };
    series.push(Series {
        name: "ideal".to_owned(),
        colour: 5,
        style: Style::Limit,
        points: this.builds.iter().map(|b| ideal(b.threads)).collect(),
    });
    let mut threads: Vec<f64> = points(&series).map(|p| p.x).collect();
    threads.sort_by(f64::total_cmp);
    threads.dedup();
    if threads.len() < 2 {
        return None;
    }
    Some(Chart {
        title: "Build time by threads".to_owned(),
        caption: "The whole build, from the rows in memory to a searchable index. Every number of \
                  threads gives the same graph."
            .to_owned(),
        x: Axis { label: "threads".to_owned(), scale: Scale::Log, ticks: ticks(&threads) },
        y: decades("seconds", &series)?,
        series,
    })
}

fn both<'a>(
    this: &'a IndexFigures,
    other: Option<&'a IndexFigures>,
) -> impl Iterator<Item = (&'a IndexFigures, Style, &'static str)> {
    let other = other.map(|figures| (figures, Style::Broken, "other machine"));
    [(this, Style::Line, "this machine")].into_iter().chain(other)
}
