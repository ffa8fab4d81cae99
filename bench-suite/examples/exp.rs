use bench_suite::{Workload, workload::Files};
use nearfield_hnsw::*;
fn main() {
    for (w, b, q, metric, dim) in [
        ("wordnet-minilm-50k", "base.f16bin.zst", "query.f16bin.zst", Metric::Cosine, 384),
        ("fashion-mnist", "base.u8bin.zst", "query.u8bin.zst", Metric::L2Squared, 784),
        ("sift-free", "base.u8bin.zst", "query.u8bin.zst", Metric::L2Squared, 128),
    ] {
        let w = format!("/work/shared/data/{w}/");
        let files = Files {
            base: format!("{w}{b}").into(),
            query: format!("{w}{q}").into(),
            truth: None,
            metric,
            limit_base: None,
            limit_query: Some(2000),
        };
        let workload = Workload::<f32>::read(&files).unwrap();
        let mut v2 = Vectors::<f32>::new(dim, metric).unwrap();
        v2.extend(workload.base.values()).unwrap();
        let index = Hnsw::build(v2, Params::default(), Build::default()).unwrap();
        let mut s = index.searcher();
        for ef in [16, 32, 64, 200] {
            let mut ratios: Vec<f32> = (0..workload.queries.len())
                .map(|i| {
                    let h = s.search(workload.queries.row(i), Search::new(ef).ef(ef)).unwrap();
                    h[0].distance / h[ef - 1].distance
                })
                .collect();
            ratios.sort_by(|a, b| a.total_cmp(b));
            let share =
                |t: f32| ratios.iter().filter(|r| **r >= t).count() as f32 / ratios.len() as f32;
            println!(
                "{w} ef {ef}: median {:.3} 99% {:.3}; >=.75 {:.4} >=.8 {:.4} >= .85 {:.4} >= .9 {:.4}",
                ratios[ratios.len() / 2],
                ratios[ratios.len() * 99 / 100],
                share(0.75),
                share(0.8),
                share(0.85),
                share(0.9)
            );
        }
        let mut n = 0;
        for id in 0..index.len() as u32 {
            let row = workload.base.row(id as usize);
            let hits = s.search(row, Search::new(64).ef(64)).unwrap().to_vec();
            if workload.base.row(hits[0].id as usize) == row {
                continue;
            }
            n += 1;
            println!(
                "id {id} first {:.4} last {:.4} {:.3}",
                hits[0].distance,
                hits[63].distance,
                hits[0].distance / hits[63].distance
            );
        }
        println!("{w}: {n} misses");
    }
}
