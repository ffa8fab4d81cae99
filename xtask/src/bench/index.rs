//! Builds and searches the index over the bundled data.

use bench_suite::ann::{self, Settings};
use bench_suite::bundled;
use bench_suite::machine::{NotAvailable, Probed};
use bench_suite::workload::{TRUTH_COLUMNS, Workload, WorkloadError};
use nearfield_hnsw::Params;

use super::plan::IndexPlan;
use super::progress::Progress;
use crate::report::{IndexFigures, IndexRun};

/// A data set's name, and how to read it.
type DataSet = (&'static str, fn() -> Result<Workload<f32>, WorkloadError>);

/// The data that comes with the repository.
pub(super) const DATA_SETS: [DataSet; 2] =
    [("Fashion-MNIST", bundled::fashion_mnist), ("WordNet MiniLM", bundled::wordnet_minilm)];

/// Nearest neighbours to search for, as everyone's figures have it.
const K: usize = 10;

/// Runs all data sets, building on 1, 2, 4 … `threads` threads.
pub(super) fn all(plan: &IndexPlan, threads: usize, progress: &mut Progress) -> Vec<IndexRun> {
    let run = |(name, read): DataSet| {
        progress.step(&format!("index over {name}"));
        IndexRun { data_set: name.to_owned(), figures: run(read, plan, threads, progress) }
    };
    DATA_SETS.map(run).into()
}

fn run(
    read: fn() -> Result<Workload<f32>, WorkloadError>,
    plan: &IndexPlan,
    threads: usize,
    progress: &Progress,
) -> Probed<IndexFigures> {
    progress.detail("reading");
    let mut workload = read().map_err(NotAvailable::because)?;
    workload.limit(plan.rows, plan.queries);
    if workload.truth.is_none() {
        progress.detail("computing the exact answers");
        workload.compute_truth(None, TRUTH_COLUMNS).map_err(NotAvailable::because)?;
    }
    let params = Params::default();
    let mut settings = Settings {
        params: params.clone(),
        threads: 1,
        k: K,
        ef: plan.ef.clone(),
        passes: plan.passes,
        backend: None,
    };
    let mut builds = vec![];
    let mut searches = vec![];
    for threads in thread_counts(threads) {
        settings.threads = threads;
        progress.detail(format!("building, threads: {threads}"));
        let (index, event) =
            ann::build(&workload, &settings, &|_, _| ()).map_err(NotAvailable::because)?;
        builds.push(event);
        // Every build gives the same graph; the first one is searched.
        if searches.is_empty() {
            let marker = ann::marker(&workload, &settings).map_err(NotAvailable::because)?;
            for &ef in &settings.ef {
                progress.detail(format!("searching, ef {ef}"));
                let event =
                    ann::search(&mut index.searcher(), &workload, marker.as_ref(), &settings, ef);
                searches.push(event.map_err(NotAvailable::because)?);
            }
        }
    }
    Ok(IndexFigures {
        rows: workload.base.len(),
        queries: workload.queries.len(),
        dim: workload.dim,
        metric: workload.metric.name().to_owned(),
        m: params.m,
        ef_construction: params.ef_construction,
        k: K,
        builds,
        searches,
    })
}

/// 1, 2, 4 … and all.
fn thread_counts(all: usize) -> Vec<usize> {
    let mut counts: Vec<usize> =
        std::iter::successors(Some(1), |n| Some(n * 2)).take_while(|&n| n < all).collect();
    counts.push(all.max(1));
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_double_and_end_with_all() {
        assert_eq!(thread_counts(1), [1]);
        assert_eq!(thread_counts(2), [1, 2]);
        assert_eq!(thread_counts(12), [1, 2, 4, 8, 12]);
        assert_eq!(thread_counts(16), [1, 2, 4, 8, 16]);
    }
}
