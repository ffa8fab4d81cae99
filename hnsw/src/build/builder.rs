//! What every step of a build needs.

use crate::params::Params;

/// The points, the parameters, and whom to tell of progress.
pub(crate) struct Builder<'a, S> {
    pub(crate) space: &'a S,
    pub(crate) params: &'a Params,
    pub(crate) progress: &'a (dyn Fn(usize, usize) + Sync),
}
