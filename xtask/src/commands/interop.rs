//! `cargo xtask interop`: whether other libraries and Nearfield read each other's indexes and find the
//! same.

use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use bench_suite::bundled;
use nearfield_hnsw::{
    Build, Index, Metric, Params, Search, Vectors, bf16, f16, space::VectorElement,
};
use serde::Serialize;

use crate::process::{command, run as run_shown};

/// The share of queries that may differ, by the last digits of near ties on the way.
const FEW: f64 = 0.01;

/// By how much two distances may differ that are the same, as a share of 1 and of the distance.
const NEAR: f32 = 1e-5;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Rows of the bundled WordNet set to take
    #[arg(long, default_value = "10000")]
    points: usize,
    /// Print JSON lines
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: Args) -> Result<()> {
    let folder = tempfile::tempdir().context("a folder for the indexes")?;
    let folder = folder.path();
    let mut set = bundled::wordnet_minilm().context("the bundled WordNet set")?;
    set.base.truncate(args.points);
    let dim = set.base.dim();
    write_rows(&folder.join("base.fbin"), dim, set.base.values())?;
    write_rows(&folder.join("query.fbin"), dim, set.queries.values())?;
    let script = crate::process::root().join("bench-suite/peers/interop.py");
    let python = |step: &str| -> Command {
        let mut python = command("python3");
        python.arg(&script).arg(step).arg(folder);
        python
    };
    start(&mut python("write"), args.json)?;
    let mut lines = Vec::new();
    theirs(folder, &mut lines)?;
    let ours = ours(folder, dim, set.base.values())?;
    start(&mut python("answer"), args.json)?;
    for (case, index) in &ours {
        let metric = index.space().metric();
        let read = Index::from_hnswlib(folder.join(format!("{case}.index")), metric)?;
        compare(folder, case, &read, to_hnswlib(metric), &mut lines)?;
        // The way of a search here is another: equal rows are found by hash, upper halves compared.
        let name = format!("{case}, before it was written");
        let answers = Answers::read(folder, case, dim)?;
        lines.extend(answers.compare(&name, index, to_hnswlib(metric), true)?);
    }
    let mut out = io::stdout().lock();
    for line in &lines {
        line.print(args.json, &mut out)?;
    }
    match lines.iter().find(|line| !line.is_good()) {
        Some(line) => bail!("{} differs at ef {}", line.case, line.ef),
        None => Ok(()),
    }
}

/// Runs the script; what it is and does is shown unless lines of JSON are wanted.
fn start(python: &mut Command, json: bool) -> Result<()> {
    if json { crate::process::hand_over(python) } else { run_shown(python) }
}

/// A distance of ours as another library would have it.
type Distance = fn(f32) -> f32;

const AS_IT_IS: Distance = |distance| distance;
const ONE_MORE: Distance = |distance| 1.0 + distance;
const NEGATED: Distance = |distance| -distance;
/// Squared L2 of vectors of length 1, of which an index of ours has the cosine.
const TWICE: Distance = |distance| 2.0 * distance;

fn to_hnswlib(metric: Metric) -> Distance {
    if metric == Metric::InnerProduct { ONE_MORE } else { AS_IT_IS }
}

/// Reads what the libraries have written.
fn theirs(folder: &Path, lines: &mut Vec<Line>) -> Result<()> {
    let path = |case: &str| folder.join(format!("{case}.index"));
    for (case, metric) in [
        ("hnswlib-l2", Metric::L2Squared),
        ("hnswlib-ip", Metric::InnerProduct),
        ("hnswlib-cosine", Metric::Cosine),
        ("hnswlib-deleted", Metric::L2Squared),
    ] {
        let index = Index::from_hnswlib(path(case), metric).context(case)?;
        compare(folder, case, &index, to_hnswlib(metric), lines)?;
    }
    for (metric, distance) in [("l2sq", AS_IT_IS), ("ip", ONE_MORE), ("cos", AS_IT_IS)] {
        usearch::<f32>(folder, &format!("usearch-f32-{metric}"), distance, lines)?;
        usearch::<f16>(folder, &format!("usearch-f16-{metric}"), distance, lines)?;
        usearch::<bf16>(folder, &format!("usearch-bf16-{metric}"), distance, lines)?;
        usearch::<i8>(folder, &format!("usearch-i8-{metric}"), distance, lines)?;
    }
    usearch::<f32>(folder, "usearch-removed", AS_IT_IS, lines)?;
    for (case, distance) in [
        ("faiss-flat-l2", AS_IT_IS),
        ("faiss-flat-ip", NEGATED),
        ("faiss-qt-8bit", AS_IT_IS),
        ("faiss-qt-8bit-uniform", AS_IT_IS),
        ("faiss-qt-6bit", AS_IT_IS),
        ("faiss-qt-4bit", AS_IT_IS),
        ("faiss-qt-fp16", AS_IT_IS),
        ("faiss-qt-bf16", AS_IT_IS),
        ("faiss-idmap", AS_IT_IS),
        ("faiss-l2norm", TWICE),
    ] {
        let index = Index::from_faiss(path(case)).context(case)?;
        compare(folder, case, &index, distance, lines)?;
    }
    Ok(())
}

fn usearch<E: VectorElement>(
    folder: &Path,
    case: &str,
    distance: Distance,
    lines: &mut Vec<Line>,
) -> Result<()> {
    let path = folder.join(format!("{case}.index"));
    let index = Index::<u64, Vectors<E>>::from_usearch(path).with_context(|| case.to_owned())?;
    compare(folder, case, &index, distance, lines)
}

/// An index that was written, and the case it is.
type Ours = (&'static str, Index<u64, Vectors<f32>>);

/// Builds indexes and writes them for hnswlib.
fn ours(folder: &Path, dim: usize, rows: &[f32]) -> Result<Vec<Ours>> {
    let cases = [
        ("ours-l2", Metric::L2Squared, 1),
        ("ours-ip", Metric::InnerProduct, 1),
        ("ours-cosine", Metric::Cosine, 1),
        ("ours-l2-deleted", Metric::L2Squared, 10),
    ];
    let build = |(case, metric, share): (&'static str, Metric, usize)| {
        let mut vectors = Vectors::new(dim, metric)?;
        vectors.extend(rows)?;
        let keys: Vec<u64> = (0..(rows.len() / dim) as u64).map(|id| id * 3 + 1000).collect();
        let index = Index::build(vectors, keys.clone(), Params::default(), Build::default())?;
        for key in keys.iter().step_by(share).filter(|_| share > 1) {
            ensure!(index.remove(key)?, "key {key} is missing");
        }
        index.to_hnswlib(folder.join(format!("{case}.index")))?;
        Ok((case, index))
    };
    cases.into_iter().map(build).collect()
}

fn compare<E: VectorElement>(
    folder: &Path,
    case: &str,
    index: &Index<u64, Vectors<E>>,
    distance: Distance,
    lines: &mut Vec<Line>,
) -> Result<()> {
    let answers = Answers::read(folder, case, index.space().dim())?;
    lines.extend(answers.compare(case, index, distance, false)?);
    Ok(())
}

/// Keys and distances.
type Hits = Vec<(u64, f32)>;

/// What a library answered: see `interop.py`.
struct Answers<E> {
    queries: Vec<Vec<E>>,
    k: usize,
    /// Of each beam its width, and of each query the hits.
    beams: Vec<(usize, Vec<Hits>)>,
}

impl<E: VectorElement> Answers<E> {
    fn read(folder: &Path, case: &str, dim: usize) -> Result<Self> {
        let bytes = fs::read(folder.join(format!("{case}.answers")))?;
        let mut rest = &bytes[..];
        let mut take = |len: usize| {
            let (bytes, after) = rest.split_at_checked(len).context("answers end early")?;
            rest = after;
            Ok::<_, anyhow::Error>(bytes)
        };
        let mut numbers = |count: usize| -> Result<Vec<usize>> {
            let numbers = take(4 * count)?.as_chunks::<4>().0.iter();
            Ok(numbers.map(|number| u32::from_le_bytes(*number) as usize).collect())
        };
        let head = numbers(3)?;
        let [count, k, beams] = head[..] else { bail!("no head") };
        let widths = numbers(beams)?;
        let queries = take(count * dim * size_of::<E>())?.chunks(dim * size_of::<E>());
        let queries = queries.map(values).collect();
        let mut hits = || -> Result<Vec<Hits>> {
            let keys: Vec<u64> = values(take(count * k * 8)?);
            let distances: Vec<f32> = values(take(count * k * 4)?);
            let hits: Hits = keys.into_iter().zip(distances).collect();
            Ok(hits.chunks(k).map(<[_]>::to_vec).collect())
        };
        let beams = widths.into_iter().map(|width| Ok((width, hits()?)));
        let beams = beams.collect::<Result<_>>()?;
        Ok(Self { queries, k, beams })
    }

    fn compare(
        &self,
        case: &str,
        index: &Index<u64, Vectors<E>>,
        distance: Distance,
        is_other_way: bool,
    ) -> Result<Vec<Line>> {
        let line = |(ef, expected): &(usize, Vec<Hits>)| {
            let mut line = Line::new(case, *ef, self.queries.len(), is_other_way);
            for (query, expected) in self.queries.iter().zip(expected) {
                let hits = index.search(query, Search::new(self.k).ef(*ef))?;
                let hits = hits.iter().map(|hit| (*hit.key, distance(hit.distance)));
                line.add(hits, expected);
            }
            Ok(line)
        };
        self.beams.iter().map(line).collect()
    }
}

/// The numbers that bytes are, wherever they lie.
fn values<T: VectorElement>(bytes: &[u8]) -> Vec<T> {
    let mut values = vec![T::zeroed(); bytes.len() / size_of::<T>()];
    bytemuck::cast_slice_mut(&mut values).copy_from_slice(bytes);
    values
}

fn write_rows(path: &Path, dim: usize, values: &[f32]) -> Result<()> {
    let mut bytes = Vec::with_capacity(8 + 4 * values.len());
    for number in [values.len() / dim, dim] {
        bytes.extend(u32::try_from(number)?.to_le_bytes());
    }
    values.iter().for_each(|value| bytes.extend(value.to_le_bytes()));
    fs::write(path, bytes).with_context(|| path.display().to_string())
}

/// How the answers to all queries compare at one width of the beam.
#[derive(Clone, Debug, PartialEq, Serialize)]
struct Line {
    case: String,
    ef: usize,
    queries: usize,
    /// The same keys in the same order.
    same: usize,
    /// The same distances, of other keys where they tie.
    tied: usize,
    /// Hits of all queries that the other library has as well, as a share.
    overlap: f64,
    /// Whether one of the two goes another way, so that answers need not be the same.
    other_way: bool,
}

impl Line {
    fn new(case: &str, ef: usize, queries: usize, other_way: bool) -> Self {
        let case = case.to_owned();
        Self { case, ef, queries, same: 0, tied: 0, overlap: 0.0, other_way }
    }

    /// Counts one query.
    fn add(&mut self, ours: impl Iterator<Item = (u64, f32)>, theirs: &[(u64, f32)]) {
        let ours: Vec<(u64, f32)> = ours.collect();
        let near = |a: f32, b: f32| (a - b).abs() <= NEAR * (1.0 + b.abs());
        let pairs = || ours.iter().zip(theirs);
        let is_near = ours.len() == theirs.len() && pairs().all(|(a, b)| near(a.1, b.1));
        let is_same = is_near && pairs().all(|(a, b)| a.0 == b.0);
        self.same += usize::from(is_same);
        self.tied += usize::from(is_near && !is_same);
        let shared = ours.iter().filter(|a| theirs.iter().any(|b| a.0 == b.0)).count();
        self.overlap += shared as f64 / (theirs.len().max(1) * self.queries.max(1)) as f64;
    }

    fn is_good(&self) -> bool {
        let differ = self.queries - self.same - self.tied;
        self.other_way || differ as f64 <= FEW * self.queries as f64
    }

    fn print(&self, json: bool, out: &mut impl Write) -> Result<()> {
        if json {
            serde_json::to_writer(&mut *out, self)?;
            return Ok(writeln!(out)?);
        }
        let Self { case, ef, queries, same, tied, overlap, .. } = self;
        let overlap = overlap * 100.0;
        let differ = queries - same - tied;
        Ok(writeln!(
            out,
            "{case}, ef {ef}: of {queries} queries {same} same, {tied} tied, {differ} differ; \
             {overlap:.2} % of the hits in common"
        )?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_the_same_tied_or_differ() {
        let mut line = Line::new("case", 10, 200, false);
        let theirs = [(1, 0.5), (2, 0.75)];
        line.add(theirs.into_iter(), &theirs);
        line.add([(1, 0.5), (3, 0.750_001)].into_iter(), &theirs);
        assert_eq!((line.same, line.tied), (1, 1));
        assert!(!line.is_good());
        (0..196).for_each(|_| line.add(theirs.into_iter(), &theirs));
        assert!(line.is_good(), "two of 200 were not counted: {line:?}");
        assert!((line.overlap - (1.0 + 0.5 + 196.0) / 200.0).abs() < 1e-9);
    }
}
