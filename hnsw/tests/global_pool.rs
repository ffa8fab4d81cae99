//! Nothing uses rayon's global pool without being asked. (A process has one such pool, so this is a program of
//! its own.)

use nearfield_hnsw::{Build, Index, Metric, Params, Search, Threads, Vectors};

#[test]
fn the_global_pool_is_left_to_the_application() {
    let index = Index::new(Vectors::<f32>::new(1, Metric::L2Squared).unwrap(), Params::default());
    let index = index.unwrap();
    index.insert(0, &[0.0]).unwrap();
    index.upsert(0, &[0.5]).unwrap();
    for (key, threads) in (1..).zip([Threads::All, Threads::Count(2), Threads::Current]) {
        index.insert_batch(vec![key], &[[key as f32]], Build::default().threads(threads)).unwrap();
    }
    index.remove(&1).unwrap();
    index.search(&[1.0], Search::new(1)).unwrap();
    index.search_batch(&[[1.0]], Search::new(1), Threads::Count(2)).unwrap();
    let compact = index.compact(Build::default()).unwrap();
    assert_eq!(compact.len(), 3);
    // It can be started once: it has not been.
    rayon::ThreadPoolBuilder::new().num_threads(1).build_global().unwrap();
}
