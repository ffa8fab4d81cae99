//! Indexes in files: saved, mapped, read.
//!
//! | | reads | verifies | then |
//! |---|---|---|---|
//! | [`Index::open`] | nothing but the head: milliseconds, whatever the size | head; every id when it is used; the rest before the first change | pages come from the file as they are needed |
//! | [`Index::open_verified`] | all | all | as above |
//! | [`Index::load`] | all | all | the index is in memory and needs no file |
//!
//! [`crate::format`] has the bytes.
//!
//! [`Index::open`]: crate::Index::open
//! [`Index::open_verified`]: crate::Index::open_verified
//! [`Index::load`]: crate::Index::load

mod atomic;
mod error;
mod file_info;
mod open;
mod save;

pub use error::{OpenCause, OpenError, SaveError};
pub use file_info::{FileInfo, SectionInfo};
