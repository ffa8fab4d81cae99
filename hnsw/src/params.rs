//! The parameters of a graph.

use std::fmt;

/// How a graph is built. The same parameters and the same sequence of operations give the same
/// graph, on any number of threads and any CPU.
///
/// ```
/// use nearfield_hnsw::Params;
///
/// let params = Params::new().m(32).ef_construction(400);
/// assert_eq!((params.m, params.seed), (32, 0));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Params {
    /// M: a point links to M others on each level, and accepts up to 2M links on level 0. More
    /// helps recall in high dimensions and costs 8·M bytes per point. 2…512.
    pub m: usize,
    /// The beam of the searches that find a new point's neighbours. More gives a better graph and
    /// a slower build. 1…1,048,576.
    pub ef_construction: usize,
    /// Decides levels and the order of insertion.
    pub seed: u64,
    /// Whether lists on level 0 are filled, with points that the diversity heuristic pruned as well
    /// (the paper's *keepPrunedConnections*): once all points of a build or of a batch are linked,
    /// the list of each is chosen anew, with as many links as it holds. Finds more per `ef` where
    /// points are about equally far from each other and in many dimensions; gains most when all
    /// points are there at once, since later batches do not fill the lists of earlier points.
    /// The build then takes three times as many distances on WordNet.
    pub keep_pruned: bool,
}

impl Default for Params {
    fn default() -> Self {
        Self::new()
    }
}

impl Params {
    /// The parameters that suit most sets: M 16, `ef_construction` 200.
    pub const fn new() -> Self {
        Self { m: 16, ef_construction: 200, seed: 0, keep_pruned: false }
    }

    /// With another [`m`](field@Self::m).
    #[must_use]
    pub const fn m(self, m: usize) -> Self {
        Self { m, ..self }
    }

    /// With another [`ef_construction`](field@Self::ef_construction).
    #[must_use]
    pub const fn ef_construction(self, ef_construction: usize) -> Self {
        Self { ef_construction, ..self }
    }

    /// With another [`seed`](field@Self::seed).
    #[must_use]
    pub const fn seed(self, seed: u64) -> Self {
        Self { seed, ..self }
    }

    /// With lists that are [filled](field@Self::keep_pruned), or not.
    #[must_use]
    pub const fn keep_pruned(self, keep_pruned: bool) -> Self {
        Self { keep_pruned, ..self }
    }

    pub(crate) const M: std::ops::RangeInclusive<usize> = 2..=512;
    pub(crate) const EF_CONSTRUCTION: std::ops::RangeInclusive<usize> = 1..=1 << 20;

    pub(crate) fn check(&self) -> Result<(), ParamsError> {
        if !Self::M.contains(&self.m) {
            return Err(ParamsError::M(self.m));
        }
        if !Self::EF_CONSTRUCTION.contains(&self.ef_construction) {
            return Err(ParamsError::EfConstruction(self.ef_construction));
        }
        Ok(())
    }
}

/// A parameter is out of its range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ParamsError {
    /// M is not in 2…512.
    M(usize),
    /// `ef_construction` is not in 1…1,048,576.
    EfConstruction(usize),
}

impl fmt::Display for ParamsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, value, range) = match self {
            Self::M(value) => ("M", value, Params::M),
            Self::EfConstruction(value) => ("ef_construction", value, Params::EF_CONSTRUCTION),
        };
        write!(f, "{name} is {value}; it must be in {}…{}", range.start(), range.end())
    }
}

impl std::error::Error for ParamsError {}
