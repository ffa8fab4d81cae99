//! The real data that comes with the repository, in `bench-suite/data`.

use std::path::PathBuf;

use nearfield_kernels::{Kernel, Metric, Unsupported};

use crate::{
    truth::Truth,
    workload::{Files, TRUTH_COLUMNS, Workload, WorkloadError},
};

/// Name of the environment variable that points to the data where the repository's own is not:
/// a directory with `fashion-mnist` and `wordnet-minilm-10k` in it.
pub const DATA_VARIABLE: &str = "NEARFIELD_DATA";

/// Rows of the bundled WordNet set: the first of the 50,000 that it is taken from.
pub const WORDNET_ROWS: usize = 10_000;

/// Queries of the bundled WordNet set.
pub const WORDNET_QUERIES: usize = 500;

/// Where the data lies.
pub fn directory() -> PathBuf {
    std::env::var_os(DATA_VARIABLE)
        .map_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/data")), PathBuf::from)
}

/// Fashion-MNIST: 60,000 pictures of 784 pixels and 10,000 queries, squared L2.
///
/// # Errors
/// [`WorkloadError`] when the files are missing or damaged.
pub fn fashion_mnist() -> Result<Workload<f32>, WorkloadError> {
    Workload::read(&fashion_mnist_files())
}

/// The files of [`fashion_mnist`].
pub fn fashion_mnist_files() -> Files {
    files("fashion-mnist", "u8bin", Metric::L2Squared)
}

/// Sentence embeddings of WordNet glosses: 10,000 of 384 dimensions and 500 queries, cosine.
///
/// # Errors
/// [`WorkloadError`] when the files are missing or damaged.
pub fn wordnet_minilm() -> Result<Workload<f32>, WorkloadError> {
    Workload::read(&files("wordnet-minilm-10k", "f16bin", Metric::Cosine))
}

/// The truth that is checked in beside the WordNet set: by inner product over the normalised
/// rows, which is the cosine without its rounding.
///
/// # Errors
/// When the backend that the environment forces cannot be had.
pub fn wordnet_truth(workload: &Workload<f32>) -> Result<Truth, Unsupported> {
    let kernel = Kernel::best(Metric::InnerProduct)?;
    Ok(Truth::exact(kernel, &workload.base, &workload.queries, TRUTH_COLUMNS))
}

fn files(set: &str, extension: &str, metric: Metric) -> Files {
    let directory = directory().join(set);
    Files {
        base: directory.join(format!("base.{extension}.zst")),
        query: directory.join(format!("query.{extension}.zst")),
        truth: Some(directory.join("gt.ibin.zst")),
        metric,
        limit_base: None,
        limit_query: None,
    }
}
