//! Times every kernel on every backend of this CPU: pairs in the first-level cache, and rows
//! gathered from memory as a graph search does.

use std::fmt;
use std::time::Duration;

use nearfield_kernels::{Backend, Element, Kernel, Metric};
use serde::{Deserialize, Serialize};

use crate::courses::{Course, Hops, Pair, Runner};
use crate::elements::{Timed, dims_per_element, filled};
use crate::machine::{Buffer, Probed};
use crate::timing::alternate;
use crate::ways::{Flat, Way, pairwise};

/// What to time, and for how long.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Dimensions for metrics over f32.
    pub float_dims: Vec<usize>,
    /// Bits (whole words of 64) for metrics over packed bits.
    pub bit_dims: Vec<usize>,
    /// Dimensions for f32 rows gathered from memory.
    pub gather_dims: Vec<usize>,
    /// Bits for packed rows gathered from memory.
    pub gather_bits: Vec<usize>,
    /// Memory from which rows are gathered; should be far above the last cache.
    pub gather_bytes: usize,
    /// Passes, of which the fastest counts.
    pub passes: usize,
    /// Length of one sample of one implementation in a pass.
    pub sample: Duration,
}

/// Where the vectors come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Access {
    /// The same two aligned vectors again and again: both stay in the first-level cache.
    Pair,
    /// Random rows of a table that no cache holds, 32 per call, each call waiting for the last.
    Gather,
}

impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pair => "pair in L1",
            Self::Gather => "rows from memory",
        })
    }
}

/// One time: a metric, by one implementation, over vectors of one length.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KernelTime {
    /// The metric's name.
    pub metric: String,
    /// `f32` or `bits`.
    pub element: String,
    /// A backend's name, or [`PLAIN`].
    pub implementation: String,
    /// Where the vectors lie.
    pub access: Access,
    /// Dimensions: floats, or bits.
    pub dim: usize,
    /// Bytes read for one distance (of a gathered row the row alone; the query stays cached).
    pub bytes: usize,
    /// Nanoseconds per distance: the fastest pass.
    pub ns: f64,
}

/// The implementation that anyone would write first: [`crate::plain`].
pub const PLAIN: &str = "plain loop";

/// Times all of `plan`; `step` hears what comes next.
///
/// # Errors
/// When there is no memory for the rows.
pub fn measure(plan: &Plan, mut step: impl FnMut(&str)) -> Probed<Vec<KernelTime>> {
    let mut times = vec![];
    // Floats in −1…1; read as words they are bits that vary enough.
    let pair = filled::<f32>(2 * longest_vector(plan))?;
    for metric in Metric::ALL {
        step(&format!("{metric}: pairs in L1"));
        pairs::<f32>(metric, &plan.float_dims, plan, &pair, &mut times);
        pairs::<u64>(metric, &plan.bit_dims, plan, &pair, &mut times);
    }
    step("filling rows to gather");
    let rows = filled::<f32>(plan.gather_bytes)?;
    for metric in Metric::ALL {
        step(&format!("{metric}: rows from memory"));
        gathers::<f32>(metric, &plan.gather_dims, plan, &rows, &mut times);
        gathers::<u64>(metric, &plan.gather_bits, plan, &rows, &mut times);
    }
    Ok(times)
}

/// Bytes of the longest vector, in whole cache lines.
fn longest_vector(plan: &Plan) -> usize {
    let floats = plan.float_dims.iter().map(|dim| dim * size_of::<f32>());
    let bits = plan.bit_dims.iter().map(|bits| bits / 8);
    floats.chain(bits).max().unwrap_or(0).next_multiple_of(64)
}

fn pairs<E: Element + Timed>(
    metric: Metric,
    dims: &[usize],
    plan: &Plan,
    memory: &Buffer,
    times: &mut Vec<KernelTime>,
) {
    let ways = ways::<E>(metric);
    if ways.is_empty() {
        return;
    }
    for &dim in dims {
        let n = dim / dims_per_element::<E>(metric);
        // The second vector begins on a cache line too: unaligned ones cost up to half as much again.
        let second = (n * size_of::<E>()).next_multiple_of(64) / size_of::<E>();
        let memory = memory.as_slice::<E>();
        let (a, b) = (&memory[..n], &memory[second..second + n]);
        let figures = fastest(&ways, &mut Pair { a, b }, plan);
        times.extend(record::<E>(metric, Access::Pair, dim, 2 * size_of_val(a), figures));
    }
}

fn gathers<E: Element + Timed>(
    metric: Metric,
    dims: &[usize],
    plan: &Plan,
    memory: &Buffer,
    times: &mut Vec<KernelTime>,
) {
    let ways = ways::<E>(metric);
    if ways.is_empty() {
        return;
    }
    for &dim in dims {
        let n = dim / dims_per_element::<E>(metric);
        let (query, rows) = memory.as_slice::<E>().split_at(n);
        let figures = fastest(&ways, &mut Hops::new(query, Flat::new(rows, n)), plan);
        times.extend(record::<E>(metric, Access::Gather, dim, size_of_val(query), figures));
    }
}

/// All ways of this CPU; none where the metric is not defined for `E`.
fn ways<E: Element + Timed>(metric: Metric) -> Vec<Box<dyn Way<E, E>>> {
    let plain = E::plain(metric).map(|plain| pairwise(PLAIN, plain));
    let kernels = Backend::available().filter_map(|backend| Kernel::<E>::on(backend, metric).ok());
    plain.into_iter().chain(kernels.map(|kernel| Box::new(kernel) as _)).collect()
}

/// The least nanoseconds per distance that each way takes on a course, by its name.
fn fastest<E>(
    ways: &[Box<dyn Way<E, E>>],
    course: &mut dyn Course<E, E>,
    plan: &Plan,
) -> Vec<(&'static str, f64)> {
    let mut runners: Vec<_> =
        ways.iter().map(|way| Runner::new(&**way, course, plan.sample)).collect();
    let best = alternate(plan.passes, &mut runners, |runner| runner.sample(course));
    ways.iter().map(|way| way.name()).zip(best).collect()
}

fn record<E: Element + Timed>(
    metric: Metric,
    access: Access,
    dim: usize,
    bytes: usize,
    figures: Vec<(&str, f64)>,
) -> impl Iterator<Item = KernelTime> {
    figures.into_iter().map(move |(implementation, ns)| KernelTime {
        metric: metric.name().to_owned(),
        element: <E as Timed>::NAME.to_owned(),
        implementation: implementation.to_owned(),
        access,
        dim,
        bytes,
        ns,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_metric_backend_and_dimension_gets_a_time() {
        let plan = Plan {
            float_dims: vec![32, 100],
            bit_dims: vec![256],
            gather_dims: vec![48],
            gather_bits: vec![128],
            gather_bytes: 1 << 20,
            passes: 1,
            sample: Duration::from_micros(5),
        };
        let times = measure(&plan, |_| ()).unwrap();
        let implementations = 1 + Backend::available().count();
        // Five metrics over f32 in two lengths and one gathered, two over bits in one and one.
        assert_eq!(times.len(), implementations * (5 * 3 + 2 * 2));
        assert!(times.iter().all(|time| time.ns > 0.0 && time.ns.is_finite()));
        let bytes = |access, element: &str, dim| {
            let is = |t: &&KernelTime| t.access == access && t.element == element && t.dim == dim;
            times.iter().find(is).unwrap().bytes
        };
        assert_eq!(bytes(Access::Pair, "f32", 100), 800);
        assert_eq!(bytes(Access::Gather, "f32", 48), 192);
        assert_eq!(bytes(Access::Pair, "bits", 256), 64);
        assert_eq!(bytes(Access::Gather, "bits", 128), 16);
    }
}
