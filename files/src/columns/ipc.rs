//! Arrow's own formats: messages one behind the other, the first of which is the schema.
//!
//! A `.arrow` file is such a stream between a magic in front, and a table of contents and the magic at
//! the end. It is read as the stream, too: from its front, a message at a time, whatever it comes from.

use std::{collections::HashMap, sync::Arc};

use arrow_array::RecordBatch;
use arrow_buffer::Buffer;
use arrow_ipc::{
    Message, MessageHeader, RecordBatch as Header, convert::try_fb_to_schema,
    reader::read_record_batch, root_as_message,
};
use arrow_schema::{Schema, SchemaRef};

use crate::{
    error::Problem,
    source::{Order, Source},
};

const MAGIC: [u8; 6] = *b"ARROW1";

/// What stands before the length of every message (of all that were written since 2019).
const CONTINUATION: [u8; 4] = [0xff; 4];

/// The batches of a stream.
pub(super) struct Ipc<'a> {
    source: Source<'a>,
    /// Whether it is in a file, whose end is marked.
    in_file: bool,
    /// Whether the end has been read.
    is_over: bool,
    schema: SchemaRef,
    /// The wanted columns, in order.
    wanted: Vec<usize>,
}

impl<'a> Ipc<'a> {
    /// Reads as far as the schema.
    pub(super) fn open(mut source: Source<'a>, in_file: bool) -> Result<Self, Problem> {
        let marker = if in_file { behind_magic(&mut source)? } else { source.header()? };
        let no_schema = || damaged("it does not begin with a schema");
        let metadata = metadata(&mut source, marker)?.ok_or_else(no_schema)?;
        let message = message(&metadata)?;
        let header = message.header_as_schema().ok_or_else(no_schema)?;
        if !header.endianness().equals_to_target_endianness() {
            return Err(damaged("it is in the other byte order"));
        }
        let schema = Arc::new(try_fb_to_schema(header)?);
        Ok(Self { source, in_file, is_over: false, schema, wanted: Vec::new() })
    }

    pub(super) fn schema(&self) -> &Schema {
        &self.schema
    }

    /// Reads these columns only, which are in order.
    pub(super) fn with_columns(self, wanted: Vec<usize>) -> Self {
        Self { wanted, ..self }
    }

    pub(super) fn next(&mut self) -> Result<Option<RecordBatch>, Problem> {
        while let Some(metadata) = self.next_metadata()? {
            let message = message(&metadata)?;
            let body = body(&mut self.source, &message)?;
            match message.header_type() {
                MessageHeader::RecordBatch => return self.batch(&message, body).map(Some),
                // Dictionaries are for columns that are not read.
                MessageHeader::DictionaryBatch => {}
                _ => return Err(damaged("a message is neither a batch of rows nor a dictionary")),
            }
        }
        Ok(None)
    }

    /// What says what the next message is; none at the end.
    fn next_metadata(&mut self) -> Result<Option<Vec<u8>>, Problem> {
        if self.is_over {
            return Ok(None);
        }
        let mut marker = [0; 4];
        let found = self.source.fill(&mut marker)?;
        let metadata = if found == 0 && !self.in_file {
            None // a stream may simply end
        } else {
            metadata(&mut self.source, marker)?
        };
        if metadata.is_none() {
            self.is_over = true;
            if self.in_file && !ends_with_magic(&mut self.source)? {
                return Err(damaged("it does not end with ARROW1"));
            }
        }
        Ok(metadata)
    }

    fn batch(&self, message: &Message<'_>, body: Vec<u8>) -> Result<RecordBatch, Problem> {
        let header = message.header_as_record_batch();
        let header = header.ok_or_else(|| damaged("a batch of rows has no header"))?;
        if header.compression().is_some() {
            check_room(&header, &body)?;
        }
        let (schema, wanted) = (self.schema.clone(), Some(&*self.wanted));
        let (body, version) = (Buffer::from_vec(body), message.version());
        Ok(read_record_batch(&body, header, schema, &HashMap::new(), wanted, &version)?)
    }
}

/// The first marker of a file, between which and the magic there are zeros, as many as the writer likes.
fn behind_magic(source: &mut Source<'_>) -> Result<[u8; 4], Problem> {
    let magic = source.header::<8>()?;
    if magic[..MAGIC.len()] != MAGIC {
        return Err(damaged("no Arrow file: it does not begin with ARROW1"));
    }
    loop {
        let marker = source.header()?;
        if marker != [0; 4] {
            return Ok(marker);
        }
    }
}

/// What follows the marker of a message, up to its body; none where it marks the end of the messages.
fn metadata(source: &mut Source<'_>, marker: [u8; 4]) -> Result<Option<Vec<u8>>, Problem> {
    if marker != CONTINUATION {
        return Err(damaged("a message does not begin where the one before it ends"));
    }
    let length = u32::from_le_bytes(source.header()?);
    if length == 0 { Ok(None) } else { bytes(source, u64::from(length)).map(Some) }
}

/// Of the table of contents, which follows the messages of a file, only the end is looked at.
fn ends_with_magic(source: &mut Source<'_>) -> Result<bool, Problem> {
    let mut last = [0; MAGIC.len()];
    source.fill(&mut last)?;
    let mut next = [0];
    while source.fill(&mut next)? > 0 {
        last.rotate_left(1);
        last[MAGIC.len() - 1] = next[0];
    }
    Ok(last == MAGIC)
}

fn message(metadata: &[u8]) -> Result<Message<'_>, Problem> {
    root_as_message(metadata).map_err(|error| Problem::Container(error.to_string().into()))
}

fn body(source: &mut Source<'_>, message: &Message<'_>) -> Result<Vec<u8>, Problem> {
    let length = u64::try_from(message.bodyLength());
    bytes(source, length.map_err(|_| damaged("a message has a length below 0"))?)
}

fn bytes(source: &mut Source<'_>, length: u64) -> Result<Vec<u8>, Problem> {
    let mut bytes = Vec::new();
    let count = usize::try_from(length).ok().filter(|count| *count <= isize::MAX as usize);
    let count = count.ok_or_else(|| damaged("a message is longer than memory"))?;
    let appended = source.append::<u8>(&mut bytes, count, Order::Little)?;
    appended.map_err(|_| damaged("it ends inside a message"))?;
    Ok(bytes)
}

/// Refuses compressed columns that say they take more memory than there is: whoever decompresses them
/// would end the program over it. It only asks; memory is used when it is written to.
fn check_room(header: &Header<'_>, body: &[u8]) -> Result<(), Problem> {
    for buffer in header.buffers().iter().flatten() {
        let prefix = usize::try_from(buffer.offset()).ok().and_then(|at| body.get(at..)?.get(..8));
        let Some(prefix) = prefix else { continue }; // an empty one, or an error of its own
        let length = i64::from_le_bytes(prefix.try_into().expect("these are eight bytes"));
        // Below 0: not compressed.
        let Ok(length) = usize::try_from(length) else { continue };
        let reserved = Vec::<u8>::new().try_reserve_exact(length);
        reserved.map_err(|_| damaged("a compressed column says that it is longer than memory"))?;
    }
    Ok(())
}

fn damaged(text: &'static str) -> Problem {
    Problem::Container(text.into())
}
