//! Two reports side by side.

use bench_suite::kernel_runs::Access;

use super::document::{Block, Cell, Section, Table};
use super::format::{count, date, number};
use super::kernels::{best_backend, find, of};
use super::model::{KernelFigure, Report};
use super::names::{backend_title, cpu_title, metric_title};

/// A quantity of both machines.
struct Pair {
    name: String,
    unit: &'static str,
    this: Option<f64>,
    other: Option<f64>,
    better: Better,
}

#[derive(Clone, Copy, PartialEq)]
enum Better {
    More,
    Less,
}

/// What differs below this factor is a tie: repeated runs differ by as much.
const TIE: f64 = 1.05;

pub(super) fn section(this: &Report, other: &Report) -> Section {
    let mut blocks = vec![Block::Text(format!(
        "This machine: {} ({}). The other: {} ({}). A ratio above 1 means that this machine is better; \
         differences below 5 % are ties. In the charts, the other machine's lines are broken.",
        cpu_title(&this.facts.cpu),
        date(&this.run.date),
        cpu_title(&other.facts.cpu),
        date(&other.run.date)
    ))];
    if this.run.quick != other.run.quick {
        blocks.push(Block::Text(
            "One of the runs was a quick one: indexes of other sizes are left out, and times of fewer \
             passes lie a little higher."
                .to_owned(),
        ));
    }
    for (caption, pairs) in [
        ("Machine and memory", machine(this, other)),
        ("Index", indexes(this, other)),
        ("Kernels, best backend of each", kernels(this, other)),
    ] {
        if !pairs.is_empty() {
            blocks.push(Block::Table(table(caption, &pairs)));
        }
    }
    Section { id: "comparison", title: "Two machines".to_owned(), blocks }
}

fn table(caption: &str, pairs: &[Pair]) -> Table {
    let whole = |x: f64| if x.fract() == 0.0 { count(x as usize) } else { number(x) };
    let text = |x: Option<f64>| x.map_or("–".to_owned(), whole);
    let row = |pair: &Pair| {
        [format!("{}, {}", pair.name, pair.unit), text(pair.this), text(pair.other)]
            .map(Into::into)
            .into_iter()
            .chain([ratio(pair)])
            .collect()
    };
    Table {
        caption: caption.to_owned(),
        head: ["", "This machine", "Other machine", "Ratio"].map(str::to_owned).into(),
        rows: pairs.iter().map(row).collect(),
        words: 1,
    }
}

/// How much better this machine is, shaded from much worse (0) through equal to much better (1).
fn ratio(pair: &Pair) -> Cell {
    let (Some(this), Some(other)) = (pair.this, pair.other) else { return "–".into() };
    let ratio = if pair.better == Better::More { this / other } else { other / this };
    if (1.0 / TIE..=TIE).contains(&ratio) {
        return "≈".into();
    }
    Cell { text: format!("{ratio:.2}×"), heat: None }
}

fn machine(this: &Report, other: &Report) -> Vec<Pair> {
    let both = |name: &str, unit, better, of: &dyn Fn(&Report) -> Option<f64>| Pair {
        name: name.to_owned(),
        unit,
        this: of(this),
        other: of(other),
        better,
    };
    let mut pairs = vec![
        both("Threads", "usable", Better::More, &|r| Some(r.facts.cpu.threads as f64)),
        both("Clock", "GHz", Better::More, &|r| Some(r.compute.ghz)),
        both("Peak of one thread", "GFLOP/s", Better::More, &|r| {
            r.compute.peaks.iter().map(|p| p.gflops).max_by(f64::total_cmp)
        }),
    ];
    for level in &this.memory.by_level {
        let of = |r: &Report| r.memory.by_level.iter().find(|l| l.name == level.name).cloned();
        let name = |what: &str| format!("{} {what}", level.name);
        pairs.extend([
            both(&name("reads, one thread"), "GB/s", Better::More, &|r| of(r)?.one_thread.ok()),
            both(&name("reads, all threads"), "GB/s", Better::More, &|r| of(r)?.all_threads.ok()),
            both(&name("random read"), "ns", Better::Less, &|r| of(r)?.latency_ns.ok()),
        ]);
    }
    pairs
}

fn indexes(this: &Report, other: &Report) -> Vec<Pair> {
    let mut pairs = vec![];
    for run in &this.indexes {
        let (Ok(mine), Some(theirs)) = (&run.figures, other.same_index(run)) else { continue };
        let mut both = |name: String, unit, better, this, other| {
            pairs.push(Pair {
                name: format!("{}: {name}", run.data_set),
                unit,
                this,
                other,
                better,
            });
        };
        for recall in [0.9, 0.95, 0.99] {
            let name = format!("queries at recall {recall}");
            both(name, "per second", Better::More, mine.qps_at(recall), theirs.qps_at(recall));
        }
        for build in &mine.builds {
            let same = theirs.builds.iter().find(|b| b.threads == build.threads);
            let name = format!("build on {} threads", build.threads);
            both(name, "s", Better::Less, Some(build.seconds), same.map(|b| b.seconds));
        }
    }
    pairs
}

fn kernels(this: &Report, other: &Report) -> Vec<Pair> {
    let (Ok(mine), Ok(theirs)) = (&this.kernels, &other.kernels) else { return vec![] };
    let (Some(best), Some(their_best)) = (best_backend(mine), best_backend(theirs)) else {
        return vec![];
    };
    let of_best = |access| of(mine, access).into_iter().filter(|f| f.time.implementation == best);
    let pair = |figure: &KernelFigure| {
        let t = &figure.time;
        let same = find(theirs, &t.metric, t.access, t.dim, their_best)?;
        let kind = if t.element == "bits" { "bits" } else { "dims" };
        let backends = if best == their_best {
            backend_title(best).to_owned()
        } else {
            format!("{} / {}", backend_title(best), backend_title(their_best))
        };
        Some(Pair {
            name: format!(
                "{}, {} {kind}, {}, {backends}",
                metric_title(&t.metric),
                count(t.dim),
                t.access
            ),
            unit: "ns",
            this: Some(t.ns),
            other: Some(same.time.ns),
            better: Better::Less,
        })
    };
    of_best(Access::Pair).chain(of_best(Access::Gather)).filter_map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample::sample;

    fn cells(section: &Section) -> Vec<[String; 4]> {
        let rows = |block: &Block| match block {
            Block::Table(table) => table.rows.clone(),
            _ => vec![],
        };
        let texts = |row: Vec<Cell>| row.into_iter().map(|c| c.text).collect::<Vec<_>>();
        section.blocks.iter().flat_map(rows).map(|row| texts(row).try_into().unwrap()).collect()
    }

    fn row(section: &Section, name: &str) -> [String; 3] {
        let [_, this, other, ratio] =
            cells(section).into_iter().find(|row| row[0].starts_with(name)).expect(name);
        [this, other, ratio]
    }

    #[test]
    fn a_ratio_above_one_is_better_whatever_the_quantity() {
        let this = sample();
        let mut other = sample();
        other.compute.ghz = this.compute.ghz / 2.0;
        other.indexes[0].figures.as_mut().unwrap().builds[0].seconds *= 3.0;
        let section = section(&this, &other);
        assert_eq!(row(&section, "Clock")[2], "2.00×", "more is better");
        assert_eq!(row(&section, "Fashion-MNIST: build on 1")[2], "3.00×", "less is better");
        assert_eq!(row(&section, "Peak")[2], "≈");
    }

    #[test]
    fn what_only_one_machine_has_is_left_open_or_out() {
        let this = sample();
        let mut other = sample();
        other.memory.by_level.retain(|level| level.name != "L3");
        other.indexes[0].figures.as_mut().unwrap().rows = 10_000;
        let section = section(&this, &other);
        assert_eq!(row(&section, "L3 random read")[1..], ["–", "–"]);
        assert!(
            !cells(&section).iter().any(|row| row[0].contains("Fashion-MNIST")),
            "another size"
        );
    }
}
