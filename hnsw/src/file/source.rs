//! Reading a file: head and table first, then sections as they are asked for, mapped or read.

use std::hash::Hasher;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::sync::Arc;

use memmap2::Mmap;
use twox_hash::XxHash3_64;

use super::corruption::Corruption;
use super::head::{self, Head};
use super::kind::Kind;
use super::map::Unchanging;
use super::section_table::{self, Section};
use crate::file::disk::Input;
use crate::store::{Plain, Segment, Table};

/// Bytes of a section that are read at a time to verify it.
const PIECE: u64 = 1 << 20;

/// Why a file cannot be read.
#[derive(Debug)]
pub(crate) enum ReadError {
    Io(io::Error),
    Damaged(Corruption),
}

impl From<io::Error> for ReadError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<Corruption> for ReadError {
    fn from(damage: Corruption) -> Self {
        Self::Damaged(damage)
    }
}

/// Bytes of a section.
#[derive(Clone, Debug)]
pub(crate) enum Bytes {
    Mapped(Arc<Mmap>, Range<usize>),
    Read(Arc<[u8]>),
}

impl std::ops::Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Mapped(map, range) => &map[range.clone()],
            Self::Read(bytes) => bytes,
        }
    }
}

/// A file whose head and table are good. Sections that are read have their checksum verified; those
/// that are mapped do not, unless [`verify`](Self::verify) does.
#[derive(Debug)]
pub(crate) struct Source {
    sections: Vec<Section>,
    from: Origin,
}

#[derive(Debug)]
enum Origin {
    Map(Unchanging, Arc<Mmap>),
    Input(Box<dyn Input>),
}

impl Source {
    /// Reads what the file is made of.
    pub(crate) fn read(mut input: Box<dyn Input>) -> Result<(Head, Self), ReadError> {
        let len = input.len()?;
        let (head, sections) = front(&mut input, len)?;
        Ok((head, Self { sections, from: Origin::Input(input) }))
    }

    /// The same for a file that is to be mapped.
    pub(crate) fn map(mut file: Unchanging) -> Result<(Head, Self), ReadError> {
        let len = file.file().metadata()?.len();
        let (head, sections) = front(file.file(), len)?;
        let map = Arc::new(file.whole()?);
        Ok((head, Self { sections, from: Origin::Map(file, map) }))
    }

    pub(crate) fn sections(&self) -> &[Section] {
        &self.sections
    }

    /// Verifies the checksums of all sections that are mapped; those that are read verify themselves.
    pub(crate) fn verify(&self) -> Result<(), Corruption> {
        self.sections.iter().try_for_each(|section| self.verify_section(section.kind))
    }

    /// Verifies the checksum of a section.
    pub(crate) fn verify_section(&self, kind: Kind) -> Result<(), Corruption> {
        let Origin::Map(_, map) = &self.from else { return Ok(()) };
        let section = self.find(kind)?;
        if XxHash3_64::oneshot(&map[range(section)]) == section.checksum {
            Ok(())
        } else {
            Err(Corruption::Checksum(kind))
        }
    }

    /// Reads a section of a file that is not mapped, a piece at a time, and verifies its checksum.
    pub(crate) fn read_through(&mut self, kind: Kind) -> Result<(), ReadError> {
        let section = self.find(kind)?;
        let Origin::Input(input) = &mut self.from else { return Ok(self.verify_section(kind)?) };
        input.seek(SeekFrom::Start(section.offset))?;
        let mut hasher = XxHash3_64::new();
        let mut piece = vec![0; section.len.min(PIECE) as usize];
        let mut left = section.len;
        while left > 0 {
            let piece = &mut piece[..left.min(PIECE) as usize];
            input.read_exact(piece)?;
            hasher.write(piece);
            left -= piece.len() as u64;
        }
        if hasher.finish() == section.checksum {
            Ok(())
        } else {
            Err(Corruption::Checksum(kind).into())
        }
    }

    /// A section, which has `len` bytes.
    fn section(&self, kind: Kind, len: u64) -> Result<Section, Corruption> {
        let section = self.find(kind)?;
        if section.len != len {
            return Err(Corruption::Section { section: kind, expected: len, found: section.len });
        }
        Ok(section)
    }

    fn find(&self, kind: Kind) -> Result<Section, Corruption> {
        let found = self.sections.iter().find(|section| section.kind == kind);
        found.copied().ok_or(Corruption::Missing(kind))
    }

    /// The bytes of a section.
    pub(crate) fn len(&self, kind: Kind) -> Result<u64, Corruption> {
        Ok(self.find(kind)?.len)
    }

    /// The rows of a table, which has room for as many more as `rows` rows have at first.
    pub(crate) fn table<T: Plain + Send>(
        &mut self,
        kind: Kind,
        stride: usize,
        rows: usize,
    ) -> Result<Table<T>, ReadError> {
        self.grown(kind, stride, rows, rows)
    }

    /// A table of `rows` rows, of which the first `saved` are in the file.
    pub(crate) fn grown<T: Plain + Send>(
        &mut self,
        kind: Kind,
        stride: usize,
        saved: usize,
        rows: usize,
    ) -> Result<Table<T>, ReadError> {
        let log2 = Table::<T>::room_log2(rows);
        let room = 1usize.checked_shl(log2).and_then(|rows| rows.checked_mul(stride));
        let room = room.ok_or_else(|| io::Error::from(io::ErrorKind::OutOfMemory))?;
        let segment = self.segment(kind, saved * stride, room)?;
        Ok(Table::restored(segment, log2, stride, rows))
    }

    /// The items of a section, of which there are `saved`, in a segment of `len`.
    pub(crate) fn segment<T: Plain>(
        &mut self,
        kind: Kind,
        saved: usize,
        len: usize,
    ) -> Result<Segment<T>, ReadError> {
        let bytes = (saved as u64).saturating_mul(size_of::<T>() as u64);
        let section = self.section(kind, bytes)?;
        match &mut self.from {
            Origin::Map(file, _) => Ok(file.segment(section.offset, saved, len)?),
            Origin::Input(input) => {
                let mut segment = Segment::zeroed(len)?;
                read(input, section, segment.bytes_mut(saved))?;
                Ok(segment)
            }
        }
    }

    /// The bytes of a section, however many there are.
    pub(crate) fn bytes(&mut self, kind: Kind) -> Result<Bytes, ReadError> {
        let section = self.find(kind)?;
        match &mut self.from {
            Origin::Map(_, map) => Ok(Bytes::Mapped(Arc::clone(map), range(section))),
            Origin::Input(input) => {
                let mut bytes = vec![0; section.len as usize];
                read(input, section, &mut bytes)?;
                Ok(Bytes::Read(bytes.into()))
            }
        }
    }
}

/// Head and table of a file.
fn front(
    input: &mut (impl Read + ?Sized),
    file_len: u64,
) -> Result<(Head, Vec<Section>), ReadError> {
    if cfg!(target_endian = "big") {
        let message = "saved indexes are little-endian, this machine is not";
        return Err(io::Error::new(io::ErrorKind::Unsupported, message).into());
    }
    let short = Corruption::Length { expected: head::BYTES as u64, found: file_len };
    let mut bytes = [0; head::BYTES];
    let got = read_up_to(input, &mut bytes)?;
    if got < bytes.len() {
        // What is no index says so before it says that it is short.
        let begins = bytes[..got.min(8)] == b"NFIELDIX"[..got.min(8)];
        return Err(if begins && got > 0 { short } else { Corruption::NotAnIndex }.into());
    }
    let mut all = bytes.to_vec();
    all.resize(section_table::front_of(&bytes)?, 0);
    if all.len() as u64 > file_len {
        return Err(Corruption::Length { expected: all.len() as u64, found: file_len }.into());
    }
    input.read_exact(&mut all[head::BYTES..])?;
    Ok(section_table::read(&mut all, file_len)?)
}

fn read_up_to(input: &mut (impl Read + ?Sized), bytes: &mut [u8]) -> io::Result<usize> {
    let mut got = 0;
    while got < bytes.len() {
        match input.read(&mut bytes[got..]) {
            Ok(0) => break,
            Ok(more) => got += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(got)
}

/// Reads a section that has as many bytes as there is room for, and verifies it.
fn read(input: &mut Box<dyn Input>, section: Section, bytes: &mut [u8]) -> Result<(), ReadError> {
    input.seek(SeekFrom::Start(section.offset))?;
    input.read_exact(bytes)?;
    if XxHash3_64::oneshot(bytes) == section.checksum {
        Ok(())
    } else {
        Err(Corruption::Checksum(section.kind).into())
    }
}

fn range(section: Section) -> Range<usize> {
    section.offset as usize..(section.offset + section.len) as usize
}
