//! Any sequence of operations against a model: a map from keys to points, and a scan of it.

mod support;

use std::collections::BTreeMap;

use nearfield_hnsw::{Build, Index, InsertError, KeyHit, Metric, Params, Search, Threads, Vectors};
use proptest::prelude::*;
use proptest::sample::Index as Pick;

/// Coordinates of few values, so that many points are equal.
type Point = [i8; 2];

#[derive(Clone, Debug)]
enum Operation {
    Insert(u8, Point),
    Upsert(u8, Point),
    Remove(u8),
    /// The keys and points of a batch.
    Batch(Vec<(u8, Point)>),
    /// Removes all but every so many keys.
    Thin(usize),
    Compact,
    Search(Point, usize),
    /// With a filter: keys that leave this remainder by 3.
    Filtered(Point, usize, u8),
    Within(Point, u8),
    Near(Pick, usize),
    Pages(Point, usize),
}

fn point() -> impl Strategy<Value = Point> {
    prop::array::uniform2(-3i8..4)
}

fn operation() -> impl Strategy<Value = Operation> {
    prop_oneof![
        6 => (0..120u8, point()).prop_map(|(key, point)| Operation::Insert(key, point)),
        6 => (0..120u8, point()).prop_map(|(key, point)| Operation::Upsert(key, point)),
        6 => (0..120u8).prop_map(Operation::Remove),
        2 => prop::collection::vec((120..250u8, point()), 0..40).prop_map(Operation::Batch),
        1 => (1..20usize).prop_map(Operation::Thin),
        1 => Just(Operation::Compact),
        3 => (point(), 1..40usize).prop_map(|(query, k)| Operation::Search(query, k)),
        2 => (point(), 1..40usize, 0..3u8)
            .prop_map(|(query, k, rest)| Operation::Filtered(query, k, rest)),
        2 => (point(), 0..30u8).prop_map(|(query, radius)| Operation::Within(query, radius)),
        1 => (any::<Pick>(), 1..10usize).prop_map(|(pick, k)| Operation::Near(pick, k)),
        1 => (point(), 1..30usize).prop_map(|(query, k)| Operation::Pages(query, k)),
    ]
}

/// What the index should hold: the id and the point of each key.
#[derive(Default)]
struct Model(BTreeMap<u8, (u32, Point)>);

/// A key and its distance.
type Answer = Vec<(u8, f32)>;

impl Model {
    /// The `k` nearest of the keys that are wanted, by (distance, id).
    fn nearest(&self, query: Point, k: usize, wanted: impl Fn(u8, f32) -> bool) -> Answer {
        let mut all: Vec<(f32, u32, u8)> = self
            .0
            .iter()
            .map(|(key, (id, point))| (distance(query, *point), *id, *key))
            .filter(|(distance, _, key)| wanted(*key, *distance))
            .collect();
        all.sort_by(|a, b| a.partial_cmp(b).unwrap());
        all.truncate(k);
        all.into_iter().map(|(distance, _, key)| (key, distance)).collect()
    }
}

fn distance(a: Point, b: Point) -> f32 {
    let difference = |(a, b): (&i8, i8)| f32::from(*a) - f32::from(b);
    a.iter().zip(b).map(difference).map(|d| d * d).sum()
}

fn values(point: Point) -> [f32; 2] {
    point.map(f32::from)
}

fn answer(hits: &[KeyHit<'_, u8>]) -> Answer {
    hits.iter().map(|hit| (*hit.key, hit.distance)).collect()
}

type Tested = Index<u8, Vectors<f32>>;

/// Carries out one operation on both, and compares.
fn step(index: &mut Tested, model: &mut Model, operation: &Operation) {
    // As wide as the index: what cannot be reached is missing.
    let search = |k| Search::new(k).ef(400);
    match operation {
        Operation::Insert(key, point) => match index.insert(*key, &values(*point)) {
            Ok(id) => assert_eq!(model.0.insert(*key, (id, *point)), None, "a key twice"),
            Err(InsertError::KeyExists { place: 0 }) => assert!(model.0.contains_key(key)),
            Err(error) => panic!("{error}"),
        },
        Operation::Upsert(key, point) => {
            let id = index.upsert(*key, &values(*point)).unwrap();
            model.0.insert(*key, (id, *point));
        }
        Operation::Remove(key) => {
            assert_eq!(index.remove(key).unwrap(), model.0.remove(key).is_some());
        }
        Operation::Batch(batch) => {
            let (keys, points): (Vec<u8>, Vec<Point>) = batch.iter().copied().unzip();
            let points: Vec<[f32; 2]> = points.into_iter().map(values).collect();
            let taken = |(place, key): (usize, &u8)| {
                model.0.contains_key(key) || keys[..place].contains(key)
            };
            let taken = keys.iter().enumerate().position(taken);
            let build = Build::default().threads(2);
            match (index.insert_batch(keys.clone(), &points, build), taken) {
                (Ok(()), None) => {
                    for (key, point) in batch {
                        model.0.insert(*key, (index.id(key).unwrap(), *point));
                    }
                }
                (Err(InsertError::KeyExists { place }), Some(taken)) => assert_eq!(place, taken),
                (result, taken) => panic!("{result:?}, {taken:?}"),
            }
        }
        Operation::Thin(most) => {
            let keys: Vec<u8> = model.0.keys().copied().collect();
            for (_, key) in keys.iter().enumerate().filter(|(place, _)| place % most != 0) {
                assert!(index.remove(key).unwrap());
                model.0.remove(key);
            }
        }
        Operation::Compact => {
            *index = index.compact(Build::default().threads(2)).unwrap();
            assert_eq!(index.stats().removed, 0);
            for (key, (id, _)) in &mut model.0 {
                *id = index.id(key).unwrap();
            }
        }
        Operation::Search(query, k) => {
            let hits = index.search(&values(*query), search(*k)).unwrap();
            assert_eq!(answer(&hits), model.nearest(*query, *k, |_, _| true));
        }
        Operation::Filtered(query, k, rest) => {
            let filter = |key: &u8| key % 3 == *rest;
            let hits = index.search(&values(*query), search(*k).filter(&filter)).unwrap();
            assert_eq!(answer(&hits), model.nearest(*query, *k, |key, _| filter(&key)));
        }
        Operation::Within(query, radius) => {
            let radius = f32::from(*radius);
            let request = search(1000).within(radius);
            let hits = index.search(&values(*query), request).unwrap();
            let expected = model.nearest(*query, 1000, |_, distance| distance <= radius);
            assert_eq!(answer(&hits), expected);
        }
        Operation::Near(pick, k) => {
            let keys: Vec<u8> = model.0.keys().copied().collect();
            if !keys.is_empty() {
                let key = pick.get(&keys);
                let hits = index.search_near(key, search(*k)).unwrap();
                let expected = model.nearest(model.0[key].1, *k, |_, _| true);
                assert_eq!(answer(&hits), expected);
            }
        }
        Operation::Pages(query, k) => {
            let query_values = values(*query);
            let pages = index.pages(&query_values, Search::new(*k).ef(400)).unwrap();
            let pages: Vec<Answer> = pages.map(|page| answer(&page)).collect();
            assert!(pages.iter().rev().skip(1).all(|page| page.len() == *k));
            let mut hits = pages.concat();
            assert!(hits.is_sorted_by(|a, b| a.1 <= b.1));
            let mut expected = model.nearest(*query, 1000, |_, _| true);
            hits.sort_by_key(|hit| hit.0);
            expected.sort_by_key(|hit| hit.0);
            assert_eq!(hits, expected);
        }
    }
}

fn run(operations: &[Operation], m: usize, keep_pruned: bool) {
    let space = Vectors::new(2, Metric::L2Squared).unwrap();
    let params = Params::default().m(m).ef_construction(20).keep_pruned(keep_pruned);
    let mut index = Tested::new(space, params).unwrap();
    let mut model = Model::default();
    for operation in operations {
        step(&mut index, &mut model, operation);
        index.check().unwrap();
        assert_eq!(index.len(), model.0.len());
        let held: Vec<(u8, u32)> = index.iter().map(|(key, id)| (*key, id)).collect();
        let mut expected: Vec<(u8, u32)> =
            model.0.iter().map(|(key, (id, _))| (*key, *id)).collect();
        expected.sort_by_key(|(_, id)| *id);
        assert_eq!(held, expected);
    }
    for (key, (_, point)) in &model.0 {
        assert_eq!(index.get(key).as_deref(), Some(&values(*point)[..]));
    }
    let keys: Vec<u8> = model.0.keys().copied().collect();
    let queries: Vec<[f32; 2]> = keys.iter().map(|key| values(model.0[key].1)).collect();
    let request = Search::new(3).ef(400);
    for (key, hits) in
        keys.iter().zip(index.search_batch(&queries, request, Threads::Count(2)).unwrap())
    {
        assert_eq!(answer(&hits), model.nearest(model.0[key].1, 3, |_, _| true));
    }
}

/// The new point and the copy that stays are then the only ones, and neither is in the graph as the other's
/// neighbours are searched for: they were left unconnected.
#[test]
fn a_point_is_replaced_whose_copies_are_all_there_is() {
    use Operation::Upsert;
    for copies in 1..4 {
        let mut operations: Vec<_> = (0..=copies).map(|key| Upsert(key, [0, 0])).collect();
        operations.extend([Upsert(0, [0, 1]), Upsert(1, [2, 2]), Upsert(0, [0, 0])]);
        run(&operations, 2, false);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..Default::default() })]

    #[test]
    fn any_operations_do_as_the_model_does(
        operations in prop::collection::vec(operation(), 1..120),
        m in 2..8usize,
        keep_pruned: bool,
    ) {
        run(&operations, m, keep_pruned);
    }
}
