//! diskann (Rust): Vamana in memory, one level, with the degree of HNSW's lowest: 2·M.

use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use bench_suite::Table;
use bench_suite::ann::Settings;
use bench_suite::peer_index::{self, Metric, PeerError, PeerIndex};
use diskann::graph::config::{Builder, MaxDegree};
use diskann::graph::{DiskANNIndex, search::Knn};
use diskann::neighbor::Neighbor;
use diskann_inmem::num::{Capacity, MaxDegree as Slots};
use diskann_inmem::repr::Full;
use diskann_inmem::{Context, Provider, Strategy};
use diskann_utils::views::rowmajor;
use diskann_vector::distance::Metric as Theirs;
use tokio::runtime::{self, Runtime};

struct Diskann {
    index: DiskANNIndex<Provider<Full<f32>>>,
    runtime: Runtime,
    knn: Knn,
    hits: Vec<Neighbor<u32>>,
    distances: u64,
}

impl PeerIndex for Diskann {
    fn build(rows: &Table<f32>, metric: Metric, settings: &Settings) -> Result<Self, PeerError> {
        let metric = match metric {
            Metric::L2Squared => Theirs::L2,
            Metric::InnerProduct => Theirs::InnerProduct,
            Metric::Cosine => Theirs::CosineNormalized,
            other => return Err(PeerError::NoMetric(other)),
        };
        let (degree, l_build) = (2 * settings.params.m, settings.params.ef_construction);
        // α and the room for more links while building are its defaults.
        let config = Builder::new(degree, MaxDegree::default_slack(), l_build, metric.into());
        let config = config.build().map_err(PeerError::library)?;
        let start = rowmajor::Owned::row_vector(mean(rows).into_boxed_slice());
        let slots = Slots::new(config.max_degree().get());
        let full = Full::config(Capacity::new(rows.len()), slots, metric, start);
        let provider = Provider::new(full.map_err(PeerError::library)?);
        let index = DiskANNIndex::new(config, provider.map_err(PeerError::library)?, None);
        insert_all(&index, rows, settings.threads)?;
        let knn = Knn::new_default(1).map_err(PeerError::library)?;
        Ok(Self { index, runtime: runtime()?, knn, hits: vec![], distances: 0 })
    }

    fn set_ef(&mut self, ef: usize) -> Result<(), PeerError> {
        self.knn = Knn::new_default(ef).map_err(PeerError::library)?;
        Ok(())
    }

    fn search(&mut self, query: &[f32], out: &mut [u32]) -> Result<usize, PeerError> {
        self.hits.clear();
        let search = self.index.search(self.knn, &Strategy, &Context, query, &mut self.hits);
        let stats = self.runtime.block_on(search).map_err(PeerError::library)?;
        self.distances += u64::from(stats.cmps);
        out.iter_mut().zip(&self.hits).for_each(|(out, hit)| *out = *hit.id());
        Ok(self.hits.len())
    }

    fn distances(&self) -> Option<u64> {
        Some(self.distances)
    }
}

/// Every thread takes the next row, since the library inserts on many threads at once, one row a call;
/// then it prunes its share of the lists that are still longer than the degree.
fn insert_all(
    index: &DiskANNIndex<Provider<Full<f32>>>,
    rows: &Table<f32>,
    threads: usize,
) -> Result<(), PeerError> {
    let next = AtomicUsize::new(0);
    on_threads(threads, |runtime, _| {
        loop {
            let id = next.fetch_add(1, Ordering::Relaxed);
            if id >= rows.len() {
                return Ok(());
            }
            let (key, row) = (id as u32, rows.row(id));
            let insert = index.insert(&Strategy, &Context, &key, row);
            runtime.block_on(insert).map_err(PeerError::library)?;
        }
    })?;
    on_threads(threads, |runtime, thread| {
        let bound = |thread: usize| (rows.len() * thread / threads) as u32;
        let share = bound(thread)..bound(thread + 1);
        runtime.block_on(index.prune_range(&Strategy, &Context, share)).map_err(PeerError::library)
    })
}

fn on_threads(
    threads: usize,
    work: impl Fn(&Runtime, usize) -> Result<(), PeerError> + Sync,
) -> Result<(), PeerError> {
    let work = &work;
    thread::scope(|scope| {
        let start = |thread| scope.spawn(move || work(&runtime()?, thread));
        let workers: Vec<_> = (0..threads).map(start).collect();
        workers.into_iter().try_for_each(|worker| {
            worker.join().unwrap_or_else(|_| Err(PeerError::library("a thread panicked")))
        })
    })
}

/// Its calls are futures that never wait: what runs them need not do more.
fn runtime() -> Result<Runtime, PeerError> {
    runtime::Builder::new_current_thread().build().map_err(PeerError::library)
}

/// Where its searches begin.
fn mean(rows: &Table<f32>) -> Vec<f32> {
    let mut sums = vec![0.0f64; rows.dim()];
    for row in rows.values().chunks_exact(rows.dim()) {
        sums.iter_mut().zip(row).for_each(|(sum, &value)| *sum += f64::from(value));
    }
    sums.into_iter().map(|sum| (sum / rows.len() as f64) as f32).collect()
}

fn main() -> ExitCode {
    peer_index::main::<Diskann>()
}
