//! What messages hold: a schema, dictionaries, and batches of rows, which refer to both.

use std::{collections::HashMap, sync::Arc};

use arrow_array::{ArrayRef, RecordBatch};
use arrow_buffer::Buffer;
use arrow_ipc::{
    Message, MessageHeader, RecordBatch as Header, Schema as Encoded,
    convert::try_fb_to_schema,
    reader::{read_dictionary, read_record_batch},
    root_as_message,
};
use arrow_schema::{Schema, SchemaRef};

use crate::error::Problem;

/// What stands before the length of every message (of all that were written since 2019).
pub(super) const CONTINUATION: [u8; 4] = [0xff; 4];

/// Makes batches of messages.
pub(super) struct Decoder {
    schema: SchemaRef,
    /// Of each column the number of its dictionary, where it has one.
    coded: Vec<Option<i64>>,
    /// The wanted columns, in order.
    pub(super) wanted: Vec<usize>,
    /// The dictionaries of wanted columns, by number.
    dictionaries: HashMap<i64, ArrayRef>,
}

impl Decoder {
    pub(super) fn new(schema: Encoded<'_>) -> Result<Self, Problem> {
        if !schema.endianness().equals_to_target_endianness() {
            return Err(damaged(
                "it is in the byte order of other machines; write it anew on one of these",
            ));
        }
        let coded = schema.fields().into_iter().flatten();
        let coded = coded.map(|field| field.dictionary().map(|coding| coding.id())).collect();
        let schema = Arc::new(try_fb_to_schema(schema)?);
        Ok(Self { schema, coded, wanted: Vec::new(), dictionaries: HashMap::new() })
    }

    pub(super) fn schema(&self) -> &Schema {
        &self.schema
    }

    /// The batch that a message is; none where it is a dictionary, which later batches need.
    pub(super) fn decode(
        &mut self,
        message: &Message<'_>,
        body: Vec<u8>,
    ) -> Result<Option<RecordBatch>, Problem> {
        match message.header_type() {
            MessageHeader::RecordBatch => self.batch(message, body).map(Some),
            MessageHeader::DictionaryBatch => self.dictionary(message, body).map(|()| None),
            _ => Err(damaged("a message is neither a batch of rows nor a dictionary")),
        }
    }

    fn batch(&self, message: &Message<'_>, body: Vec<u8>) -> Result<RecordBatch, Problem> {
        let header = message.header_as_record_batch();
        let header = header.ok_or_else(|| damaged("a batch of rows has no header"))?;
        check_room(&header, &body)?;
        let (schema, wanted) = (self.schema.clone(), Some(&*self.wanted));
        let (body, version) = (Buffer::from_vec(body), message.version());
        Ok(read_record_batch(&body, header, schema, &self.dictionaries, wanted, &version)?)
    }

    fn dictionary(&mut self, message: &Message<'_>, body: Vec<u8>) -> Result<(), Problem> {
        let header = message.header_as_dictionary_batch();
        let header = header.ok_or_else(|| damaged("a dictionary has no header"))?;
        if !self.wanted.iter().any(|at| self.coded.get(*at) == Some(&Some(header.id()))) {
            return Ok(());
        }
        if let Some(values) = header.data() {
            check_room(&values, &body)?;
        }
        let (body, version) = (Buffer::from_vec(body), message.version());
        Ok(read_dictionary(&body, header, &self.schema, &mut self.dictionaries, &version)?)
    }
}

pub(super) fn message(metadata: &[u8]) -> Result<Message<'_>, Problem> {
    root_as_message(metadata).map_err(|error| Problem::Container(error.to_string().into()))
}

/// Refuses compressed columns that say they take more memory than there is: whoever decompresses them
/// would end the program over it. It only asks; memory is used when it is written to.
fn check_room(header: &Header<'_>, body: &[u8]) -> Result<(), Problem> {
    if header.compression().is_none() {
        return Ok(());
    }
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

pub(super) fn damaged(text: &'static str) -> Problem {
    Problem::Container(text.into())
}
