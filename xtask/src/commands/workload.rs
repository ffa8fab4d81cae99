//! Reads the files of a workload, and says how files can be read that this build does not know.

use anyhow::{Context, Result};
use bench_suite::{
    Workload,
    table::Prepare,
    workload::{Files, WorkloadError},
};
use nearfield_files::Problem;

const WITH_ARROW: &str = "`cargo run --release -p xtask --features arrow --` in place of `cargo xtask` reads \
                          Parquet and Arrow";

pub(crate) fn read<E: Prepare>(files: &Files) -> Result<Workload<E>> {
    explained(Workload::read(files))
}

/// The same, with a way out where a file has a format that this build does not know.
pub(crate) fn explained<T>(read: Result<T, WorkloadError>) -> Result<T> {
    let lacks_arrow = matches!(
        &read,
        Err(WorkloadError::File(error))
            if matches!(error.problem, Problem::NeedsFeature { feature: "arrow", .. })
    );
    if lacks_arrow { read.context(WITH_ARROW) } else { Ok(read?) }
}
