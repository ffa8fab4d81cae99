//! The head of a file: what the index is.

use twox_hash::XxHash3_64;

use super::corruption::Corruption;

const MAGIC: [u8; 8] = *b"NFIELDIX";
const VERSION: u32 = 1;

/// Bytes of the head, and of a name in it.
pub(super) const BYTES: usize = 192;
pub(super) const NAME_BYTES: usize = 16;

/// Bytes of the beginning of a description.
const DESCRIPTION_BYTES: usize = 24;

/// Where the checksum stands.
pub(super) const CHECKSUM: std::ops::Range<usize> = 24..32;

/// A bit of the head's flags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum Flag {
    /// The parameter `keep_pruned`.
    KeepPruned = 1,
    /// Rows are stored in halves.
    SplitRows = 2,
    /// The upper halves are the whole truth about every row.
    Short = 4,
}

/// What the head says, but for what follows from the rest of the file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) metric: String,
    pub(crate) element: String,
    pub(crate) keys: String,
    pub(crate) dim: u32,
    pub(crate) stride: u32,
    pub(crate) m: u32,
    pub(crate) flags: u32,
    pub(crate) ef_construction: u64,
    pub(crate) seed: u64,
    pub(crate) points: u32,
    pub(crate) removals: u32,
    pub(crate) entry: u32,
    pub(crate) copies: u32,
    pub(crate) next_repaired: u64,
    pub(crate) build_distances: u64,
    pub(crate) mark: u64,
    pub(crate) space: Description,
}

/// What a space says of itself whose points are not in the file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Description {
    /// XXH3-64 of the words; 0 where there are none.
    pub(crate) hash: u64,
    /// The words, or how they begin.
    pub(crate) words: String,
}

impl Description {
    pub(crate) fn of(words: &str) -> Self {
        let hash = if words.is_empty() { 0 } else { XxHash3_64::oneshot(words.as_bytes()).max(1) };
        let mut end = words.len().min(DESCRIPTION_BYTES);
        while !words.is_char_boundary(end) {
            end -= 1;
        }
        Self { hash, words: words[..end].to_owned() }
    }

    /// Whether they say different things; one that says nothing differs from none.
    pub(crate) fn differs(&self, other: &Self) -> bool {
        self.hash != other.hash && self.hash != 0 && other.hash != 0
    }
}

/// The fields that say how the file is made up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) sections: u32,
    pub(super) file_len: u64,
    pub(super) checksum: u64,
}

impl Head {
    pub(crate) fn has(&self, flag: Flag) -> bool {
        self.flags & flag as u32 != 0
    }

    pub(crate) fn set(&mut self, flag: Flag, holds: bool) {
        if holds {
            self.flags |= flag as u32;
        }
    }

    /// The head's bytes, with no checksum yet.
    pub(super) fn write(&self, sections: usize, file_len: u64) -> Vec<u8> {
        let mut out = Vec::with_capacity(BYTES);
        out.extend(MAGIC);
        put(&mut out, [VERSION, sections as u32]);
        put_long(&mut out, [file_len, 0]);
        for name in [&self.metric, &self.element, &self.keys] {
            let mut field = [0; NAME_BYTES];
            field[..name.len()].copy_from_slice(name.as_bytes());
            out.extend(field);
        }
        put(&mut out, [self.dim, self.stride, self.m, self.flags]);
        put_long(&mut out, [self.ef_construction, self.seed]);
        put(&mut out, [self.points, self.removals, self.entry, self.copies]);
        put_long(&mut out, [self.next_repaired, self.build_distances, self.mark, self.space.hash]);
        out.extend(self.space.words.as_bytes());
        out.resize(BYTES, 0);
        out
    }

    /// What the bytes of a head say; how the file is made up first.
    pub(super) fn read(bytes: &[u8; BYTES]) -> Result<(Frame, Self), Corruption> {
        if bytes[..8] != MAGIC {
            return Err(Corruption::NotAnIndex);
        }
        if short(bytes, 8) != VERSION {
            return Err(Corruption::Version(short(bytes, 8)));
        }
        let frame = Frame {
            sections: short(bytes, 12),
            file_len: long(bytes, 16),
            checksum: long(bytes, CHECKSUM.start),
        };
        let head = Self {
            metric: name(bytes, 32, "metric")?,
            element: name(bytes, 48, "element")?,
            keys: name(bytes, 64, "encoding of keys")?,
            dim: short(bytes, 80),
            stride: short(bytes, 84),
            m: short(bytes, 88),
            flags: short(bytes, 92),
            ef_construction: long(bytes, 96),
            seed: long(bytes, 104),
            points: short(bytes, 112),
            removals: short(bytes, 116),
            entry: short(bytes, 120),
            copies: short(bytes, 124),
            next_repaired: long(bytes, 128),
            build_distances: long(bytes, 136),
            mark: long(bytes, 144),
            space: Description {
                hash: long(bytes, 152),
                words: text(&bytes[160..][..DESCRIPTION_BYTES], "description of the space")?,
            },
        };
        Ok((frame, head))
    }
}

pub(super) fn put<const N: usize>(out: &mut Vec<u8>, fields: [u32; N]) {
    fields.into_iter().for_each(|field| out.extend(field.to_le_bytes()));
}

pub(super) fn put_long<const N: usize>(out: &mut Vec<u8>, fields: [u64; N]) {
    fields.into_iter().for_each(|field| out.extend(field.to_le_bytes()));
}

/// The number at an offset of bytes that are long enough.
pub(super) fn short(bytes: &[u8], offset: usize) -> u32 {
    u32::from_le_bytes(std::array::from_fn(|i| bytes[offset + i]))
}

/// The same of 64 bits.
pub(super) fn long(bytes: &[u8], offset: usize) -> u64 {
    u64::from_le_bytes(std::array::from_fn(|i| bytes[offset + i]))
}

fn name(bytes: &[u8], offset: usize, of: &'static str) -> Result<String, Corruption> {
    text(&bytes[offset..][..NAME_BYTES], of)
}

/// What stands before the zeros at the end of a field.
fn text(field: &[u8], of: &'static str) -> Result<String, Corruption> {
    let len = field.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    let unknown = |_| Corruption::Name { of, found: field.escape_ascii().to_string() };
    str::from_utf8(&field[..len]).map(str::to_owned).map_err(unknown)
}
