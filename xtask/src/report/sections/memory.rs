//! What the memory hierarchy gives.

use bench_suite::machine::Pages;

use super::parts::{charts, number};
use crate::report::charts::{self as chart, Reports};
use crate::report::document::{Block, Section, Table};
use crate::report::format::{bytes, percent};
use crate::report::model::Report;

pub(super) fn section(reports: Reports<'_>) -> Section {
    let report = reports.this;
    let memory = &report.memory;
    let rows = memory.by_level.iter().map(|level| {
        let name = [level.name.as_str().into(), bytes(level.bytes).into()];
        let figures =
            [number(&level.one_thread), number(&level.all_threads), number(&level.latency_ns)];
        name.into_iter().chain(figures).collect()
    });
    let levels = Table {
        caption: "Sequential reads, and random reads that wait for each other".to_owned(),
        head: [
            "Level".to_owned(),
            "Working set".to_owned(),
            "GB/s, 1 thread".to_owned(),
            format!("GB/s, {} threads", memory.threads),
            "ns per random read".to_owned(),
        ]
        .into(),
        rows: rows.collect(),
        words: 1,
    };
    let mut blocks = vec![
        Block::Text(
            "A search through a large index is mostly waiting for rows. Bandwidth says how fast a row \
             arrives once it is on its way; latency says how long the first line takes."
                .to_owned(),
        ),
        Block::Table(levels),
    ];
    blocks.extend(charts([chart::bandwidth(reports), chart::latency(reports)]));
    blocks.push(Block::Text(format!(
        "Each figure is the fastest of several passes. Every thread reads a working set of its own, so \
         with {} threads a shared cache has to hold as many. {}",
        memory.threads,
        pages(report)
    )));
    Section { id: "memory", title: "Memory".to_owned(), blocks }
}

/// What pages the measurements really ran on.
fn pages(report: &Report) -> String {
    let mut sentences = vec![];
    for curve in &report.memory.latency {
        sentences.push(match curve {
            Ok(curve) => match (&curve.huge_share, curve.pages) {
                (Ok(share), Pages::Huge) => {
                    format!("Of the memory advised to be huge pages, {} was.", percent(*share))
                }
                (Ok(share), Pages::Small) => format!(
                    "Of the memory advised to be small pages, {} was huge.",
                    percent(*share)
                ),
                (Err(reason), pages) => format!("Whether the memory lay on {pages}: {reason}."),
            },
            Err(reason) => format!("A latency curve is {reason}."),
        });
    }
    if let Err(reason) = &report.memory.bandwidth {
        sentences.push(format!("The bandwidth curve is {reason}."));
    }
    sentences.join(" ")
}
