//! hnsw_rs (Rust): HNSW, with the distances of anndists on simdeez.

use std::process::ExitCode;

use bench_suite::ann::Settings;
use bench_suite::peer_index::{self, Metric, PeerError, PeerIndex};
use bench_suite::rates::{self, Living};
use bench_suite::{Table, Workload};
use hnsw_rs::prelude::{DistDot, DistL2, Distance, Hnsw};
use rayon::ThreadPoolBuilder;

/// Levels, as in its documentation; no set needs more.
const LEVELS: usize = 16;

struct HnswRs {
    index: Either,
    ef: usize,
}

/// The distance is part of the type.
enum Either {
    L2(Hnsw<'static, f32, DistL2>),
    Dot(Hnsw<'static, f32, DistDot>),
}

impl PeerIndex for HnswRs {
    fn build(rows: &Table<f32>, metric: Metric, settings: &Settings) -> Result<Self, PeerError> {
        let index = match metric {
            Metric::L2Squared => Either::L2(build(rows, DistL2, settings)?),
            // 1 − dot, for rows of length 1 only: an inner product above 1 makes it panic.
            Metric::Cosine => Either::Dot(build(rows, DistDot, settings)?),
            other => return Err(PeerError::NoMetric(other)),
        };
        Ok(Self { index, ef: 0 })
    }

    fn set_ef(&mut self, ef: usize) -> Result<(), PeerError> {
        self.ef = ef;
        Ok(())
    }

    fn search(&mut self, query: &[f32], out: &mut [u32]) -> Result<usize, PeerError> {
        let found = match &self.index {
            Either::L2(index) => index.search(query, out.len(), self.ef),
            Either::Dot(index) => index.search(query, out.len(), self.ef),
        };
        out.iter_mut().zip(&found).for_each(|(out, hit)| *out = hit.d_id as u32);
        Ok(found.len())
    }
}

fn build<D: Distance<f32> + Send + Sync>(
    rows: &Table<f32>,
    distance: D,
    settings: &Settings,
) -> Result<Hnsw<'static, f32, D>, PeerError> {
    let (m, ef_construction) = (settings.params.m, settings.params.ef_construction);
    let mut index = Hnsw::new(m, rows.len(), LEVELS, ef_construction, distance);
    let numbered: Vec<(&[f32], usize)> = (0..rows.len()).map(|id| (rows.row(id), id)).collect();
    let pool = ThreadPoolBuilder::new().num_threads(settings.threads).build();
    pool.map_err(PeerError::library)?.install(|| index.parallel_insert_slice(&numbered));
    index.set_searching_mode(true);
    Ok(index)
}

impl Living<f32> for HnswRs {
    const LIBRARY: &'static str = "hnsw_rs";

    fn begin(
        workload: &Workload<f32>,
        points: usize,
        settings: &rates::Settings,
    ) -> anyhow::Result<Self> {
        Ok(Self::build(&workload.first(points), workload.metric, &settings.of_a_build())?)
    }

    fn insert(&self, row: u32, values: &[f32]) -> anyhow::Result<()> {
        match &self.index {
            Either::L2(index) => index.insert((values, row as usize)),
            Either::Dot(index) => index.insert((values, row as usize)),
        }
        Ok(())
    }

    fn search(&self, query: &[f32], settings: &rates::Settings) -> anyhow::Result<()> {
        match &self.index {
            Either::L2(index) => index.search(query, settings.k, settings.ef),
            Either::Dot(index) => index.search(query, settings.k, settings.ef),
        };
        Ok(())
    }
}

fn main() -> ExitCode {
    peer_index::main_with_rates::<HnswRs>()
}
