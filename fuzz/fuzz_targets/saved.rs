//! A saved index, in which checksums are made right: opened unverified it is searched to the end, and
//! what is loaded is whole and lives on.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nearfield_fuzz::{Folder, on_one_thread, open_mapped, seal};
use nearfield_hnsw::{space::Space, Index, Search, Vectors};

type Saved = Index<u64, Vectors<f32>>;

fuzz_target!(|bytes: &[u8]| {
    let mut bytes = bytes.to_vec();
    seal(&mut bytes);
    let folder = Folder::new();
    let path = folder.file("index", &bytes);
    if let Ok(opened) = open_mapped(&path) {
        search(&opened);
        let _ = (opened.check(), opened.stats(), opened.graph_hash(), opened.contains(&3));
    }
    if let Ok(loaded) = Saved::load(&path) {
        loaded.check().expect("what is loaded is whole");
        search(&loaded);
        let dim = loaded.space().dim();
        let _ = loaded.upsert(7, &vec![0.5; dim]);
        let keys: Vec<u64> = loaded.iter().map(|(key, _)| *key).collect();
        for key in keys.iter().take(8) {
            loaded.remove(key).expect("nobody panicked");
        }
        let _ = loaded.insert_batch(vec![u64::MAX], &[vec![1.5; dim]], on_one_thread());
        loaded.check().expect("what lives on is whole");
    }
});

fn search(index: &Saved) {
    let query = vec![0.25; index.space().dim()];
    let odd = |key: &u64| key % 2 == 1;
    for request in [Search::new(4), Search::new(40), Search::new(4).filter(&odd)] {
        for hit in index.search(&query, request).unwrap_or_default() {
            assert!((hit.id as usize) < index.space().len(), "a point that there is");
        }
    }
    let keys: Vec<u64> = index.iter().map(|(key, _)| *key).take(3).collect();
    for key in keys {
        let _ = index.search_near(&key, Search::new(3));
    }
}
