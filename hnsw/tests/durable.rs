//! A durable index on the disk of this machine.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;

use nearfield_hnsw::{
    Build, Durable, Index, Metric, Params, SavedKey, Search, Vectors,
    durable::{
        BadLog, CheckpointError, CreateError, Every, OnFlush, Policy, RecoverError, SnapshotError,
        Synced, Unsynced,
    },
    f16,
    file::OpenCause,
    space::VectorElement,
};

fn empty<K: SavedKey, E: VectorElement>(dim: usize, metric: Metric) -> Index<K, Vectors<E>> {
    let vectors = Vectors::new(dim, metric).expect("a metric for the element");
    Index::new(vectors, Params::default()).expect("the default parameters")
}

/// A folder that is not there yet.
struct Folder {
    parent: tempfile::TempDir,
}

impl Folder {
    fn new() -> Self {
        Self { parent: tempfile::tempdir().expect("a folder for temporary files") }
    }

    fn path(&self) -> PathBuf {
        self.parent.path().join("some").join("index")
    }

    fn file(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.path()).expect("a folder");
        let name = |entry: std::io::Result<fs::DirEntry>| {
            entry.expect("a file").file_name().into_string().expect("UTF-8")
        };
        let mut names: Vec<String> = entries.map(name).collect();
        names.sort();
        names
    }

    fn create(&self) -> Durable<u64, f32> {
        Durable::create(self.path(), empty(2, Metric::L2Squared)).expect("a new folder")
    }

    fn open(&self) -> Durable<u64, f32> {
        let (index, recovery) = Durable::open(self.path()).expect("an index");
        assert_eq!(recovery.cut, None);
        index
    }
}

fn vector(key: u64) -> [f32; 2] {
    [key as f32, (key % 7) as f32]
}

fn assert_has<P: Policy>(index: &Durable<u64, f32, P>, keys: impl IntoIterator<Item = u64>) {
    index.check().expect("the invariants hold");
    let mut found: Vec<u64> = index.iter().map(|(key, _)| *key).collect();
    found.sort_unstable();
    assert_eq!(found, keys.into_iter().collect::<Vec<_>>());
    for key in found {
        assert_eq!(index.get(&key).as_deref(), Some(&vector(key)[..]));
        let hits = index.search(&vector(key), Search::new(1)).expect("a good query");
        assert_eq!(*hits[0].key, key);
    }
}

#[test]
fn an_index_is_there_again() {
    let folder = Folder::new();
    let index = folder.create();
    for key in 0..50 {
        index.insert(key, &[0.0, 0.0]).unwrap();
        index.upsert(key, &vector(key)).unwrap();
    }
    let keys: Vec<u64> = (50..90).collect();
    let vectors: Vec<_> = keys.iter().map(|key| vector(*key)).collect();
    index.insert_batch(keys, &vectors, Build::default().threads(2)).unwrap();
    assert!(index.remove(&7).unwrap());
    assert!(!index.remove(&7).unwrap());
    assert_has(&index, (0..90).filter(|key| *key != 7));
    let hash = index.graph_hash();
    drop(index);
    assert_eq!(folder.names(), ["lock", "log", "snapshot"]);

    let (index, recovery) = Durable::<u64, f32>::open(folder.path()).unwrap();
    assert_eq!((recovery.operations, recovery.skipped, recovery.cut), (102, 0, None));
    assert_has(&index, (0..90).filter(|key| *key != 7));
    assert_eq!(index.graph_hash(), hash, "the same operations give the same graph");

    let log = fs::metadata(folder.file("log")).unwrap().len();
    index.checkpoint().unwrap();
    assert_eq!(fs::metadata(folder.file("log")).unwrap().len(), 96, "it was {log}");
    index.insert(7, &vector(7)).unwrap();
    drop(index);
    let (index, recovery) = Durable::<u64, f32>::open(folder.path()).unwrap();
    assert_eq!((recovery.operations, recovery.skipped), (1, 0));
    assert_has(&index, 0..90);
}

#[test]
fn an_index_that_was_built_is_made_durable() {
    let folder = Folder::new();
    let mut vectors = Vectors::new(2, Metric::L2Squared).unwrap();
    for key in 0..300 {
        vectors.extend(&vector(key)).unwrap();
    }
    let build = Build::default().threads(2);
    let index = Index::build(vectors, (0..300u64).collect(), Params::default(), build).unwrap();
    let mut index = Durable::create(folder.path(), index).unwrap();
    (0..150).for_each(|key| assert!(index.remove(&key).unwrap()));
    assert!(index.should_compact());
    index.compact(build).unwrap();
    assert_eq!(index.space().dim(), 2);
    index.insert(1000, &vector(1000)).unwrap();
    index.checkpoint().unwrap();
    index.insert(1001, &vector(1001)).unwrap();
    drop(index);
    assert_has(&folder.open(), (150..300).chain([1000, 1001]));
}

#[test]
fn a_folder_is_opened_once() {
    let folder = Folder::new();
    let is_locked = |path: &Path| {
        let error = Durable::<u64, f32>::open(path).unwrap_err();
        matches!(error, RecoverError::Locked { folder } if folder == path)
    };
    let index = folder.create();
    assert!(is_locked(&folder.path()));
    let again = Durable::create(folder.path(), empty::<u64, f32>(2, Metric::L2));
    assert!(matches!(again, Err(CreateError::Locked { .. })));
    let index = index.relaxed(OnFlush);
    assert!(is_locked(&folder.path()));
    drop(index);
    let again = Durable::create(folder.path(), empty::<u64, f32>(2, Metric::L2));
    assert!(matches!(again, Err(CreateError::Exists { path }) if path == folder.file("snapshot")));
    let index = folder.open();
    assert!(is_locked(&folder.path()));
    drop(index);
    drop(folder.open());
}

#[test]
fn what_is_no_index_is_refused() {
    let folder = Folder::new();
    let open = || Durable::<u64, f32>::open(folder.path()).unwrap_err();
    assert!(matches!(open(), RecoverError::NoIndex { .. }));
    assert!(!folder.path().exists());
    fs::create_dir_all(folder.path()).unwrap();
    assert!(matches!(open(), RecoverError::NoIndex { .. }));
    assert!(folder.names().is_empty());

    drop(folder.create());
    let snapshot = fs::read(folder.file("snapshot")).unwrap();
    let mut damaged = snapshot.clone();
    damaged[100] ^= 1;
    fs::write(folder.file("snapshot"), damaged).unwrap();
    assert!(matches!(open(), RecoverError::Snapshot(_)));
    fs::write(folder.file("snapshot"), snapshot).unwrap();
    fs::write(folder.file("log"), [7; 200]).unwrap();
    assert!(matches!(open(), RecoverError::Log { error: BadLog::NoLog, .. }));
    fs::remove_file(folder.file("log")).unwrap();
    assert!(matches!(open(), RecoverError::File { path, .. } if path == folder.file("log")));
}

#[test]
fn other_keys_elements_and_vectors_are_errors_that_name_both() {
    let folder = Folder::new();
    drop(folder.create());
    let error = Durable::<String, f32>::open(folder.path()).unwrap_err();
    let RecoverError::Snapshot(snapshot) = &error else { panic!("{error}") };
    assert!(
        matches!(&snapshot.cause, OpenCause::Keys { expected: "utf-8", found } if found == "u64")
    );
    let error = Durable::<u64, f16>::open(folder.path()).unwrap_err();
    let RecoverError::Snapshot(snapshot) = &error else { panic!("{error}") };
    let is_named =
        matches!(&snapshot.cause, OpenCause::Element { expected: "f16", found } if found == "f32");
    assert!(is_named, "{error}");

    // The log of another index.
    let other = Folder::new();
    let index = Durable::create(other.path(), empty::<u64, f32>(3, Metric::L2Squared)).unwrap();
    drop(index);
    fs::copy(other.file("log"), folder.file("log")).unwrap();
    let error = Durable::<u64, f32>::open(folder.path()).unwrap_err().to_string();
    assert!(error.ends_with("its dimension is 3, that of the snapshot 2"), "{error}");
    let other = Folder::new();
    drop(Durable::create(other.path(), empty::<u64, f32>(2, Metric::Cosine)).unwrap());
    fs::copy(other.file("log"), folder.file("log")).unwrap();
    let error = Durable::<u64, f32>::open(folder.path()).unwrap_err().to_string();
    assert!(error.ends_with("its metric is cosine, that of the snapshot l2"), "{error}");
}

#[test]
fn what_an_interrupted_checkpoint_leaves_is_removed() {
    let folder = Folder::new();
    let index = folder.create();
    index.insert(1, &vector(1)).unwrap();
    drop(index);
    let before = fs::read(folder.file("log")).unwrap();
    let index = folder.open();
    index.insert(2, &vector(2)).unwrap();
    index.checkpoint().unwrap();
    drop(index);
    // As if the log had not been replaced any more, and another checkpoint had only begun.
    fs::write(folder.file("log"), before).unwrap();
    fs::write(folder.file("log.new"), "half a log").unwrap();
    fs::write(folder.file(".snapshot.77-0.new"), "half a snapshot").unwrap();
    fs::write(folder.file("notes.txt"), "of somebody").unwrap();
    let (index, recovery) = Durable::<u64, f32>::open(folder.path()).unwrap();
    assert_eq!((recovery.operations, recovery.skipped, recovery.cut), (0, 1, None));
    assert_eq!(folder.names(), ["lock", "log", "notes.txt", "snapshot"]);
    assert_has(&index, [1, 2]);
    index.insert(3, &vector(3)).unwrap();
    drop(index);
    assert_has(&folder.open(), [1, 2, 3]);
}

#[test]
fn a_torn_end_is_cut_and_reported() {
    let folder = Folder::new();
    let index = folder.create();
    for key in 0..3 {
        index.insert(key, &vector(key)).unwrap();
    }
    drop(index);
    let mut log = fs::read(folder.file("log")).unwrap();
    let whole = log.len() as u64;
    log.extend([0; 100]);
    fs::write(folder.file("log"), log).unwrap();
    let (index, recovery) = Durable::<u64, f32>::open(folder.path()).unwrap();
    let cut = recovery.cut.expect("something was cut");
    assert_eq!((cut.offset, cut.bytes, cut.records), (whole, 100, 0));
    index.insert(3, &vector(3)).unwrap();
    drop(index);
    assert_has(&folder.open(), 0..4);
}

#[test]
fn policies_say_when_they_acknowledge() {
    let folder = Folder::new();
    let strict: Durable<u64, f32, Synced> = folder.create();
    let id: u32 = strict.insert(0, &vector(0)).unwrap();
    assert_eq!(id, 0);
    let every = strict.relaxed(Every(4));
    for key in 1..10 {
        let Unsynced(id) = every.insert(key, &vector(key)).unwrap();
        assert_eq!(u64::from(id), key);
    }
    assert_eq!(every.remove(&99).unwrap(), Unsynced(false));
    drop(every);
    let lazy = folder.open().relaxed(OnFlush);
    for key in 10..20 {
        assert_eq!(u64::from(lazy.upsert(key, &vector(key)).unwrap().0), key);
    }
    lazy.flush().unwrap();
    drop(lazy);
    assert_has(&folder.open(), 0..20);
}

#[test]
fn checkpoints_go_on_beside_searches_and_writers() {
    let folder = Folder::new();
    let index = folder.create();
    index.insert(0, &vector(0)).unwrap();
    let is_done = AtomicBool::new(false);
    thread::scope(|scope| {
        let (index, is_done) = (&index, &is_done);
        let search = scope.spawn(move || {
            let mut searches = 0u64;
            while !is_done.load(Relaxed) {
                let hits = index.search(&vector(0), Search::new(3)).unwrap();
                assert_eq!(*hits[0].key, 0);
                searches += 1;
            }
            searches
        });
        let checkpoints = scope.spawn(move || {
            let mut checkpoints = 0;
            while !is_done.load(Relaxed) {
                index.checkpoint().unwrap();
                checkpoints += 1;
            }
            checkpoints
        });
        let writers: Vec<_> = (0..4)
            .map(|writer| {
                scope.spawn(move || {
                    for key in (1 + writer..=200).step_by(4) {
                        index.insert(key, &vector(key)).unwrap();
                        if key % 10 == 0 {
                            assert!(index.remove(&key).unwrap());
                        }
                    }
                })
            })
            .collect();
        writers.into_iter().for_each(|writer| writer.join().unwrap());
        is_done.store(true, Relaxed);
        assert!(search.join().unwrap() > 0 && checkpoints.join().unwrap() > 0);
    });
    let expected = || (0..=200).filter(|key| *key == 0 || key % 10 != 0);
    assert_has(&index, expected());
    drop(index);
    assert_has(&folder.open(), expected());
}

#[test]
fn an_index_stays_in_its_folder_when_the_process_goes_to_another() {
    let parent = tempfile::tempdir().unwrap();
    let there = |place: &str| parent.path().join(place).join("data").join("index");
    fs::create_dir(parent.path().join("a")).unwrap();
    fs::create_dir_all(there("b")).unwrap();
    std::env::set_current_dir(parent.path().join("a")).unwrap();
    let create = || Durable::create("data/index", empty::<u64, f32>(2, Metric::L2Squared)).unwrap();
    let index = create();
    index.insert(1, &vector(1)).unwrap();
    std::env::set_current_dir(parent.path().join("b")).unwrap();
    index.checkpoint().unwrap();
    index.insert(2, &vector(2)).unwrap();
    assert_eq!(fs::read_dir(there("b")).unwrap().count(), 0, "nothing goes elsewhere");
    // The other folder of that name is another index.
    let other = create();
    let (reader, _) = Durable::<u64, f32>::open_read_only("data/index").unwrap();
    assert!(reader.is_empty());
    std::env::set_current_dir(parent.path()).unwrap();
    drop((index, other));
    let (index, _) = Durable::<u64, f32>::open(there("a")).unwrap();
    assert_has(&index, [1, 2]);
    drop(index);
    // And so it is when it was opened.
    let (mut index, _) = Durable::<u64, f32>::open("a/data/index").unwrap();
    std::env::set_current_dir(parent.path().join("b")).unwrap();
    index.checkpoint().unwrap();
    index.insert(3, &vector(3)).unwrap();
    index.reopen().unwrap();
    assert_has(&index, [1, 2, 3]);
    drop(index);
    std::env::set_current_dir("/").unwrap();
    assert_has(&Durable::<u64, f32>::open(there("a")).unwrap().0, [1, 2, 3]);
}

#[cfg(unix)]
#[test]
fn an_index_stays_in_its_folder_when_a_link_to_it_changes() {
    let parent = tempfile::tempdir().unwrap();
    let at = |name: &str| parent.path().join(name);
    fs::create_dir(at("first")).unwrap();
    fs::create_dir_all(at("second").join("index")).unwrap();
    std::os::unix::fs::symlink(at("first"), at("link")).unwrap();
    let index =
        Durable::create(at("link").join("index"), empty::<u64, f32>(2, Metric::L2)).unwrap();
    fs::remove_file(at("link")).unwrap();
    std::os::unix::fs::symlink(at("second"), at("link")).unwrap();
    index.insert(1, &vector(1)).unwrap();
    index.checkpoint().unwrap();
    assert_eq!(fs::read_dir(at("second").join("index")).unwrap().count(), 0);
    drop(index);
    assert_has(&Durable::open(at("first").join("index")).unwrap().0, [1]);
}

#[cfg(unix)]
#[test]
fn a_folder_that_is_not_where_it_was_gets_no_checkpoint() {
    let folder = Folder::new();
    let is_refused = |index: &Durable<u64, f32>| {
        let error = index.checkpoint().unwrap_err();
        matches!(error, CheckpointError::Snapshot(SnapshotError::Moved { folder: named })
            if named == fs::canonicalize(folder.parent.path()).unwrap().join("some/index"))
    };
    let index = folder.create();
    index.insert(1, &vector(1)).unwrap();
    let moved = folder.parent.path().join("moved");
    fs::rename(folder.path(), &moved).unwrap();
    assert!(is_refused(&index));
    index.insert(2, &vector(2)).unwrap();
    // Another index is where it was.
    let other = folder.create();
    assert!(is_refused(&index));
    index.insert(3, &vector(3)).unwrap();
    assert!(other.is_empty());
    drop((index, other));
    let (index, _) = Durable::<u64, f32>::open(&moved).unwrap();
    assert_has(&index, [1, 2, 3]);
    drop(index);

    fs::remove_dir_all(folder.path()).unwrap();
    fs::rename(&moved, folder.path()).unwrap();
    let index = folder.open();
    fs::remove_file(folder.file("lock")).unwrap();
    assert!(is_refused(&index));
    fs::write(folder.file("lock"), "").unwrap();
    assert!(is_refused(&index), "another file has the name");
    index.insert(4, &vector(4)).unwrap();
    drop(index);
    assert_has(&folder.open(), 1..=4);
}

#[cfg(unix)]
#[test]
fn a_checkpoint_keeps_permissions() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new();
    let index = folder.create();
    index.insert(1, &vector(1)).unwrap();
    let modes = || {
        ["snapshot", "log"]
            .map(|name| fs::metadata(folder.file(name)).unwrap().permissions().mode() & 0o777)
    };
    for (name, mode) in [("snapshot", 0o600), ("log", 0o660)] {
        fs::set_permissions(folder.file(name), fs::Permissions::from_mode(mode)).unwrap();
    }
    index.checkpoint().unwrap();
    assert_eq!(modes(), [0o600, 0o660]);
    index.insert(2, &vector(2)).unwrap();
    drop(index);
    // A torn log is copied.
    let mut log = fs::read(folder.file("log")).unwrap();
    log.push(0);
    fs::write(folder.file("log"), log).unwrap();
    let (index, recovery) = Durable::<u64, f32>::open(folder.path()).unwrap();
    assert!(recovery.cut.is_some());
    drop(index);
    assert_eq!(modes(), [0o600, 0o660]);
}

#[test]
fn an_index_is_read_beside_the_process_that_writes_it() {
    let folder = Folder::new();
    let read = || Durable::<u64, f32>::open_read_only(folder.path());
    assert!(matches!(read(), Err(RecoverError::NoIndex { .. })));
    let index = folder.create();
    let (reader, seen) = read().unwrap();
    assert_eq!((reader.len(), seen.operations, seen.is_writable), (0, 0, false));
    let mut last = seen.last;
    for key in 0..20 {
        index.insert(key, &vector(key)).unwrap();
        if key % 5 == 4 {
            index.checkpoint().unwrap();
        }
        let (reader, seen) = read().unwrap();
        assert!(seen.last > last && seen.snapshot <= seen.last);
        last = seen.last;
        reader.check().unwrap();
        assert!(reader.iter().map(|(key, _)| *key).eq(0..=key));
    }
    assert_eq!(folder.names(), ["lock", "log", "snapshot"]);
    let before = ["log", "snapshot"].map(|name| fs::read(folder.file(name)).unwrap());
    let (reader, _) = read().unwrap();
    reader.insert(100, &vector(100)).unwrap();
    drop(reader);
    assert_eq!(["log", "snapshot"].map(|name| fs::read(folder.file(name)).unwrap()), before);
    assert_has(&index, 0..20);
}

/// Vectors of any element come back as they were given.
fn comes_back<E: VectorElement>(metric: Metric, vectors: [[E; 3]; 2]) {
    let folder = Folder::new();
    let index = Durable::create(folder.path(), empty::<String, E>(3, metric)).unwrap();
    index.insert("a".to_owned(), &vectors[0]).unwrap();
    index.insert_batch(vec!["b".to_owned()], &vectors[1..], Build::default().threads(1)).unwrap();
    let before = [index.get("a").unwrap().into_owned(), index.get("b").unwrap().into_owned()];
    drop(index);
    let (index, _) = Durable::<String, E>::open(folder.path()).unwrap();
    assert_eq!(index.get("a").unwrap(), before[0]);
    assert_eq!(index.get("b").unwrap(), before[1]);
}

#[test]
fn every_element_comes_back() {
    comes_back::<f32>(Metric::Cosine, [[1.0, -2.5, 3.25], [0.1, 0.2, 0.3]]);
    comes_back::<f16>(
        Metric::L2,
        [[1.0, -2.5, 3.25], [0.1, 0.2, 0.3]].map(|v| v.map(f16::from_f32)),
    );
    comes_back::<i8>(Metric::InnerProduct, [[-128, 0, 127], [1, 2, 3]]);
    comes_back::<u8>(Metric::Cosine, [[1, 0, 255], [1, 2, 3]]);
    comes_back::<u64>(Metric::Hamming, [[u64::MAX, 0, 1 << 63], [1, 2, 3]]);
}
