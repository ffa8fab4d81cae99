//! `cargo xtask ann` from the outside: the lines it prints, and what it says to bad input.

use std::{fs, path::Path};

use super::support::xtask;
use bench_suite::ann::{BuildEvent, Event, SearchEvent};
use nearfield_files::{Matrix, Values, read_first, write};

/// A small set in a directory of its own: the first Fashion-MNIST pictures, without truth.
fn small_set() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let data = bench_suite::bundled::directory().join("fashion-mnist");
    for (name, rows) in [("base.u8bin", 1_500), ("query.u8bin", 60)] {
        let matrix = read_first(data.join(format!("{name}.zst")), rows).unwrap();
        write(dir.path().join(name), &matrix).unwrap();
    }
    dir
}

/// Runs the command in `dir` and returns its lines, or what it complained about.
fn ann(dir: &Path, arguments: &str) -> Result<String, String> {
    xtask(dir, &format!("ann {arguments}"))
}

fn events(lines: &str) -> (BuildEvent, Vec<SearchEvent>) {
    let mut lines = lines.lines().map(|line| serde_json::from_str(line).unwrap());
    let Some(Event::Build(build)) = lines.next() else { panic!("the first event is the build") };
    let search = |event| match event {
        Event::Search(search) => search,
        other => panic!("{other:?} among searches"),
    };
    (build, lines.map(search).collect())
}

const FILES: &str = "--base base.u8bin --query query.u8bin";

#[test]
fn prints_a_line_for_the_build_and_one_for_each_ef() {
    let dir = small_set();
    let common = format!("{FILES} --metric l2 --passes 1 --ef 10,64 --json");
    let (build, searches) = events(&ann(dir.path(), &format!("{common} --threads 2")).unwrap());
    assert_eq!((build.n, build.dim, build.threads), (1_500, 784, 2));
    assert!(build.seconds > 0.0 && build.distances.unwrap() > 1_500);
    assert!(build.bytes_per_vector.unwrap() > 784.0 * 4.0);
    assert_eq!(build.graph_hash.as_ref().unwrap().len(), 16);
    assert_eq!(
        searches.iter().map(|s| (s.ef, s.recall)).collect::<Vec<_>>(),
        [(10, None), (64, None)]
    );
    for search in &searches {
        let (p50, p99) = (search.p50_us.unwrap(), search.p99_us.unwrap());
        assert!(search.qps > 0.0 && 0.0 < p50 && p50 <= p99);
    }
    assert!(searches[0].distances_per_query < searches[1].distances_per_query);

    // The limit asks for a truth; one thread builds the same graph as two.
    let (again, searches) =
        events(&ann(dir.path(), &format!("{common} --threads 1 --limit-base 9999")).unwrap());
    assert_eq!((again.graph_hash, again.distances), (build.graph_hash, build.distances));
    assert!(searches[1].recall.unwrap() > 0.99, "{searches:?}");
    assert!(searches[0].recall < searches[1].recall);
}

#[test]
fn a_truth_from_a_file_holds_for_the_whole_base_only() {
    let dir = small_set();
    // Wrong on purpose: the first rows are nobody's nearest.
    let ids = Matrix::new(10, Values::I32((0..10).cycle().take(600).collect()));
    write(dir.path().join("gt.ibin"), &ids).unwrap();
    let common = format!("{FILES} --gt gt.ibin --metric l2 --passes 1 --ef 100 --json");
    let recall = |more| {
        let (build, searches) = events(&ann(dir.path(), &format!("{common} {more}")).unwrap());
        (build.n, searches[0].recall.unwrap())
    };
    assert!(matches!(recall(""), (1_500, recall) if recall < 0.1));
    assert!(matches!(recall("--limit-base 1500"), (1_500, recall) if recall < 0.1));
    assert!(
        matches!(recall("--limit-base 1000 --limit-query 50"), (1_000, recall) if recall > 0.99)
    );
}

/// Without the feature the error says what to do; with it, the column of a table is as good as a file.
#[test]
fn parquet_is_read_or_the_error_says_how() {
    let dir = small_set();
    let arguments = "--base base.parquet#vector --query query.u8bin --metric l2 --passes 1 --ef 10";
    if !cfg!(feature = "arrow") {
        fs::write(dir.path().join("base.parquet"), "PAR1").unwrap();
        let error = ann(dir.path(), arguments).unwrap_err();
        assert!(error.contains("--features arrow"), "{error}");
        assert!(error.contains("base.parquet: a .parquet file needs"), "{error}");
        return;
    }
    let rows = read_first(dir.path().join("base.u8bin"), 600).unwrap();
    write(dir.path().join("base.parquet"), &rows).unwrap();
    let (build, _) = events(&ann(dir.path(), &format!("{arguments} --json")).unwrap());
    assert_eq!((build.n, build.dim), (600, 784));
    let error = ann(dir.path(), &arguments.replace("vector", "pixels")).unwrap_err();
    assert!(error.contains("there is no column `pixels`; there are `vector`"), "{error}");
}

#[test]
fn every_metric_runs() {
    let dir = small_set();
    for (metric, dim) in
        [("ip", 784), ("cosine", 784), ("l1", 784), ("hamming", 6_272), ("jaccard", 6_272)]
    {
        let arguments =
            format!("{FILES} --metric {metric} --limit-base 600 --passes 1 --ef 100 --json");
        let (build, searches) = events(&ann(dir.path(), &arguments).unwrap());
        assert_eq!((build.n, build.dim), (600, dim), "{metric}");
        // Inner product is no metric, and pictures differ in length: the graph helps less there.
        let enough = if metric == "ip" { 0.8 } else { 0.98 };
        assert!(searches[0].recall.unwrap() > enough, "{metric}: {searches:?}");
    }
}

#[test]
fn every_element_runs() {
    let dir = small_set();
    for (element, bytes) in [("f32", 4.0), ("f16", 2.0), ("bf16", 2.0), ("u8", 1.0)] {
        for (metric, enough) in [("l2", 0.98), ("ip", 0.8), ("cosine", 0.98)] {
            let arguments = format!(
                "{FILES} --metric {metric} --element {element} --limit-base 600 --passes 1 --ef 100 --json"
            );
            let (build, searches) = events(&ann(dir.path(), &arguments).unwrap());
            assert_eq!((build.n, build.dim), (600, 784));
            let recall = searches[0].recall.unwrap();
            assert!(recall > enough, "{element}, {metric}: {recall}");
            let row = 784.0 * bytes;
            let bytes = build.bytes_per_vector.unwrap();
            assert!((row..row + 400.0).contains(&bytes), "{build:?}");
        }
    }
}

#[test]
fn a_truth_from_a_file_holds_unless_numbers_are_rounded() {
    let dir = small_set();
    // Wrong on purpose, so that it shows whether it is used.
    let ids = Matrix::new(10, Values::I32((0..10).cycle().take(600).collect()));
    write(dir.path().join("gt.ibin"), &ids).unwrap();
    for name in ["base", "query"] {
        let matrix = read_first(dir.path().join(format!("{name}.u8bin")), 1_500).unwrap();
        let Values::U8(pixels) = matrix.values() else { panic!("bytes") };
        let shares = pixels.iter().map(|pixel| f32::from(*pixel) / 255.0).collect();
        let shares = Matrix::new(784, Values::F32(shares));
        write(dir.path().join(format!("{name}.fbin")), &shares).unwrap();
    }
    let recall = |files: &str, element: &str| {
        let common = "--gt gt.ibin --metric l2 --passes 1 --ef 100 --json";
        let lines = ann(dir.path(), &format!("{files} --element {element} {common}")).unwrap();
        events(&lines).1[0].recall.unwrap()
    };
    let shares = "--base base.fbin --query query.fbin";
    for (files, element) in [(FILES, "u8"), (FILES, "bf16"), (shares, "f32")] {
        assert!(recall(files, element) < 0.1, "{element} holds these numbers exactly");
    }
    for (files, element) in [(shares, "f16"), (shares, "bf16")] {
        assert!(recall(files, element) > 0.99, "{element} rounds these numbers");
    }
}

#[test]
fn what_is_saved_is_searched_again_with_the_same_answers() {
    let dir = small_set();
    let run =
        |arguments: &str| ann(dir.path(), &format!("{arguments} --passes 1 --ef 10,40 --json"));
    for (element, metric) in [("f32", "l2"), ("bf16", "cosine"), ("u8", "ip")] {
        let built = run(&format!(
            "{FILES} --metric {metric} --element {element} --limit-base 900 --save index.nearfield"
        ));
        let built: Vec<Event> =
            built.unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let [Event::Build(build), Event::Save(save), searches @ ..] = &built[..] else {
            panic!("{built:?}")
        };
        let bytes = dir.path().join("index.nearfield").metadata().unwrap().len();
        assert_eq!(save.bytes, bytes);
        for way in ["open", "open-verified", "load"] {
            let lines =
                run(&format!("--load index.nearfield --query query.u8bin --way {way}")).unwrap();
            let mut lines = lines.lines().map(|line| serde_json::from_str(line).unwrap());
            let Some(Event::Load(load)) = lines.next() else {
                panic!("the first event is the load")
            };
            assert_eq!((load.n, load.dim, load.bytes), (900, 784, bytes));
            assert_eq!((load.metric.as_str(), load.element.as_str()), (metric, element));
            assert_eq!(Some(load.graph_hash), build.graph_hash);
            for (line, built) in lines.zip(searches) {
                let (Event::Search(loaded), Event::Search(built)) = (line, built) else { panic!() };
                assert_eq!(loaded.distances_per_query, built.distances_per_query);
            }
        }
    }
}

#[test]
fn a_truth_in_keys_marks_a_loaded_index() {
    let dir = small_set();
    ann(dir.path(), &format!("{FILES} --metric l2 --passes 1 --ef 10 --save index")).unwrap();
    // Wrong on purpose: the first rows are nobody's nearest.
    let ids = Matrix::new(10, Values::I32((0..10).cycle().take(600).collect()));
    write(dir.path().join("gt.ibin"), &ids).unwrap();
    let load = "--load index --query query.u8bin --gt gt.ibin --passes 1 --ef 100";
    let lines = ann(dir.path(), &format!("{load} --json")).unwrap();
    let Event::Search(search) = serde_json::from_str(lines.lines().nth(1).unwrap()).unwrap() else {
        panic!("{lines}")
    };
    assert!(search.recall.unwrap() < 0.1);
    let beyond = Matrix::new(10, Values::I32([vec![1; 599], vec![1_500]].concat()));
    write(dir.path().join("gt.ibin"), &beyond).unwrap();
    let error = ann(dir.path(), load).unwrap_err();
    assert!(error.contains("gt.ibin: query 59, neighbour 9: no point has the key 1500"), "{error}");
    for (arguments, complaint) in [
        (
            "--load base.u8bin --query query.u8bin",
            "base.u8bin: no index of ours, nor of hnswlib, usearch or faiss",
        ),
        ("--load index --query query.u8bin --metric ip", "index: the metric is l2, not ip"),
        ("--load index --query query.u8bin --element u8", "cannot be used with"),
    ] {
        let error = ann(dir.path(), arguments).unwrap_err();
        assert!(error.contains(complaint), "{arguments}: {error}");
    }
    let narrow = Matrix::new(3, Values::U8(vec![1; 30]));
    write(dir.path().join("query.u8bin"), &narrow).unwrap();
    let error = ann(dir.path(), "--load index --query query.u8bin").unwrap_err();
    assert!(error.contains("query.u8bin has 3 dimensions, but the index has 784"), "{error}");
}

#[test]
fn prints_a_table_for_people() {
    let dir = small_set();
    let arguments =
        format!("{FILES} --metric l2 --limit-base 300 --passes 1 --ef 20 --backend scalar");
    let table = ann(dir.path(), &arguments).unwrap();
    assert!(table.starts_with("300 rows of 784 dimensions: built in "), "{table}");
    assert!(table.contains("\n    ef    recall  queries/s "), "{table}");
    assert_eq!(table.lines().count(), 4);
}

#[test]
fn bad_input_is_named() {
    let dir = small_set();
    let save = |name: &str, dim, values| {
        write(dir.path().join(name), &Matrix::new(dim, values)).unwrap();
    };
    save("narrow.u8bin", 3, Values::U8(vec![1; 30]));
    save("empty.u8bin", 784, Values::U8(vec![]));
    save("zero.fbin", 784, Values::F32(vec![0.0; 784]));
    save("nan.fbin", 784, Values::F32([vec![1.0; 784], vec![f32::NAN; 784]].concat()));
    save("gt.ibin", 5, Values::I32(vec![1; 5 * 60]));
    save("short.ibin", 10, Values::I32(vec![1; 10 * 59]));
    save("beyond.ibin", 10, Values::I32([vec![1; 599], vec![1_500]].concat()));
    save("float.fbin", 10, Values::F32(vec![1.0; 600]));
    fs::write(dir.path().join("base.csv"), "1,2").unwrap();
    fs::write(dir.path().join("cut.u8bin"), [9, 0, 0, 0, 9, 0, 0, 0, 1]).unwrap();

    for (arguments, complaints) in [
        ("--base nowhere.fbin --query query.u8bin --metric l2", ["nowhere.fbin", "No such file"]),
        ("--base base.csv --query query.u8bin --metric l2", ["base.csv", ".fbin"]),
        ("--base cut.u8bin --query query.u8bin --metric l2", ["cut.u8bin", "9 rows of 9"]),
        ("--base base.u8bin --query narrow.u8bin --metric l2", ["784", "narrow.u8bin has 3"]),
        ("--base empty.u8bin --query query.u8bin --metric l2", ["empty.u8bin", "no rows"]),
        ("--base base.u8bin --query zero.fbin --metric cosine", ["zero.fbin", "row 0"]),
        ("--base nan.fbin --query query.u8bin --metric l2", ["base", "row 1"]),
        ("--base base.u8bin --query nan.fbin --metric l2", ["query 1", "NaN"]),
        ("--base zero.fbin --query zero.fbin --metric hamming", ["zero.fbin", "f32"]),
    ] {
        let error = ann(dir.path(), arguments).unwrap_err();
        assert!(complaints.iter().all(|part| error.contains(part)), "{arguments}: {error}");
    }
    for (arguments, complaints) in [
        ("--metric euclid", ["euclid", "l2, euclidean, ip, cosine, l1, hamming, jaccard"]),
        ("--metric l2 --gt gt.ibin", ["k is 10", "5 neighbours"]),
        ("--metric l2 --gt short.ibin", ["short.ibin", "59 rows for 60 queries"]),
        ("--metric l2 --gt beyond.ibin", ["beyond.ibin: query 59, neighbour 9", "1500"]),
        ("--metric l2 --gt float.fbin", ["float.fbin", "f32"]),
        ("--metric l2 --k 0", ["k is 0", "at least 1"]),
        ("--metric l2 --passes 0", ["passes is 0", "at least 1"]),
        ("--metric l2 --threads 0", ["threads is 0", "at least 1"]),
        ("--metric l2 --ef 10,0", ["ef is 0", "at least 1"]),
        ("--metric l2 --ef=", ["--ef", "value"]),
        ("--metric l2 --m 1", ["M is 1", "2…"]),
        ("--metric l2 --ef-construction 0", ["ef_construction is 0", "1…"]),
        ("--metric l2 --limit-base 0", ["base.u8bin", "no rows"]),
        ("--metric l2 --limit-query 0", ["query.u8bin", "no rows"]),
        ("--metric l2 --backend sse9", ["sse9", "`avx512`"]),
        ("--metric l2 --element i8", ["base.u8bin: row 0, column", "does not fit i8"]),
        ("--metric l2 --element f64", ["f64", "f32, f16, bf16, i8, u8"]),
        ("--metric jaccard --element f32", ["jaccard", "packed bits"]),
    ] {
        let error = ann(dir.path(), &format!("{FILES} {arguments}")).unwrap_err();
        assert!(complaints.iter().all(|part| error.contains(part)), "{arguments}: {error}");
    }
}
