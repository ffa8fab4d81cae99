//! Kernels under the machine's limits, and over the length of the vectors.

use bench_suite::kernel_runs::Access;
use bench_suite::roofline::{Roofs, Work};

use super::axes::{decades, points, ticks};
use crate::report::document::{Axis, Chart, Point, Scale, Series, Style};
use crate::report::kernels::distinct;
use crate::report::model::{KernelFigure, Report};
use crate::report::names::{backend_title, metric_title};

/// Colour of what is no measurement of ours.
const LIMIT: usize = 5;

/// The roofline: kernels under the limits of arithmetic and bandwidth.
pub(in crate::report) fn roofline(report: &Report, dim: usize) -> Option<Chart> {
    let figures = report.kernels.as_deref().ok()?;
    let all: Vec<_> =
        figures.iter().filter(|f| f.time.dim == dim && f.time.element == "f32").collect();
    let mut series = roofs(&report.memory.roofs?)?;
    for (colour, implementation) in fastest_first(&all).into_iter().enumerate() {
        for (access, style, place) in
            [(Access::Pair, Style::Dots, "in L1"), (Access::Gather, Style::Hollow, "from memory")]
        {
            let points: Vec<Point> = all
                .iter()
                .filter(|f| f.time.implementation == implementation && f.time.access == access)
                // One label per metric, at the fastest: the others stand in line below it.
                .filter_map(|figure| point(figure, colour == 0))
                .collect();
            if !points.is_empty() {
                let name = format!("{}, {place}", backend_title(implementation));
                series.push(Series { name, colour, style, points });
            }
        }
    }
    Some(Chart {
        title: format!("Roofline, f32, {dim} dimensions"),
        caption:
            "Each dot is a kernel: to the right, more arithmetic per byte read; upward, faster. \
                  The lines are what one thread can do at best with operands in L1, L2, L3 or \
                  memory. Full dots belong near the L1 line, hollow ones near the DRAM line."
                .to_owned(),
        x: Axis {
            label: "f32 operations per byte".to_owned(),
            scale: Scale::Log,
            ticks: ticks(&[LEFT, 0.2, 0.5, 1.0, 2.0, 5.0, RIGHT]),
        },
        y: decades("GFLOP/s", &series)?,
        series,
    })
}

/// The ends of the roofline's axis, in operations per byte.
const LEFT: f64 = 0.1;
const RIGHT: f64 = 10.0;

/// The slopes of the memory levels, and the flat roof where they end.
fn roofs(roofs: &Roofs) -> Option<Vec<Series>> {
    let peak = roofs.gflops?;
    let limit = |name: &str, points| Series {
        name: name.to_owned(),
        colour: LIMIT,
        style: Style::Limit,
        points,
    };
    // L2 and L3 often lie close together: their names stand on different sides.
    let levels = [
        ("L1", Some(roofs.l1), false),
        ("L2", Some(roofs.l2), false),
        ("L3", roofs.l3, true),
        ("DRAM", Some(roofs.dram), true),
    ];
    let slope = |(name, gb_per_s, below): (&str, Option<f64>, bool)| {
        let gb_per_s = gb_per_s?;
        let at = |x: f64| Point::new(x, x * gb_per_s);
        let start = Point { below, ..at(LEFT).labelled(name) };
        Some(limit("", vec![start, at((peak / gb_per_s).min(RIGHT))]))
    };
    let flat = vec![Point::new(peak / roofs.l1, peak), Point::new(RIGHT, peak)];
    let flat = limit("limits of this machine, one thread", flat);
    Some(levels.into_iter().filter_map(slope).chain([flat]).collect())
}

fn point(figure: &KernelFigure, labelled: bool) -> Option<Point> {
    let time = &figure.time;
    let flops = (Work::of(&time.metric)?.flops * time.dim) as f64;
    let point = Point::new(flops / time.bytes as f64, flops / time.ns);
    let name = if labelled { metric_title(&time.metric) } else { "" };
    // It counts as much arithmetic as the inner product, and would stand in its label.
    Some(Point { below: time.metric == "l1", ..point.labelled(name) })
}

/// Time by the length of the vectors, all implementations of one metric.
pub(in crate::report) fn by_dimension(report: &Report, metric: &str) -> Option<Chart> {
    let figures = report.kernels.as_deref().ok()?;
    let all: Vec<_> = figures
        .iter()
        .filter(|f| f.time.metric == metric && f.time.access == Access::Pair)
        .collect();
    let line = |(colour, implementation): (usize, &str)| {
        let own = all.iter().filter(|f| f.time.implementation == implementation);
        Series {
            name: backend_title(implementation).to_owned(),
            colour,
            style: Style::Line,
            points: own.map(|f| Point::new(f.time.dim as f64, f.time.ns)).collect(),
        }
    };
    let mut series: Vec<Series> = fastest_first(&all).into_iter().enumerate().map(line).collect();
    let best = series.first()?.name.clone();
    let limit = all.iter().filter(|f| backend_title(&f.time.implementation) == best);
    let limit = limit.filter_map(|f| Some(Point::new(f.time.dim as f64, f.limit?.ns)));
    series.push(Series {
        name: "limit of this machine".to_owned(),
        colour: LIMIT,
        style: Style::Limit,
        points: limit.collect(),
    });
    let mut dims: Vec<f64> = points(&series).map(|p| p.x).collect();
    dims.sort_by(f64::total_cmp);
    // Where two lengths would write over each other, the first one is named.
    dims.dedup_by(|next, last| *next < *last * 1.4);
    Some(Chart {
        title: format!("{} by dimensions", metric_title(metric)),
        caption: "Pairs in L1. The shorter the vectors, the more the call itself and the final \
                  folding of the lanes count."
            .to_owned(),
        x: Axis { label: "dimensions".to_owned(), scale: Scale::Log, ticks: ticks(&dims) },
        y: decades("ns per distance", &series)?,
        series,
    })
}

/// The implementations, the best backend first; its colour is then the same in all charts.
fn fastest_first<'a>(figures: &[&'a KernelFigure]) -> Vec<&'a str> {
    let mut names = distinct(figures, |f| f.time.implementation.as_str());
    names.reverse();
    names
}
