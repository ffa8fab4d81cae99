//! What every step of a build needs.

use crate::graph::Duplicates;
use crate::params::Params;

/// The points, which of them are equal, the parameters, and whom to tell of progress.
pub(crate) struct Builder<'a, S> {
    pub(crate) space: &'a S,
    pub(crate) duplicates: &'a Duplicates,
    pub(crate) params: &'a Params,
    pub(crate) progress: &'a (dyn Fn(usize, usize) + Sync),
}
