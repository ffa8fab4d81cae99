//! Vectors that stay where the caller has them, in a mapped file and in a map of the caller's: models
//! for a space over a store of one's own.

mod support;

// The example itself, so that it is tested as it stands.
#[path = "../examples/mapped_file.rs"]
mod mapped_file;

use std::collections::HashMap;
use std::fmt;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::{Arc, RwLock};

use mapped_file::{MappedRows, QueryError};
use nearfield_hnsw::{
    Build, Hnsw, Id, Index, InsertError, Metric, Params, Search, SearchError,
    space::{Scorer, Space, Store},
};
use nearfield_kernels::{Kernel, all_finite};
use support::{Random, assert_scores};
use twox_hash::XxHash3_64;

const DIM: usize = 12;

fn l2() -> Kernel<f32> {
    Kernel::best(Metric::L2Squared).unwrap()
}

#[expect(unsafe_code, reason = "promises that the files of a test stay as they are")]
fn mapped_rows(path: &Path) -> std::io::Result<MappedRows> {
    // SAFETY: each test has files of its own names, and writes to them no more.
    unsafe { MappedRows::open(path, DIM) }
}

/// A file that is gone at the end of the test.
struct TestFile(PathBuf);

impl TestFile {
    fn new(name: &str, bytes: &[u8]) -> Self {
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
        std::fs::write(&path, bytes).unwrap();
        Self(path)
    }

    fn of_rows(name: &str, values: &[f32]) -> Self {
        let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        Self::new(name, &bytes)
    }
}

impl Drop for TestFile {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

#[test]
fn the_example_of_a_mapped_file_runs() {
    mapped_file::main().unwrap();
}

#[test]
fn a_mapped_file_is_searched_where_it_lies() {
    let mut values = Random::new(41).normals(1000 * DIM);
    values.copy_within(..DIM, 999 * DIM); // the last row is equal to the first
    let file = TestFile::of_rows("rows.f32", &values);
    let rows = mapped_rows(&file.0).unwrap();
    let index = Hnsw::build(rows, Params::default(), Build::default().threads(2)).unwrap();
    index.check().unwrap();
    assert_eq!((index.len(), index.memory().points), (1000, 0));
    assert!(index.space().equal(0, 999) && !index.space().equal(0, 1));

    let (kernel, mut random, mut found) = (l2(), Random::new(42), 0);
    let row = |id: Id| &values[id as usize * DIM..][..DIM];
    assert_scores(index.space(), |a, b| kernel.distance(row(a), row(b)));
    for _ in 0..50 {
        let query = random.normals(DIM);
        // A scan of the values as they were written.
        let rows = values.chunks(DIM).zip(0..);
        let mut exact: Vec<(f32, Id)> =
            rows.map(|(row, id)| (kernel.distance(&query, row), id)).collect();
        exact.sort_by(|a, b| a.partial_cmp(b).unwrap());
        let hits = index.search(&query, Search::new(10).ef(64)).unwrap();
        assert!(hits.iter().all(|hit| exact.contains(&(hit.distance, hit.id))));
        found += hits.iter().filter(|hit| exact[..10].contains(&(hit.distance, hit.id))).count();
    }
    assert!(found >= 490, "{found} of 500");
    for (id, row) in (0..999).zip(values.chunks(DIM)) {
        assert_eq!(index.search(row, Search::new(1)).unwrap()[0].id, id);
    }
    assert_eq!(index.searcher().search_near(999, Search::new(2)).unwrap()[1].id, 999); // after its equal
}

#[test]
fn what_is_no_file_of_rows_or_no_query_is_refused() {
    let kind = |file: &TestFile| mapped_rows(&file.0).map(|_| ()).map_err(|e| e.kind());
    let mut values = vec![1.0; 3 * DIM];
    assert_eq!(kind(&TestFile::of_rows("ragged.f32", &values[1..])), Err(ErrorKind::InvalidData));
    values[2 * DIM] = f32::NAN;
    assert_eq!(kind(&TestFile::of_rows("nan.f32", &values)), Err(ErrorKind::InvalidData));
    assert_eq!(mapped_rows("there-is-none".as_ref()).unwrap_err().kind(), ErrorKind::NotFound);

    let empty = TestFile::new("empty.f32", &[]);
    let rows = mapped_rows(&empty.0).unwrap();
    let index = Hnsw::build(rows, Params::default(), Build::default()).unwrap();
    assert_eq!(index.search(&[0.0; DIM], Search::new(1)), Ok(Vec::new()));
    let dimension = QueryError::Dimension { expected: DIM, found: 1 };
    assert_eq!(index.search(&[0.0], Search::new(1)), Err(SearchError::Query(dimension)));
    let infinite = index.search(&[f32::INFINITY; DIM], Search::new(1));
    assert_eq!(infinite, Err(SearchError::Query(QueryError::NotFinite)));
}

/// Vectors by name, in a map of the application. It may add entries at any time; one whose name is in
/// an index it neither changes nor takes away. A new vector gets a new name.
type Entries = Arc<RwLock<HashMap<String, Vec<f32>>>>;

/// A space over entries of such a map: a point is the name of one. Ids lead to names, and names to
/// vectors, which are compared where they are.
///
/// No lock is held longer than one group of distances takes, so the application waits for no search,
/// and a thread never asks for a lock that it has.
struct Named {
    entries: Entries,
    /// By id.
    names: RwLock<Vec<String>>,
    kernel: Kernel<f32>,
}

impl Named {
    fn new(entries: Entries) -> Self {
        Self { entries, names: RwLock::default(), kernel: l2() }
    }

    fn towards<'a>(&'a self, vector: &'a [f32]) -> Result<NamedScorer<'a>, NamedError> {
        if vector.len() != DIM {
            return Err(NamedError::Dimension(vector.len()));
        }
        if !all_finite(vector) {
            return Err(NamedError::NotFinite);
        }
        Ok(NamedScorer { space: self, target: Target::Vector(vector) })
    }

    /// Lends the vectors of two points.
    fn pair<T>(&self, a: Id, b: Id, look: impl FnOnce(&[f32], &[f32]) -> T) -> T {
        let (entries, names) = (self.entries.read().unwrap(), self.names.read().unwrap());
        look(&entries[&names[a as usize]], &entries[&names[b as usize]])
    }
}

/// Why a name or a query is refused.
#[derive(Clone, Debug, PartialEq)]
enum NamedError {
    /// The map has no such entry.
    NoEntry(String),
    /// Not as many numbers as are needed.
    Dimension(usize),
    NotFinite,
}

impl fmt::Display for NamedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoEntry(name) => write!(f, "there is no entry {name}"),
            Self::Dimension(found) => write!(f, "{found} numbers, not {DIM}"),
            Self::NotFinite => f.write_str("a number is not finite"),
        }
    }
}

impl std::error::Error for NamedError {}

fn bytes_of(vector: &[f32]) -> &[u8] {
    bytemuck::cast_slice(vector)
}

impl Space for Named {
    type Query = [f32];
    type QueryError = NamedError;
    type Scratch = Vec<f32>;
    type Scorer<'a> = NamedScorer<'a>;

    fn len(&self) -> usize {
        self.names.read().unwrap().len()
    }

    fn scorer<'a>(
        &'a self,
        query: &'a [f32],
        _scratch: &'a mut Vec<f32>,
    ) -> Result<NamedScorer<'a>, NamedError> {
        self.towards(query)
    }

    fn member(&self, id: Id) -> NamedScorer<'_> {
        NamedScorer { space: self, target: Target::Point(id) }
    }

    fn equal(&self, a: Id, b: Id) -> bool {
        self.pair(a, b, |a, b| bytes_of(a) == bytes_of(b))
    }

    fn fingerprint(&self, id: Id) -> u64 {
        self.pair(id, id, |vector, _| XxHash3_64::oneshot(bytes_of(vector)))
    }

    /// The list of names; the map is the application's.
    fn bytes(&self) -> usize {
        self.names.read().unwrap().capacity() * size_of::<String>()
    }
}

impl Store for Named {
    type Point = str;
    type PointError = NamedError;

    /// The vector of the entry is copied for this one search: a lock held until its end would keep
    /// the application waiting.
    fn insert_scorer<'a>(
        &'a self,
        name: &'a str,
        scratch: &'a mut Vec<f32>,
    ) -> Result<NamedScorer<'a>, NamedError> {
        let entries = self.entries.read().unwrap();
        let vector = entries.get(name).ok_or_else(|| NamedError::NoEntry(name.into()))?;
        scratch.clone_from(vector);
        drop(entries);
        self.towards(scratch)
    }

    fn push(&self, name: &str) -> Result<Id, NamedError> {
        self.insert_scorer(name, &mut Vec::new())?;
        let mut names = self.names.write().unwrap();
        names.push(name.into());
        Ok(names.len() as Id - 1)
    }

    fn subset(&self, ids: &[Id]) -> Result<Self, NamedError> {
        let names = self.names.read().unwrap();
        let kept = ids.iter().map(|id| names[*id as usize].clone()).collect();
        Ok(Self { names: RwLock::new(kept), ..Self::new(Arc::clone(&self.entries)) })
    }
}

enum Target<'a> {
    Vector(&'a [f32]),
    Point(Id),
}

struct NamedScorer<'a> {
    space: &'a Named,
    target: Target<'a>,
}

impl Scorer for NamedScorer<'_> {
    fn set_target(&mut self, id: Id) {
        self.target = Target::Point(id);
    }

    fn score(&mut self, id: Id) -> f32 {
        let mut score = [0.0];
        self.score_all(&[id], &mut score);
        score[0]
    }

    fn score_all(&mut self, ids: &[Id], out: &mut [f32]) {
        let (entries, names) =
            (self.space.entries.read().unwrap(), self.space.names.read().unwrap());
        let vector = |id: Id| entries[&names[id as usize]].as_slice();
        let target = match self.target {
            Target::Vector(target) => target,
            Target::Point(id) => vector(id),
        };
        for (id, out) in ids.iter().zip(out) {
            *out = self.space.kernel.distance(target, vector(*id));
        }
    }
}

/// Adds entries named by numbers, each of which decides its vector.
fn add(entries: &Entries, numbers: std::ops::Range<u64>) {
    for number in numbers {
        let vector = Random::new(1000 + number).normals(DIM);
        entries.write().unwrap().insert(number.to_string(), vector);
    }
}

/// An index over the first 300 of 600 entries, by keys 0…300.
fn indexed() -> (Entries, Index<u64, Named>) {
    let entries = Entries::default();
    add(&entries, 0..600);
    let index = Index::new(Named::new(Arc::clone(&entries)), Params::default()).unwrap();
    for key in 0..150 {
        index.insert(key, &key.to_string()).unwrap();
    }
    let names: Vec<String> = (150..300).map(|number| number.to_string()).collect();
    index.insert_batch((150..300).collect(), &names, Build::default().threads(2)).unwrap();
    (entries, index)
}

/// Searches find what a scan of the map finds; `model` has the name of each key.
fn assert_finds(entries: &Entries, index: &Index<u64, Named>, model: &HashMap<u64, String>) {
    index.check().unwrap();
    assert_eq!(index.len(), model.len());
    let (kernel, mut random) = (l2(), Random::new(43));
    for _ in 0..20 {
        let query = random.normals(DIM);
        let distance = |name| kernel.distance(&query, &entries.read().unwrap()[name]);
        let mut expected: Vec<(f32, u64)> =
            model.iter().map(|(key, name)| (distance(name), *key)).collect();
        expected.sort_by(|a, b| a.partial_cmp(b).unwrap());
        let hits = index.search(&query, Search::new(10).ef(400)).unwrap();
        let found: Vec<(f32, u64)> = hits.iter().map(|hit| (hit.distance, *hit.key)).collect();
        assert_eq!(found, expected[..10]);
    }
}

#[test]
fn points_live_in_a_map_of_the_caller() {
    let (entries, index) = indexed();
    let mut model: HashMap<u64, String> = (0..300).map(|key| (key, key.to_string())).collect();
    assert_finds(&entries, &index, &model);

    // Another entry for a key: the old one stays as it is until nothing refers to it.
    for key in (0..300).step_by(3) {
        let name = (300 + key).to_string();
        index.upsert(key, &name).unwrap();
        model.insert(key, name);
    }
    for key in (0..300).step_by(4) {
        assert!(index.remove(&key).unwrap());
        model.remove(&key);
    }
    assert_finds(&entries, &index, &model);

    let index = index.compact(Build::default().threads(2)).unwrap();
    assert!(Arc::ptr_eq(&index.space().entries, &entries));
    entries.write().unwrap().retain(|name, _| model.values().any(|used| used == name));
    assert_finds(&entries, &index, &model);
}

#[test]
fn scores_are_those_of_the_entries() {
    let (entries, index) = indexed();
    let (space, kernel, mut scratch) = (index.space(), l2(), Vec::new());
    // The first points have their ids as names.
    let distance = |a: &str, b: Id| {
        let entries = entries.read().unwrap();
        kernel.distance(&entries[a], &entries[&b.to_string()])
    };
    assert_scores(space, |a, b| distance(&a.to_string(), b));
    let mut insert_scorer = space.insert_scorer("599", &mut scratch).unwrap();
    for id in 0..20 {
        assert_eq!(insert_scorer.score(id), distance("599", id));
    }
    assert_eq!(space.push("none"), Err(NamedError::NoEntry("none".into())));
}

#[test]
fn the_map_grows_while_the_index_is_searched() {
    let (entries, index) = indexed();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for number in 600..900 {
                add(&entries, number..number + 1);
                index.insert(number, &number.to_string()).unwrap();
            }
        });
        for seed in 0..300 {
            let query = Random::new(seed).normals(DIM);
            assert_eq!(index.search(&query, Search::new(10)).unwrap().len(), 10);
        }
    });
    let model = (0..300).chain(600..900).map(|key| (key, key.to_string())).collect();
    assert_finds(&entries, &index, &model);
}

#[test]
fn names_without_an_entry_are_refused() {
    let (entries, index) = indexed();
    entries.write().unwrap().insert("short".into(), vec![1.0]);
    entries.write().unwrap().insert("nan".into(), vec![f32::NAN; DIM]);
    let refused = |error: InsertError<NamedError>| match error {
        InsertError::Point { place, error } => (place, error),
        other => panic!("{other}"),
    };
    let none = || NamedError::NoEntry("none".into());
    assert_eq!(refused(index.insert(1000, "none").unwrap_err()), (0, none()));
    assert_eq!(refused(index.insert(1000, "short").unwrap_err()), (0, NamedError::Dimension(1)));
    assert_eq!(refused(index.insert(1000, "nan").unwrap_err()), (0, NamedError::NotFinite));
    let batch = index.insert_batch(vec![1000, 1001], &["301", "none"], Build::default());
    assert_eq!(refused(batch.unwrap_err()), (1, none()));
    let query = index.search(&[0.0], Search::new(1)).unwrap_err();
    assert_eq!(query, SearchError::Query(NamedError::Dimension(1)));
    assert_eq!((index.len(), index.space().len()), (300, 300));
}
