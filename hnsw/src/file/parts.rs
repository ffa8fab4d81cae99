//! Writing a file: the parts of an index, to be laid out one behind the other.

use std::io;

use twox_hash::XxHash3_64;

use super::head::Head;
use super::kind::Kind;
use super::section_table::{Section, front_bytes, next_offset, write};
use crate::store::{Plain, Table};

/// Items that are converted at a time.
const CHUNK: usize = 1 << 14;

/// What takes the bytes of a part, piece by piece.
type Sink<'a> = dyn FnMut(&[u8]) -> io::Result<()> + 'a;

/// What gives them.
type Write<'a> = dyn Fn(&mut Sink<'_>) -> io::Result<()> + 'a;

/// A part of the index that becomes a section.
struct Part<'a> {
    kind: Kind,
    len: u64,
    write: Box<Write<'a>>,
}

/// The parts, in the order in which they are written. None may change before they are.
#[derive(Default)]
pub(crate) struct Parts<'a> {
    parts: Vec<Part<'a>>,
}

impl<'a> Parts<'a> {
    /// The first `rows` rows of a table.
    pub(crate) fn table<T: Plain + Send>(&mut self, kind: Kind, table: &'a Table<T>, rows: usize) {
        let len = (rows * table.stride() * size_of::<T>()) as u64;
        self.add(kind, len, move |sink| {
            table.segments(rows).try_for_each(|items| put(items, sink))
        });
    }

    /// Items that lie together.
    pub(crate) fn slice<T: Plain>(&mut self, kind: Kind, items: &'a [T]) {
        self.add(kind, size_of_val(items) as u64, move |sink| put(items, sink));
    }

    /// Bytes as they are.
    pub(crate) fn bytes(&mut self, kind: Kind, bytes: Vec<u8>) {
        self.add(kind, bytes.len() as u64, move |sink| sink(&bytes));
    }

    fn add(&mut self, kind: Kind, len: u64, write: impl Fn(&mut Sink<'_>) -> io::Result<()> + 'a) {
        self.parts.push(Part { kind, len, write: Box::new(write) });
    }

    /// Gives the bytes of the file to `sink`: hashes all parts, then writes them, so that nothing need be
    /// written twice.
    pub(crate) fn write(&self, head: &Head, sink: &mut Sink<'_>) -> io::Result<()> {
        let sections = self.sections()?;
        let front = write(head, &sections);
        sink(&front)?;
        let mut end = front.len() as u64;
        for (part, section) in self.parts.iter().zip(&sections) {
            sink(&[0; super::ALIGNMENT as usize][..(section.offset - end) as usize])?;
            (part.write)(sink)?;
            end = section.offset + section.len;
        }
        Ok(())
    }

    fn sections(&self) -> io::Result<Vec<Section>> {
        let mut end = front_bytes(self.parts.len() as u32) as u64;
        let section = |part: &Part<'_>| {
            let offset = next_offset(end);
            end = offset + part.len;
            let mut hasher = XxHash3_64::new();
            (part.write)(&mut |bytes| {
                std::hash::Hasher::write(&mut hasher, bytes);
                Ok(())
            })?;
            let checksum = std::hash::Hasher::finish(&hasher);
            Ok(Section { kind: part.kind, offset, len: part.len, checksum })
        };
        self.parts.iter().map(section).collect()
    }
}

fn put<T: Plain>(items: &[T], sink: &mut Sink<'_>) -> io::Result<()> {
    let mut bytes = Vec::new();
    for items in items.chunks(CHUNK) {
        bytes.clear();
        T::put(items, &mut bytes);
        sink(&bytes)?;
    }
    Ok(())
}
