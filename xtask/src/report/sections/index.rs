//! The index on real data, one section per data set.

use bench_suite::ann::{BuildEvent, SearchEvent};

use super::parts::{charts, head};
use crate::report::charts::{self as chart, Reports};
use crate::report::document::{Block, Section, Table};
use crate::report::format::{bytes, count, number, recall, times};
use crate::report::model::{IndexFigures, IndexRun};
use crate::report::names::metric_phrase;

pub(super) fn sections(reports: Reports<'_>) -> Vec<Section> {
    let section = |run: &IndexRun| {
        let other = reports.other.and_then(|other| other.same_index(run));
        let blocks = match &run.figures {
            Ok(figures) => blocks(figures, other),
            Err(reason) => vec![Block::Text(format!("This run is {reason}."))],
        };
        Section { id: "index", title: format!("Index: {}", run.data_set), blocks }
    };
    reports.this.indexes.iter().map(section).collect()
}

fn blocks(figures: &IndexFigures, other: Option<&IndexFigures>) -> Vec<Block> {
    let hashes = figures.builds.windows(2).all(|pair| pair[0].graph_hash == pair[1].graph_hash);
    let hash = match figures.builds.first() {
        Some(build) if hashes => {
            let hash = build.graph_hash.as_deref().unwrap_or("unknown");
            format!("Every build gave the same graph, hash {hash}.")
        }
        Some(_) => {
            "The builds gave different graphs, which they must not: please report it.".to_owned()
        }
        None => "Nothing was built.".to_owned(),
    };
    let mut blocks = vec![Block::Text(format!(
        "{} rows of {} dimensions, {}, M {}, ef_construction {}; {} queries for the {} nearest, \
         recall against the exact answer. {hash}",
        count(figures.rows),
        figures.dim,
        metric_phrase(&figures.metric),
        figures.m,
        figures.ef_construction,
        count(figures.queries),
        figures.k,
    ))];
    blocks.extend(charts([chart::recall(figures, other), chart::build(figures, other)]));
    blocks.push(Block::Table(builds(figures)));
    blocks.push(Block::Table(searches(figures)));
    blocks
}

/// A figure, where there is one.
fn known(figure: Option<f64>) -> String {
    figure.map_or("–".to_owned(), number)
}

fn builds(figures: &IndexFigures) -> Table {
    let row = |build: &BuildEvent| {
        let first = &figures.builds[0];
        [
            build.threads.to_string(),
            number(build.seconds),
            times(first.seconds / build.seconds),
            number(figures.rows as f64 / build.seconds),
            known(build.distances.map(|distances| distances as f64 / figures.rows as f64)),
            build.bytes_per_vector.map_or("–".to_owned(), |b| bytes(b.round() as usize)),
        ]
        .map(Into::into)
        .into()
    };
    Table {
        caption: "Building".to_owned(),
        head: head(&[
            "Threads",
            "Seconds",
            "Speed-up",
            "Rows per second",
            "Distances per row",
            "Memory per vector",
        ]),
        rows: figures.builds.iter().map(row).collect(),
        words: 0,
    }
}

fn searches(figures: &IndexFigures) -> Table {
    let row = |search: &SearchEvent| {
        [
            search.ef.to_string(),
            search.recall.map_or("–".to_owned(), recall),
            number(search.qps),
            known(search.p50_us),
            known(search.p99_us),
            known(search.distances_per_query),
        ]
        .map(Into::into)
        .into()
    };
    Table {
        caption: "Searching, one thread".to_owned(),
        head: head(&[
            "ef",
            "Recall",
            "Queries per second",
            "p50 µs",
            "p99 µs",
            "Distances per query",
        ]),
        rows: figures.searches.iter().map(row).collect(),
        words: 0,
    }
}
