//! Reading a log again, and telling a torn end from damage.
//!
//! Records are read in order. At the first bad one the rest of the file is looked through for heads of
//! records: one that says that the bad record had been synced makes it damage, which is an error.
//! Without one, what follows was never acknowledged when the policy syncs first: power loss may
//! have kept any part of it, and it is cut. A head has a checksum of its own, so each byte is looked
//! at once, and no length is believed that the file cannot hold.

use std::io::{self, BufReader, Read, Seek, SeekFrom};

use super::error::BadLog;
use super::head::{self, Contents, Head};
use super::operation::MARK;
use super::record::{HEAD, MAGIC, RecordHead};
use crate::file::disk::{Input, Output};

/// Bytes that are looked through, or copied, at a time.
const WINDOW: usize = 1 << 16;

/// What was cut off the end of a log: not a whole number of good records in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cut {
    /// Where it began in the file.
    pub offset: u64,
    /// Its bytes.
    pub bytes: u64,
    /// The records whose heads were found in it.
    pub records: u64,
}

/// What a log holds.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) head: Head,
    /// The number of its last good record.
    pub(super) sequence: u64,
    /// Where that ends.
    pub(super) end: u64,
    /// Whether that says that all before it is synced.
    pub(super) is_synced: bool,
    /// What follows it.
    pub(super) cut: Option<Cut>,
}

/// A good record.
pub(super) struct Record<'a> {
    pub(super) offset: u64,
    pub(super) sequence: u64,
    pub(super) kind: u8,
    pub(super) body: &'a [u8],
}

/// Why a log was not read to its end.
#[derive(Debug)]
pub(super) enum ReadError {
    File(io::Error),
    Bad(BadLog),
}

impl From<io::Error> for ReadError {
    fn from(error: io::Error) -> Self {
        Self::File(error)
    }
}

impl From<BadLog> for ReadError {
    fn from(bad: BadLog) -> Self {
        Self::Bad(bad)
    }
}

/// Hands the good records of a log over `contents` to `apply`, in order. The log must not begin behind
/// the record with the number `snapshot`.
pub(super) fn read(
    input: Box<dyn Input>,
    contents: &Contents,
    snapshot: u64,
    mut apply: impl FnMut(Record<'_>) -> Result<(), BadLog>,
) -> Result<Found, ReadError> {
    let len = input.len()?;
    let mut input = BufReader::new(input);
    let mut bytes = [0; head::LEN];
    if len < head::LEN as u64 {
        return Err(BadLog::Head.into());
    }
    input.read_exact(&mut bytes)?;
    let head = Head::read(&bytes)?;
    contents.compare(&head.contents)?;
    if head.start > snapshot {
        return Err(BadLog::Gap { snapshot, start: head.start }.into());
    }
    let (mut sequence, mut end, mut is_synced) = (head.start, head::LEN as u64, true);
    let mut body = Vec::new();
    while let Some(record) = next(&mut input, len - end, head.seed(), sequence, &mut body)? {
        let RecordHead { kind, sequence: number, durable, .. } = record;
        apply(Record { offset: end, sequence: number, kind, body: &body })?;
        is_synced = kind == MARK && durable == sequence;
        sequence = number;
        end += HEAD as u64 + record.len;
    }
    let cut = match len - end {
        0 => None,
        bytes => {
            input.seek(SeekFrom::Start(end))?;
            let records =
                look_through(&mut input, end, len, head.seed(), sequence.saturating_add(1))?;
            Some(Cut { offset: end, bytes, records })
        }
    };
    Ok(Found { head, sequence, end, is_synced, cut })
}

/// Writes the good records of a log again, under the head of another; returns where they end.
pub(super) fn copy(
    input: Box<dyn Input>,
    found: &Found,
    head: &Head,
    output: &dyn Output,
) -> io::Result<u64> {
    let mut input = BufReader::new(input);
    input.seek(SeekFrom::Start(head::LEN as u64))?;
    let (mut end, mut body, mut ready) = (head::LEN as u64, Vec::new(), Vec::new());
    for last in head.start..found.sequence {
        let record = next(&mut input, found.end - end, found.head.seed(), last, &mut body)?;
        let record = record.ok_or(io::ErrorKind::InvalidData)?;
        // All of it is synced before it takes the place of the other.
        let record = RecordHead::of(record.kind, record.sequence, last, &body, head.seed());
        ready.extend(record.write(head.seed()));
        ready.extend(&body);
        end += HEAD as u64 + record.len;
        if ready.len() >= WINDOW {
            output.write_all(&ready)?;
            ready.clear();
        }
    }
    output.write_all(&ready)?;
    Ok(end)
}

/// Reads the record behind the one with the number `last`; `None` where there is no good one.
fn next(
    input: &mut impl Read,
    room: u64,
    seed: u64,
    last: u64,
    body: &mut Vec<u8>,
) -> io::Result<Option<RecordHead>> {
    let Some(room) = room.checked_sub(HEAD as u64) else { return Ok(None) };
    let mut bytes = [0; HEAD];
    input.read_exact(&mut bytes)?;
    let is_next = |head: &RecordHead| {
        last.checked_add(1) == Some(head.sequence) && head.durable <= last && head.len <= room
    };
    let Some(head) = RecordHead::read(&bytes, seed).filter(is_next) else { return Ok(None) };
    let Ok(len) = usize::try_from(head.len) else { return Ok(None) };
    body.clear();
    body.resize(len, 0);
    input.read_exact(body)?;
    Ok(head.fits(body, seed).then_some(head))
}

/// Counts the heads of records from `offset` to `end`; an error where one of them says that the record
/// with the number `expected`, which should begin at `offset`, had been synced.
fn look_through(
    input: &mut impl Read,
    offset: u64,
    end: u64,
    seed: u64,
    expected: u64,
) -> Result<u64, ReadError> {
    let (mut records, mut start, mut window) = (0, offset, Vec::new());
    while start + (HEAD as u64) <= end {
        let more = (end - start - window.len() as u64).min(WINDOW as u64);
        input.take(more).read_to_end(&mut window)?;
        let mut heads = window.windows(HEAD).enumerate();
        let found = heads.try_for_each(|(place, bytes)| {
            if bytes[..4] != MAGIC {
                return Ok(());
            }
            let head = bytes.try_into().ok().and_then(|bytes| RecordHead::read(bytes, seed));
            let Some(head) = head else { return Ok(()) };
            records += 1;
            let later = start + place as u64;
            if head.durable >= expected { Err(BadLog::Damaged { offset, later }) } else { Ok(()) }
        });
        found?;
        // Heads that begin in the last bytes are found with the next window.
        let done = (window.len() + 1).saturating_sub(HEAD);
        if done == 0 {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
        }
        window.drain(..done);
        start += done as u64;
    }
    Ok(records)
}
