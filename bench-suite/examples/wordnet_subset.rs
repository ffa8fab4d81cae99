//! Makes `bench-suite/data/wordnet-minilm-10k` from the set of 50,000 that it is a part of:
//! `cargo run --release -p bench-suite --example wordnet_subset -- DIRECTORY_OF_THE_50K`

use std::{error::Error, path::PathBuf};

use bench_suite::{
    bundled::{WORDNET_QUERIES, WORDNET_ROWS, directory, wordnet_truth},
    workload::{Files, Workload},
};
use nearfield_files::{read_first, write};
use nearfield_kernels::Metric;

fn main() -> Result<(), Box<dyn Error>> {
    let whole = std::env::args_os().nth(1).ok_or("where is wordnet-minilm-50k?")?;
    let whole = PathBuf::from(whole);
    let part = directory().join("wordnet-minilm-10k");

    for (name, rows) in [("base.f16bin.zst", WORDNET_ROWS), ("query.f16bin.zst", WORDNET_QUERIES)] {
        write(part.join(name), &read_first(whole.join(name), rows)?)?;
    }
    let workload = Workload::read(&Files {
        base: part.join("base.f16bin.zst"),
        query: part.join("query.f16bin.zst"),
        truth: None,
        metric: Metric::Cosine,
        limit_base: None,
        limit_query: None,
    })?;
    write(part.join("gt.ibin.zst"), &wordnet_truth(&workload)?.to_matrix())?;
    Ok(())
}
