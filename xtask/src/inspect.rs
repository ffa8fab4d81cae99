//! `cargo xtask inspect`: what is in a saved index, and whether it is whole.

use std::{
    io::{self, Write},
    path::PathBuf,
};

use anyhow::{Context, Result, bail};
use nearfield_hnsw::{
    FileInfo, Hnsw, Index, OpenError, SavedKey, Stats, VectorElement, Vectors, bf16, f16,
};
use serde::Serialize;

/// Shows head, sections, checksums and statistics, and verifies all of it.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// A saved index
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Print one JSON object instead of a table
    #[arg(long)]
    json: bool,
}

/// What there is to say of a file.
#[derive(Debug, Serialize)]
struct Report {
    metric: String,
    element: String,
    keys: String,
    dim: usize,
    m: usize,
    ef_construction: usize,
    seed: u64,
    keep_pruned: bool,
    points: usize,
    removed: usize,
    entry: Option<u32>,
    mark: u64,
    halves: bool,
    bytes: u64,
    sections: Vec<Section>,
    statistics: Option<Statistics>,
    /// What is wrong with the file; none when it is whole.
    damage: Option<String>,
}

#[derive(Debug, Serialize)]
struct Section {
    name: &'static str,
    offset: u64,
    bytes: u64,
    checksum: String,
    is_good: bool,
}

#[derive(Debug, Serialize)]
struct Statistics {
    levels: Vec<usize>,
    least_links: usize,
    mean_links: f64,
    most_links: usize,
    stale_links: usize,
    bytes_per_point: f64,
}

pub(crate) fn run(args: Args) -> Result<()> {
    let info = FileInfo::read(&args.file)?;
    let report = report(&args, &info)?;
    let mut to = io::stdout().lock();
    if args.json {
        serde_json::to_writer(&mut to, &report)?;
        writeln!(to)?;
    } else {
        print(&report, to)?;
    }
    match report.damage {
        Some(damage) => bail!("damaged: {damage}"),
        None => Ok(()),
    }
}

fn report(args: &Args, info: &FileInfo) -> Result<Report> {
    let sections = info.sections.iter().map(|section| Section {
        name: section.kind.name(),
        offset: section.offset,
        bytes: section.len,
        checksum: format!("{:016x}", section.checksum),
        is_good: info.verify_section(section.kind).is_ok(),
    });
    let (statistics, damage) = match verify(args, info) {
        Ok(stats) => (stats.map(|stats| statistics(&stats)), None),
        Err(damage) => (None, Some(damage.to_string())),
    };
    Ok(Report {
        metric: info.metric.clone(),
        element: info.element.clone(),
        keys: info.keys.clone(),
        dim: info.dim,
        m: info.params.m,
        ef_construction: info.params.ef_construction,
        seed: info.params.seed,
        keep_pruned: info.params.keep_pruned,
        points: info.points,
        removed: info.removed,
        entry: info.entry,
        mark: info.mark,
        halves: info.halves,
        bytes: args.file.metadata().context("the length of the file")?.len(),
        sections: sections.collect(),
        statistics,
        damage,
    })
}

fn statistics(stats: &Stats) -> Statistics {
    Statistics {
        levels: stats.levels.clone(),
        least_links: stats.degrees.min,
        mean_links: stats.degrees.mean,
        most_links: stats.degrees.max,
        stale_links: stats.stale_links,
        bytes_per_point: stats.memory.total() as f64 / stats.live.max(1) as f64,
    }
}

/// Opens the file as what it is, all of it verified; no statistics where the points are elsewhere.
fn verify(args: &Args, info: &FileInfo) -> Result<Option<Stats>, Box<dyn std::error::Error>> {
    let stats = match info.element.as_str() {
        "f32" => stats::<f32>(args, info)?,
        "f16" => stats::<f16>(args, info)?,
        "bf16" => stats::<bf16>(args, info)?,
        "i8" => stats::<i8>(args, info)?,
        "u8" => stats::<u8>(args, info)?,
        "u64" => stats::<u64>(args, info)?,
        _ => return Ok(info.verify().map(|()| None)?),
    };
    Ok(Some(stats))
}

fn stats<E: VectorElement>(args: &Args, info: &FileInfo) -> Result<Stats, OpenError> {
    fn keyed<K: SavedKey, E: VectorElement>(args: &Args) -> Result<Stats, OpenError> {
        Ok(Index::<K, Vectors<E>>::open_verified(&args.file)?.stats())
    }
    match info.keys.as_str() {
        "u32" => keyed::<u32, E>(args),
        "u64" => keyed::<u64, E>(args),
        "i64" => keyed::<i64, E>(args),
        "utf-8" => keyed::<String, E>(args),
        "bytes" => keyed::<Vec<u8>, E>(args),
        // Keys of other types cannot be read here; their checksum is verified all the same.
        _ => Ok(Hnsw::<Vectors<E>>::open_verified(&args.file)?.stats()),
    }
}

fn print(report: &Report, mut to: impl Write) -> io::Result<()> {
    let named = |name: &str| if name.is_empty() { "none".to_owned() } else { name.to_owned() };
    for (name, value) in [
        ("points", format!("{}, of which {} were removed", report.points, report.removed)),
        ("vectors", format!("{} of {} dimensions", named(&report.element), report.dim)),
        ("metric", named(&report.metric)),
        ("keys", named(&report.keys)),
        ("M", report.m.to_string()),
        ("ef_construction", report.ef_construction.to_string()),
        ("seed", report.seed.to_string()),
        ("keep_pruned", report.keep_pruned.to_string()),
        ("entry point", report.entry.map_or("none".into(), |entry| entry.to_string())),
        ("rows in halves", report.halves.to_string()),
        ("log up to", report.mark.to_string()),
        ("bytes", report.bytes.to_string()),
    ] {
        writeln!(to, "{name:<16} {value}")?;
    }
    writeln!(to, "\n{:<16} {:>12} {:>12} {:>17}", "section", "offset", "bytes", "checksum")?;
    for section in &report.sections {
        let Section { name, offset, bytes, checksum, is_good } = section;
        let verdict = if *is_good { "good" } else { "WRONG" };
        writeln!(to, "{name:<16} {offset:>12} {bytes:>12}  {checksum} {verdict}")?;
    }
    if let Some(stats) = &report.statistics {
        writeln!(to, "\n{:<16} {:?}", "points by level", stats.levels)?;
        let Statistics { least_links, mean_links, most_links, .. } = stats;
        writeln!(to, "{:<16} {least_links} … {mean_links:.1} … {most_links}", "links, level 0")?;
        writeln!(to, "{:<16} {}", "stale links", stats.stale_links)?;
        writeln!(to, "{:<16} {:.1}", "bytes per point", stats.bytes_per_point)?;
    }
    match &report.damage {
        Some(_) => Ok(()),
        None => writeln!(to, "\nwhole: checksums, ids, tree, keys"),
    }
}
