//! Building: points enter the graph in batches, each in parallel, with one result for any number
//! of threads.
//!
//! The points of a batch search the graph as it was before the batch, so they do not depend on each
//! other ([`plan`]). Then the tree takes them in, one after another ([`tree`]); then the links
//! back to them are grouped by target and every target's list is settled once ([`reverse`]).
//! Batches double from one up to a share of the index, in an order shuffled by the seed ([`order`]),
//! so that no group of new points is blind to itself. With `keep_pruned` the lists of the new points
//! are then chosen anew among all points, and filled ([`fill`]).
//!
//! One point alone is a batch of one, on the thread at hand ([`Builder::link_one`]); [`remove`] is the
//! way back.

mod batch;
mod builder;
mod fill;
mod options;
mod order;
mod plan;
mod remove;
mod repair;
mod reverse;
mod select;
mod tree;

pub(crate) use builder::Builder;
pub use options::{Build, BuildError};
pub(crate) use plan::Plan;
pub(crate) use remove::Gone;
