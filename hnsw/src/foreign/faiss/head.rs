//! The header of every index.
//!
//! | bytes | | |
//! |---|---|---|
//! | 4 | `i32` | dimensions |
//! | 8 | `i64` | points |
//! | 16 | | means nothing |
//! | 1 | `u8` | whether it is trained |
//! | 4 | `i32` | metric: 0 inner product, 1 squared Euclidean, 2 Manhattan |
//! | 4 | `f32` | behind a metric above 1: its argument, which means nothing to these |

use nearfield_kernels::Metric;

use super::super::cursor::Cursor;
use super::super::error::ImportError;

/// What an index holds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Head {
    pub(super) dim: usize,
    pub(super) points: u64,
    pub(super) metric: Metric,
}

impl Head {
    pub(super) fn read(cursor: &mut Cursor<'_>) -> Result<Self, ImportError> {
        let dim = cursor.i32("the number of dimensions")?;
        let points = cursor.i64("the number of points")?;
        cursor.items(16, 1, "the unused numbers of the header")?;
        let is_trained = cursor.u8("whether it is trained")?;
        ImportError::unless(is_trained <= 1, "whether it is trained", is_trained, "0 or 1")?;
        let metric = metric(cursor.i32("the metric")?)?;
        if metric == Metric::Manhattan {
            cursor.items(4, 1, "the argument of the metric")?;
        }
        let dim = usize::try_from(dim).ok().filter(|dim| *dim > 0).ok_or(dim);
        let what = "the number of dimensions";
        let dim = dim.map_err(|dim| ImportError::damaged(what, dim, "at least 1"))?;
        let count = u64::try_from(points);
        let what = "the number of points";
        let points = count.map_err(|_| ImportError::damaged(what, points, "at least 0"))?;
        Ok(Self { dim, points, metric })
    }

    /// An index in or behind another holds the same points.
    pub(super) fn expect(&self, outer: &Self) -> Result<(), ImportError> {
        let what = "the number of dimensions inside";
        ImportError::unless(self.dim == outer.dim, what, self.dim, outer.dim)?;
        let (points, all) = (self.points, outer.points);
        ImportError::unless(points == all, "the number of points inside", points, all)?;
        let (metric, expected) = (self.metric, outer.metric);
        ImportError::unless(metric == expected, "the metric inside", metric, expected)
    }
}

fn metric(number: i32) -> Result<Metric, ImportError> {
    let name = match number {
        0 => return Ok(Metric::InnerProduct),
        1 => return Ok(Metric::L2Squared),
        2 => return Ok(Metric::Manhattan),
        3 => "Linf",
        4 => "Lp",
        20 => "Canberra",
        21 => "Bray-Curtis",
        22 => "Jensen-Shannon",
        23 => "Jaccard",
        24 => "NaN-Euclidean",
        25 => "Gower",
        _ => "none that faiss 1.15 has",
    };
    let instead = "METRIC_INNER_PRODUCT, METRIC_L2 and METRIC_L1 are";
    Err(ImportError::unsupported("the metric", format!("{name} (number {number})"), instead))
}
