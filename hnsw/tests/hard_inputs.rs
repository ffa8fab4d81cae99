//! Inputs on which other libraries lose points: every point must be reachable and find itself.

mod support;

use nearfield_hnsw::{Build, Params, Search};
use support::{Random, build, self_misses};

fn assert_all_found(name: &str, values: &[f32], dim: usize) {
    for keep_pruned in [false, true] {
        // `build` checks every invariant, reachability among them.
        let index = build(values, dim, Params::default().keep_pruned(keep_pruned));
        let missed = self_misses(&index);
        assert!(
            missed.is_empty(),
            "{name}, keep_pruned {keep_pruned}: {} miss themselves: {missed:?}",
            missed.len()
        );
    }
}

/// 1,000 equal rows and 1,000 random ones, 16-d.
fn equal_rows() -> (Vec<Vec<f32>>, Vec<Vec<f32>>) {
    let mut random = Random::new(1);
    let equal = vec![random.normals(16); 1000];
    (equal, (0..1000).map(|_| random.normals(16)).collect())
}

#[test]
fn equal_rows_first() {
    let (equal, others) = equal_rows();
    assert_all_found("equal rows first", &[equal, others].concat().concat(), 16);
}

#[test]
fn equal_rows_last() {
    let (equal, others) = equal_rows();
    assert_all_found("equal rows last", &[others, equal].concat().concat(), 16);
}

#[test]
fn equal_rows_shuffled() {
    let (equal, others) = equal_rows();
    let mut rows = [others, equal].concat();
    Random::new(2).shuffle(&mut rows);
    assert_all_found("equal rows shuffled", &rows.concat(), 16);
}

#[test]
fn equal_rows_at_the_origin() {
    let (_, others) = equal_rows();
    assert_all_found("zeros", &[vec![vec![0.0; 16]; 1000], others].concat().concat(), 16);
}

#[test]
fn all_equal_rows_are_found_in_order() {
    let (equal, others) = equal_rows();
    let query = equal[0].clone();
    let mut rows: Vec<Vec<f32>> = others.into_iter().zip(equal).flat_map(|(a, b)| [a, b]).collect();
    rows.truncate(1500);
    let index = build(&rows.concat(), 16, Params::default());
    for k in [1, 10, 300, 750] {
        let hits = index.search(&query, Search::new(k).ef(64)).unwrap();
        let ids: Vec<u32> = hits.iter().map(|hit| hit.id).collect();
        assert_eq!(ids, (0..k as u32).map(|i| 2 * i + 1).collect::<Vec<_>>());
        assert!(hits.iter().all(|hit| hit.distance == 0.0));
    }
    assert_eq!(index.search(&query, Search::new(9999)).unwrap().len(), 1500);
}

#[test]
fn near_duplicates() {
    let mut random = Random::new(3);
    let centre = random.normals(24);
    let noise = |scale: f32, random: &mut Random| -> Vec<f32> {
        centre.iter().map(|x| x + scale * random.normal()).collect()
    };
    for scale in [1e-3, 1e-6] {
        let mut rows: Vec<Vec<f32>> = (0..1000).map(|_| noise(scale, &mut random)).collect();
        rows.extend((0..1000).map(|_| random.normals(24)));
        assert_all_found("near-duplicates", &rows.concat(), 24);
    }
}

#[test]
fn rows_sorted_by_cluster() {
    for (clusters, spread) in [(20, 0.01), (20, 0.3), (100, 0.001)] {
        let mut random = Random::new(4);
        let mut values = Vec::new();
        for _ in 0..clusters {
            let centre = random.normals(32);
            for _ in 0..4000 / clusters {
                values.extend(centre.iter().map(|x| 10.0 * x + spread * random.normal()));
            }
        }
        assert_all_found(&format!("{clusters} sorted clusters of {spread}"), &values, 32);
    }
}

#[test]
fn a_new_cluster_in_one_batch() {
    for distance in [0.5, 5.0, 1000.0] {
        let mut random = Random::new(5);
        let index = build(&random.normals(2000 * 16), 16, Params::default());
        let cluster: Vec<f32> = (0..500 * 16).map(|_| distance + 0.01 * random.normal()).collect();
        assert_eq!(
            index.insert_batch(&support::rows(&cluster, 16), Build::default()).unwrap(),
            2000..2500
        );
        index.check().unwrap();
        assert!(self_misses(&index).is_empty(), "at {distance}: {:?}", self_misses(&index));
    }
}

#[test]
fn one_hot_rows() {
    for dim in [100, 1500] {
        let mut values = vec![0.0; dim * dim];
        values.iter_mut().step_by(dim + 1).for_each(|x| *x = 1.0);
        assert_all_found(&format!("{dim} one-hot rows"), &values, dim);
    }
}

#[test]
fn one_dimension() {
    let mut random = Random::new(6);
    assert_all_found("1-d normal", &random.normals(3000), 1);
    assert_all_found("1-d line", &(0..3000).map(|x| x as f32).collect::<Vec<_>>(), 1);
    let doubled = |x: &f32| Some(2.0 * x);
    let powers: Vec<f32> = std::iter::successors(Some(1e-18), doubled).take(120).collect();
    assert_all_found("1-d powers of two", &powers, 1);
}

#[test]
fn small_m() {
    let mut random = Random::new(7);
    let values = random.normals(2000 * 8);
    for m in [2, 3, 5] {
        let index = build(&values, 8, Params::default().m(m).ef_construction(10));
        assert_eq!(index.len(), 2000);
    }
}
