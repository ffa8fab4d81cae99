//! Memory of the index: arrays that grow without moving.

mod grant;
mod hash_index;
mod plain;
mod segment;
mod slots;
mod table;

pub(crate) use grant::grant;
#[cfg(test)]
pub(crate) use grant::with_refusal;
pub(crate) use hash_index::{HashIndex, MOST};
pub(crate) use plain::Plain;
pub(crate) use segment::Segment;
pub(crate) use slots::Slots;
pub(crate) use table::Table;
