//! Metrics of the caller's own: words, byte strings, point clouds, a distance that was learned.

mod support;

use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fmt;

use nearfield_hnsw::{
    Build, Flat, Hnsw, Index, InsertError, Params, Search, SearchError, Threads,
    space::{PointError, PointMetric, Points, Space},
};
use support::{Random, assert_scores};

/// The fewest letters to insert, delete or replace to make one word of another.
struct Levenshtein;

impl PointMetric for Levenshtein {
    type Point = str;
    type Error = Infallible;

    fn distance(&self, a: &str, b: &str) -> f32 {
        let b: Vec<char> = b.chars().collect();
        // What it takes to make the beginnings of `b` of the beginning of `a` read so far.
        let mut costs: Vec<usize> = (0..=b.len()).collect();
        for (row, letter) in a.chars().enumerate() {
            let mut diagonal = std::mem::replace(&mut costs[0], row + 1);
            for (column, other) in b.iter().enumerate() {
                let replaced = diagonal + usize::from(letter != *other);
                diagonal = costs[column + 1];
                costs[column + 1] = replaced.min(diagonal + 1).min(costs[column] + 1);
            }
        }
        costs[b.len()] as f32
    }
}

/// The number of positions at which byte strings differ, and of bytes by which one is longer.
struct Hamming;

impl PointMetric for Hamming {
    type Point = [u8];
    type Error = Infallible;

    fn distance(&self, a: &[u8], b: &[u8]) -> f32 {
        let different = a.iter().zip(b).filter(|(a, b)| a != b).count();
        (different + a.len().abs_diff(b.len())) as f32
    }
}

/// Why numbers are refused.
#[derive(Clone, Debug, PartialEq)]
enum Misfit {
    Length { expected: usize, found: usize },
    NotFinite,
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length { expected, found } => write!(f, "{found} where {expected} are needed"),
            Self::NotFinite => f.write_str("not all finite"),
        }
    }
}

impl std::error::Error for Misfit {}

impl Misfit {
    fn look_for<'a>(
        expected: usize,
        found: usize,
        mut numbers: impl Iterator<Item = &'a f32>,
    ) -> Result<(), Self> {
        match found == expected {
            false => Err(Self::Length { expected, found }),
            true if numbers.all(|number| number.is_finite()) => Ok(()),
            true => Err(Self::NotFinite),
        }
    }
}

/// How far the points of one cloud must move to make another, seen from several directions: the mean
/// over directions of the mean over points, which on a line are paired in order.
struct SlicedWasserstein {
    directions: Vec<[f32; 3]>,
    /// Points of a cloud.
    size: usize,
}

impl SlicedWasserstein {
    fn new(size: usize) -> Self {
        let mut random = Random::new(31);
        let mut direction = || {
            let [x, y, z] = [random.normal(), random.normal(), random.normal()];
            let length = (x * x + y * y + z * z).sqrt();
            [x / length, y / length, z / length]
        };
        Self { directions: (0..8).map(|_| direction()).collect(), size }
    }
}

/// Where the points of a cloud lie along a direction, ascending.
fn along([x, y, z]: [f32; 3], cloud: &[[f32; 3]]) -> Vec<f32> {
    let mut places: Vec<f32> = cloud.iter().map(|p| x * p[0] + y * p[1] + z * p[2]).collect();
    places.sort_unstable_by(f32::total_cmp);
    places
}

impl PointMetric for SlicedWasserstein {
    type Point = [[f32; 3]];
    type Error = Misfit;

    fn distance(&self, a: &[[f32; 3]], b: &[[f32; 3]]) -> f32 {
        let slice = |direction: &[f32; 3]| -> f32 {
            let (a, b) = (along(*direction, a), along(*direction, b));
            a.iter().zip(b).map(|(a, b)| (a - b).abs()).sum()
        };
        let moved: f32 = self.directions.iter().map(slice).sum();
        moved / (self.directions.len() * self.size) as f32
    }

    fn check(&self, cloud: &[[f32; 3]]) -> Result<(), Misfit> {
        Misfit::look_for(self.size, cloud.len(), cloud.as_flattened().iter())
    }
}

/// The Euclidean distance after a linear map, which training would have found: |L(a − b)|.
struct Mahalanobis {
    /// L, row by row.
    map: Vec<f32>,
    dim: usize,
}

impl Mahalanobis {
    fn new() -> Self {
        Self { map: Random::new(32).normals(4 * 6), dim: 6 }
    }
}

impl PointMetric for Mahalanobis {
    type Point = [f32];
    type Error = Misfit;

    fn distance(&self, a: &[f32], b: &[f32]) -> f32 {
        let coordinate = |row: &[f32]| -> f32 {
            row.iter().zip(a.iter().zip(b)).map(|(weight, (a, b))| weight * (a - b)).sum()
        };
        self.map.chunks(self.dim).map(coordinate).map(|x| x * x).sum::<f32>().sqrt()
    }

    fn check(&self, point: &[f32]) -> Result<(), Misfit> {
        Misfit::look_for(self.dim, point.len(), point.iter())
    }
}

/// A point as it is stored.
type Owned<M> = <<M as PointMetric>::Point as ToOwned>::Owned;

fn filled<M: PointMetric>(metric: M, points: &[Owned<M>]) -> Points<M>
where
    Owned<M>: Clone,
{
    let mut filled = Points::new(metric);
    assert_eq!(filled.extend(points.iter().cloned()).unwrap(), 0..points.len() as u32);
    filled
}

/// Points that are built at once find themselves and each other, and give one graph on any threads.
fn assert_finds<M: PointMetric>(metric: fn() -> M, points: &[Owned<M>], queries: &[Owned<M>])
where
    Owned<M>: Clone,
{
    let build = |threads| {
        let build = Build::default().threads(threads);
        Hnsw::build(filled(metric(), points), Params::default(), build).unwrap()
    };
    let index = build(2);
    index.check().unwrap();
    assert_eq!(index.graph_hash(), build(1).graph_hash());
    let point = |id| points[id as usize].borrow();
    assert_scores(index.space(), |a, b| metric().distance(point(a), point(b)));

    let search = Search::new(10).ef(64);
    for (id, point) in points.iter().enumerate() {
        let hits = index.search(point.borrow(), search).unwrap();
        assert_eq!(hits[0].distance, 0.0, "point {id} does not find itself");
    }

    // By distance: of points that are equally far any will do.
    let exact = Flat::new(filled(metric(), points));
    let mut found = 0;
    for query in queries {
        let farthest = exact.search(query.borrow(), search).unwrap()[9].distance;
        let hits = index.search(query.borrow(), search).unwrap();
        found += hits.iter().filter(|hit| hit.distance <= farthest).count();
    }
    let recall = found as f64 / (10 * queries.len()) as f64;
    println!("recall {recall:.4}");
    assert!(recall >= 0.95, "recall {recall:.4}");
}

/// Points that come, change and go under their keys are found as a scan of them finds them.
fn assert_lives<M: PointMetric>(metric: fn() -> M, points: &[Owned<M>], others: &[Owned<M>])
where
    Owned<M>: Clone,
    M::Point: PartialEq + fmt::Debug,
{
    let index = Index::new(Points::new(metric()), Params::default()).unwrap();
    let (single, batch) = points.split_at(points.len() / 2);
    let mut model: BTreeMap<usize, &M::Point> =
        points.iter().map(Borrow::borrow).enumerate().collect();
    for (key, point) in single.iter().enumerate() {
        index.insert(key, point.borrow()).unwrap();
    }
    let keys = (single.len()..points.len()).collect();
    index.insert_batch(keys, batch, Build::default().threads(2)).unwrap();
    for (key, point) in (0..points.len()).step_by(3).zip(others) {
        index.upsert(key, point.borrow()).unwrap();
        model.insert(key, point.borrow());
    }
    for key in (0..points.len()).step_by(5) {
        assert!(index.remove(&key).unwrap());
        model.remove(&key);
    }
    assert_is(&index, &model, others);
    assert_is(&index.compact(Build::default().threads(2)).unwrap(), &model, others);
}

/// The index holds the points of the model, and finds the nearest of them.
fn assert_is<M: PointMetric>(
    index: &Index<usize, Points<M>>,
    model: &BTreeMap<usize, &M::Point>,
    queries: &[Owned<M>],
) where
    M::Point: PartialEq + fmt::Debug,
{
    index.check().unwrap();
    assert_eq!(index.len(), model.len());
    for (key, point) in model {
        assert_eq!(index.get(key), Some(*point));
    }
    for query in queries.iter().take(20) {
        let distance = |point| index.space().metric().distance(query.borrow(), point);
        let mut expected: Vec<(f32, u32, usize)> = model
            .iter()
            .map(|(key, point)| (distance(point), index.id(key).unwrap(), *key))
            .collect();
        expected.sort_by(|a, b| a.partial_cmp(b).unwrap());
        let hits = index.search(query.borrow(), Search::new(10).ef(points_in(index))).unwrap();
        let found: Vec<_> = hits.iter().map(|hit| (hit.distance, hit.id, *hit.key)).collect();
        assert_eq!(found, expected[..10]);
    }
}

/// A beam as wide as this holds everything.
fn points_in<M: PointMetric>(index: &Index<usize, Points<M>>) -> usize {
    index.space().len()
}

/// A few seeds of things, and things near them.
fn near<T>(
    random: &mut Random,
    count: usize,
    seeds: &[T],
    vary: impl Fn(&mut Random, &T) -> T,
) -> Vec<T> {
    (0..count)
        .map(|_| {
            let seed = random.below(seeds.len());
            vary(random, &seeds[seed])
        })
        .collect()
}

fn letter(random: &mut Random) -> char {
    ['a', 'b', 'c', 'd', 'e', 'é', 'ß', 'z'][random.below(8)]
}

/// Replaces, inserts or deletes up to four letters.
fn misspelt(random: &mut Random, word: &str) -> String {
    let mut letters: Vec<char> = word.chars().collect();
    for _ in 0..=random.below(4) {
        let place = random.below(letters.len());
        match random.below(3) {
            0 => letters[place] = letter(random),
            1 => letters.insert(place, letter(random)),
            _ if letters.len() > 1 => drop(letters.remove(place)),
            _ => {}
        }
    }
    letters.into_iter().collect()
}

fn words(count: usize, seed: u64) -> Vec<String> {
    let mut random = Random::new(33);
    let mut root = || (0..4 + random.below(9)).map(|_| letter(&mut random)).collect();
    let roots: Vec<String> = (0..30).map(|_| root()).collect();
    near(&mut Random::new(seed), count, &roots, |random, word| misspelt(random, word))
}

#[test]
fn words_by_edit_distance() {
    for (a, b, distance) in
        [("kitten", "sitting", 3.0), ("", "abc", 3.0), ("aß", "ßa", 2.0), ("same", "same", 0.0)]
    {
        assert_eq!(Levenshtein.distance(a, b), distance, "{a} {b}");
        assert_eq!(Levenshtein.distance(b, a), distance, "{b} {a}");
    }
    assert_finds(|| Levenshtein, &words(600, 1), &words(100, 2));
    assert_lives(|| Levenshtein, &words(300, 3), &words(100, 4));
}

fn bytes(count: usize, seed: u64) -> Vec<Vec<u8>> {
    let mut random = Random::new(34);
    let mut root = || (0..16 + random.below(16)).map(|_| random.next() as u8).collect();
    let roots: Vec<Vec<u8>> = (0..30).map(|_| root()).collect();
    let vary = |random: &mut Random, root: &Vec<u8>| {
        let mut bytes = root.clone();
        bytes.truncate(bytes.len() - random.below(8));
        for _ in 0..random.below(12) {
            let place = random.below(bytes.len());
            bytes[place] = random.next() as u8;
        }
        bytes
    };
    near(&mut Random::new(seed), count, &roots, vary)
}

#[test]
fn byte_strings_of_any_length_by_positions() {
    assert_eq!(Hamming.distance(b"night", b"lights"), 2.0);
    assert_eq!(Hamming.distance(b"", b"day"), 3.0);
    assert_finds(|| Hamming, &bytes(600, 1), &bytes(100, 2));
    assert_lives(|| Hamming, &bytes(300, 3), &bytes(100, 4));
}

/// Clouds about places that differ, of sizes that differ.
fn clouds(count: usize, seed: u64) -> Vec<Vec<[f32; 3]>> {
    let mut random = Random::new(seed);
    let mut cloud = || {
        let (centre, size) = (random.normals(3), 0.2 + random.uniform());
        let mut coordinate = |axis: usize| centre[axis] + size * random.normal();
        (0..8).map(|_| [0, 1, 2].map(&mut coordinate)).collect()
    };
    (0..count).map(|_| cloud()).collect()
}

#[test]
fn point_clouds_by_sliced_wasserstein() {
    let metric = SlicedWasserstein::new(2);
    // The order of points does not matter; a cloud that is moved is as far as the mean direction sees.
    let cloud = [[0.0, 0.0, 0.0], [1.0, 2.0, 3.0]];
    assert_eq!(metric.distance(&cloud, &[cloud[1], cloud[0]]), 0.0);
    let moved = cloud.map(|[x, y, z]| [x + 5.0, y, z]);
    let seen: f32 = metric.directions.iter().map(|direction| 5.0 * direction[0].abs()).sum();
    assert!((metric.distance(&cloud, &moved) - seen / 8.0).abs() < 1e-5);

    assert_finds(|| SlicedWasserstein::new(8), &clouds(400, 1), &clouds(100, 2));
    assert_lives(|| SlicedWasserstein::new(8), &clouds(200, 3), &clouds(70, 4));
}

fn features(count: usize, seed: u64) -> Vec<Vec<f32>> {
    let mut random = Random::new(seed);
    (0..count).map(|_| random.normals(6)).collect()
}

#[test]
fn vectors_by_a_learned_distance() {
    let metric = Mahalanobis { map: vec![1.0, 0.0, 0.0, 10.0], dim: 2 };
    assert_eq!(metric.distance(&[1.0, 1.0], &[4.0, 1.0]), 3.0);
    assert_eq!(metric.distance(&[1.0, 1.0], &[1.0, 4.0]), 30.0);
    assert_finds(Mahalanobis::new, &features(600, 1), &features(100, 2));
    assert_lives(Mahalanobis::new, &features(300, 3), &features(100, 4));
}

/// `bad` is refused with `misfit` wherever it comes, and nothing changes.
fn assert_refuses<M: PointMetric<Error = Misfit>>(
    metric: fn() -> M,
    good: &[Owned<M>],
    bad: &Owned<M>,
    misfit: &Misfit,
) where
    Owned<M>: Clone,
{
    let batch = [good[0].clone(), bad.clone()];
    let mut points = filled(metric(), good);
    let error = points.extend(batch.clone()).unwrap_err();
    assert_eq!(error, PointError::RefusedAt { place: 1, error: misfit.clone() });
    assert_eq!(points.len(), good.len());

    let index = Hnsw::build(points, Params::default(), Build::default()).unwrap();
    let hash = index.graph_hash();
    let refused = |place, result: InsertError<PointError<Misfit>>| match result {
        InsertError::Point { place: found, error: PointError::Refused(error) } => {
            assert_eq!((found, &error), (place, misfit));
        }
        other => panic!("{other}"),
    };
    refused(0, index.insert(bad.borrow()).unwrap_err());
    refused(0, index.replace(0, bad.borrow()).unwrap_err());
    refused(1, index.insert_batch(&batch, Build::default()).unwrap_err());
    let error = index.search(bad.borrow(), Search::new(1)).unwrap_err();
    assert_eq!(error, SearchError::Query(misfit.clone()));
    assert_eq!((index.space().len(), index.graph_hash()), (good.len(), hash));
}

#[test]
fn what_a_metric_refuses_is_not_added() {
    let too_small = Misfit::Length { expected: 8, found: 7 };
    let new = || SlicedWasserstein::new(8);
    let mut cloud = clouds(1, 5).remove(0);
    assert_refuses(new, &clouds(20, 6), &cloud[..7].to_vec(), &too_small);
    cloud[7][2] = f32::NAN;
    assert_refuses(new, &clouds(20, 6), &cloud, &Misfit::NotFinite);

    let too_long = Misfit::Length { expected: 6, found: 7 };
    assert_refuses(Mahalanobis::new, &features(20, 7), &vec![0.0; 7], &too_long);
    let infinite = vec![f32::INFINITY; 6];
    assert_refuses(Mahalanobis::new, &features(20, 7), &infinite, &Misfit::NotFinite);
}

/// 400 words, the first 200 of which are one.
fn half_equal() -> (Points<Levenshtein>, Vec<String>) {
    let mut distinct = words(2000, 8);
    distinct.sort_unstable();
    distinct.dedup();
    Random::new(9).shuffle(&mut distinct);
    let same = std::iter::repeat_n(distinct[0].clone(), 200);
    let words: Vec<String> = same.chain(distinct[1..201].iter().cloned()).collect();
    let mut points = Points::new(Levenshtein).with_equality();
    points.extend(words.iter().map(String::as_str)).unwrap();
    (points, words)
}

#[test]
fn equal_points_are_all_found_and_hide_nobody() {
    let (points, words) = half_equal();
    let built = Hnsw::build(points, Params::default(), Build::default()).unwrap();
    let grown = Points::new(Levenshtein).with_equality();
    let grown = Hnsw::build(grown, Params::default(), Build::default()).unwrap();
    for word in &words {
        grown.insert(word).unwrap();
    }
    for index in [built, grown] {
        index.check().unwrap();
        // Linked one by one, the equal words would hide 20 to 50 others from a beam of this width.
        for (id, word) in words.iter().enumerate().skip(200) {
            let hits = index.search(word, Search::new(1).ef(16)).unwrap();
            assert_eq!((hits[0].id as usize, hits[0].distance), (id, 0.0), "{word} is lost");
        }
        let hits = index.search(&words[0], Search::new(201)).unwrap();
        assert!(hits[..200].iter().map(|hit| hit.id).eq(0..200));
        assert!(hits[200].distance > 0.0);
    }
}

#[test]
fn equal_points_come_and_go() {
    let (points, words) = half_equal();
    let keys = (0..400).collect();
    let index = Index::build(points, keys, Params::default(), Build::default()).unwrap();
    for key in (0..200).step_by(2) {
        assert!(index.remove(&key).unwrap());
    }
    index.check().unwrap();
    let compact = index.compact(Build::default()).unwrap();
    compact.check().unwrap();
    assert!(compact.space().equal(0, 99) && !compact.space().equal(0, 100));
    for index in [index, compact] {
        index.insert(1000, &words[0]).unwrap();
        let hits = index.search(&words[0], Search::new(102)).unwrap();
        let keys = hits[..101].iter().map(|hit| *hit.key);
        assert!(keys.eq((1..200).step_by(2).chain([1000])));
        assert!(hits[101].distance > 0.0);
    }
}

#[test]
fn without_equality_no_two_points_are_equal() {
    let mut points = Points::new(Levenshtein);
    points.extend(["a", "a"]).unwrap();
    assert!(!points.equal(0, 1) && points.equal(1, 1));
    assert_ne!(points.fingerprint(0), points.fingerprint(1));
    let points = points.with_equality();
    assert!(points.equal(0, 1));
    assert_eq!(points.fingerprint(0), points.fingerprint(1));
}

#[test]
fn points_are_added_while_others_search() {
    let words = words(400, 10);
    let index = Index::new(Points::new(Levenshtein).with_equality(), Params::default()).unwrap();
    index.insert(0, &words[0]).unwrap();
    std::thread::scope(|scope| {
        for thread in 0..2 {
            let (index, words) = (&index, &words);
            scope.spawn(move || {
                for key in (1 + thread..400).step_by(2) {
                    index.insert(key, &words[key]).unwrap();
                    let hits = index.search(&words[key], Search::new(1)).unwrap();
                    let found = index.get(hits[0].key).unwrap();
                    assert_eq!(hits[0].distance, Levenshtein.distance(found, &words[key]));
                }
            });
        }
    });
    index.check().unwrap();
    let answers = index.search_batch(&words, Search::new(1), Threads::Count(2)).unwrap();
    assert!(answers.iter().all(|hits| hits[0].distance == 0.0));
}
