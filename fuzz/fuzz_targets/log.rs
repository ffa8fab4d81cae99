//! A log beside the snapshot of an empty index, in which checksums are made right: the operations that it
//! tells are done, or it is refused.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use nearfield_fuzz::{Folder, seal_log};
use nearfield_hnsw::{Durable, Index, Metric, Params, Vectors};

/// An empty index over vectors of two elements.
static SNAPSHOT: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let vectors = Vectors::<f32>::new(2, Metric::L2Squared).expect("a metric for f32");
    let params = Params::default().m(2).ef_construction(4);
    let index = Index::<u64, _>::new(vectors, params).expect("good parameters");
    let folder = Folder::new();
    let path = folder.file("snapshot", &[]);
    index.save(&path).expect("there is room");
    std::fs::read(path).expect("it was written")
});

fuzz_target!(|bytes: &[u8]| {
    let mut bytes = bytes.to_vec();
    seal_log(&mut bytes);
    let folder = Folder::new();
    folder.file("snapshot", &SNAPSHOT);
    folder.file("log", &bytes);
    let Ok((index, recovery)) = Durable::<u64, f32>::open(folder.path()) else { return };
    index.check().expect("what was recovered is whole");
    let points = index.len();
    drop(index);
    let (again, twice) = Durable::<u64, f32>::open(folder.path()).expect("it was good before");
    assert_eq!((again.len(), twice.operations), (points, recovery.operations));
    assert_eq!(twice.cut, None);
});
