//! `cargo xtask inspect`: what is in a saved index or a log, and whether it is whole.

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use nearfield_hnsw::{
    Hnsw, Index, SavedKey, Vectors, bf16,
    durable::{BadLog, LogInfo, RecoverError},
    f16,
    file::{Corruption, FileInfo, OpenCause, OpenError},
    inspect::Stats,
    space::VectorElement,
};
use serde::Serialize;

/// Shows head, sections, checksums and statistics of a saved index, and verifies all of it; or records of
/// the log of a durable one. Of the folder of a durable index both.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// A saved index, a log, or the folder of a durable index
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Print JSON lines instead of a table
    #[arg(long)]
    json: bool,
}

/// What there is to say of a saved index.
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
    let file = &args.file;
    if file.is_dir() {
        index(&file.join("snapshot"), args.json)?;
        if !args.json {
            println!();
        }
        return log(&file.join("log"), args.json);
    }
    match FileInfo::read(file) {
        Err(OpenError { cause: OpenCause::Damaged(Corruption::NotAnIndex), .. })
            if is_log(file) =>
        {
            log(file, args.json)
        }
        _ => index(file, args.json),
    }
}

/// Whether a file begins as a log does.
fn is_log(file: &Path) -> bool {
    let no_log = |error: &RecoverError| {
        matches!(error, RecoverError::Log { error: BadLog::NoLog | BadLog::Head, .. })
    };
    !LogInfo::read(file).is_err_and(|error| no_log(&error))
}

/// Shows a saved index.
fn index(file: &Path, json: bool) -> Result<()> {
    let info = FileInfo::read(file)?;
    let report = report(file, &info)?;
    let mut to = io::stdout().lock();
    if json {
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

/// Shows a log.
fn log(file: &Path, json: bool) -> Result<()> {
    let log = LogInfo::read(file)?;
    let cut = log.cut.map_or("nothing".into(), |cut| {
        format!("{} bytes from byte {} on, with {} records", cut.bytes, cut.offset, cut.records)
    });
    let lines = [
        ("log of vectors", format!("{} of {} dimensions", log.element, log.dim)),
        ("metric", log.metric),
        ("keys", log.keys),
        ("begins behind", log.start.to_string()),
        ("ends with", log.last.to_string()),
        ("inserts", log.inserts.to_string()),
        ("upserts", log.upserts.to_string()),
        ("removals", log.removals.to_string()),
        ("batches", log.batches.to_string()),
        ("marks", log.marks.to_string()),
        ("all synced", log.is_synced.to_string()),
        ("torn off its end", cut),
    ];
    let mut to = io::stdout().lock();
    if json {
        let fields = lines.map(|(name, value)| (name.replace(' ', "_"), value.into()));
        serde_json::to_writer(&mut to, &serde_json::Map::from_iter(fields))?;
        return Ok(writeln!(to)?);
    }
    for (name, value) in lines {
        writeln!(to, "{name:<16} {value}")?;
    }
    Ok(())
}

fn report(file: &Path, info: &FileInfo) -> Result<Report> {
    let sections = info.sections.iter().map(|section| Section {
        name: section.kind.name(),
        offset: section.offset,
        bytes: section.len,
        checksum: format!("{:016x}", section.checksum),
        is_good: info.verify_section(section.kind).is_ok(),
    });
    let (statistics, damage) = match verify(file, info) {
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
        bytes: file.metadata().context("the length of the file")?.len(),
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
fn verify(file: &Path, info: &FileInfo) -> Result<Option<Stats>, Box<dyn std::error::Error>> {
    let stats = match info.element.as_str() {
        "f32" => stats::<f32>(file, info)?,
        "f16" => stats::<f16>(file, info)?,
        "bf16" => stats::<bf16>(file, info)?,
        "i8" => stats::<i8>(file, info)?,
        "u8" => stats::<u8>(file, info)?,
        "u64" => stats::<u64>(file, info)?,
        _ => return Ok(info.verify().map(|()| None)?),
    };
    Ok(Some(stats))
}

fn stats<E: VectorElement>(file: &Path, info: &FileInfo) -> Result<Stats, OpenError> {
    fn keyed<K: SavedKey, E: VectorElement>(file: &Path) -> Result<Stats, OpenError> {
        Ok(Index::<K, Vectors<E>>::load(file)?.stats())
    }
    match info.keys.as_str() {
        "u32" => keyed::<u32, E>(file),
        "u64" => keyed::<u64, E>(file),
        "i64" => keyed::<i64, E>(file),
        "utf-8" => keyed::<String, E>(file),
        "bytes" => keyed::<Vec<u8>, E>(file),
        // Keys of other types cannot be read here; their checksum is verified all the same.
        _ => Ok(Hnsw::<Vectors<E>>::load(file)?.stats()),
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
