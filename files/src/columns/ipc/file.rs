//! A file: a magic, messages anywhere, and at the end a footer with the schema and the places of the
//! messages, its length, and the magic again.
//!
//! Everything is read by the footer. What else stands in the file means nothing, above all the schema
//! at its front, which polars writes as no message of a stream.

use std::io::{self, Read, Seek, SeekFrom};

use arrow_array::RecordBatch;
use arrow_ipc::{Block, root_as_footer};

use super::message::{CONTINUATION, Decoder, damaged, message};
use crate::error::Problem;

const MAGIC: [u8; 6] = *b"ARROW1";

/// Bytes behind the footer: its length and the magic.
const END: usize = 4 + MAGIC.len();

trait Place: Read + Seek + Send {}

impl<T: Read + Seek + Send> Place for T {}

/// The batches of a file.
pub(in crate::columns) struct IpcFile {
    bytes: Box<dyn Place>,
    pub(super) decoder: Decoder,
    /// Where the messages are that have not been read, dictionaries first.
    parts: std::vec::IntoIter<Part>,
}

/// Where a message is, inside the file.
#[derive(Clone, Copy)]
struct Part {
    start: u64,
    metadata: u64,
    body: u64,
}

impl IpcFile {
    /// Reads the footer.
    pub(super) fn open(mut bytes: impl Read + Seek + Send + 'static) -> Result<Self, Problem> {
        let length = bytes.seek(SeekFrom::End(0))?;
        let no_footer = || damaged("it does not end with the length of a footer and ARROW1");
        let before_end = length.checked_sub(END as u64).ok_or_else(no_footer)?;
        let end = read(&mut bytes, before_end, END as u64)?;
        let (footer, magic) = end.split_first_chunk::<4>().expect("as many bytes as were read");
        if magic != MAGIC {
            return Err(no_footer());
        }
        let footer = u64::from(u32::from_le_bytes(*footer));
        let start = before_end.checked_sub(footer);
        let start = start.ok_or_else(|| damaged("the footer would be longer than the file"))?;
        let footer = read(&mut bytes, start, footer)?;
        let footer = root_as_footer(&footer).map_err(|error| {
            Problem::Container(format!("the footer is damaged: {error}").into())
        })?;
        let schema = footer.schema().ok_or_else(|| damaged("the footer has no schema"))?;
        let decoder = Decoder::new(schema)?;
        let blocks = footer.dictionaries().into_iter().chain(footer.recordBatches()).flatten();
        let parts = blocks.map(|block| Part::of(block, start)).collect::<Result<Vec<_>, _>>()?;
        let all = parts.iter().map(|part| part.metadata + part.body);
        if all.fold(0, u64::saturating_add) > start {
            return Err(damaged(
                "the footer says of the same bytes that they are several messages",
            ));
        }
        Ok(Self { bytes: Box::new(bytes), decoder, parts: parts.into_iter() })
    }

    pub(super) fn next(&mut self) -> Result<Option<RecordBatch>, Problem> {
        for part in self.parts.by_ref() {
            let metadata = read(&mut self.bytes, part.start, part.metadata)?;
            // Until 2019 only the length stood before a message.
            let prefix = if metadata.starts_with(&CONTINUATION) { 8 } else { 4 };
            let metadata =
                metadata.get(prefix..).ok_or_else(|| damaged("a message is too short"))?;
            let body = read(&mut self.bytes, part.start + part.metadata, part.body)?;
            if let Some(batch) = self.decoder.decode(&message(metadata)?, body)? {
                return Ok(Some(batch));
            }
        }
        Ok(None)
    }
}

impl Part {
    /// A block of the footer, which must lie before the footer.
    fn of(block: &Block, footer: u64) -> Result<Self, Problem> {
        let part = || {
            let start = u64::try_from(block.offset()).ok()?;
            let metadata = u64::try_from(block.metaDataLength()).ok()?;
            let body = u64::try_from(block.bodyLength()).ok()?;
            let end = start.checked_add(metadata)?.checked_add(body)?;
            (end <= footer).then_some(Self { start, metadata, body })
        };
        part().ok_or_else(|| damaged("the footer says that a message lies outside of the file"))
    }
}

/// These bytes, which are in the file.
fn read(bytes: &mut (impl Read + Seek), start: u64, length: u64) -> Result<Vec<u8>, Problem> {
    bytes.seek(SeekFrom::Start(start))?;
    let mut part = Vec::new();
    let room = usize::try_from(length).ok().and_then(|room| part.try_reserve_exact(room).ok());
    room.ok_or_else(|| damaged("a message is longer than memory"))?;
    if bytes.take(length).read_to_end(&mut part)? as u64 != length {
        return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
    }
    Ok(part)
}
