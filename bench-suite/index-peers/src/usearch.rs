//! usearch (C++ behind Rust): HNSW over f32, with the kernels of NumKong, chosen at run time.

use std::process::ExitCode;

use bench_suite::ann::Settings;
use bench_suite::peer_index::{self, Metric, PeerError, PeerIndex};
use bench_suite::rates::{self, Living};
use bench_suite::{Table, Workload};
use rayon::ThreadPoolBuilder;
use rayon::prelude::*;
use usearch::{Index, IndexOptions, MetricKind, ScalarKind};

struct Usearch(Index);

impl PeerIndex for Usearch {
    fn build(rows: &Table<f32>, metric: Metric, settings: &Settings) -> Result<Self, PeerError> {
        let options = IndexOptions {
            dimensions: rows.dim(),
            metric: match metric {
                Metric::L2Squared => MetricKind::L2sq,
                // Rows of length 1 need no norms.
                Metric::InnerProduct | Metric::Cosine => MetricKind::IP,
                other => return Err(PeerError::NoMetric(other)),
            },
            quantization: ScalarKind::F32,
            connectivity: settings.params.m,
            expansion_add: settings.params.ef_construction,
            ..IndexOptions::default()
        };
        let threads = settings.threads;
        let index = Index::new(&options).map_err(PeerError::library)?;
        index.reserve_capacity_and_threads(rows.len(), threads).map_err(PeerError::library)?;
        let pool = ThreadPoolBuilder::new().num_threads(threads).build();
        let add = |id: usize| index.add(id as u64, rows.row(id));
        pool.map_err(PeerError::library)?
            .install(|| (0..rows.len()).into_par_iter().try_for_each(add))
            .map_err(PeerError::library)?;
        Ok(Self(index))
    }

    fn set_ef(&mut self, ef: usize) -> Result<(), PeerError> {
        self.0.change_expansion_search(ef);
        Ok(())
    }

    fn search(&mut self, query: &[f32], out: &mut [u32]) -> Result<usize, PeerError> {
        let found = self.0.search(query, out.len()).map_err(PeerError::library)?;
        out.iter_mut().zip(&found.keys).for_each(|(out, &key)| *out = key as u32);
        Ok(found.keys.len())
    }

    fn bytes(&self) -> Option<usize> {
        // What its memory tells grows by doubling, whether it is used or not.
        Some(self.0.serialized_length())
    }
}

impl Living<f32> for Usearch {
    const LIBRARY: &'static str = "usearch";

    fn begin(
        workload: &Workload<f32>,
        points: usize,
        settings: &rates::Settings,
    ) -> anyhow::Result<Self> {
        let this = Self::build(&workload.first(points), workload.metric, &settings.of_a_build())?;
        // One that inserts, one that searches, or those that insert.
        let threads = settings.most_threads().max(2);
        this.0.reserve_capacity_and_threads(workload.base.len(), threads)?;
        this.0.change_expansion_search(settings.ef);
        Ok(this)
    }

    fn insert(&self, row: u32, values: &[f32]) -> anyhow::Result<()> {
        Ok(self.0.add(u64::from(row), values)?)
    }

    fn search(&self, query: &[f32], settings: &rates::Settings) -> anyhow::Result<()> {
        self.0.search(query, settings.k)?;
        Ok(())
    }
}

fn main() -> ExitCode {
    peer_index::main_with_rates::<Usearch>()
}
