//! Builds an index over a workload and searches it, and says what that took.

use std::{
    io::{self, Write},
    path::Path,
    time::Instant,
};

use nearfield_hnsw::{
    Build, BuildError, Hnsw, Params, Search, SearchError, Vectors,
    file::SaveError,
    search::Searcher,
    space::{VectorElement, VectorError},
};
use nearfield_kernels::{Backend, Element, Unsupported};
use serde::{Deserialize, Serialize};

use crate::{passes::Passes, recall::Marker, workload::Workload};

/// What to build and how to search it.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The graph.
    pub params: Params,
    /// Threads that build it.
    pub threads: usize,
    /// Neighbours to search for.
    pub k: usize,
    /// The widths of the beam to measure, in this order.
    pub ef: Vec<usize>,
    /// Passes over all queries for each `ef`; the best one counts.
    pub passes: usize,
    /// The backend of every distance; without one, the process's own.
    pub backend: Option<Backend>,
}

/// One thing that was measured; as JSON, one line. What a library does not tell is null.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "lowercase")]
pub enum Event {
    /// The index is built.
    Build(BuildEvent),
    /// The index is in a file.
    Save(SaveEvent),
    /// The index is from a file.
    Load(LoadEvent),
    /// All queries are searched with one `ef`.
    Search(SearchEvent),
}

impl Event {
    /// Writes it as a line of JSON, at once.
    ///
    /// # Errors
    /// When the line cannot be written.
    pub fn write_line(&self, mut to: impl Write) -> io::Result<()> {
        serde_json::to_writer(&mut to, self)?;
        writeln!(to)?;
        to.flush()
    }
}

/// What building took.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BuildEvent {
    /// Rows in the index.
    pub n: usize,
    /// Elements of a row; of packed bits, the bits.
    pub dim: usize,
    /// Threads that built it.
    pub threads: usize,
    /// Seconds from the rows in memory to the index, the copy of the rows included.
    pub seconds: f64,
    /// Distances computed.
    pub distances: Option<u64>,
    /// Bytes of the index for each row, the row included.
    pub bytes_per_vector: Option<f64>,
    /// The digest of all links, as 16 hexadecimal digits.
    pub graph_hash: Option<String>,
}

/// What saving took.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SaveEvent {
    /// Seconds until the file would survive power loss.
    pub seconds: f64,
    /// Bytes of the file.
    pub bytes: u64,
}

/// What opening a file took, and what is in it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LoadEvent {
    /// Whose format it is.
    pub format: String,
    /// The element type.
    pub element: String,
    /// The metric.
    pub metric: String,
    /// Points that live.
    pub n: usize,
    /// Elements of a row.
    pub dim: usize,
    /// Seconds until searches can begin.
    pub seconds: f64,
    /// Bytes of the file.
    pub bytes: u64,
    /// The digest of all links, as 16 hexadecimal digits.
    pub graph_hash: String,
}

/// What searching with one `ef` took, on one thread.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SearchEvent {
    /// The width of the beam.
    pub ef: usize,
    /// Recall at k, by the definition of [`recall`](crate::recall); none without a truth.
    pub recall: Option<f64>,
    /// Queries per second in the best pass.
    pub qps: f64,
    /// Microseconds within which half of that pass's queries were answered.
    pub p50_us: Option<f64>,
    /// Microseconds within which 99 % of that pass's queries were answered.
    pub p99_us: Option<f64>,
    /// Distances computed for a query, on average.
    pub distances_per_query: Option<f64>,
}

/// Why a workload was not measured.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AnnError {
    /// A number of something that must not be none.
    #[error("{0} is 0; it must be at least 1")]
    Zero(&'static str),
    /// Nothing to search with.
    #[error("the list of ef is empty")]
    NoEf,
    /// More neighbours asked for than are known.
    #[error("k is {k}, but the truth knows {columns} neighbours of each query")]
    TruthColumns {
        /// Neighbours asked for.
        k: usize,
        /// Neighbours known.
        columns: usize,
    },
    /// The kernel cannot be had.
    #[error(transparent)]
    Kernel(#[from] Unsupported),
    /// The rows of the base were refused.
    #[error("the base was refused: {0}")]
    Base(VectorError),
    /// The index cannot be built.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// The index cannot be saved.
    #[error(transparent)]
    Save(#[from] SaveError),
    /// A query was refused.
    #[error("query {query}: {error}")]
    Search {
        /// The query, counted from 0.
        query: usize,
        /// Why.
        error: SearchError<VectorError>,
    },
    /// The one who wanted the results does not take them.
    #[error("the results cannot be written: {0}")]
    Report(#[from] io::Error),
}

impl Settings {
    /// Whether these settings make sense for a workload.
    ///
    /// # Errors
    /// [`AnnError`] for the first that does not.
    pub fn check<E: VectorElement>(&self, workload: &Workload<E>) -> Result<(), AnnError> {
        let zeros = [("k", self.k), ("passes", self.passes), ("threads", self.threads)];
        let zeros = zeros.into_iter().chain(self.ef.iter().map(|&ef| ("ef", ef)));
        for (name, value) in zeros {
            if value == 0 {
                return Err(AnnError::Zero(name));
            }
        }
        if self.ef.is_empty() {
            return Err(AnnError::NoEf);
        }
        if let Some(truth) = &workload.truth
            && truth.columns() < self.k.min(workload.base.len())
        {
            return Err(AnnError::TruthColumns { k: self.k, columns: truth.columns() });
        }
        Ok(())
    }
}

/// Builds the index, saves it if there is a file for it, and searches it with every `ef`, telling
/// `report` each result as it comes and `progress` how many rows of how many are linked.
///
/// # Errors
/// [`AnnError`]; all settings are checked before the work begins.
pub fn run<E: VectorElement>(
    workload: &Workload<E>,
    settings: &Settings,
    save_to: Option<&Path>,
    progress: &(dyn Fn(usize, usize) + Sync),
    mut report: impl FnMut(Event) -> io::Result<()>,
) -> Result<(), AnnError> {
    settings.check(workload)?;
    let (index, event) = build(workload, settings, progress)?;
    report(Event::Build(event))?;
    if let Some(path) = save_to {
        report(Event::Save(save(&index, path)?))?;
    }
    search_all(&mut index.searcher(), workload, settings, report)
}

/// Searches with every `ef`, telling `report` each result as it comes.
///
/// # Errors
/// As [`search`], and when a result is not taken.
pub fn search_all<E: VectorElement>(
    searcher: &mut Searcher<'_, Vectors<E>>,
    workload: &Workload<E>,
    settings: &Settings,
    mut report: impl FnMut(Event) -> io::Result<()>,
) -> Result<(), AnnError> {
    let marker = marker(workload, settings)?;
    for &ef in &settings.ef {
        report(Event::Search(search(searcher, workload, marker.as_ref(), settings, ef)?))?;
    }
    Ok(())
}

fn save<E: VectorElement>(index: &Hnsw<Vectors<E>>, path: &Path) -> Result<SaveEvent, AnnError> {
    let start = Instant::now();
    index.save(path)?;
    let seconds = start.elapsed().as_secs_f64();
    Ok(SaveEvent { seconds, bytes: path.metadata()?.len() })
}

/// Builds the index over the base of a workload.
///
/// # Errors
/// When a parameter is out of its range or a row is refused.
pub fn build<E: VectorElement>(
    workload: &Workload<E>,
    settings: &Settings,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Result<(Hnsw<Vectors<E>>, BuildEvent), AnnError> {
    let base = &workload.base;
    let backend = settings.backend.map_or_else(Backend::best, Ok)?;
    let build = Build::default().threads(settings.threads).progress(progress);

    let start = Instant::now();
    let mut vectors = Vectors::on(backend, base.dim(), workload.metric).map_err(AnnError::Base)?;
    vectors.extend(base.values()).map_err(AnnError::Base)?;
    let index = Hnsw::build(vectors, settings.params.clone(), build)?;
    let seconds = start.elapsed().as_secs_f64();

    let event = BuildEvent {
        n: index.len(),
        dim: workload.dim,
        threads: settings.threads,
        seconds,
        distances: Some(index.build_distances()),
        bytes_per_vector: Some(index.memory().total() as f64 / index.len().max(1) as f64),
        graph_hash: Some(format!("{:016x}", index.graph_hash())),
    };
    Ok((index, event))
}

/// What marks the answers of [`search`]; none for a workload without a truth.
///
/// # Errors
/// When the backend cannot be had.
pub fn marker<'a, E: VectorElement>(
    workload: &'a Workload<E>,
    settings: &Settings,
) -> Result<Option<Marker<'a, E>>, AnnError> {
    let Workload { base, queries, truth, .. } = workload;
    let kernel = workload.kernel(settings.backend)?;
    Ok(truth.as_ref().map(|truth| Marker::new(kernel, base, queries, truth, settings.k)))
}

/// Searches for every query of a workload, one after another on this thread, as often as the
/// settings say.
///
/// # Errors
/// When a query is refused.
pub fn search<E: VectorElement>(
    searcher: &mut Searcher<'_, Vectors<E>>,
    workload: &Workload<E>,
    marker: Option<&Marker<'_, E>>,
    settings: &Settings,
    ef: usize,
) -> Result<SearchEvent, AnnError> {
    let request = Search::new(settings.k).ef(ef);
    let (queries, before) = (&workload.queries, searcher.distances());
    let passes = Passes::run(queries, settings.k, settings.passes, |query, out| {
        let hits = searcher.search(query, request)?;
        out.iter_mut().zip(hits).for_each(|(id, hit)| *id = hit.id);
        Ok(hits.len())
    })
    .map_err(|(query, error)| AnnError::Search { query, error })?;

    let searches = (queries.len() * settings.passes) as f64;
    let distances_per_query = Some((searcher.distances() - before) as f64 / searches);
    Ok(SearchEvent::of(&passes, ef, marker, distances_per_query))
}

impl SearchEvent {
    /// What all libraries are told alike, from the same clock and by the same marks.
    pub(crate) fn of<E: Element>(
        passes: &Passes,
        ef: usize,
        marker: Option<&Marker<'_, E>>,
        distances_per_query: Option<f64>,
    ) -> Self {
        Self {
            ef,
            recall: marker.map(|marker| marker.recall(passes.answers())),
            qps: passes.qps(),
            p50_us: Some(passes.percentile_us(0.50)),
            p99_us: Some(passes.percentile_us(0.99)),
            distances_per_query,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_lines_of_json_and_come_back() {
        let build = Event::Build(BuildEvent {
            n: 2,
            dim: 3,
            threads: 4,
            seconds: 0.5,
            distances: Some(6),
            bytes_per_vector: Some(7.25),
            graph_hash: Some("00000000000000ff".into()),
        });
        let search = Event::Search(SearchEvent {
            ef: 1,
            recall: None,
            qps: 2.0,
            p50_us: Some(3.0),
            p99_us: None,
            distances_per_query: Some(5.5),
        });
        for (event, line) in [
            (
                build,
                r#"{"event":"build","n":2,"dim":3,"threads":4,"seconds":0.5,"distances":6,"bytes_per_vector":7.25,"graph_hash":"00000000000000ff"}"#,
            ),
            (
                search,
                r#"{"event":"search","ef":1,"recall":null,"qps":2.0,"p50_us":3.0,"p99_us":null,"distances_per_query":5.5}"#,
            ),
        ] {
            assert_eq!(serde_json::to_string(&event).unwrap(), line);
            assert_eq!(serde_json::from_str::<Event>(line).unwrap(), event);
        }
    }
}
