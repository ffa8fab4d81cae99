//! Points on many flat patches of few dimensions, generated alike on every platform.
//!
//! Real vectors lie in clusters, and near each of them a set has far fewer dimensions than columns.
//! Here a point is
//!
//! *x = c + Σ uⱼ·aⱼ + ε*
//!
//! with a cluster's centre *c* and axes *aⱼ* (each about as long as 1), coordinates *uⱼ* uniform in
//! −1…1, and slight noise *ε* in all columns. The clusters are a property of the distribution and
//! not of the sample: more points fill the same patches more densely, so that what changes with the
//! size is the size alone. Noise that is small beside the distance of neighbours keeps the number of
//! dimensions that a neighbourhood has.
//!
//! Every number comes from integer hashes of its place, by sums and products in a fixed order: the
//! first thousand points of a million are the thousand points.

use rayon::prelude::*;

use crate::{random::Random, table::Table};

/// What to generate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shape {
    /// Columns of a row.
    pub dim: usize,
    /// Dimensions of a patch.
    pub intrinsic: usize,
    /// Patches.
    pub clusters: usize,
    /// Half the width of the cube that the centres are drawn from, uniformly.
    pub spread: f32,
    /// The largest noise in a column.
    pub noise: f32,
    /// Decides everything that is drawn.
    pub seed: u64,
}

impl Shape {
    /// Three hundred patches of ten dimensions. Few points on a patch lie mostly at its edges, so that
    /// a neighbourhood has fewer dimensions: about 7 at 10,000 points, 8 at 100,000.
    pub fn of_dim(dim: usize) -> Self {
        Self { dim, intrinsic: 10, clusters: 300, spread: 0.3, noise: 0.01, seed: 0 }
    }
}

/// A distribution of points.
///
/// ```
/// use bench_suite::generated::{Clustered, Shape};
///
/// let clustered = Clustered::new(Shape::of_dim(64));
/// let (base, queries) = (clustered.base(1000), clustered.queries(10));
/// assert_eq!((base.len(), queries.dim()), (1000, 64));
/// assert_eq!(base.row(7), clustered.base(8).row(7)); // more points begin with the same points
/// ```
#[derive(Clone, Debug)]
pub struct Clustered {
    shape: Shape,
    /// Per cluster its centre, then its axes: `1 + intrinsic` rows of `dim`.
    clusters: Vec<f32>,
}

/// What is drawn is drawn from one of these sequences, which share no number.
#[derive(Clone, Copy)]
enum Sequence {
    Clusters,
    Base,
    Queries,
}

impl Clustered {
    /// The distribution that a shape describes.
    ///
    /// # Panics
    /// When the shape has no columns or no clusters.
    pub fn new(shape: Shape) -> Self {
        assert!(shape.dim > 0 && shape.clusters > 0, "nothing to draw in {shape:?}");
        let rows = shape.clusters * (1 + shape.intrinsic);
        // A uniform number in −1…1 has the variance 1/3.
        let axis = root(3.0 / shape.dim as f32);
        let draw = |row: usize| {
            let mut random = shape.random(Sequence::Clusters, row);
            let scale = if row.is_multiple_of(1 + shape.intrinsic) { shape.spread } else { axis };
            (0..shape.dim).map(move |_| scale * random.unit())
        };
        Self { shape, clusters: (0..rows).flat_map(draw).collect() }
    }

    /// The first `count` points to index.
    pub fn base(&self, count: usize) -> Table<f32> {
        self.table(Sequence::Base, count)
    }

    /// The first `count` points to search for: drawn like the base, and not in it.
    pub fn queries(&self, count: usize) -> Table<f32> {
        self.table(Sequence::Queries, count)
    }

    fn table(&self, sequence: Sequence, count: usize) -> Table<f32> {
        let mut values = vec![0.0; count * self.shape.dim];
        let rows = values.par_chunks_exact_mut(self.shape.dim).enumerate();
        rows.for_each(|(row, values)| self.fill(self.shape.random(sequence, row), values));
        Table::new(self.shape.dim, values)
    }

    fn fill(&self, mut random: Random, point: &mut [f32]) {
        let Shape { dim, intrinsic, clusters, noise, .. } = self.shape;
        let cluster = random.below(clusters as u64) as usize;
        let size = (1 + intrinsic) * dim;
        let (centre, axes) = self.clusters[cluster * size..][..size].split_at(dim);
        point.copy_from_slice(centre);
        for axis in axes.chunks_exact(dim) {
            let u = random.unit();
            point.iter_mut().zip(axis).for_each(|(x, a)| *x += u * a);
        }
        point.iter_mut().for_each(|x| *x += noise * random.unit());
    }
}

impl Shape {
    /// The generator of one row of a sequence.
    fn random(self, sequence: Sequence, row: usize) -> Random {
        let mut seeds = Random::new(self.seed ^ (sequence as u64) << 62);
        Random::new(seeds.bits() ^ Random::new(row as u64).bits())
    }
}

/// Correctly rounded everywhere, unlike most of libm.
fn root(x: f32) -> f32 {
    x.sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: Shape =
        Shape { dim: 20, intrinsic: 3, clusters: 5, spread: 2.0, noise: 0.01, seed: 7 };

    /// What every platform generates.
    #[test]
    fn the_points_are_these() {
        let clustered = Clustered::new(SMALL);
        let hash = |table: Table<f32>| {
            let fold =
                |hash: u64, x: &f32| (hash ^ u64::from(x.to_bits())).wrapping_mul(0x100_0000_01b3);
            table.values().iter().fold(0xcbf2_9ce4_8422_2325, fold)
        };
        let (base, queries) = (hash(clustered.base(500)), hash(clustered.queries(50)));
        let expected = (0xb853_0930_708a_3960, 0x0ac4_b4df_768c_15fb);
        assert_eq!((base, queries), expected, "{base:#x} {queries:#x}");
    }

    #[test]
    fn more_points_begin_with_the_same_points_and_no_query_is_among_them() {
        let clustered = Clustered::new(SMALL);
        let (few, many) = (clustered.base(100), clustered.base(1000));
        assert_eq!(few.values(), &many.values()[..few.values().len()]);
        let queries = clustered.queries(100);
        let rows = |table: &Table<f32>| -> Vec<Vec<u32>> {
            let bits = |row| table.row(row).iter().map(|x: &f32| x.to_bits()).collect();
            (0..table.len()).map(bits).collect()
        };
        let (mut all, distinct) = ([rows(&many), rows(&queries)].concat(), 1100);
        all.sort();
        all.dedup();
        assert_eq!(all.len(), distinct);
        let other = Clustered::new(Shape { seed: 8, ..SMALL });
        assert_ne!(other.base(100), few);
    }

    /// Each point lies within the noise of one cluster's patch, and no cluster is left empty.
    #[test]
    fn points_lie_on_the_patches() {
        let clustered = Clustered::new(Shape { noise: 0.0, ..SMALL });
        let base = clustered.base(500);
        let noisy = Clustered::new(SMALL).base(500);
        let mut of = [0; 5];
        for row in 0..500 {
            let cluster = (0..5).filter(|&cluster| on_patch(&clustered, cluster, base.row(row)));
            let cluster: Vec<usize> = cluster.collect();
            assert_eq!(cluster.len(), 1, "row {row}");
            of[cluster[0]] += 1;
            let noise = base.row(row).iter().zip(noisy.row(row)).map(|(a, b)| (a - b).abs());
            assert!(noise.fold(0.0, f32::max) <= 0.0101);
        }
        assert!(of.iter().all(|&n| (70..130).contains(&n)), "{of:?}");
    }

    /// Whether what is left of a point, its centre and its share of each axis taken away, is nothing.
    fn on_patch(clustered: &Clustered, cluster: usize, point: &[f32]) -> bool {
        let (dim, rows) = (SMALL.dim, 1 + SMALL.intrinsic);
        let row = |i: usize| &clustered.clusters[(cluster * rows + i) * dim..][..dim];
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        let mut basis: Vec<Vec<f64>> = Vec::new();
        let without = |mut v: Vec<f64>, basis: &[Vec<f64>]| {
            for axis in basis {
                let share = dot(&v, axis) / dot(axis, axis);
                v.iter_mut().zip(axis).for_each(|(v, a)| *v -= share * a);
            }
            v
        };
        for axis in 1..rows {
            let axis = row(axis).iter().map(|x| f64::from(*x)).collect();
            basis.push(without(axis, &basis));
        }
        let offset = point.iter().zip(row(0)).map(|(x, c)| f64::from(*x) - f64::from(*c)).collect();
        let rest = without(offset, &basis);
        dot(&rest, &rest) < 1e-9
    }
}
