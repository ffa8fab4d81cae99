//! Exact search: the nearest rows, sorted out of all distances.

mod common;

use common::Noise;
use nearfield_kernels::{Kernel, Metric, Neighbor, Rows};

/// All distances, sorted by (distance, id), NaN last.
fn sorted(kernel: Kernel<f32>, query: &[f32], rows: &Rows<'_, f32>, k: usize) -> Vec<Neighbor> {
    let neighbor = |id| Neighbor { id, distance: kernel.distance(query, rows.row(id)) };
    let mut all: Vec<Neighbor> = (0..rows.len() as u32).map(neighbor).collect();
    all.sort_by(|a, b| {
        let nan = a.distance.is_nan().cmp(&b.distance.is_nan());
        nan.then(a.distance.total_cmp(&b.distance)).then(a.id.cmp(&b.id))
    });
    all.truncate(k);
    all
}

/// Small integers: most distances occur more than once.
fn ties(seed: u64, len: usize) -> Vec<f32> {
    Noise::new(seed).words(len).into_iter().map(|word| (word % 3) as f32).collect()
}

#[test]
fn the_nearest_are_those_of_a_sort() {
    const DIM: usize = 5;
    let queries = ties(1, 70 * DIM);
    let queries = Rows::new(&queries, DIM);
    for count in [0, 1, 7, 255, 256, 257, 1000] {
        let values = ties(2, count * DIM);
        let rows = Rows::new(&values, DIM);
        for metric in [Metric::L2Squared, Metric::InnerProduct, Metric::Cosine] {
            let kernel = Kernel::<f32>::best(metric).unwrap();
            for k in [0, 1, 10, 300, 2000] {
                let expected: Vec<Vec<Neighbor>> = (0..queries.len() as u32)
                    .map(|query| sorted(kernel, queries.row(query), &rows, k))
                    .collect();
                assert_eq!(kernel.nearest_to_each(&queries, &rows, k), expected);
                assert_eq!(kernel.nearest(queries.row(3), &rows, k), expected[3]);
            }
        }
    }
}

#[test]
fn nan_is_farther_than_everything() {
    let values = [f32::NAN, 3.0, f32::INFINITY, -f32::NAN, 1.0];
    let kernel = Kernel::<f32>::best(Metric::L2Squared).unwrap();
    let nearest = kernel.nearest(&[0.0], &Rows::new(&values, 1), 5);
    assert_eq!(nearest.iter().map(|neighbor| neighbor.id).collect::<Vec<_>>(), [4, 1, 2, 0, 3]);
}

#[test]
#[should_panic(expected = "queries of 2 elements against rows of 3")]
fn queries_of_another_dimension_panic() {
    let kernel = Kernel::<f32>::best(Metric::L2Squared).unwrap();
    let _ = kernel.nearest_to_each(&Rows::new(&[1.0; 4], 2), &Rows::new(&[1.0; 6], 3), 1);
}

/// More rows than one task takes, and ties across the tasks.
#[cfg(feature = "rayon")]
#[test]
fn the_nearest_are_the_same_on_any_number_of_threads() {
    const DIM: usize = 3;
    let (queries, values) = (ties(3, 130 * DIM), ties(4, 40_000 * DIM));
    let (queries, rows) = (Rows::new(&queries, DIM), Rows::new(&values, DIM));
    let kernel = Kernel::<f32>::best(Metric::L2Squared).unwrap();
    let expected = kernel.nearest_to_each(&queries, &rows, 20);
    for threads in [1, 2, 3, 8] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            assert_eq!(kernel.par_nearest_to_each(&queries, &rows, 20), expected, "{threads}");
            assert_eq!(kernel.par_nearest(queries.row(9), &rows, 20), expected[9], "{threads}");
        });
    }
}
