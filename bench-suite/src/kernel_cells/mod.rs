//! Times the kernels of one backend cell by cell, beside the peers: every metric, element, length and
//! course through memory.

mod cell;
mod in_order;
mod plan;
mod run;

pub use cell::{Cell, Shape};
pub use plan::{BIT_DIMS, DIMS, Plan};
pub use run::{elements, measure};
