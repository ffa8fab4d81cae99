//! A small fixed report of an invented machine, for the tests of everything that presents reports.

use bench_suite::ann::{BuildEvent, SearchEvent};
use bench_suite::kernel_runs::{Access, KernelTime, PLAIN};
use bench_suite::machine::{
    BandwidthPoint, Cache, ComputePeak, Cpu, Facts, Feature, LatencyCurve, LatencyPoint, Levels,
    NotAvailable, Pages,
};
use bench_suite::roofline::Roofs;

use super::model::*;

pub(super) fn sample() -> Report {
    let roofs = Roofs {
        gflops: Some(100.0),
        l1: 200.0,
        l2: 100.0,
        l3: Some(50.0),
        dram: 10.0,
        l1_bytes: 32 << 10,
    };
    Report {
        schema: SCHEMA,
        run: Run {
            date: "2026-01-02T03:04:05Z".to_owned(),
            quick: false,
            seconds: 300.0,
            version: "0.1.0".to_owned(),
            revision: Err(NotAvailable::because("no git")),
            rustc: Ok("rustc 1.95.0".to_owned()),
        },
        facts: facts(),
        compute: Compute {
            ghz: 3.5,
            peaks: vec![ComputePeak {
                backend: "avx2".to_owned(),
                gflops: 100.0,
                flops_per_cycle: 28.6,
            }],
        },
        memory: memory(roofs),
        kernels: Ok(super::kernels::figures(kernel_times(), Some(&roofs))),
        indexes: vec![
            IndexRun { data_set: "Fashion-MNIST".to_owned(), figures: Ok(index()) },
            IndexRun {
                data_set: "wordnet".to_owned(),
                figures: Err(NotAvailable::because("no file")),
            },
        ],
    }
}

fn facts() -> Facts {
    let feature = |name: &str, present| Feature { name: name.to_owned(), present };
    let cache = |level, bytes| Cache { level, bytes, line: 64, shared_by: Some(1) };
    Facts {
        cpu: Cpu {
            name: "Example CPU".to_owned(),
            vendor: "Example".to_owned(),
            architecture: "x86_64".to_owned(),
            signature: None,
            hypervisor: Some("KVM".to_owned()),
            masked: true,
            threads: 2,
            cores: Some(2),
            stated_ghz: None,
            features: vec![feature("avx2", true), feature("avx512f", false)],
        },
        caches: Ok(vec![cache(1, 32 << 10), cache(2, 1 << 20), cache(3, 32 << 20)]),
        memory_bytes: 8 << 30,
        huge_pages: Err(NotAvailable::because("no sysfs")),
        os: "Example OS 1".to_owned(),
        kernel: "6.1".to_owned(),
        load: 0.0,
    }
}

fn memory(roofs: Roofs) -> Memory {
    let level = |name: &str, bytes, gb_per_s, ns| LevelFigures {
        name: name.to_owned(),
        bytes,
        one_thread: Ok(gb_per_s),
        all_threads: Ok(gb_per_s * 2.0),
        latency_ns: Ok(ns),
    };
    let curve = |pages, factor: f64| LatencyCurve {
        pages,
        huge_share: Ok(1.0),
        points: [(1 << 14, 1.5), (1 << 20, 9.0), (1 << 26, 100.0)]
            .map(|(bytes, ns)| LatencyPoint { bytes, ns: ns * factor })
            .into(),
    };
    Memory {
        levels: Levels { l1: 32 << 10, l2: 1 << 20, l3: Some(32 << 20), dram: 256 << 20 },
        threads: 2,
        by_level: vec![
            level("L1", 16 << 10, 200.0, 1.5),
            level("L2", 512 << 10, 100.0, 5.0),
            LevelFigures {
                latency_ns: Err(NotAvailable::because("no memory")),
                ..level("L3", 16 << 20, 50.0, 0.0)
            },
            level("DRAM", 256 << 20, 10.0, 100.0),
        ],
        bandwidth: Ok([(1 << 14, 200.0), (1 << 20, 90.0), (1 << 26, 10.0)]
            .map(|(bytes, gb_per_s)| BandwidthPoint { bytes, gb_per_s })
            .into()),
        latency: vec![Ok(curve(Pages::Huge, 1.0)), Ok(curve(Pages::Small, 1.5))],
        roofs: Some(roofs),
        lifted: vec![],
    }
}

fn kernel_times() -> Vec<KernelTime> {
    let mut times = vec![];
    for (metric, element, dim, bytes) in
        [("l2", "f32", 768, 6_144), ("ip", "f32", 768, 6_144), ("hamming", "bits", 1_024, 256)]
    {
        for (implementation, ns) in [(PLAIN, 600.0), ("scalar", 1_800.0), ("avx2", 40.0)] {
            for (access, bytes, factor) in
                [(Access::Pair, bytes, 1.0), (Access::Gather, bytes / 2, 10.0)]
            {
                times.push(KernelTime {
                    metric: metric.to_owned(),
                    element: element.to_owned(),
                    implementation: implementation.to_owned(),
                    access,
                    dim,
                    bytes,
                    ns: ns * factor,
                });
            }
        }
    }
    times
}

fn index() -> IndexFigures {
    let build = |threads, seconds| BuildEvent {
        n: 60_000,
        dim: 784,
        threads,
        seconds,
        distances: Some(60_000_000),
        bytes_per_vector: Some(3_300.0),
        graph_hash: Some("0123456789abcdef".to_owned()),
    };
    let search = |ef, recall, qps: f64| SearchEvent {
        ef,
        recall: Some(recall),
        qps,
        p50_us: Some(1e6 / qps),
        p99_us: Some(2e6 / qps),
        distances_per_query: Some(400.0),
    };
    IndexFigures {
        rows: 60_000,
        queries: 10_000,
        dim: 784,
        metric: "l2".to_owned(),
        m: 16,
        ef_construction: 200,
        k: 10,
        builds: vec![build(1, 16.0), build(2, 8.5)],
        searches: vec![
            search(10, 0.95, 15_000.0),
            search(64, 0.998, 6_000.0),
            search(256, 1.0, 2_000.0),
        ],
    }
}
