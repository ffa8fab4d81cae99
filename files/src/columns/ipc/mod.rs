//! Arrow's own formats: messages of a schema, of dictionaries and of rows, in a file with a table of
//! contents or one behind the other. Which of the two a file is, its first bytes say and not its name,
//! as both are found under `.arrow` (`datasets` of Hugging Face writes streams).

mod file;
mod message;
mod stream;

use std::{
    io::{Cursor, Read, Seek},
    path::Path,
};

use arrow_array::RecordBatch;
use arrow_schema::Schema;

use crate::{
    error::Problem,
    format::is_compressed,
    source::{Input, Source},
};
use file::IpcFile;
use message::{Decoder, damaged};
use stream::IpcStream;

/// The first bytes of a file with a table of contents: of `ARROW1`, as many as a stream needs for a
/// length, and none is as long as these would say.
const MAGIC: [u8; 4] = *b"ARRO";

/// The first bytes of the format that Feather was before it became Arrow's.
const OLD_FEATHER: [u8; 4] = *b"FEA1";

/// The batches of a file or a stream.
pub(super) enum Ipc<'a> {
    File(IpcFile),
    Stream(IpcStream<'a>),
}

impl<'a> Ipc<'a> {
    /// Reads as far as the schema. A file that cannot be read at any place is brought into memory.
    pub(super) fn open(path: &Path, input: Input<'a>) -> Result<Self, Problem> {
        match input {
            Input::File(mut file) if !is_compressed(path) && file.metadata()?.is_file() => {
                let mut first = Vec::new();
                file.by_ref().take(MAGIC.len() as u64).read_to_end(&mut first)?;
                file.rewind()?;
                if first == MAGIC {
                    return IpcFile::open(file).map(Self::File);
                }
                Self::streamed(Source::new(path, Input::File(file))?)
            }
            input => Self::streamed(Source::new(path, input)?),
        }
    }

    fn streamed(mut source: Source<'a>) -> Result<Self, Problem> {
        let first = source.header()?;
        match first {
            MAGIC => {
                let mut bytes = first.to_vec();
                source.into_reader().read_to_end(&mut bytes)?;
                IpcFile::open(Cursor::new(bytes)).map(Self::File)
            }
            OLD_FEATHER => Err(damaged("this is Feather of version 1; write it as version 2")),
            marker => IpcStream::open(source, marker).map(Self::Stream),
        }
    }

    pub(super) fn schema(&self) -> &Schema {
        match self {
            Self::File(file) => file.decoder.schema(),
            Self::Stream(stream) => stream.decoder.schema(),
        }
    }

    /// Reads these columns only, which are in order.
    pub(super) fn with_columns(mut self, wanted: Vec<usize>) -> Self {
        self.decoder().wanted = wanted;
        self
    }

    fn decoder(&mut self) -> &mut Decoder {
        match self {
            Self::File(file) => &mut file.decoder,
            Self::Stream(stream) => &mut stream.decoder,
        }
    }

    pub(super) fn next(&mut self) -> Result<Option<RecordBatch>, Problem> {
        match self {
            Self::File(file) => file.next(),
            Self::Stream(stream) => stream.next(),
        }
    }
}
