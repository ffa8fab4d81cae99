//! Times every kernel on every backend of this CPU: pairs in the first-level cache, and rows
//! gathered from memory as a graph search does.

use std::fmt;
use std::time::Duration;

use nearfield_kernels::{Backend, Element, Kernel, Metric, Rows};
use serde::{Deserialize, Serialize};

use crate::machine::{Buffer, Pages, Probed};
use crate::plain::{self, Plain};
use crate::random::Random;
use crate::timing::{calls_for, nanoseconds_per_call};

/// Rows per gather: about the neighbours of one node of a graph.
const HOP: usize = 32;

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
    let pair = random_floats(2 * longest_vector(plan))?;
    for metric in Metric::ALL {
        step(&format!("{metric}: pairs in L1"));
        pairs::<f32>(metric, &plan.float_dims, plan, &pair, &mut times);
        pairs::<u64>(metric, &plan.bit_dims, plan, &pair, &mut times);
    }
    step("filling rows to gather");
    let rows = random_floats(plan.gather_bytes)?;
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

/// Random floats in −1…1; read as words they are bits that vary enough.
fn random_floats(bytes: usize) -> Probed<Buffer> {
    let mut buffer = Buffer::new(bytes, Pages::Huge)?;
    let mut random = Random::new(0xf17);
    buffer.as_mut_slice::<f32>().fill_with(|| random.unit());
    Ok(buffer)
}

/// An element type that can be timed: how many dimensions one element holds, and its plain loops.
trait Timed: Element {
    const SHORT: &'static str;
    const DIMS_PER_ELEMENT: usize;
    fn plain(metric: Metric) -> Option<Plain<Self>>;
}

impl Timed for f32 {
    const SHORT: &'static str = "f32";
    const DIMS_PER_ELEMENT: usize = 1;
    fn plain(metric: Metric) -> Option<Plain<Self>> {
        plain::over_floats(metric)
    }
}

impl Timed for u64 {
    const SHORT: &'static str = "bits";
    const DIMS_PER_ELEMENT: usize = 64;
    fn plain(metric: Metric) -> Option<Plain<Self>> {
        plain::over_bits(metric)
    }
}

/// One way to compute a metric.
enum Implementation<E: Element> {
    Plain(Plain<E>),
    Kernel(Kernel<E>),
}

impl<E: Timed> Implementation<E> {
    /// All ways of this CPU; none where the metric is not defined for `E`.
    fn all(metric: Metric) -> Vec<Self> {
        let kernels = Backend::available().filter_map(|backend| Kernel::on(backend, metric).ok());
        E::plain(metric).map(Self::Plain).into_iter().chain(kernels.map(Self::Kernel)).collect()
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Plain(_) => PLAIN,
            Self::Kernel(kernel) => kernel.backend().name(),
        }
    }

    /// `calls` distances of one pair. Neither arm can be inlined (both call through a pointer), so
    /// nothing hoists the distance out of the loop.
    fn pair(&self, calls: u64, a: &[E], b: &[E]) -> f32 {
        match self {
            Self::Plain(plain) => (0..calls).map(|_| plain(a, b)).sum(),
            Self::Kernel(kernel) => (0..calls).map(|_| kernel.distance(a, b)).sum(),
        }
    }

    fn hop(&self, query: &[E], rows: &Rows<'_, E>, ids: &[u32], out: &mut [f32]) {
        match self {
            Self::Plain(plain) => {
                for (out, &id) in out.iter_mut().zip(ids) {
                    *out = plain(query, rows.row(id));
                }
            }
            Self::Kernel(kernel) => kernel.gather(query, rows, ids, out),
        }
    }
}

fn pairs<E: Timed>(
    metric: Metric,
    dims: &[usize],
    plan: &Plan,
    memory: &Buffer,
    times: &mut Vec<KernelTime>,
) {
    let implementations = Implementation::<E>::all(metric);
    for &dim in dims {
        let n = dim / E::DIMS_PER_ELEMENT;
        // The second vector begins on a cache line too: unaligned ones cost up to half as much again.
        let second = (n * size_of::<E>()).next_multiple_of(64) / size_of::<E>();
        let memory = memory.as_slice::<E>();
        let (a, b) = (&memory[..n], &memory[second..second + n]);
        let best = alternate(plan, &implementations, |implementation, calls| {
            implementation.pair(calls, a, b);
        });
        let bytes = 2 * size_of_val(a);
        times.extend(record::<E>(metric, Access::Pair, dim, bytes, &implementations, &best));
    }
}

fn gathers<E: Timed>(
    metric: Metric,
    dims: &[usize],
    plan: &Plan,
    memory: &Buffer,
    times: &mut Vec<KernelTime>,
) {
    let implementations = Implementation::<E>::all(metric);
    if implementations.is_empty() {
        return;
    }
    for &dim in dims {
        let n = dim / E::DIMS_PER_ELEMENT;
        let memory = memory.as_slice::<E>();
        let (query, rows) = memory.split_at(n);
        let rows = Rows::new(&rows[..rows.len() / n * n], n);
        let ids = random_ids(rows.len());
        let mut out = [0.0; HOP];
        // The cursor goes on from sample to sample: no implementation finds rows that the one
        // before it left in a cache.
        let mut cursor = 0;
        let best = alternate(plan, &implementations, |implementation, hops| {
            for _ in 0..hops {
                implementation.hop(query, &rows, &ids[cursor..cursor + HOP], &mut out);
                // Where the next hop goes depends on this one's result, as in a graph.
                cursor += HOP + (out[HOP - 1].to_bits() & 1) as usize;
                cursor = if cursor + HOP > ids.len() { 0 } else { cursor };
            }
        });
        let best: Vec<f64> = best.into_iter().map(|ns| ns / HOP as f64).collect();
        let bytes = size_of_val(query);
        times.extend(record::<E>(metric, Access::Gather, dim, bytes, &implementations, &best));
    }
}

/// A million ids below `rows`: enough that a lap over them empties any cache.
fn random_ids(rows: usize) -> Vec<u32> {
    let mut random = Random::new(0x1d5);
    (0..1 << 20).map(|_| random.below(rows as u64) as u32).collect()
}

/// The fastest nanoseconds per call of each implementation, all of them taking turns in each pass:
/// whatever disturbs the machine disturbs them alike.
fn alternate<T>(plan: &Plan, items: &[T], mut run: impl FnMut(&T, u64)) -> Vec<f64> {
    let calls: Vec<u64> =
        items.iter().map(|item| calls_for(plan.sample, |calls| run(item, calls))).collect();
    let mut best = vec![f64::MAX; items.len()];
    for _ in 0..plan.passes.max(1) {
        for ((item, &calls), best) in items.iter().zip(&calls).zip(&mut best) {
            *best = best.min(nanoseconds_per_call(calls, |calls| run(item, calls)));
        }
    }
    best
}

fn record<E: Timed>(
    metric: Metric,
    access: Access,
    dim: usize,
    bytes: usize,
    implementations: &[Implementation<E>],
    best: &[f64],
) -> Vec<KernelTime> {
    let time = |(implementation, &ns): (&Implementation<E>, &f64)| KernelTime {
        metric: metric.name().to_owned(),
        element: E::SHORT.to_owned(),
        implementation: implementation.name().to_owned(),
        access,
        dim,
        bytes,
        ns,
    };
    implementations.iter().zip(best).map(time).collect()
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
        // Four metrics over f32 in two lengths and one gathered, two over bits in one and one.
        assert_eq!(times.len(), implementations * (4 * 3 + 2 * 2));
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

    #[test]
    fn taking_turns_runs_every_item_in_every_pass() {
        let plan = Plan { passes: 3, sample: Duration::ZERO, ..EMPTY };
        let mut order = vec![];
        let best = alternate(&plan, &['a', 'b'], |&item, _| order.push(item));
        assert_eq!(best.len(), 2);
        // One call each to find how many fit a sample, then three passes.
        assert_eq!(order.iter().collect::<String>(), "abababab");
    }

    const EMPTY: Plan = Plan {
        float_dims: vec![],
        bit_dims: vec![],
        gather_dims: vec![],
        gather_bits: vec![],
        gather_bytes: 0,
        passes: 0,
        sample: Duration::ZERO,
    };
}
