//! Builds on a thread that stays: one that ends may still have memory when leaks are looked for.

use std::sync::LazyLock;

use nearfield_hnsw::{Build, Threads};
use rayon::{ThreadPool, ThreadPoolBuilder};

static POOL: LazyLock<ThreadPool> =
    LazyLock::new(|| ThreadPoolBuilder::new().num_threads(1).build().expect("a thread"));

/// How everything is built here.
pub fn on_one_thread() -> Build<'static> {
    Build::default().threads(Threads::Pool(&POOL))
}
