//! The charts of a report: which figures over which axes. A second report is drawn broken.

use bench_suite::kernel_runs::Access;
use bench_suite::machine::{BandwidthPoint, LatencyCurve, LatencyPoint, Pages};
use bench_suite::roofline::Work;

use super::document::{Axis, Chart, Point, Scale, Series, Style};
use super::format::{bytes, count, number};
use super::kernels::{backend_title, distinct, metric_title};
use super::model::{IndexFigures, Report};

/// A report and its name in legends, and perhaps the one to compare it with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reports<'a> {
    pub(super) this: &'a Report,
    pub(super) other: Option<&'a Report>,
}

impl<'a> Reports<'a> {
    /// Each report with the style of its lines and what to add to their names.
    fn each(self) -> impl Iterator<Item = (&'a Report, Style, &'static str)> {
        let other = self.other.map(|report| (report, Style::Broken, " (other)"));
        [(self.this, Style::Line, "")].into_iter().chain(other)
    }
}

/// Bandwidth by working set.
pub(super) fn bandwidth(reports: Reports<'_>) -> Option<Chart> {
    let mut series = vec![];
    for (report, style, suffix) in reports.each() {
        let Ok(points) = &report.memory.bandwidth else { continue };
        let point = |p: &BandwidthPoint| Point::new(p.bytes as f64, p.gb_per_s);
        series.push(Series {
            name: format!("one thread, huge pages{suffix}"),
            colour: 0,
            style,
            points: points.iter().map(point).collect(),
        });
    }
    Some(Chart {
        title: "Read bandwidth by working set".to_owned(),
        caption:
            "SIMD loads over the same memory again and again, front to back. Each step down is \
                  a cache that no longer holds it."
                .to_owned(),
        x: sizes(&series)?,
        y: decades("GB/s", &series)?,
        series,
    })
}

/// Latency by working set.
pub(super) fn latency(reports: Reports<'_>) -> Option<Chart> {
    let mut series = vec![];
    for (report, style, suffix) in reports.each() {
        for curve in report.memory.latency.iter().flatten() {
            let LatencyCurve { pages, points, .. } = curve;
            let point = |p: &LatencyPoint| Point::new(p.bytes as f64, p.ns);
            series.push(Series {
                name: format!("{pages}{suffix}"),
                colour: if *pages == Pages::Huge { 0 } else { 1 },
                style,
                points: points.iter().map(point).collect(),
            });
        }
    }
    Some(Chart {
        title: "Random read latency by working set".to_owned(),
        caption: "A chase through one random cycle over all cache lines: each read waits for the \
                  one before. This is what a graph search pays for the first line of a row."
            .to_owned(),
        x: sizes(&series)?,
        y: decades("ns per read", &series)?,
        series,
    })
}

/// The roofline: kernels under the limits of arithmetic and bandwidth.
pub(super) fn roofline(report: &Report, dim: usize) -> Option<Chart> {
    let roofs = report.memory.roofs?;
    let peak = roofs.gflops?;
    let (left, right) = (0.1, 10.0);
    let mut series = vec![];
    let levels = [
        ("L1", Some(roofs.l1)),
        ("L2", Some(roofs.l2)),
        ("L3", roofs.l3),
        ("DRAM", Some(roofs.dram)),
    ];
    for (name, gb_per_s) in levels {
        let Some(gb_per_s) = gb_per_s else { continue };
        let ridge = (peak / gb_per_s).min(right);
        let at = |x: f64, label: &str| Point { x, y: x * gb_per_s, label: label.to_owned() };
        series.push(Series {
            name: String::new(),
            colour: 5,
            style: Style::Limit,
            points: vec![at(left, name), at(ridge, "")],
        });
    }
    series.push(Series {
        name: "limits of this machine, one thread".to_owned(),
        colour: 5,
        style: Style::Limit,
        points: vec![Point::new(peak / roofs.l1, peak), Point::new(right, peak)],
    });
    let figures = report.kernels.as_deref().ok()?;
    let all: Vec<_> =
        figures.iter().filter(|f| f.time.dim == dim && f.time.element == "f32").collect();
    for (i, implementation) in
        distinct(&all, |f| f.time.implementation.as_str()).into_iter().rev().enumerate()
    {
        for access in [Access::Pair, Access::Gather] {
            let points: Vec<Point> = all
                .iter()
                .filter(|f| f.time.implementation == implementation && f.time.access == access)
                .filter_map(|f| {
                    let flops = (Work::of(&f.time.metric)?.flops * dim) as f64;
                    // One label per metric, at the fastest: below it the others stand in line.
                    let label = if i == 0 { metric_title(&f.time.metric) } else { "" };
                    Some(Point {
                        x: flops / f.time.bytes as f64,
                        y: flops / f.time.ns,
                        label: label.to_owned(),
                    })
                })
                .collect();
            if points.is_empty() {
                continue;
            }
            let (style, hollow) = if access == Access::Pair {
                (Style::Dots, "in L1")
            } else {
                (Style::Hollow, "from memory")
            };
            series.push(Series {
                name: format!("{}, {hollow}", backend_title(implementation)),
                colour: i,
                style,
                points,
            });
        }
    }
    Some(Chart {
        title: format!("Roofline, f32, {dim} dimensions"),
        caption:
            "Each dot is a kernel: to the right, more arithmetic per byte read; upward, faster. \
                  The lines are what this machine can do at best with operands in L1, L2, L3 or \
                  memory. Full dots should touch the L1 line, hollow ones the DRAM line."
                .to_owned(),
        x: Axis {
            label: "f32 operations per byte".to_owned(),
            scale: Scale::Log,
            ticks: ticks(&[0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0]),
        },
        y: decades("GFLOP/s", &series)?,
        series,
    })
}

/// Recall against queries per second on one data set.
pub(super) fn recall(this: &IndexFigures, other: Option<&IndexFigures>) -> Option<Chart> {
    let mut series = vec![];
    for (figures, style, name) in both(this, other) {
        let points = figures.searches.iter().filter_map(|s| {
            let label = if style == Style::Line { format!("ef {}", s.ef) } else { String::new() };
            Some(Point { x: s.recall?, y: s.qps, label })
        });
        series.push(Series { name: name.to_owned(), colour: 0, style, points: points.collect() });
    }
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
            label: format!("recall@{}", this.k),
            scale: Scale::Recall,
            ticks: all[first..].iter().map(text).collect(),
        },
        y: decades("queries per second", &series)?,
        series,
    })
}

/// Build time by threads on one data set.
pub(super) fn build(this: &IndexFigures, other: Option<&IndexFigures>) -> Option<Chart> {
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

fn points(series: &[Series]) -> impl Iterator<Item = &Point> {
    series.iter().flat_map(|s| &s.points)
}

fn ticks(values: &[f64]) -> Vec<(f64, String)> {
    values.iter().map(|&value| (value, plain(value))).collect()
}

/// A tick's number without digits that say nothing: `0.1`, `20`, `5,000`.
fn plain(value: f64) -> String {
    if value.fract() == 0.0 { count(value as usize) } else { value.to_string() }
}

/// A logarithmic axis of sizes that holds all points: every fourth power of two is named.
fn sizes(series: &[Series]) -> Option<Axis> {
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
fn decades(label: &str, series: &[Series]) -> Option<Axis> {
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
