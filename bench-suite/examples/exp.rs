#![allow(missing_docs)]
use bench_suite::{Workload, workload::Files};
use nearfield_hnsw::*;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::time::Instant;
fn main() {
    let (w, b, q, metric, dim) = match std::env::args().nth(1).as_deref() {
        Some("s") => ("sift-free", "base.u8bin.zst", "query.u8bin.zst", Metric::L2Squared, 128),
        Some("f") => ("fashion-mnist", "base.u8bin.zst", "query.u8bin.zst", Metric::L2Squared, 784),
        _ => ("wordnet-minilm-50k", "base.f16bin.zst", "query.f16bin.zst", Metric::Cosine, 384),
    };
    let w = format!("/work/shared/data/{w}/");
    let files = Files {
        base: format!("{w}{b}").into(),
        query: format!("{w}{q}").into(),
        truth: None,
        metric,
        limit_base: Some(50000),
        limit_query: Some(2000),
    };
    let workload = Workload::<f32>::read(&files).unwrap();
    let base = &workload.base;
    let n0 = 20_000usize;
    let fresh = || {
        let mut v = Vectors::<f32>::new(dim, metric).unwrap().with_capacity(50000);
        v.extend(&base.values()[..n0 * dim]).unwrap();
        Index::build(v, (0..n0 as u32).collect(), Params::default(), Build::default()).unwrap()
    };
    for pass in 0..2 {
        for threads in [1usize, 2] {
            let index = fresh();
            let d0 = index.hnsw().build_distances();
            let next = AtomicUsize::new(n0);
            let total = 8000;
            let t = Instant::now();
            std::thread::scope(|s| {
                for _ in 0..threads {
                    s.spawn(|| {
                        loop {
                            let i = next.fetch_add(1, Relaxed);
                            if i >= n0 + total {
                                break;
                            }
                            index.insert(i as u32, base.row(i)).unwrap();
                        }
                    });
                }
            });
            let secs = t.elapsed().as_secs_f64();
            println!(
                "pass {pass} inserts {threads} threads: {:.0}/s, {:.0} distances per insert",
                total as f64 / secs,
                (index.hnsw().build_distances() - d0) as f64 / total as f64
            );
        }
        let index = fresh();
        let run = |secs: f64| {
            let mut s = index.hnsw().searcher();
            let t = Instant::now();
            let mut n = 0;
            while t.elapsed().as_secs_f64() < secs {
                for _ in 0..50 {
                    s.search(workload.queries.row(n % 2000), Search::new(10).ef(64)).unwrap();
                    n += 1;
                }
            }
            n as f64 / t.elapsed().as_secs_f64()
        };
        let alone = run(2.0);
        let stop = AtomicBool::new(false);
        let (beside, ins) = std::thread::scope(|s| {
            let h = s.spawn(|| {
                let mut i = n0;
                while !stop.load(Relaxed) && i < 50000 {
                    index.insert(i as u32, base.row(i)).unwrap();
                    i += 1;
                }
                i - n0
            });
            let r = run(3.0);
            stop.store(true, Relaxed);
            (r, h.join().unwrap())
        });
        let after = run(2.0);
        println!(
            "pass {pass} search alone {alone:.0}, beside an inserting thread {beside:.0} ({ins} inserted in 3 s), alone afterwards {after:.0}; ratio {:.2} / {:.2}",
            beside / alone,
            beside / after
        );
    }
}
