//! What searches cost, in distances: beside writes what they cost alone, and never much more than a scan.

mod support;

use std::sync::Mutex;

use nearfield_hnsw::{Build, Hit, Hnsw, Metric, Params, Search, Vectors, space::Space};
use support::{Random, rows, vectors};

const DIM: usize = 16;

type Vector = Vec<f32>;

/// Points about a place that is as far from the origin along every axis.
fn topic(random: &mut Random, points: usize, place: f32, spread: f32) -> Vector {
    (0..points * DIM).map(|_| random.normal() * spread + place).collect()
}

fn index_of(values: &[f32], dim: usize) -> Hnsw<Vectors<f32>> {
    let params = Params::default().ef_construction(60);
    let build = Build::default().threads(1);
    Hnsw::build(vectors(values, dim, Metric::L2Squared), params, build).unwrap()
}

/// What the queries find, and the distances they take.
fn asked<S: Space<Query = [f32]>>(
    index: &Hnsw<S>,
    queries: &[f32],
    search: Search<'_>,
) -> (Vec<Vec<Hit>>, u64) {
    let mut searcher = index.searcher();
    let ask = |query: &[f32]| searcher.search(query, search).unwrap().to_vec();
    let hits = queries.chunks(DIM).map(ask).collect();
    (hits, searcher.distances())
}

/// Links a batch, and asks at every step of it.
fn assert_same_beside_a_batch(old: usize, new: usize, place: f32, spread: f32) {
    let mut random = Random::new(31);
    let values = random.normals(old * DIM);
    let index = index_of(&values, DIM);
    let queries = topic(&mut random, 20, place, spread);
    let batch = [&topic(&mut random, new, place, spread), &values[..20 * DIM]].concat();
    let even = |id: &u32| id.is_multiple_of(2);
    let searches = [Search::new(10), Search::new(30).ef(30), Search::new(10).filter(&even)];
    let ask = || searches.map(|search| asked(&index, &queries, search));
    let alone = ask();
    let steps = Mutex::new(0);
    let progress = |done: usize, total: usize| {
        assert_eq!(ask(), alone, "{done} of {total} points about {place}");
        let pages = index.pages(&queries[..DIM], Search::new(100)).unwrap();
        let mut ids: Vec<u32> = pages.flatten().map(|hit| hit.id).collect();
        ids.sort_unstable();
        assert_eq!(ids, (0..old as u32).collect::<Vec<_>>());
        *steps.lock().unwrap() += 1;
    };
    let build = Build::default().threads(1).progress(&progress);
    index.insert_batch(&rows(&batch, DIM), build).unwrap();
    assert!(*steps.lock().unwrap() > 10);
    let (hits, _) = asked(&index, &queries, Search::new(10));
    assert!(hits.iter().flatten().any(|hit| hit.id >= old as u32), "now they are found");
    index.check().unwrap();
}

#[test]
fn searches_beside_a_batch_of_a_new_topic_cost_and_find_what_they_do_alone() {
    assert_same_beside_a_batch(2000, 2000, 1.0, 0.3);
}

#[test]
fn searches_beside_a_batch_of_more_points_than_there_were_do_as_well() {
    assert_same_beside_a_batch(400, 4000, 0.0, 1.0);
}

#[test]
fn searches_about_a_topic_that_is_being_removed_cost_little_more() {
    let mut random = Random::new(32);
    let (others, gone) = (4000, 240);
    let values = [random.normals(others * DIM), topic(&mut random, gone, 1.0, 0.3)].concat();
    let index = index_of(&values, DIM);
    let queries = topic(&mut random, 50, 1.0, 0.3);
    let (_, never) = asked(&index_of(&values[..others * DIM], DIM), &queries, Search::new(10));
    for id in others..others + gone {
        index.remove(id as u32).unwrap();
        if id % 40 == 0 {
            let (_, cost) = asked(&index, &queries, Search::new(10));
            assert!(cost <= 2 * never, "{cost} after {id}, {never} without the topic");
        }
    }
    let (hits, cost) = asked(&index, &queries, Search::new(10));
    assert!(cost <= 2 * never, "{cost}, {never} without the topic");
    assert!(hits.iter().flatten().all(|hit| hit.id < others as u32));
}

/// Every query costs at most 1.1 times a scan.
fn assert_within_a_scan(name: &str, values: &[f32], dim: usize, queries: &[f32]) {
    let index = index_of(values, dim);
    let (half, few) = (|id: &u32| id.is_multiple_of(2), |id: &u32| id.is_multiple_of(50));
    let searches = [
        Search::new(10),
        Search::new(10).ef(200),
        Search::new(10).filter(&half),
        Search::new(10).filter(&few),
        Search::new(500).within(f32::MAX),
    ];
    let limit = index.len() as u64 * 11 / 10;
    for (search, query) in searches.iter().flat_map(|s| queries.chunks(dim).map(move |q| (s, q))) {
        let mut searcher = index.searcher();
        let hits = searcher.search(query, *search).unwrap().len();
        assert!(hits >= 10, "{name}, {search:?}: {hits} hits");
        let cost = searcher.distances();
        assert!(
            cost <= limit,
            "{name}, {search:?}: {cost} distances, a scan takes {}",
            index.len()
        );
    }
}

#[test]
fn no_search_costs_more_than_a_scan() {
    let mut random = Random::new(33);
    let values = random.normals(3000 * DIM);
    let near = random.normals(20 * DIM);
    let far: Vector = near.iter().map(|x| 100.0 * x).collect();
    assert_within_a_scan("near", &values, DIM, &near);
    assert_within_a_scan("far outside", &values, DIM, &far);
    let mut one_hot = vec![0.0; 800 * 800];
    one_hot.iter_mut().step_by(801).for_each(|x| *x = 1.0);
    assert_within_a_scan("one-hot", &one_hot, 800, &one_hot[..20 * 800]);
    let absent: Vector = one_hot[..20 * 800].iter().map(|x| 2.0 - x).collect();
    assert_within_a_scan("far from one-hot", &one_hot, 800, &absent);
    let copies = [&values[..1000 * DIM], &values[..1000 * DIM], &near].concat();
    assert_within_a_scan("copies", &copies, DIM, &far);
    let place = &values[..DIM];
    let close: Vector = (0..2000).flat_map(|_| place).map(|x| x + 1e-4 * random.normal()).collect();
    assert_within_a_scan("near-duplicates", &close, DIM, &near);
}
