//! Indexes in files: saved, read, mapped.
//!
//! | | reads | verifies | then |
//! |---|---|---|---|
//! | [`Index::load`] | all | all | the index is in memory and needs no file |
//! | [`Index::open`], unsafe | nothing but the head: milliseconds, whatever the size | head; every id when it is used; the rest before the first change | pages come from the file as they are needed; nobody may write to it |
//! | [`Index::open_verified`], unsafe | all | all | as above |
//!
//! [`crate::format`] has the bytes.
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

mod atomic;
mod error;
mod file_info;
mod mapped;
mod open;
mod save;

pub(crate) use atomic::replace;
pub use error::{OpenCause, OpenError, SaveError};
pub use file_info::{FileInfo, SectionInfo};
