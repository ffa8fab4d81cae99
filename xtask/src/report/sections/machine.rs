//! What the machine says of itself, and its measured clock and arithmetic.

use bench_suite::machine::{Cache, Cpu};

use super::parts::{cell, facts, head};
use crate::report::document::{Block, Section, Table};
use crate::report::format::{bytes, number};
use crate::report::model::Report;
use crate::report::names::backend_title;

pub(super) fn section(report: &Report) -> Section {
    let compute = &report.compute;
    let rows = compute.peaks.iter().map(|peak| {
        let figures = [number(peak.gflops), number(peak.flops_per_cycle)];
        let name = backend_title(&peak.backend).to_owned();
        [name].into_iter().chain(figures).map(Into::into).collect()
    });
    let peaks = Table {
        caption: "Peak f32 arithmetic of one thread".to_owned(),
        head: head(&["Instructions", "GFLOP/s", "per cycle"]),
        rows: rows.collect(),
        words: 1,
    };
    let mut blocks = vec![
        Block::Text("What the machine says of itself; only the clock is measured.".to_owned()),
        facts(described(report)),
    ];
    if peaks.rows.is_empty() {
        blocks.push(Block::Text(
            "Peak arithmetic: not available, this CPU has no vectors that Nearfield uses."
                .to_owned(),
        ));
    } else {
        blocks.push(Block::Table(peaks));
        blocks.push(Block::Text(
            "Independent fused multiply-adds on registers, as many as hide their latency; each counts as \
             two operations. This is the flat roof of the roofline below."
                .to_owned(),
        ));
    }
    Section { id: "machine", title: "Machine".to_owned(), blocks }
}

fn described(report: &Report) -> Vec<(&'static str, crate::report::document::Cell)> {
    let (facts, run) = (&report.facts, &report.run);
    let cpu = &facts.cpu;
    let stated = cpu
        .stated_ghz
        .map_or("no clock stated".to_owned(), |ghz| format!("{ghz:.2} GHz stated by the system"));
    let named = |present| {
        let of = cpu.features.iter().filter(|f| f.present == present).map(|f| f.name.as_str());
        of.collect::<Vec<_>>().join(", ")
    };
    let cores = cpu.cores.map_or(String::new(), |n| format!(", {n} cores as the system sees it"));
    let mut rows = vec![
        ("CPU", processor(cpu).into()),
        ("Architecture", cpu.architecture.as_str().into()),
        ("Threads", format!("{} usable{cores}", cpu.threads).into()),
        (
            "Clock",
            format!("{:.2} GHz measured, one busy thread ({stated})", report.compute.ghz).into(),
        ),
        ("Features", named(true).into()),
    ];
    if cpu.features.iter().any(|f| !f.present) {
        rows.push(("Not there", named(false).into()));
    }
    rows.extend([
        (
            "Caches",
            cell(&facts.caches, |caches| caches.iter().map(cache).collect::<Vec<_>>().join(" · ")),
        ),
        ("Memory", bytes(facts.memory_bytes as usize).into()),
        ("Huge pages", cell(&facts.huge_pages, |mode| format!("transparent, mode “{mode}”"))),
        ("System", format!("{}, kernel {}", facts.os, facts.kernel).into()),
        ("Compiler", cell(&run.rustc, Clone::clone)),
        (
            "Nearfield",
            cell(&run.revision, |revision| format!("{}, revision {revision}", run.version)),
        ),
        ("Load before", format!("{:.2} runnable processes on average", facts.load).into()),
    ]);
    rows
}

fn processor(cpu: &Cpu) -> String {
    let mut text = cpu.name.clone();
    if let Some(signature) = &cpu.signature {
        text += &format!(" ({signature})");
    }
    match (&cpu.hypervisor, cpu.masked) {
        (Some(hypervisor), true) => {
            text += &format!(", virtual ({hypervisor}), which hides the model");
        }
        (Some(hypervisor), false) => text += &format!(", virtual ({hypervisor})"),
        (None, _) => {}
    }
    text
}

fn cache(cache: &Cache) -> String {
    let shared = match cache.shared_by {
        Some(1) => " per thread".to_owned(),
        Some(n) => format!(" shared by {n} threads"),
        None => String::new(),
    };
    format!("L{} {}{shared}", cache.level, bytes(cache.bytes))
}
