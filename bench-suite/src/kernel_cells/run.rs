//! The run over all cells: for each, our passes and the peers' in turn over the same memory.

use std::io;

use half::{bf16, f16};
use nearfield_kernels::{Element, Kernel};

use super::cell::{Cell, Shape};
use super::in_order::InOrder;
use super::plan::Plan;
use crate::courses::{Course, Hops, Pair, Runner};
use crate::elements::{Filled, Timed, dims_per_element, filled};
use crate::peers::{Faiss, Laps};
use crate::timing::alternate;
use crate::ways::{Flat, Way};

/// What times all cells of some elements.
type Measure = fn(&mut Run<'_>) -> io::Result<()>;

/// All elements that can be timed, by name.
const ELEMENTS: [(&str, Measure); 10] = [
    element::<f32, f32>(),
    element::<f16, f16>(),
    element::<bf16, bf16>(),
    element::<i8, i8>(),
    element::<u8, u8>(),
    element::<u64, u64>(),
    element::<f32, f16>(),
    element::<f32, bf16>(),
    element::<f32, i8>(),
    element::<f32, u8>(),
];

const fn element<Q: Timed<R>, R: Element + Filled>() -> (&'static str, Measure) {
    (Q::NAME, |run| run.element::<Q, R>())
}

/// The names of all elements that can be timed.
pub fn elements() -> impl Iterator<Item = &'static str> {
    ELEMENTS.into_iter().map(|(name, _)| name)
}

/// Times all of `plan`, and hands on each cell as soon as it is known. Without `faiss` there are only
/// the linked peers.
///
/// # Errors
/// When there is no memory for the rows, or `each` fails.
pub fn measure(
    plan: &Plan,
    faiss: Option<Faiss>,
    mut each: impl FnMut(Cell) -> io::Result<()>,
) -> io::Result<()> {
    let mut run = Run { plan, faiss, each: &mut each };
    for (name, measure) in ELEMENTS {
        if plan.elements.iter().any(|asked| asked == name) {
            measure(&mut run)?;
        }
    }
    Ok(())
}

struct Run<'a> {
    plan: &'a Plan,
    faiss: Option<Faiss>,
    each: &'a mut dyn FnMut(Cell) -> io::Result<()>,
}

impl Run<'_> {
    /// All cells of queries of `Q` and rows of `R`.
    fn element<Q: Timed<R>, R: Element + Filled>(&mut self) -> io::Result<()> {
        let kernels: Vec<_> = self
            .plan
            .metrics
            .iter()
            .filter_map(|&metric| Kernel::<Q, R>::on(self.plan.backend, metric).ok())
            .collect();
        let lengths = |metric| {
            let per_element = dims_per_element::<R>(metric);
            self.plan.dims(per_element).into_iter().map(move |dim| (dim, dim / per_element))
        };
        let longest = kernels.iter().flat_map(|kernel| lengths(kernel.metric())).map(|(_, n)| n);
        let Some(longest) = longest.max() else { return Ok(()) };

        let queries = filled::<Q>(longest * size_of::<Q>()).map_err(io::Error::other)?;
        for &shape in &self.plan.shapes {
            let bytes = match shape {
                Shape::Pair => 0,
                Shape::OneToMany => self.plan.ordered_bytes,
                Shape::Gather => self.plan.gather_bytes,
            };
            let bytes = bytes.max(longest * size_of::<R>());
            let memory = filled::<R>(bytes).map_err(io::Error::other)?;
            for kernel in &kernels {
                for (dim, n) in lengths(kernel.metric()).collect::<Vec<_>>() {
                    let query = &queries.as_slice::<Q>()[..n];
                    // The buffer is rounded up; what the plan asks for is not.
                    let rows = &memory.as_slice::<R>()[..bytes / size_of::<R>()];
                    let mut course = course(shape, query, rows);
                    self.cell(kernel, dim, shape, &mut *course)?;
                }
            }
        }
        Ok(())
    }

    fn cell<Q: Timed<R>, R: Element>(
        &mut self,
        kernel: &Kernel<Q, R>,
        dim: usize,
        shape: Shape,
        course: &mut dyn Course<Q, R>,
    ) -> io::Result<()> {
        let Plan { passes, sample, peers, .. } = *self.plan;
        let metric = kernel.metric();
        let linked = if peers { Q::peers(metric, dim) } else { vec![] };
        let faiss = self.faiss.as_mut().filter(|_| peers && shape == Shape::OneToMany);
        let laps =
            faiss.and_then(|faiss| faiss.laps(metric, Q::NAME, dim, course.distances(), sample));

        let ways = std::iter::once(kernel as &dyn Way<Q, R>).chain(linked.iter().map(|way| &**way));
        let mut runners: Vec<_> =
            ways.map(|way| (way.name(), At::Here(Runner::new(way, course, sample)))).collect();
        runners.extend(laps.map(|laps| ("faiss", At::There(laps))));
        let best = alternate(passes, &mut runners, |(_, runner)| match runner {
            At::Here(runner) => runner.sample(course),
            At::There(laps) => laps.sample(),
        });
        let peer = runners[1..].iter().zip(&best[1..]).min_by(|(_, a), (_, b)| a.total_cmp(b));
        (self.each)(Cell {
            metric: metric.name().to_owned(),
            element: Q::NAME.to_owned(),
            dim,
            shape,
            place: shape.place().to_owned(),
            backend: kernel.backend().name().to_owned(),
            ns: best[0],
            peer: peer.map(|((name, _), _)| (*name).to_owned()),
            peer_ns: peer.map(|(_, &ns)| ns),
        })
    }
}

fn course<'a, Q, R>(shape: Shape, query: &'a [Q], rows: &'a [R]) -> Box<dyn Course<Q, R> + 'a> {
    let dim = query.len();
    match shape {
        Shape::Pair => Box::new(Pair { a: query, b: &rows[..dim] }),
        Shape::OneToMany => Box::new(InOrder::new(query, Flat::new(rows, dim))),
        Shape::Gather => Box::new(Hops::new(query, Flat::new(rows, dim))),
    }
}

/// Where samples are taken: in this process, or in one at the other end of a pipe.
enum At<'a, Q, R> {
    Here(Runner<'a, Q, R>),
    There(Laps<'a>),
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use nearfield_kernels::{Backend, Metric};

    use super::*;

    fn cells(elements: &[&str], dims: Option<Vec<usize>>) -> Vec<Cell> {
        let plan = Plan {
            backend: Backend::best().unwrap(),
            metrics: Metric::ALL.to_vec(),
            elements: elements.iter().map(|&name| name.to_owned()).collect(),
            dims,
            shapes: Shape::ALL.to_vec(),
            ordered_bytes: 1 << 16,
            gather_bytes: 1 << 20,
            passes: 1,
            sample: Duration::from_micros(5),
            peers: false,
        };
        let mut cells = vec![];
        measure(&plan, None, |cell| {
            cells.push(cell);
            Ok(())
        })
        .unwrap();
        cells
    }

    #[test]
    fn every_metric_shape_and_dimension_gets_a_cell() {
        let floats = cells(&["f32"], Some(vec![32, 100]));
        // Five metrics, three shapes, two lengths.
        assert_eq!(floats.len(), 5 * 3 * 2);
        assert!(floats.iter().all(|cell| cell.ns > 0.0 && cell.ns.is_finite()));
        assert!(floats.iter().all(|cell| cell.ratio().is_none()));
        let names: Vec<&str> = elements().collect();
        assert!(names.contains(&"f32xu8"), "{names:?}");
    }

    #[test]
    fn lengths_of_bits_fill_whole_words() {
        let bits = cells(&["bits"], None);
        let mut dims: Vec<usize> = bits.iter().map(|cell| cell.dim).collect();
        dims.sort_unstable();
        dims.dedup();
        assert_eq!(dims, [128, 256, 384, 512, 768, 960, 1024, 1536, 2048, 4096, 8192, 32768]);
        assert_eq!(bits.len(), 2 * 3 * dims.len());
    }

    #[test]
    fn a_cell_is_one_line() {
        let cell = cells(&["f32"], Some(vec![32])).swap_remove(0);
        let cell = Cell { ns: 2.0, peer: Some("x".to_owned()), peer_ns: Some(3.0), ..cell };
        assert_eq!(cell.ratio(), Some(1.5));
        let line = serde_json::to_string(&cell).unwrap();
        let backend = &cell.backend;
        assert_eq!(
            line,
            format!(
                r#"{{"metric":"l2","element":"f32","dim":32,"shape":"pair","where":"l1","backend":"{backend}","ns":2.0,"peer":"x","peer_ns":3.0}}"#
            )
        );
    }
}
