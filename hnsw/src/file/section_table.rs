//! The table of sections: where they are and what their bytes hash to.

use twox_hash::XxHash3_64;

use super::ALIGNMENT;
use super::corruption::Corruption;
use super::head::{self, CHECKSUM, Frame, Head};
use super::kind::Kind;

/// Bytes of an entry, and the most entries: there are not that many kinds.
const ENTRY_BYTES: usize = 32;
const MOST: u32 = 64;

/// One section of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Section {
    pub(crate) kind: Kind,
    pub(crate) offset: u64,
    pub(crate) len: u64,
    pub(crate) checksum: u64,
}

/// Bytes of head and table, for so many sections.
pub(super) fn front_bytes(sections: u32) -> usize {
    head::BYTES + sections as usize * ENTRY_BYTES
}

/// Where a section begins that follows `end`.
pub(super) fn next_offset(end: u64) -> u64 {
    end.next_multiple_of(ALIGNMENT)
}

/// The bytes of head and table; sections are there with their places.
pub(super) fn write(head: &Head, sections: &[Section]) -> Vec<u8> {
    let front = front_bytes(sections.len() as u32) as u64;
    let file_len = sections.last().map_or(front, |last| last.offset + last.len);
    let mut out = head.write(sections.len(), file_len);
    for section in sections {
        head::put(&mut out, [section.kind as u32, 0]);
        head::put_long(&mut out, [section.offset, section.len, section.checksum]);
    }
    let checksum = XxHash3_64::oneshot(&out);
    out[CHECKSUM].copy_from_slice(&checksum.to_le_bytes());
    out
}

/// How many bytes head and table of a file take that begins with these.
pub(super) fn front_of(bytes: &[u8; head::BYTES]) -> Result<usize, Corruption> {
    let (Frame { sections, .. }, _) = Head::read(bytes)?;
    if sections > MOST {
        return Err(Corruption::Field { name: "number of sections", value: sections.into() });
    }
    Ok(front_bytes(sections))
}

/// What head and table say, of a file of `file_len` bytes.
pub(super) fn read(front: &mut [u8], file_len: u64) -> Result<(Head, Vec<Section>), Corruption> {
    let bytes = front.first_chunk().ok_or(Corruption::NotAnIndex)?;
    let (frame, head) = Head::read(bytes)?;
    if frame.file_len != file_len {
        return Err(Corruption::Length { expected: frame.file_len, found: file_len });
    }
    front[CHECKSUM].fill(0);
    if XxHash3_64::oneshot(front) != frame.checksum {
        return Err(Corruption::Head);
    }
    let mut end = front.len() as u64;
    let mut sections = Vec::with_capacity(frame.sections as usize);
    for entry in front[head::BYTES..].chunks_exact(ENTRY_BYTES) {
        let section = section(entry, end, file_len)?;
        end = section.offset + section.len;
        sections.push(section);
    }
    if end != file_len {
        return Err(Corruption::Length { expected: end, found: file_len });
    }
    Ok((head, sections))
}

/// A section that lies behind `end`.
fn section(entry: &[u8], end: u64, file_len: u64) -> Result<Section, Corruption> {
    let code = head::short(entry, 0);
    let kind = Kind::of(code)
        .ok_or(Corruption::Field { name: "kind of a section", value: code.into() })?;
    let [offset, len, checksum] = [8, 16, 24].map(|at| head::long(entry, at));
    if offset != next_offset(end) {
        return Err(Corruption::Field { name: "offset of a section", value: offset });
    }
    match offset.checked_add(len) {
        Some(end) if end <= file_len => Ok(Section { kind, offset, len, checksum }),
        _ => Err(Corruption::Field { name: "length of a section", value: len }),
    }
}
