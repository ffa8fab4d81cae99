//! hannoy (Rust): HNSW in an LMDB file, which lies in a folder of its own and stays in the page cache.
#![allow(unsafe_code, reason = "opening an LMDB file maps it")]

use std::process::ExitCode;

use bench_suite::Table;
use bench_suite::ann::Settings;
use bench_suite::peer_index::{self, Metric, PeerError, PeerIndex};
use hannoy::distances::{Cosine, Euclidean};
use hannoy::{Database, Distance, Reader, Writer};
use heed::{CommitOrAbort, Env, EnvOpenOptions, RoTxn, WithTls};
use rand::SeedableRng;
use rand::rngs::StdRng;
use rayon::ThreadPoolBuilder;
use tempfile::TempDir;

/// Address space, not memory: the file grows as it is written.
const MAP_BYTES: usize = 1 << 38;

struct Hannoy {
    index: Either,
    ef: usize,
    bytes: Option<usize>,
    _folder: TempDir,
}

/// The distance is part of the type.
enum Either {
    L2(Opened<Euclidean>),
    Cosine(Opened<Cosine>),
}

struct Opened<D: Distance> {
    reader: Reader<'static, D>,
    transaction: RoTxn<'static, WithTls>,
}

impl PeerIndex for Hannoy {
    fn build(rows: &Table<f32>, metric: Metric, settings: &Settings) -> Result<Self, PeerError> {
        let folder = tempfile::tempdir().map_err(PeerError::library)?;
        let mut options = EnvOpenOptions::new();
        options.map_size(MAP_BYTES);
        // SAFETY: the folder is new and this process's own, so nobody else changes the file that is
        // mapped.
        let env = unsafe { options.open(folder.path()) }.map_err(PeerError::library)?;
        // The readers borrow it; it lasts as long as the process, which measures one index.
        let env: &'static Env = Box::leak(Box::new(env));
        let index = match metric {
            Metric::L2Squared => Either::L2(build(env, rows, settings)?),
            Metric::Cosine => Either::Cosine(build(env, rows, settings)?),
            other => return Err(PeerError::NoMetric(other)),
        };
        let bytes = env.real_disk_size().ok().and_then(|bytes| usize::try_from(bytes).ok());
        Ok(Self { index, ef: 0, bytes, _folder: folder })
    }

    fn set_ef(&mut self, ef: usize) -> Result<(), PeerError> {
        self.ef = ef;
        Ok(())
    }

    fn search(&mut self, query: &[f32], out: &mut [u32]) -> Result<usize, PeerError> {
        match &self.index {
            Either::L2(index) => index.search(query, self.ef, out),
            Either::Cosine(index) => index.search(query, self.ef, out),
        }
    }

    fn bytes(&self) -> Option<usize> {
        self.bytes
    }
}

impl<D: Distance> Opened<D> {
    fn search(&self, query: &[f32], ef: usize, out: &mut [u32]) -> Result<usize, PeerError> {
        let mut request = self.reader.nns(out.len());
        let found = request.ef_search(ef).by_vector(&self.transaction, query);
        let found = found.map_err(PeerError::library)?.into_nns();
        out.iter_mut().zip(&found).for_each(|(out, hit)| *out = hit.0);
        Ok(found.len())
    }
}

fn build<D: Distance>(
    env: &'static Env,
    rows: &Table<f32>,
    settings: &Settings,
) -> Result<Opened<D>, PeerError> {
    let transaction = env.write_txn().map_err(PeerError::library)?;
    let created = env.create_databases_and_commit(transaction, |opener, transaction| {
        opener.create_database(transaction, None).map(CommitOrAbort::<_, ()>::Commit)
    });
    let database: Database<'static, D> = created.map_err(PeerError::library)?.unwrap_commit();
    let mut transaction = env.write_txn().map_err(PeerError::library)?;
    let writer = Writer::new(database, 0, rows.dim());
    for id in 0..rows.len() {
        writer.add_item(&mut transaction, id as u32, rows.row(id)).map_err(PeerError::library)?;
    }
    let mut random = StdRng::seed_from_u64(settings.params.seed);
    let mut builder = writer.builder(&mut random);
    builder.ef_construction(settings.params.ef_construction);
    let pool = ThreadPoolBuilder::new().num_threads(settings.threads).build();
    pool.map_err(PeerError::library)?
        // Its links are constants of the program.
        .install(|| match settings.params.m {
            8 => Some(builder.build::<8, 16>(&mut transaction)),
            16 => Some(builder.build::<16, 32>(&mut transaction)),
            24 => Some(builder.build::<24, 48>(&mut transaction)),
            32 => Some(builder.build::<32, 64>(&mut transaction)),
            _ => None,
        })
        .ok_or(PeerError::NoSuchM { m: settings.params.m, known: "8, 16, 24 and 32 here" })?
        .map_err(PeerError::library)?;
    transaction.commit().map_err(PeerError::library)?;
    let transaction = env.read_txn().map_err(PeerError::library)?;
    let reader = Reader::open(&transaction, 0, database).map_err(PeerError::library)?;
    Ok(Opened { reader, transaction })
}

fn main() -> ExitCode {
    peer_index::main::<Hannoy>()
}
