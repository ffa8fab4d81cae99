//! Memory of the index: arrays that grow without moving.

mod segment;
mod table;

pub(crate) use segment::Segment;
pub(crate) use table::Table;
