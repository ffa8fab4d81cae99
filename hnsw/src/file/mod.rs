//! Indexes in files: saved, read, mapped; and what a file is made of.
//!
//! | | reads | verifies | then |
//! |---|---|---|---|
//! | [`Index::load`] | all | all | the index is in memory and needs no file |
//! | [`Index::open`], unsafe | nothing but the head: milliseconds, whatever the size | head; every id when it is used; the rest before the first change | pages come from the file as they are needed; nobody may write to it |
//! | [`Index::open_verified`], unsafe | all | all | as above |
//!
//! To map wants a promise, which only `unsafe` asks for:
//!
//! ```compile_fail,E0133
//! nearfield_hnsw::Index::<u64, nearfield_hnsw::Vectors<f32>>::open("index")?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`Index::load`]: crate::Index::load
//! [`Index::open`]: crate::Index::open
//! [`Index::open_verified`]: crate::Index::open_verified
//!
//! # The bytes
//!
//! One file, little-endian, that can be mapped and searched as it lies.
//!
//! ```text
//! 0            192                    a multiple of 64                       length of the file
//! ├─ head ─────┼─ table of sections ──┼─ section ─┼─ zeros ─┼─ section ─ … ──┤
//! ```
//!
//! # Head
//!
//! | offset | type | |
//! |---|---|---|
//! | 0 | 8 bytes | `NFIELDIX` |
//! | 8 | `u32` | version of the format: 1 |
//! | 12 | `u32` | number of sections |
//! | 16 | `u64` | length of the file |
//! | 24 | `u64` | XXH3-64 of head and table, where these 8 bytes count as zeros |
//! | 32 | 16 bytes | the metric's name, as all names here filled up with zeros; empty where the points are kept elsewhere |
//! | 48 | 16 bytes | the element's name; empty where the points are kept elsewhere |
//! | 64 | 16 bytes | the encoding of the keys; empty where there are none |
//! | 80 | `u32` | dimension: elements of a vector |
//! | 84 | `u32` | elements from row to row |
//! | 88 | `u32` | M |
//! | 92 | `u32` | flags: 1 `keep_pruned`; 2 rows are split into halves; 4 the upper halves are the whole truth about every row |
//! | 96 | `u64` | `ef_construction` |
//! | 104 | `u64` | seed |
//! | 112 | `u32` | points, those that were removed among them |
//! | 116 | `u32` | removals |
//! | 120 | `u32` | entry point, 2³² − 1 where no point lives |
//! | 124 | `u32` | points that are or were copies |
//! | 128 | `u64` | removals since lists that lead to removed points were last looked for |
//! | 136 | `u64` | distances that building took |
//! | 144 | `u64` | the last operation of a log that is in here, 0 without a log |
//! | 152 | `u64` | XXH3-64 of what the space [says of itself](crate::space::Space::description), where the points are kept elsewhere; 0 where it says nothing |
//! | 160 | 24 bytes | how its words begin |
//! | 184 | 8 bytes | 0 |
//!
//! # Table of sections
//!
//! For each section, in the order of their offsets:
//!
//! | offset | type | |
//! |---|---|---|
//! | 0 | `u32` | what it is, see [`SectionKind`] |
//! | 4 | `u32` | 0 |
//! | 8 | `u64` | offset in the file, a multiple of 64: the first behind the section before |
//! | 16 | `u64` | length in bytes |
//! | 24 | `u64` | XXH3-64 of its bytes |
//!
//! Between sections, and behind the table, there are zeros. The same index is the same bytes. What the
//! sections hold is said in [`SectionKind`]; `docs/format.md` has a picture.

mod atomic;
mod corruption;
pub(crate) mod disk;
mod error;
mod file_info;
mod head;
mod kind;
mod map;
mod mapped;
mod open;
mod parts;
mod save;
mod section_table;
mod source;

pub(crate) use atomic::replace;
pub use corruption::Corruption;
pub use error::{OpenCause, OpenError, SaveError};
pub use file_info::{FileInfo, SectionInfo};
pub(crate) use head::{Description, Flag, Head};
pub use kind::Kind as SectionKind;
pub(crate) use kind::Kind;
pub(crate) use map::Unchanging;
pub(crate) use parts::Parts;
pub(crate) use source::{Bytes, ReadError, Source};

/// Sections, and rows in them, begin at cache lines.
const ALIGNMENT: u64 = 64;
