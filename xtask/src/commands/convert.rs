//! `cargo xtask convert`: an index or vectors, from one format to another.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, Result, bail};
use bench_suite::{
    arguments::metric,
    each_saved, export,
    saved::{AnySaved, Format, Saved, Way},
};
use indicatif::ProgressBar;
use nearfield_files::{Keys, Matrix, Problem, Reader, write, write_keyed};
use nearfield_hnsw::{Build, space::VectorElement};
use nearfield_kernels::Metric;

/// From an index (.nearfield, or one of hnswlib, usearch or faiss, by its content) to .nearfield, to
/// hnswlib's .bin, or to its vectors; or from vectors to vectors, as their names say.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// What to read
    #[arg(value_name = "IN")]
    input: PathBuf,
    /// What to write: .nearfield, .bin for hnswlib, or a format of vectors
    #[arg(value_name = "OUT")]
    output: PathBuf,
    /// The metric of an index, where its file does not say it
    #[arg(long, value_parser = metric)]
    metric: Option<Metric>,
    /// Build the graph anew: that of another library can then be changed, and removed points are gone
    #[arg(long)]
    compact: bool,
}

pub(crate) fn run(args: Args) -> Result<()> {
    match Reader::open(&args.input) {
        Ok(reader) => {
            let matrix = waiting("reading", || reader.into_matrix(usize::MAX))?;
            write_vectors(&args.output, &matrix, None)
        }
        Err(error) if matches!(error.problem, Problem::UnknownFormat) => convert(&args),
        Err(error) => Err(error.into()),
    }
}

fn write_vectors(path: &Path, matrix: &Matrix, keys: Option<&Keys>) -> Result<()> {
    match keys {
        Some(keys) if has_columns(path) => write_keyed(path, matrix, keys)?,
        _ => write(path, matrix)?,
    }
    println!("{} rows of {} {}", matrix.rows(), matrix.dim(), matrix.values().kind());
    Ok(())
}

/// Whether a format has room for keys beside the vectors.
fn has_columns(path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str());
    matches!(extension, Some("parquet" | "arrow" | "arrows" | "feather"))
}

fn convert(args: &Args) -> Result<()> {
    let format = Format::of(&args.input)?;
    let any = AnySaved::read(&args.input, &format, args.metric, Way::OpenVerified)?;
    each_saved!(any, saved => {
        let saved = if args.compact { compact(saved)? } else { saved };
        match args.output.extension().and_then(|extension| extension.to_str()) {
            Some("nearfield") => save(&saved, &args.output)?,
            Some("bin") => to_hnswlib(AnySaved::from(saved), &args.output)?,
            _ => {
                let (matrix, keys) = export::vectors(&saved);
                return write_vectors(&args.output, &matrix, Some(&keys));
            }
        }
    });
    println!("{} → {}", format.name(), args.output.display());
    Ok(())
}

fn compact<E: VectorElement>(saved: Saved<E>) -> Result<Saved<E>> {
    let Saved::Keyed(index) = saved else {
        bail!("the index has no keys, so its points cannot be numbered anew");
    };
    let compact = waiting("building the graph anew", || index.compact(Build::default()));
    Ok(Saved::Keyed(compact?))
}

/// Does something that takes a while.
fn waiting<T>(what: &'static str, work: impl FnOnce() -> T) -> T {
    let spinner = ProgressBar::new_spinner().with_message(what);
    spinner.enable_steady_tick(Duration::from_millis(100));
    let done = work();
    spinner.finish_and_clear();
    done
}

fn save<E: VectorElement>(saved: &Saved<E>, path: &Path) -> Result<()> {
    match saved {
        Saved::Bare(index) => index.save(path)?,
        Saved::Keyed(index) => index.save(path)?,
    }
    Ok(())
}

fn to_hnswlib(any: AnySaved, path: &Path) -> Result<()> {
    let AnySaved::F32(saved) = any else { bail!("hnswlib's files hold f32 only") };
    match saved {
        Saved::Bare(index) => index.to_hnswlib(path),
        Saved::Keyed(index) => index.to_hnswlib(path),
    }
    .context("writing for hnswlib")
}
