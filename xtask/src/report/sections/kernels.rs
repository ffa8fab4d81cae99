//! Every kernel: a heat map, the roofline, and all times.

use bench_suite::kernel_runs::Access;

use super::parts::{charts, head};
use crate::report::charts as chart;
use crate::report::document::{Block, Cell, Section, Table};
use crate::report::format::{count, number, percent, times};
use crate::report::kernels::{best_backend, distinct, of};
use crate::report::model::{KernelFigure, Report};
use crate::report::names::{backend_title, bound, metric_title};

pub(super) fn section(report: &Report) -> Section {
    let blocks = match &report.kernels {
        Ok(figures) => blocks(report, figures),
        Err(reason) => vec![Block::Text(format!("The times of the kernels are {reason}."))],
    };
    Section { id: "kernels", title: "Distance kernels".to_owned(), blocks }
}

fn blocks(report: &Report, figures: &[KernelFigure]) -> Vec<Block> {
    let mut blocks = vec![Block::Text(
        "One thread. “Pair in L1” compares the same two aligned vectors in a row of calls, so that only \
         arithmetic and the first-level cache count. “Rows from memory” scores 32 random rows per call \
         out of a table that no cache holds, each call waiting for the one before, as a graph search \
         does. Implementations take turns in every pass; each figure is the fastest pass."
            .to_owned(),
    )];
    if let Some(best) = best_backend(figures) {
        blocks.push(Block::Heading(format!("{} in the first-level cache", backend_title(best))));
        for (element, unit) in [("f32", "dimensions"), ("bits", "bits")] {
            let own: Vec<_> = of(figures, Access::Pair)
                .into_iter()
                .filter(|f| f.time.element == element && f.time.implementation == best)
                .collect();
            blocks.push(Block::Table(share_map(&own, unit)));
        }
        blocks.push(Block::Text(
            "Each cell: nanoseconds per distance, and the share of what this machine allows, which is \
             the smaller of its multiply-adds and its reads from L1 (L2 for pairs that L1 cannot hold; \
             for bits, the reads alone). The stronger the colour, the closer to the limit."
                .to_owned(),
        ));
        blocks.push(Block::Table(speed_up_map(figures, best)));
        blocks.push(Block::Text(
            "How many times faster than the loop that anyone would write first, compiled for the \
             target's least CPU. The scalar reference is slower still where the target has no fused \
             multiply-add (each becomes a function call), so the speed-up over it, in the tables below, \
             says more about the reference than about the kernel."
                .to_owned(),
        ));
    }
    let dims = distinct(&figures.iter().collect::<Vec<_>>(), |f| f.time.dim);
    let dim = if dims.contains(&768) { 768 } else { dims.last().copied().unwrap_or(0) };
    blocks.extend(charts([chart::roofline(report, dim), chart::by_dimension(report, "l2")]));
    let gathered = of(figures, Access::Gather);
    if !gathered.is_empty() {
        blocks.push(Block::Heading("Rows from memory".to_owned()));
        blocks.push(Block::Table(gather_table(&gathered)));
        blocks.push(Block::Text(
            "Nanoseconds per row. Here the inner loop matters less than the bytes of a row, huge pages, \
             and how many rows are on their way at once."
                .to_owned(),
        ));
    }
    let all = of(figures, Access::Pair).into_iter().chain(gathered);
    blocks.push(Block::More {
        title: "All times".to_owned(),
        blocks: vec![Block::Table(every(all))],
    });
    blocks
}

/// Metric × length: time and share of the limit.
fn share_map(figures: &[&KernelFigure], unit: &str) -> Table {
    map(figures, &format!("Time, and share of the machine's limit, by {unit}"), |figure| {
        let share = figure.share_of_limit;
        let text = share.map(|share| format!(" · {}", percent(share))).unwrap_or_default();
        Cell {
            text: format!("{} ns{text}", number(figure.time.ns)),
            heat: share.map(|s| s.clamp(0.0, 1.0)),
        }
    })
}

/// Metric × length: speed-up of `best` over the plain loop.
fn speed_up_map(figures: &[KernelFigure], best: &str) -> Table {
    let floats: Vec<_> = of(figures, Access::Pair)
        .into_iter()
        .filter(|f| f.time.element == "f32" && f.time.implementation == best)
        .collect();
    let most = floats.iter().filter_map(|f| f.speedup_over_plain).fold(2.0, f64::max);
    let caption = format!("Speed-up of {} over a plain loop, by dimensions", backend_title(best));
    map(&floats, &caption, |figure| match figure.speedup_over_plain {
        // Shaded by the logarithm: from 2 to 4 is as much as from 20 to 40.
        Some(factor) => {
            Cell { text: times(factor), heat: Some((factor.ln() / most.ln()).clamp(0.0, 1.0)) }
        }
        None => "–".into(),
    })
}

fn map(figures: &[&KernelFigure], caption: &str, cell: impl Fn(&KernelFigure) -> Cell) -> Table {
    let dims = distinct(figures, |f| f.time.dim);
    let metrics = distinct(figures, |f| f.time.metric.as_str());
    let row = |metric: &&str| {
        let at = |&dim: &usize| {
            let figure = figures.iter().find(|f| f.time.metric == *metric && f.time.dim == dim);
            figure.map_or_else(|| "–".into(), |figure| cell(figure))
        };
        [metric_title(metric).into()].into_iter().chain(dims.iter().map(at)).collect()
    };
    Table {
        caption: caption.to_owned(),
        head: ["Metric".to_owned()].into_iter().chain(dims.iter().map(|&d| count(d))).collect(),
        rows: metrics.iter().map(row).collect(),
        words: 1,
    }
}

/// Metric and length × implementation: nanoseconds per gathered row.
fn gather_table(figures: &[&KernelFigure]) -> Table {
    let implementations = distinct(figures, |f| f.time.implementation.as_str());
    let kinds = distinct(figures, |f| {
        (f.time.metric.as_str(), f.time.element.as_str(), f.time.dim, f.time.bytes)
    });
    let row = |&(metric, element, dim, bytes): &(&str, &str, usize, usize)| {
        let name = format!(
            "{}, {} {}",
            metric_title(metric),
            count(dim),
            if element == "bits" { "bits" } else { "dims" }
        );
        let cells = implementations.iter().map(|implementation| {
            let same = |f: &&&KernelFigure| {
                let t = &f.time;
                t.metric == metric && t.dim == dim && t.implementation == *implementation
            };
            figures.iter().find(same).map_or("–".to_owned(), |f| number(f.time.ns)).into()
        });
        [name.into(), count(bytes).into()].into_iter().chain(cells).collect()
    };
    let names = implementations.iter().map(|i| backend_title(i).to_owned());
    Table {
        caption: "Nanoseconds per random row".to_owned(),
        head: ["Rows".to_owned(), "Bytes each".to_owned()].into_iter().chain(names).collect(),
        rows: kinds.iter().map(row).collect(),
        words: 1,
    }
}

fn every<'a>(figures: impl Iterator<Item = &'a KernelFigure>) -> Table {
    let optional = |x: Option<f64>, text: fn(f64) -> String| x.map_or("–".to_owned(), text);
    let row = |figure: &'a KernelFigure| {
        let time = &figure.time;
        [
            metric_title(&time.metric).to_owned(),
            backend_title(&time.implementation).to_owned(),
            time.access.to_string(),
            count(time.dim),
            number(time.ns),
            number(figure.gb_per_s),
            optional(figure.share_of_limit, percent),
            figure.limit.map_or("–", |limit| bound(limit.bound)).to_owned(),
            optional(figure.speedup_over_plain, times),
            optional(figure.speedup_over_scalar, times),
        ]
        .map(Into::into)
        .into()
    };
    Table {
        caption: String::new(),
        head: head(&[
            "Metric",
            "Implementation",
            "Vectors",
            "Dims or bits",
            "ns",
            "GB/s",
            "of limit",
            "limited by",
            "× plain",
            "× scalar",
        ]),
        rows: figures.map(row).collect(),
        words: 3,
    }
}
