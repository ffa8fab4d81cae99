//! What every format is to the reader: rows of one kind and dimension, taken from the front.

use crate::{
    error::Problem,
    keys::Keys,
    matrix::{Kind, Values},
};

/// Rows that have not been read yet.
pub(crate) trait Rows {
    fn kind(&self) -> Kind;

    fn dim(&self) -> usize;

    /// How many there are in all, where the file says so. Nothing but progress may depend on it.
    fn total(&self) -> Option<u64>;

    /// The next `limit` rows (at least 1), or as many as there are.
    fn next(&mut self, limit: usize) -> Result<Taken, Problem>;
}

/// Rows that have been read.
pub(crate) struct Taken {
    pub(crate) values: Values,
    pub(crate) keys: Option<Keys>,
}

impl From<Values> for Taken {
    fn from(values: Values) -> Self {
        Self { values, keys: None }
    }
}
