//! Measures another library's index as [`crate::ann`] measures ours: one process, one library.

use std::{error, io, process::ExitCode, time::Instant};

use clap::Parser;
pub use nearfield_kernels::Metric;
use nearfield_kernels::Unsupported;

use crate::{
    Table, Workload,
    ann::{self, AnnError, BuildEvent, Event, SearchEvent, Settings},
    arguments::{DataArgs, IndexArgs},
    passes::Passes,
    rates::{self, Living},
    workload::{TRUTH_COLUMNS, WorkloadError},
};

/// An index of another library over rows of floats. Rows for the cosine come with length 1, so that
/// it may use the cheapest of its metrics that ranks such rows alike.
pub trait PeerIndex: Sized {
    /// Builds the index over all rows, on as many threads as the settings say.
    ///
    /// # Errors
    /// When the library has no such metric or parameter, or fails.
    fn build(rows: &Table<f32>, metric: Metric, settings: &Settings) -> Result<Self, PeerError>;

    /// Sets the beam of the searches to come. It is never narrower than `k`.
    ///
    /// # Errors
    /// When the library fails.
    fn set_ef(&mut self, ef: usize) -> Result<(), PeerError>;

    /// Writes the ids of the rows nearest to the query to `out`, nearest first, and returns how many
    /// it found.
    ///
    /// # Errors
    /// When the library fails.
    fn search(&mut self, query: &[f32], out: &mut [u32]) -> Result<usize, PeerError>;

    /// Bytes of the index, the rows included, where the library tells.
    fn bytes(&self) -> Option<usize> {
        None
    }

    /// Distances that all searches so far computed, where the library tells.
    fn distances(&self) -> Option<u64> {
        None
    }
}

/// Why another library was not measured.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PeerError {
    /// It compares rows in other ways.
    #[error("no {}", words(*.0))]
    NoMetric(Metric),
    /// It has no such graph.
    #[error("M is {m}; it has {known}")]
    NoSuchM {
        /// The links asked for.
        m: usize,
        /// Those that can be had.
        known: &'static str,
    },
    /// It failed.
    #[error(transparent)]
    Library(Box<dyn error::Error + Send + Sync>),
    /// The files make no workload.
    #[error(transparent)]
    Workload(#[from] WorkloadError),
    /// The exact neighbours cannot be computed.
    #[error(transparent)]
    Kernel(#[from] Unsupported),
    /// The settings make no sense.
    #[error(transparent)]
    Settings(#[from] AnnError),
    /// The one who wanted the results does not take them.
    #[error("the results cannot be written: {0}")]
    Report(#[from] io::Error),
}

impl PeerError {
    /// What the library says went wrong.
    pub fn library(error: impl Into<Box<dyn error::Error + Send + Sync>>) -> Self {
        Self::Library(error.into())
    }
}

fn words(metric: Metric) -> &'static str {
    match metric {
        Metric::InnerProduct => "inner product",
        other => other.name(),
    }
}

#[derive(Debug, Parser)]
struct Args {
    #[command(flatten)]
    data: DataArgs,
    #[command(flatten)]
    index: IndexArgs,
}

/// As [`main`], for a library whose index can be changed while it is searched: with `rates` as its first
/// word the program measures those.
pub fn main_with_rates<P: PeerIndex + Living<f32>>() -> ExitCode {
    match std::env::args_os().nth(1) {
        Some(word) if word == "rates" => rates::main::<P>(std::env::args_os().skip(1)),
        _ => main::<P>(),
    }
}

/// A whole program: reads the arguments, measures the library and prints a line of JSON for each
/// event.
pub fn main<P: PeerIndex>() -> ExitCode {
    let Args { data, index } = Args::parse();
    let mut to = io::stdout().lock();
    let result = read(&data, &index).and_then(|workload| {
        run::<P>(&workload, &index.settings(), |event| event.write_line(&mut to))
    });
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn read(data: &DataArgs, index: &IndexArgs) -> Result<Workload<f32>, PeerError> {
    let mut workload = Workload::read(&data.files(index))?;
    if index.limit_base.is_some() && workload.truth.is_none() {
        workload.compute_truth(None, TRUTH_COLUMNS.max(index.k))?;
    }
    Ok(workload)
}

/// Builds the library's index and searches it with every `ef`, telling `report` each result as it
/// comes.
///
/// # Errors
/// [`PeerError`]; the settings are checked before the work begins.
pub fn run<P: PeerIndex>(
    workload: &Workload<f32>,
    settings: &Settings,
    mut report: impl FnMut(Event) -> io::Result<()>,
) -> Result<(), PeerError> {
    settings.check(workload)?;
    let rows = &workload.base;
    let start = Instant::now();
    let mut index = P::build(rows, workload.metric, settings)?;
    let seconds = start.elapsed().as_secs_f64();
    report(Event::Build(BuildEvent {
        n: rows.len(),
        dim: workload.dim,
        threads: settings.threads,
        seconds,
        distances: None,
        bytes_per_vector: index.bytes().map(|bytes| bytes as f64 / rows.len() as f64),
        graph_hash: None,
    }))?;

    let marker = ann::marker(workload, settings)?;
    let width = settings.k.min(rows.len());
    for &ef in &settings.ef {
        index.set_ef(ef.max(width))?;
        let before = index.distances();
        let queries = &workload.queries;
        let search = |query: &[f32], out: &mut [u32]| index.search(query, out);
        let passes =
            Passes::run(queries, width, settings.passes, search).map_err(|(_, error)| error)?;
        let searches = (queries.len() * settings.passes) as f64;
        let since = before.zip(index.distances()).map(|(before, after)| after - before);
        let distances_per_query = since.map(|distances| distances as f64 / searches);
        report(Event::Search(SearchEvent::of(&passes, ef, marker.as_ref(), distances_per_query)))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use nearfield_kernels::Kernel;

    use super::*;
    use crate::Truth;

    /// Compares the query with the first `ef` rows.
    struct Scan {
        rows: Table<f32>,
        ef: usize,
        compared: u64,
    }

    impl PeerIndex for Scan {
        fn build(rows: &Table<f32>, metric: Metric, _: &Settings) -> Result<Self, PeerError> {
            match metric {
                Metric::L2Squared => Ok(Self { rows: rows.clone(), ef: 0, compared: 0 }),
                other => Err(PeerError::NoMetric(other)),
            }
        }

        fn set_ef(&mut self, ef: usize) -> Result<(), PeerError> {
            self.ef = ef;
            Ok(())
        }

        fn search(&mut self, query: &[f32], out: &mut [u32]) -> Result<usize, PeerError> {
            let ef = self.ef.min(self.rows.len());
            let mut ids: Vec<u32> = (0..ef as u32).collect();
            let distance = |id: u32| (self.rows.row(id as usize)[0] - query[0]).abs();
            ids.sort_by(|&a, &b| distance(a).total_cmp(&distance(b)));
            self.compared += ef as u64;
            out.iter_mut().zip(ids).for_each(|(out, id)| *out = id);
            Ok(ef.min(out.len()))
        }

        fn bytes(&self) -> Option<usize> {
            Some(size_of_val(self.rows.values()))
        }

        fn distances(&self) -> Option<u64> {
            Some(self.compared)
        }
    }

    fn on_a_line(metric: Metric) -> Workload<f32> {
        let base = Table::new(1, (0..20u8).map(f32::from).collect());
        let queries = Table::new(1, vec![0.1, 19.0]);
        let kernel = Kernel::best(metric).unwrap();
        let truth = Some(Truth::exact(kernel, &base, &queries, 4));
        Workload { metric, dim: 1, base, queries, truth }
    }

    fn settings() -> Settings {
        use nearfield_hnsw::Params;
        let ef = vec![1, 10, 20];
        Settings { params: Params::default(), threads: 1, k: 4, ef, passes: 2, backend: None }
    }

    #[test]
    fn every_ef_is_marked_and_never_below_k() {
        let mut events = vec![];
        let keep = |event| {
            events.push(event);
            Ok(())
        };
        run::<Scan>(&on_a_line(Metric::L2Squared), &settings(), keep).unwrap();
        let Event::Build(build) = &events[0] else { panic!("{events:?}") };
        assert_eq!((build.n, build.bytes_per_vector, build.distances), (20, Some(4.0), None));
        let searches = events[1..].iter().map(|event| match event {
            Event::Search(s) => (s.ef, s.recall, s.distances_per_query),
            other => panic!("{other:?} among searches"),
        });
        assert_eq!(
            searches.collect::<Vec<_>>(),
            // The nearest of the second query are the last rows.
            [(1, Some(0.5), Some(4.0)), (10, Some(0.5), Some(10.0)), (20, Some(1.0), Some(20.0))]
        );
    }

    #[test]
    fn what_a_library_lacks_is_named() {
        let refused = |metric, settings: &Settings| {
            run::<Scan>(&on_a_line(metric), settings, |_| Ok(())).unwrap_err().to_string()
        };
        assert_eq!(refused(Metric::InnerProduct, &settings()), "no inner product");
        let none = Settings { ef: vec![], ..settings() };
        assert_eq!(refused(Metric::L2Squared, &none), "the list of ef is empty");
    }
}
