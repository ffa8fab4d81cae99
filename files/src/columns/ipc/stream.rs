//! A stream: messages one behind the other, the first of which is the schema.

use arrow_array::RecordBatch;
use arrow_ipc::Message;

use super::message::{CONTINUATION, Decoder, damaged, message};
use crate::{
    error::Problem,
    source::{Order, Source},
};

/// The batches of a stream.
pub(in crate::columns) struct IpcStream<'a> {
    source: Source<'a>,
    /// Whether the end has been read.
    is_over: bool,
    pub(super) decoder: Decoder,
}

impl<'a> IpcStream<'a> {
    /// Reads as far as the schema; the first bytes have been read.
    pub(super) fn open(mut source: Source<'a>, marker: [u8; 4]) -> Result<Self, Problem> {
        let no_schema = || damaged("it begins neither with ARROW1 nor with a schema");
        let metadata = metadata(&mut source, marker)?.ok_or_else(no_schema)?;
        let message = message(&metadata)?;
        let schema = message.header_as_schema().ok_or_else(no_schema)?;
        Ok(Self { source, is_over: false, decoder: Decoder::new(schema)? })
    }

    pub(super) fn next(&mut self) -> Result<Option<RecordBatch>, Problem> {
        while let Some(metadata) = self.next_metadata()? {
            let message = message(&metadata)?;
            let body = body(&mut self.source, &message)?;
            if let Some(batch) = self.decoder.decode(&message, body)? {
                return Ok(Some(batch));
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
        let metadata = match self.source.fill(&mut marker)? {
            0 => None, // a stream may simply end
            _ => metadata(&mut self.source, marker)?,
        };
        self.is_over = metadata.is_none();
        Ok(metadata)
    }
}

/// What follows the marker of a message, up to its body; none where it marks the end of the messages.
fn metadata(source: &mut Source<'_>, marker: [u8; 4]) -> Result<Option<Vec<u8>>, Problem> {
    // Until 2019 the length stood there itself.
    let length = if marker == CONTINUATION { source.header()? } else { marker };
    let length = u32::from_le_bytes(length);
    if length == 0 { Ok(None) } else { bytes(source, u64::from(length)).map(Some) }
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
