//! An index that survives: a folder with a snapshot and a log of what was done since.
//!
//! | file | holds |
//! |---|---|
//! | `lock` | nothing; locked by the process that has the index open |
//! | `snapshot` | a [saved index](crate::Index::save), and in it the number of the last record whose operation it contains |
//! | `log` | operations since, or since an earlier snapshot |
//! | `.snapshot.….new`, `snapshot.new`, `log.new` | what an interrupted checkpoint left; removed by the next opening |
//!
//! A checkpoint writes a snapshot beside, reads it back, and renames it; then a log without records. When
//! it is interrupted between the two, the old log's records up to the snapshot's number are skipped.
//!
//! # The log, byte by byte
//!
//! A head, then records one behind the other. All numbers are little-endian and unsigned, checksums
//! are xxh3-64.
//!
//! | head: bytes | holds |
//! |---|---|
//! | 0..8 | `NFIELDWL` |
//! | 8..12 | the version of the format, 1 |
//! | 12..16 | zeros |
//! | 16..32 | the key encoding, [`SavedKey::ENCODING`](crate::SavedKey::ENCODING), and zeros |
//! | 32..48 | the element, as `f32`, and zeros |
//! | 48..64 | the metric, [`Metric::name`](crate::Metric::name), and zeros |
//! | 64..72 | the dimension |
//! | 72..80 | the number behind which the records begin |
//! | 80..88 | the salt, a random number |
//! | 88..96 | the checksum of 0..88, seed 0 |
//!
//! | record: bytes | holds |
//! |---|---|
//! | 0..4 | `n` `f` `R` `0xAF` |
//! | 4 | the operation: 0 mark, 1 insert, 2 upsert, 3 remove, 4 insert a batch |
//! | 5..8 | zeros |
//! | 8..16 | the length of the body |
//! | 16..24 | the record's number: one more than that of the record before |
//! | 24..32 | *durable*: the last record known to be synced when this one was written |
//! | 32..40 | the checksum of the body |
//! | 40..48 | the checksum of 0..40 |
//! | 48.. | the body |
//!
//! Both checksums of a record are seeded with the checksum of the whole head of the log. With its salt
//! that makes a record of another log, stale bytes of the disk, or a log inside somebody's vector no
//! record of this one.
//!
//! | body of | holds |
//! |---|---|
//! | mark | nothing |
//! | remove | a key: its length in 8 bytes, and its bytes as [`SavedKey::write`](crate::SavedKey::write) gives them |
//! | insert, upsert | a key and a vector: the elements as they were given, little-endian |
//! | insert a batch | how many in 8 bytes, and so many keys, each followed by its vector |
//!
//! # A torn end and damage
//!
//! Records are read in order, until one is bad: its head is cut short, has the wrong checksum, a number
//! out of turn or a length beyond the file, or its body the wrong checksum. The rest of the file is
//! looked through for heads of records.
//!
//! - If one says that the bad record was synced (its *durable* reaches that number), then the bad one
//!   was acknowledged and has been damaged since: an error that says where.
//! - Otherwise nobody was promised the bad record or any behind it. Power loss keeps what was not synced
//!   in any order, so it may have kept those behind it: all from the bad one on is cut, and reported.
//!
//! So that it can be known, a mark follows every sync, unsynced itself: only where the process or the
//! power ended between the two is damage to the last records taken for a torn end.
//!
//! A log that does not end with a mark of all before it, or was torn, is not gone on with: its good
//! records are copied to a new one, which is read back before it takes the place of the other. For
//! after a failed sync a file can read as if all was written, and keep nothing. Where there is no room
//! for the copy, the index is opened without it, and the first write makes it or fails.
//!
//! # Reading beside a writer
//!
//! Whoever reads without the lock opens the log first, and then the snapshot. Then the snapshot is that
//! which the log begins behind, or a later one, whose number is that of a record of the log or beyond:
//! in each case the two together are what the index was at one moment.

mod begin;
mod error;
#[cfg(test)]
mod fault_tests;
mod folder;
mod head;
mod index;
mod log;
mod log_info;
mod open;
mod operation;
mod policy;
mod read;
mod record;
mod recover;
mod replay;
mod snapshot;
#[cfg(test)]
mod threads;

pub use error::{
    BadLog, CheckpointError, CreateError, LogError, RecoverError, SnapshotError, WriteError,
};
pub use index::Durable;
pub use log_info::LogInfo;
pub use policy::{Every, OnFlush, Policy, Synced, Unsynced};
pub use recover::Cut;
pub use replay::Recovery;
