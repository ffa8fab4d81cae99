//! instant-distance (Rust): HNSW with 32 links a level and 64 on the lowest. It leaves the distance to
//! its caller: here our kernels compute it.

use std::process::ExitCode;
use std::sync::OnceLock;

use bench_suite::Table;
use bench_suite::ann::Settings;
use bench_suite::peer_index::{self, Metric, PeerError, PeerIndex};
use instant_distance::{Builder, HnswMap, Point, Search};
use nearfield_kernels::Kernel;
use rayon::ThreadPoolBuilder;
use serde::{Deserialize, Serialize};

/// A point knows nothing but its values, and a process measures one index.
static KERNEL: OnceLock<Kernel<f32>> = OnceLock::new();

#[derive(Clone, Serialize, Deserialize)]
struct Row(Vec<f32>);

impl Point for Row {
    fn distance(&self, other: &Self) -> f32 {
        KERNEL.get().map_or(f32::NAN, |kernel| kernel.distance(&self.0, &other.0))
    }
}

struct InstantDistance {
    index: HnswMap<Row, u32>,
    search: Search,
    ef: usize,
}

impl PeerIndex for InstantDistance {
    fn build(rows: &Table<f32>, metric: Metric, settings: &Settings) -> Result<Self, PeerError> {
        let kernel = match metric {
            // Rows of length 1 need no norms.
            Metric::Cosine => Kernel::best(Metric::InnerProduct)?,
            other => Kernel::best(other)?,
        };
        KERNEL.get_or_init(|| kernel);
        let ef = settings.params.ef_construction;
        let builder = Builder::default().ef_construction(ef).ef_search(ef);
        let points: Vec<Row> = (0..rows.len()).map(|id| Row(rows.row(id).to_vec())).collect();
        let ids = (0..rows.len() as u32).collect();
        let pool = ThreadPoolBuilder::new().num_threads(settings.threads).build();
        let seeded = builder.seed(settings.params.seed);
        let index = pool.map_err(PeerError::library)?.install(|| seeded.build(points, ids));
        Ok(Self { index, search: Search::default(), ef })
    }

    /// The index has its ef for life. In its serialised form that is the first number, so it is
    /// written down and read back with another.
    fn set_ef(&mut self, ef: usize) -> Result<(), PeerError> {
        let old = postcard::to_stdvec(&self.ef).map_err(PeerError::library)?;
        let whole = postcard::to_stdvec(&self.index).map_err(PeerError::library)?;
        let Some(rest) = whole.strip_prefix(&old[..]) else {
            return Err(PeerError::library("its serialised form does not begin with ef"));
        };
        let mut changed = postcard::to_stdvec(&ef).map_err(PeerError::library)?;
        changed.extend_from_slice(rest);
        self.index = postcard::from_bytes(&changed).map_err(PeerError::library)?;
        self.ef = ef;
        Ok(())
    }

    fn search(&mut self, query: &[f32], out: &mut [u32]) -> Result<usize, PeerError> {
        let query = Row(query.to_vec());
        let hits = self.index.search(&query, &mut self.search);
        Ok(out.iter_mut().zip(hits).map(|(out, hit)| *out = *hit.value).count())
    }
}

fn main() -> ExitCode {
    peer_index::main::<InstantDistance>()
}
