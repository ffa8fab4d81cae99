//! An index while it changes: keys, limits, many threads, what is found afterwards.

mod support;

use std::convert::Infallible;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::thread;

use nearfield_hnsw::{
    Build, BuildError, Filter, Flat, Hit, Hnsw, Id, Index, InsertError, KeyHit, Metric, Params,
    Search, SearchError, Threads, Vectors,
    space::{PointMetric, Points, VectorError},
};
use support::{Random, recall, rows, vectors};

const DIM: usize = 8;

type Tested<K> = Index<K, Vectors<f32>>;

fn empty<K: nearfield_hnsw::Key>(params: Params) -> Tested<K> {
    Index::new(Vectors::new(DIM, Metric::L2Squared).unwrap(), params).unwrap()
}

/// An index with the first `n` keys from 0.
fn filled(n: usize) -> (Tested<u32>, Vec<f32>) {
    let values = Random::new(31).normals(n * DIM);
    let keys = (0..n as u32).collect();
    let space = vectors(&values, DIM, Metric::L2Squared);
    (Index::build(space, keys, Params::default(), Build::default()).unwrap(), values)
}

#[test]
fn of_two_threads_that_insert_a_key_one_does() {
    let index = empty::<u64>(Params::default());
    let (inserted, refused) = (AtomicUsize::new(0), AtomicUsize::new(0));
    thread::scope(|scope| {
        for thread in 0..4 {
            let (index, inserted, refused) = (&index, &inserted, &refused);
            scope.spawn(move || {
                for (key, row) in Random::new(thread).normals(200 * DIM).chunks(DIM).enumerate() {
                    match index.insert(key as u64, row) {
                        Ok(_) => inserted.fetch_add(1, Relaxed),
                        Err(InsertError::KeyExists { place: 0 }) => refused.fetch_add(1, Relaxed),
                        Err(error) => panic!("{error}"),
                    };
                }
            });
        }
    });
    assert_eq!((inserted.into_inner(), refused.into_inner()), (200, 600));
    assert_eq!(index.len(), 200);
    index.check().unwrap();
}

#[test]
fn what_threads_insert_while_others_search_is_found() {
    let (n, threads) = (3000, 3);
    let values = Random::new(32).normals(n * DIM);
    let index = empty::<usize>(Params::default().ef_construction(60));
    let is_over = AtomicUsize::new(0);
    thread::scope(|scope| {
        for thread in 0..threads {
            let (index, is_over, values) = (&index, &is_over, &values);
            scope.spawn(move || {
                for key in (thread..n).step_by(threads) {
                    let row = &values[key * DIM..][..DIM];
                    index.insert(key, row).unwrap();
                    assert_eq!(*index.search(row, Search::new(1)).unwrap()[0].key, key);
                }
                is_over.fetch_add(1, Relaxed);
            });
        }
        let mut before = 0;
        while is_over.load(Relaxed) < threads {
            let live = index.len();
            assert!(live >= before, "{live} points after {before}");
            before = live;
            let hits = index.search(&values[..DIM], Search::new(20)).unwrap();
            assert!(hits.len() >= live.min(20), "{} of {live}", hits.len());
        }
    });
    index.check().unwrap();
    assert_eq!(index.len(), n);
    let queries = Random::new(33).normals(100 * DIM);
    let queries = rows(&queries, DIM);
    let request = Search::new(10).ef(64);
    let found = index.search_batch(&queries, request, Threads::Count(2)).unwrap();
    let unnamed = |hit: &KeyHit<'_, usize>| Hit { id: hit.id, distance: hit.distance };
    let found: Vec<Vec<Hit>> =
        found.iter().map(|hits| hits.iter().map(unnamed).collect()).collect();
    // Ids are in the order of linking; the exact index must have the same.
    let in_order: Vec<f32> =
        index.iter().flat_map(|(_, id)| index.space().get(id).unwrap().to_vec()).collect();
    let exact = Flat::new(vectors(&in_order, DIM, Metric::L2Squared));
    let exact = exact.search_batch(&queries, Search::new(10), Threads::Count(2)).unwrap();
    assert!(recall(&exact, &found) > 0.98, "{}", recall(&exact, &found));
}

#[test]
fn a_key_that_moves_is_in_one_place_always() {
    const MOVING: u32 = u32::MAX;
    let (index, values) = filled(400);
    index.insert(MOVING, &values[..DIM]).unwrap();
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        let mover = scope.spawn(|| {
            // Onto points that are there: it becomes a copy, an original, a copy …
            for place in 0..2000 {
                index.upsert(MOVING, &values[place % 3 * DIM..][..DIM]).unwrap();
            }
        });
        let remover = scope.spawn(|| {
            for step in 0..2000 {
                let key = step % 7;
                assert!(index.remove(&key).unwrap());
                index.insert(key, &values[key as usize * DIM..][..DIM]).unwrap();
            }
        });
        for searcher in 0..2 {
            let (index, is_over, values) = (&index, &is_over, &values);
            scope.spawn(move || {
                let only = |key: &u32| *key == MOVING;
                let request = Search::new(2).filter(&only);
                while !is_over.load(Relaxed) {
                    let hits = index.search(&values[searcher * DIM..][..DIM], request).unwrap();
                    assert_eq!(hits.len(), 1, "{hits:?}");
                    let hits = index.search_near(&MOVING, request).unwrap();
                    assert!(hits.len() == 1 && index.contains(&MOVING), "{hits:?}");
                    let all = index.search(&values[..DIM], Search::new(1000)).unwrap();
                    // One key may be between its removal and its return.
                    assert!((400..=401).contains(&all.len()), "{}", all.len());
                    assert_eq!(all.iter().filter(|hit| *hit.key == MOVING).count(), 1);
                }
            });
        }
        mover.join().unwrap();
        remover.join().unwrap();
        is_over.store(true, Relaxed);
    });
    index.check().unwrap();
    assert_eq!(index.len(), 401);
}

#[test]
fn a_point_that_moves_is_always_the_nearest() {
    const MOVING: u32 = u32::MAX;
    let (index, _) = filled(2000);
    // Both places are nearer to the query than any other point.
    let places = [[50.0; DIM], [51.0; DIM]];
    index.insert(MOVING, &places[0]).unwrap();
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        let searcher = scope.spawn(|| {
            let mut searches = 0;
            while !is_over.load(Relaxed) {
                // Wide enough to be overtaken.
                let request = Search::new(1).ef(300);
                let hits = index.search(&[50.5; DIM], request).unwrap();
                assert_eq!(*hits[0].key, MOVING);
                let pages = index.pages(&[50.5; DIM], Search::new(300)).unwrap();
                let mut keys: Vec<u32> = pages.take(2).flatten().map(|hit| *hit.key).collect();
                assert_eq!((keys[0], keys.len()), (MOVING, 600));
                keys.sort_unstable();
                assert!(keys.is_sorted_by(|a, b| a < b), "a key came twice");
                searches += 1;
            }
            searches
        });
        for step in 0..6000 {
            index.upsert(MOVING, &places[step % 2]).unwrap();
        }
        is_over.store(true, Relaxed);
        assert!(searcher.join().unwrap() > 0);
    });
    index.check().unwrap();
}

#[test]
fn links_to_removed_points_stay_few() {
    let (index, _) = filled(2000);
    let links = index.stats().degrees.mean * 2000.0;
    let mut stale = Vec::new();
    for key in 0..1000 {
        index.remove(&key).unwrap();
        if key % 5 == 0 {
            stale.push(index.stats().stale_links);
        }
    }
    // A removal finds nearly all links, and those that it misses are mended by the next ones.
    assert!(stale.iter().any(|stale| *stale > 0), "nothing is left to be mended");
    let most = stale.into_iter().max().unwrap();
    assert!((most as f64) < 0.005 * links, "{most} of {links}");
}

#[test]
fn everything_can_be_removed_and_come_back() {
    let (index, values) = filled(500);
    for round in 0..3 {
        for key in 0..500 {
            assert!(index.remove(&key).unwrap());
            assert!(!index.remove(&key).unwrap());
            if key % 50 == 0 {
                index.check().unwrap();
            }
        }
        assert!(index.is_empty() && index.iter().next().is_none());
        assert_eq!(index.search(&values[..DIM], Search::new(3)).unwrap(), []);
        index.check().unwrap();
        for (key, row) in values.chunks(DIM).enumerate() {
            index.insert(key as u32, row).unwrap();
        }
        index.check().unwrap();
        let stats = index.stats();
        assert_eq!((stats.live, stats.removed), (500, 500 * (round + 1)));
        assert!(index.should_compact());
    }
    let compact = index.compact(Build::default().threads(2)).unwrap();
    compact.check().unwrap();
    let stats = compact.stats();
    assert_eq!((stats.live, stats.removed, compact.should_compact()), (500, 0, false));
    assert_eq!(stats.levels.iter().sum::<usize>(), 500);
    assert!(stats.degrees.min >= 1 && stats.degrees.max <= 32, "{:?}", stats.degrees);
    assert!(stats.memory.total() < index.stats().memory.total() / 2);
    for (key, row) in values.chunks(DIM).enumerate() {
        assert_eq!(compact.get(&(key as u32)).as_deref(), Some(row));
    }
}

#[test]
fn a_filter_that_one_point_passes() {
    let n = 20_000;
    let (index, values) = filled(n);
    for key in [0, 777, n as u32 - 1] {
        for query in values.chunks(DIM).step_by(n / 20) {
            let hits = index.search(query, Search::new(5).filter(&|k: &u32| *k == key)).unwrap();
            assert_eq!(hits.iter().map(|hit| *hit.key).collect::<Vec<_>>(), [key]);
            // No walk in vain: the one that is allowed is compared.
            let mut searcher = index.searcher();
            searcher.search(query, Search::new(5).filter(&|id: &Id| *id == key)).unwrap();
            assert!(searcher.distances() <= 1, "{}", searcher.distances());
        }
    }
    assert_eq!(index.search(&values[..DIM], Search::new(5).filter(&|_: &u32| false)).unwrap(), []);
}

/// Knows how many it allows, and counts how often it is asked.
struct Multiples {
    of: u32,
    count: Option<usize>,
    asked: AtomicUsize,
}

impl Filter<u32> for Multiples {
    fn allows(&self, key: &u32) -> bool {
        self.asked.fetch_add(1, Relaxed);
        key.is_multiple_of(self.of)
    }

    fn count(&self) -> Option<usize> {
        self.count
    }
}

#[test]
fn filters_of_any_selectivity_find_the_nearest() {
    let n = 20_000;
    let (index, values) = filled(n);
    let queries = Random::new(34).normals(50 * DIM);
    for of in [1, 2, 10, 50, 300, 5000] {
        let allowed: Vec<f32> = values.chunks(DIM).step_by(of).flatten().copied().collect();
        let exact = Flat::new(vectors(&allowed, DIM, Metric::L2Squared));
        for count in [None, Some(n.div_ceil(of))] {
            let filter = Multiples { of: of as u32, count, asked: AtomicUsize::new(0) };
            let (mut common, mut all) = (0, 0);
            for query in queries.chunks(DIM) {
                let found = index.search(query, Search::new(10).filter(&filter)).unwrap();
                let exact = exact.search(query, Search::new(10)).unwrap();
                assert_eq!(found.len(), exact.len());
                assert!(found.iter().all(|hit| hit.key.is_multiple_of(of as u32)));
                let is_found = |id: &Id| found.iter().any(|hit| *hit.key == id * of as u32);
                common += exact.iter().filter(|hit| is_found(&hit.id)).count();
                all += exact.len();
            }
            assert!(common as f64 >= 0.97 * all as f64, "1 in {of}: {common} of {all}");
            // Where many match, the walk asks about those it meets, not about all.
            let asked = filter.asked.into_inner() / 50;
            assert!(of > 10 || asked < n / 4, "1 in {of}: {asked} asked for a query");
        }
    }
}

#[test]
fn a_radius_finds_all_within_up_to_the_limit() {
    let (index, values) = filled(5000);
    let exact = Flat::new(vectors(&values, DIM, Metric::L2Squared));
    for query in values.chunks(DIM).step_by(250) {
        for radius in [0.0, 2.0, 6.0, 100.0] {
            let within = Search::new(2000).ef(32).within(radius);
            let found = index.searcher().search(query, within).unwrap().to_vec();
            let exact = exact.search(query, Search::new(2000).within(radius)).unwrap();
            assert!(found.iter().all(|hit| hit.distance <= radius));
            let missing = exact.len() - found.len();
            assert!(missing * 50 <= exact.len(), "{missing} of {} within {radius}", exact.len());
        }
    }
    let nan = index.search(&values[..DIM], Search::new(1).within(f32::NAN)).unwrap_err();
    assert_eq!(nan, SearchError::Radius);
}

#[test]
fn pages_hold_everything_once_and_in_order() {
    let (index, values) = filled(1000);
    let query = &values[..DIM];
    let pages: Vec<Vec<u32>> = index
        .pages(query, Search::new(64))
        .unwrap()
        .map(|page| page.iter().map(|hit| *hit.key).collect())
        .collect();
    assert_eq!(pages.len(), 1000usize.div_ceil(64));
    let nearest = index.search(query, Search::new(64)).unwrap();
    assert_eq!(pages[0], nearest.iter().map(|hit| *hit.key).collect::<Vec<_>>());
    let mut all = pages.concat();
    all.sort_unstable();
    assert_eq!(all, (0..1000).collect::<Vec<_>>());

    // What changes after the first page does not change the others.
    let mut pages = index.pages(query, Search::new(10)).unwrap();
    let first = pages.next().unwrap();
    for key in 0..500 {
        index.remove(&key).unwrap();
        index.insert(1000 + key, &values[key as usize * DIM..][..DIM]).unwrap();
    }
    let mut keys: Vec<u32> = first.iter().map(|hit| *hit.key).collect();
    keys.extend(pages.flatten().map(|hit| *hit.key));
    keys.sort_unstable();
    assert_eq!(keys, (0..1000).collect::<Vec<_>>());
}

#[test]
fn neighbours_of_a_stored_point() {
    let (index, values) = filled(300);
    let request = Search::new(4).ef(300);
    let hits = index.search_near(&17, request).unwrap();
    let expected = index.search(&values[17 * DIM..][..DIM], request).unwrap();
    assert_eq!(hits, expected);
    assert_eq!((*hits[0].key, hits[0].distance), (17, 0.0));
    index.remove(&17).unwrap();
    assert_eq!(index.search_near(&17, request).unwrap_err(), SearchError::NoSuchPoint);
    assert_eq!(index.searcher().search_near(9999, Search::new(1)), Err(SearchError::NoSuchPoint));
}

#[test]
fn a_searcher_yields_keys_one_search_after_another() {
    let (index, values) = filled(300);
    let mut searcher = index.key_searcher();
    let even = |key: &u32| key.is_multiple_of(2);
    for (query, search) in values.chunks(DIM).zip([Search::new(5), Search::new(7).filter(&even)]) {
        let expected = index.search(query, search).unwrap();
        assert_eq!(searcher.search(query, search).unwrap(), expected);
    }
    let near = searcher.search_near(&17, Search::new(3)).unwrap();
    assert_eq!(near, index.search_near(&17, Search::new(3)).unwrap());
    assert_eq!(searcher.search_near(&9999, Search::new(1)), Err(SearchError::NoSuchPoint));
    assert_eq!(searcher.search(&[0.0; DIM], Search::new(0)), Err(SearchError::ZeroK));
    assert!(searcher.distances() > 0);
}

#[test]
fn the_first_batch_keeps_the_budget() {
    let dim = 1536;
    let vectors = Vectors::<f32>::new(dim, Metric::L2Squared).unwrap();
    let index = Index::new(vectors, Params::default()).unwrap().with_memory_budget(1_000_000);
    let rows: Vec<Vec<f32>> = (0..500u16).map(|i| vec![f32::from(i); dim]).collect();
    let insert = |range: std::ops::Range<usize>| {
        index.insert_batch(range.clone().collect(), &rows[range], Build::default())
    };
    match insert(0..500) {
        Err(InsertError::Budget { budget: 1_000_000, needed }) => assert!(needed > 500 * dim * 4),
        other => panic!("{other:?}"),
    }
    assert_eq!((index.len(), index.memory().points), (0, 0));
    insert(0..100).unwrap();
    assert!(index.memory().total() <= 1_000_000);
    assert!(insert(100..200).is_err());
}

#[test]
fn a_budget_is_kept_and_the_index_stays_whole() {
    let budget = 200_000;
    let index = empty::<u32>(Params::default()).with_memory_budget(budget);
    let mut random = Random::new(35);
    let refused = (0..10_000).find_map(|key| index.insert(key, &random.normals(DIM)).err());
    match refused {
        Some(InsertError::Budget { budget: 200_000, needed }) => assert!(needed > budget),
        other => panic!("{other:?}"),
    }
    let used = index.memory().total() - index.memory().keys;
    assert!(used <= budget && used > budget * 3 / 4, "{used}");
    let batch = random.normals(5000 * DIM);
    let keys = (10_000..15_000).collect();
    let refused = index.insert_batch(keys, &rows(&batch, DIM), Build::default()).unwrap_err();
    assert!(matches!(refused, InsertError::Budget { .. }), "{refused}");
    index.check().unwrap();
    assert!(index.remove(&0).unwrap());
}

#[test]
fn bad_points_and_keys_are_refused_and_change_nothing() {
    let (index, values) = filled(50);
    let hash = index.graph_hash();
    let row = &values[..DIM];
    assert!(matches!(index.insert(7, row), Err(InsertError::KeyExists { place: 0 })));
    let short = index.upsert(7, &row[1..]).unwrap_err();
    let expected = VectorError::Dimension { expected: DIM, found: DIM - 1 };
    assert!(matches!(short, InsertError::Point { place: 0, error } if error == expected));
    let batch = |keys: Vec<u32>| index.insert_batch(keys, &[row, row], Build::default());
    assert!(matches!(batch(vec![60, 60]), Err(InsertError::KeyExists { place: 1 })));
    assert!(matches!(batch(vec![60, 7]), Err(InsertError::KeyExists { place: 1 })));
    assert!(matches!(batch(vec![60]), Err(InsertError::Keys { keys: 1, points: 2 })));
    let space = vectors(&values, DIM, Metric::L2Squared);
    let twice = Index::build(space, vec![1; 50], Params::default(), Build::default());
    assert!(matches!(twice.unwrap_err(), BuildError::KeyTwice { place: 1 }));
    let space = vectors(&values, DIM, Metric::L2Squared);
    let none = Tested::<u32>::new(space, Params::default());
    assert!(matches!(none.unwrap_err(), BuildError::Keys { keys: 0, points: 50 }));
    assert_eq!((index.len(), index.graph_hash()), (50, hash));
    index.check().unwrap();
}

#[test]
fn ids_without_keys() {
    let index = Hnsw::build(
        Vectors::new(DIM, Metric::L2Squared).unwrap().with_capacity(100),
        Params::default(),
        Build::default(),
    )
    .unwrap();
    let rows = [[1.0; DIM], [2.0; DIM], [3.0; DIM]];
    assert_eq!(rows.each_ref().map(|row| index.insert(row).unwrap()), [0, 1, 2]);
    assert_eq!(index.replace(1, &[2.5; DIM]).unwrap(), 3);
    assert_eq!(index.remove(0), Ok(true));
    assert_eq!((index.remove(0), index.remove(77)), (Ok(false), Ok(false)));
    let gone = index.replace(0, &rows[0]);
    assert!(matches!(gone, Err(InsertError::NoSuchPoint { id: 0 })), "{gone:?}");
    assert_eq!(index.ids().collect::<Vec<_>>(), [2, 3]);
    assert!(index.contains(3) && !index.contains(1) && !index.contains(4));
    let hits = index.search(&[0.0; DIM], Search::new(10)).unwrap();
    assert_eq!(hits.iter().map(|hit| hit.id).collect::<Vec<_>>(), [3, 2]);
    index.check().unwrap();
}

/// A point that cannot be copied if it is 13: storing it panics.
#[derive(Debug)]
struct Unlucky(f32);

impl Clone for Unlucky {
    fn clone(&self) -> Self {
        assert!(self.0 != 13.0, "no copies of this");
        Self(self.0)
    }
}

struct Apart;

impl PointMetric for Apart {
    type Point = Unlucky;
    type Error = Infallible;

    fn distance(&self, a: &Unlucky, b: &Unlucky) -> f32 {
        (a.0 - b.0).abs()
    }
}

#[test]
fn a_panic_in_the_space_is_the_callers_alone() {
    let index = Index::new(Points::new(Apart), Params::default()).unwrap();
    for key in 0..10u32 {
        index.insert(key, &Unlucky(key as f32)).unwrap();
    }
    let insert = || index.insert(13, &Unlucky(13.0));
    assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(insert)).is_err());
    assert_eq!(index.len(), 10);
    index.insert(20, &Unlucky(20.0)).unwrap();
    assert!(index.remove(&9).unwrap());
    let hits = index.search(&Unlucky(15.0), Search::new(3)).unwrap();
    assert_eq!(hits.iter().map(|hit| *hit.key).collect::<Vec<_>>(), [20, 8, 7]);
    index.check().unwrap();
}
