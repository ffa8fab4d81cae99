//! What can be done with an index of another library.

use nearfield_hnsw::{space::{Space, VectorElement}, Index, Search, Vectors};

use crate::builds::on_one_thread;

/// Searches it, and builds it anew, which must give a whole index.
pub fn use_imported<E: VectorElement>(index: &Index<u64, Vectors<E>>) {
    let keys: Vec<u64> = index.iter().map(|(key, _)| *key).collect();
    for key in keys.iter().take(4) {
        for k in [3, 50] {
            let hits = index.search_near(key, Search::new(k)).expect("a point that is there");
            assert_eq!(hits.len(), k.min(index.len()), "as many as there are");
            assert!(hits.iter().all(|hit| (hit.id as usize) < index.space().len()));
        }
    }
    let _ = (index.check(), index.stats(), index.graph_hash(), index.memory());
    assert!(index.remove(&keys.first().copied().unwrap_or(0)).is_err(), "it is not changed");
    let compact = index.compact(on_one_thread()).expect("good vectors");
    compact.check().expect("what is built here is whole");
    assert_eq!(compact.len(), keys.len());
}
