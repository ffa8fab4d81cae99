//! Bandwidth and latency by working set.

use bench_suite::machine::{BandwidthPoint, LatencyCurve, LatencyPoint, Pages};

use super::axes::{decades, sizes};
use super::reports::Reports;
use crate::report::document::{Chart, Point, Series};

/// Bandwidth by working set.
pub(in crate::report) fn bandwidth(reports: Reports<'_>) -> Option<Chart> {
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
pub(in crate::report) fn latency(reports: Reports<'_>) -> Option<Chart> {
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
