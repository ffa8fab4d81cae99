//! `cargo xtask convert`, and `ann --load` of other libraries' files, from the outside.

use std::path::{Path, PathBuf};

use super::support::xtask;
use bench_suite::{ann::Event, random::Random};
use nearfield_files::{Matrix, Values, read, write};

fn vectors(rows: usize, seed: u64) -> Matrix {
    let mut random = Random::new(seed);
    Matrix::new(8, Values::F32((0..rows * 8).map(|_| random.unit()).collect()))
}

fn folder_with_index() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path().join("base.fbin"), &vectors(300, 1)).unwrap();
    write(folder.path().join("query.fbin"), &vectors(20, 2)).unwrap();
    let ann = "ann --base base.fbin --query query.fbin --metric l2 --passes 1 --ef 10";
    xtask(folder.path(), &format!("{ann} --save index.nearfield")).unwrap();
    folder
}

/// What loading a file tells, and the distances of its searches.
fn load(folder: &Path, arguments: &str) -> (String, usize, String, Vec<Option<f64>>) {
    let query = "--query query.fbin --passes 1 --ef 10,30 --json";
    let lines = xtask(folder, &format!("ann --load {arguments} {query}")).unwrap();
    let mut events = lines.lines().map(|line| serde_json::from_str(line).unwrap());
    let Some(Event::Load(load)) = events.next() else { panic!("{lines}") };
    let distances = events.map(|event| match event {
        Event::Search(search) => search.distances_per_query,
        other => panic!("{other:?} among searches"),
    });
    (load.format, load.n, load.graph_hash, distances.collect())
}

#[test]
fn an_index_goes_to_hnswlib_and_back() {
    let folder = folder_with_index();
    let path = folder.path();
    xtask(path, "convert index.nearfield index.bin").unwrap();
    let (format, points, hash, distances) = load(path, "index.bin --metric l2");
    assert_eq!((format.as_str(), points), ("hnswlib", 300));

    // The rows themselves are what they find first.
    let itself = "ann --load index.bin --metric l2 --query base.fbin --passes 1 --ef 20";
    xtask(path, &format!("{itself} --k 3 --hits hits.npy")).unwrap();
    let hits = read(path.join("hits.npy")).unwrap();
    let Values::I64(keys) = hits.values() else { panic!("{:?}", hits.values().kind()) };
    assert!(keys.chunks(3).map(|row| row[0]).eq(0..300));

    xtask(path, "convert index.bin back.nearfield --metric l2").unwrap();
    let back = load(path, "back.nearfield");
    assert_eq!(back, ("nearfield".into(), 300, hash, distances));

    xtask(path, "convert index.bin anew.nearfield --metric l2 --compact").unwrap();
    let (.., built, _) = load(path, "index.nearfield");
    let (.., anew, _) = load(path, "anew.nearfield");
    assert_eq!(anew, built, "the same points in the same order");
    xtask(path, "inspect anew.nearfield").unwrap();
}

#[test]
fn vectors_come_out_as_they_went_in() {
    let folder = folder_with_index();
    let path = folder.path();
    xtask(path, "convert index.nearfield out.npy").unwrap();
    assert_eq!(read(path.join("out.npy")).unwrap(), vectors(300, 1));
    xtask(path, "convert out.npy out.fvecs").unwrap();
    assert_eq!(read(path.join("out.fvecs")).unwrap(), vectors(300, 1));
}

#[test]
fn indexes_of_other_libraries_are_known_by_their_content() {
    let folder = tempfile::tempdir().unwrap();
    let fixtures = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../hnsw/tests/foreign");
    for (name, options, library) in [
        ("hnswlib-cosine", "--metric cosine", "hnswlib"),
        ("usearch-f32-cos", "", "usearch"),
        ("usearch-f16-cos", "", "usearch"),
        ("usearch-bf16-ip", "", "usearch"),
        ("usearch-i8-l2sq", "", "usearch"),
        ("faiss-flat-l2", "", "faiss"),
        ("faiss-sq8", "", "faiss"),
    ] {
        let file = fixtures.join(format!("{name}.index"));
        let arguments = format!("convert {} out.nearfield {options}", file.display());
        let words = xtask(folder.path(), &arguments).unwrap();
        assert!(words.starts_with(library), "{words}");
        let report = xtask(folder.path(), "inspect out.nearfield").unwrap();
        assert!(report.contains("keys             u64"), "{report}");
    }
}

#[test]
fn bad_input_is_named() {
    let folder = folder_with_index();
    let path = folder.path();
    std::fs::write(path.join("noise.index"), [7; 500]).unwrap();
    xtask(path, "convert index.nearfield index.bin").unwrap();
    for (arguments, complaint) in [
        ("convert none.nearfield out.bin", "none.nearfield: No such file"),
        ("convert noise.index out.bin", "noise.index: "),
        ("convert index.bin out.nearfield", "does not say its metric: use --metric"),
        ("convert index.nearfield out.txt", "known are"),
        ("convert index.nearfield out.nearfield --metric ip", "the metric is l2, not ip"),
        ("convert index.nearfield out.nearfield --compact", "the index has no keys"),
        ("convert base.fbin out.nearfield", "known are"),
    ] {
        let error = xtask(path, arguments).unwrap_err();
        assert!(error.contains(complaint), "{arguments}: {error}");
    }
}
