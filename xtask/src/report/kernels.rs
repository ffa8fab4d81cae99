//! What kernel times mean: against the machine's limit, the scalar reference and a plain loop.

use bench_suite::kernel_runs::{Access, KernelTime, PLAIN};
use bench_suite::roofline::Roofs;

use super::model::KernelFigure;

/// Puts every time beside its limit and the times of the same distance by other implementations.
pub(crate) fn figures(times: Vec<KernelTime>, roofs: Option<&Roofs>) -> Vec<KernelFigure> {
    let figure = |time: &KernelTime| {
        let limit = roofs.map(|roofs| roofs.limit(time));
        let by = |implementation: &str| {
            let same =
                times.iter().find(|t| same_distance(t, time) && t.implementation == implementation);
            same.map(|other| other.ns / time.ns)
        };
        KernelFigure {
            gb_per_s: time.bytes as f64 / time.ns,
            limit,
            share_of_limit: limit.map(|limit| limit.ns / time.ns),
            speedup_over_scalar: by("scalar"),
            speedup_over_plain: by(PLAIN),
            time: time.clone(),
        }
    };
    times.iter().map(figure).collect()
}

fn same_distance(a: &KernelTime, b: &KernelTime) -> bool {
    a.metric == b.metric && a.access == b.access && a.dim == b.dim
}

/// The figures of one kind of access.
pub(super) fn of(figures: &[KernelFigure], access: Access) -> Vec<&KernelFigure> {
    figures.iter().filter(|f| f.time.access == access).collect()
}

/// The fastest backend that was timed (the last: they come slowest first).
pub(super) fn best_backend(figures: &[KernelFigure]) -> Option<&str> {
    figures.last().map(|f| f.time.implementation.as_str())
}

/// One figure by name.
pub(super) fn find<'a>(
    figures: &'a [KernelFigure],
    metric: &str,
    access: Access,
    dim: usize,
    implementation: &str,
) -> Option<&'a KernelFigure> {
    figures.iter().find(|f| {
        let t = &f.time;
        t.metric == metric
            && t.access == access
            && t.dim == dim
            && t.implementation == implementation
    })
}

/// The values of a field in order of first appearance.
pub(super) fn distinct<'a, T: PartialEq>(
    figures: &[&'a KernelFigure],
    field: impl Fn(&'a KernelFigure) -> T,
) -> Vec<T> {
    let mut values = vec![];
    for figure in figures {
        let value = field(figure);
        if !values.contains(&value) {
            values.push(value);
        }
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_stands_beside_its_own_kind_only() {
        let time = |implementation: &str, dim, ns| KernelTime {
            metric: "l2".to_owned(),
            element: "f32".to_owned(),
            implementation: implementation.to_owned(),
            access: Access::Pair,
            dim,
            bytes: 8 * dim,
            ns,
        };
        let times = vec![
            time(PLAIN, 100, 60.0),
            time("scalar", 100, 200.0),
            time("avx2", 100, 10.0),
            time("scalar", 200, 500.0),
            time("avx2", 200, 20.0),
        ];
        let roofs =
            Roofs { gflops: None, l1: 160.0, l2: 1.0, l3: None, dram: 1.0, l1_bytes: 1 << 15 };
        let figures = figures(times, Some(&roofs));
        let avx2 = find(&figures, "l2", Access::Pair, 100, "avx2").unwrap();
        assert_eq!((avx2.speedup_over_scalar, avx2.speedup_over_plain), (Some(20.0), Some(6.0)));
        assert_eq!((avx2.gb_per_s, avx2.share_of_limit), (80.0, Some(0.5)));
        let longer = find(&figures, "l2", Access::Pair, 200, "avx2").unwrap();
        assert_eq!(longer.speedup_over_scalar, Some(25.0));
        assert_eq!(longer.speedup_over_plain, None, "no plain loop of that length was timed");
    }
}
