//! Graphs that were saved alone: with which points they may be opened.

#[path = "support/mapped.rs"]
mod mapped;

use std::convert::Infallible;
use std::fs;
use std::path::Path;

use nearfield_hnsw::{
    Build, Hnsw, Index, Metric, Params, Search, Vectors,
    file::{Corruption, OpenCause, OpenError},
    space::{PointMetric, Points, Space},
};
use twox_hash::XxHash3_64;

const POINTS: usize = 100;

fn vectors(dim: usize, metric: Metric, factor: f32) -> Vectors<f32> {
    let mut vectors = Vectors::new(dim, metric).unwrap();
    let values = (0..POINTS * dim).map(|i| (i * i % 101) as f32 * factor + 1.0);
    vectors.extend(&values.collect::<Vec<_>>()).unwrap();
    vectors
}

type Opened<S> = Result<Index<u64, S>, OpenError>;

/// By keys and by ids, read and mapped.
fn causes<S: Space>(path: &Path, space: impl Fn() -> S) -> [Option<OpenCause>; 4] {
    let by_key = |opened: Opened<S>| opened.err().map(|error| error.cause);
    let by_id = |opened: Result<Hnsw<S>, OpenError>| opened.err().map(|error| error.cause);
    [
        by_key(Index::load_graph(space(), path)),
        by_key(mapped::open_graph(space(), path)),
        by_id(Hnsw::load_graph(space(), path)),
        by_id(mapped::by_id::open_graph(space(), path)),
    ]
}

#[test]
fn a_graph_comes_back_over_its_points() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("graph");
    let space = || vectors(8, Metric::L2Squared, 1.0);
    let keys = (0..POINTS as u64).map(|key| key + 7).collect();
    let built = Index::build(space(), keys, Params::default(), Build::default()).unwrap();
    built.remove(&9).unwrap();
    built.save_graph(&path).unwrap();
    let query = [3.0; 8];
    let hits = built.search(&query, Search::new(10)).unwrap();
    for opened in [Index::load_graph(space(), &path), mapped::open_graph(space(), &path)] {
        let opened: Index<u64, _> = opened.unwrap();
        assert_eq!(opened.search(&query, Search::new(10)).unwrap(), hits);
        opened.check().unwrap();
        opened.insert(1_000, &query).unwrap();
        assert_eq!(*opened.search(&query, Search::new(1)).unwrap()[0].key, 1_000);
        opened.check().unwrap();
    }
    assert!(causes(&path, space).iter().all(Option::is_none));
}

#[test]
fn another_dimension_or_metric_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("graph");
    let space = vectors(8, Metric::L2Squared, 1.0);
    let keys = (0..POINTS as u64).collect();
    Index::build(space, keys, Params::default(), Build::default())
        .unwrap()
        .save_graph(&path)
        .unwrap();
    for (dim, metric) in [(4, Metric::L2Squared), (8, Metric::Cosine), (9, Metric::InnerProduct)] {
        let words = format!("f32, {dim}, {}", metric.name());
        for cause in causes(&path, || vectors(dim, metric, 1.0)) {
            let Some(OpenCause::Space { expected, found }) = &cause else { panic!("{cause:?}") };
            assert_eq!((&**expected, found), ("f32, 8, l2", &words));
        }
    }
    // Of another element, of which no more is known than the words.
    let bytes = || {
        let mut vectors = Vectors::<u8>::new(8, Metric::L2Squared).unwrap();
        vectors.extend(&[1; 8 * POINTS]).unwrap();
        vectors
    };
    let message = causes(&path, bytes)[0].as_ref().unwrap().to_string();
    assert!(message.contains("`f32, 8, l2`") && message.contains("`u8, 8, l2`"), "{message}");
}

#[test]
fn other_points_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("graph");
    let space = || vectors(8, Metric::L2Squared, 1.0);
    let keys = (0..POINTS as u64).collect();
    Index::build(space(), keys, Params::default(), Build::default())
        .unwrap()
        .save_graph(&path)
        .unwrap();
    for cause in causes(&path, || vectors(8, Metric::L2Squared, 2.0)) {
        assert!(matches!(cause, Some(OpenCause::OtherPoint { id: 0 })), "{cause:?}");
    }
    // A single one, whose place no sample knows.
    let one_other = || {
        let mut other = Vectors::new(8, Metric::L2Squared).unwrap();
        let (space, changed) = (space(), [0.5; 8]);
        for id in 0..POINTS as u32 {
            let row = space.get(id).unwrap();
            other.extend(if id == 51 { &changed } else { &row }).unwrap();
        }
        other
    };
    let [by_key, _, by_id, _] = causes(&path, one_other);
    for cause in [by_key, by_id] {
        assert!(matches!(cause, Some(OpenCause::OtherPoint { id: 51 })), "{cause:?}");
    }
    let fewer = || {
        let mut fewer = Vectors::<f32>::new(8, Metric::L2Squared).unwrap();
        fewer.extend(&[1.0; 16]).unwrap();
        fewer
    };
    for cause in causes(&path, fewer) {
        let points = Some(OpenCause::Points { expected: POINTS, found: 2 });
        assert_eq!(format!("{cause:?}"), format!("{points:?}"));
    }
}

/// A graph of a version that did not save descriptions.
fn without_description(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    bytes[152..192].fill(0);
    let table = 192 + 32 * u32::from_le_bytes(bytes[12..16].try_into().unwrap()) as usize;
    bytes[24..32].fill(0);
    let checksum = XxHash3_64::oneshot(&bytes[..table]);
    bytes[24..32].copy_from_slice(&checksum.to_le_bytes());
    fs::write(path, bytes).unwrap();
}

#[test]
fn graphs_of_earlier_versions_are_opened() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("graph");
    let space = || vectors(8, Metric::L2Squared, 1.0);
    let keys = (0..POINTS as u64).collect();
    Index::build(space(), keys, Params::default(), Build::default())
        .unwrap()
        .save_graph(&path)
        .unwrap();
    without_description(&path);
    assert!(causes(&path, space).iter().all(Option::is_none));
    // The points are compared all the same.
    for cause in causes(&path, || vectors(9, Metric::L2Squared, 1.0)) {
        assert!(matches!(cause, Some(OpenCause::OtherPoint { .. })), "{cause:?}");
    }
}

/// Words by their lengths, and what is said of that.
struct Length(&'static str);

impl PointMetric for Length {
    type Point = str;
    type Error = Infallible;

    fn distance(&self, a: &str, b: &str) -> f32 {
        a.len().abs_diff(b.len()) as f32
    }

    fn description(&self) -> String {
        self.0.to_owned()
    }
}

fn words(description: &'static str, last: &str) -> Points<Length> {
    let mut points = Points::new(Length(description)).with_equality();
    points.extend(["a", "bb", "ccc", "bb", last]).unwrap();
    points
}

#[test]
fn points_of_ones_own_are_compared_as_well() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("graph");
    let long = "words by their lengths, in bytes";
    let save = |description| {
        let space = words(description, "dddd");
        let keys = vec![0u64, 1, 2, 3, 4];
        let index = Index::build(space, keys, Params::default(), Build::default()).unwrap();
        index.save_graph(&path).unwrap();
    };
    save(long);
    for description in [long, ""] {
        assert!(causes(&path, || words(description, "dddd")).iter().all(Option::is_none));
        for cause in causes(&path, || words(description, "eeee")) {
            assert!(matches!(cause, Some(OpenCause::OtherPoint { id: 4 })), "{cause:?}");
        }
    }
    // The beginnings are the same, as long as they are saved.
    for cause in causes(&path, || words("words by their lengths, in letters", "dddd")) {
        let Some(OpenCause::Space { expected, .. }) = &cause else { panic!("{cause:?}") };
        assert!(long.starts_with(expected.as_str()) && expected.len() == 24, "{expected}");
    }
    save("");
    assert!(causes(&path, || words("something", "dddd")).iter().all(Option::is_none));
}

#[test]
fn a_graph_says_how_it_is_opened() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("graph");
    let space = || vectors(8, Metric::L2Squared, 1.0);
    let graph = Hnsw::build(space(), Params::default(), Build::default()).unwrap();
    graph.save_graph(&path).unwrap();
    let message = Hnsw::<Vectors<f32>>::load(&path).unwrap_err().to_string();
    assert!(
        message.ends_with("open it with its space, by `load_graph` or `open_graph`"),
        "{message}"
    );
    let message = Index::<u64, _>::load_graph(space(), &path).unwrap_err().to_string();
    assert!(message.ends_with("open it as `Hnsw`"), "{message}");
    graph.save(&path).unwrap();
    let message = Hnsw::load_graph(space(), &path).unwrap_err().to_string();
    assert!(message.ends_with("its own vectors of `f32`: open it without a space"), "{message}");

    // Bytes of a later version of the format.
    let mut bytes = fs::read(&path).unwrap();
    bytes[8] = 2;
    fs::write(&path, bytes).unwrap();
    let error = Hnsw::<Vectors<f32>>::load(&path).unwrap_err();
    assert!(matches!(error.cause, OpenCause::Damaged(Corruption::Version(2))), "{error}");
}
