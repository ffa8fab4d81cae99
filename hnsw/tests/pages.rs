//! Pages hold every point that is wanted, once.

mod support;

use nearfield_hnsw::{Build, Flat, Hit, Index, KeyHit, Metric, Params, Search};
use proptest::prelude::*;
use support::{Random, vectors};

/// Points in clusters, on a grid so coarse that there are ties.
fn clustered(random: &mut Random, points: usize, dim: usize) -> Vec<f32> {
    let centres = random.normals(5 * dim);
    let coarse = |x: f32| (x * 64.0).round() / 64.0;
    (0..points)
        .flat_map(|_| centres.chunks(dim).nth(random.below(5)).unwrap().to_vec())
        .collect::<Vec<_>>()
        .into_iter()
        .map(|x| coarse(3.0 * x + 0.1 * random.normal()))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// What lies within a radius, and what a filter allows of it, is what an exact index finds.
    #[test]
    fn within_a_radius_no_point_is_lost(
        seed: u64,
        points in 1usize..400,
        long: bool,
        k in 1usize..30,
        ef in 1usize..40,
        share in 0.0f32..1.0,
        metric in prop::sample::select(vec![Metric::L2Squared, Metric::Cosine, Metric::InnerProduct]),
    ) {
        let dim = if long { 96 } else { 3 };
        let mut random = Random::new(seed);
        let values = clustered(&mut random, points, dim);
        let query = random.normals(dim);
        let flat = Flat::new(vectors(&values, dim, metric));
        let all = flat.search(&query, Search::new(points)).unwrap();
        let radius = all[(points as f32 * share) as usize].distance;
        let keys = (0..points as u32).collect();
        let build = Build::default().threads(1);
        let index = Index::build(vectors(&values, dim, metric), keys, Params::default(), build);
        let index = index.unwrap();
        let odd = |id: &u32| !id.is_multiple_of(2);
        for odd_only in [false, true] {
            let search = Search::new(k).ef(ef).within(radius);
            let search = if odd_only { search.filter(&odd) } else { search };
            let pages: Vec<_> = index.pages(&query, search).unwrap().collect();
            let lengths: Vec<usize> = pages.iter().map(Vec::len).collect();
            prop_assert!(lengths.iter().rev().skip(1).all(|length| *length == k), "{lengths:?}");
            let key = |hit: &KeyHit<'_, u32>| (hit.distance, hit.id);
            for page in &pages {
                prop_assert!(page.windows(2).all(|pair| key(&pair[0]) < key(&pair[1])));
            }
            let mut found: Vec<(f32, u32)> = pages.concat().iter().map(key).collect();
            found.sort_by(|a, b| a.partial_cmp(b).unwrap());
            let is_wanted = |hit: &&Hit| hit.distance <= radius && !(odd_only && hit.id.is_multiple_of(2));
            let wanted: Vec<(f32, u32)> =
                all.iter().filter(is_wanted).map(|hit| (hit.distance, hit.id)).collect();
            prop_assert_eq!(found, wanted);
        }
    }
}
