//! Batches of the wanted columns, from each of the three containers.

use std::{
    io::{Cursor, Read, Seek},
    path::Path,
};

use arrow_array::RecordBatch;
use arrow_ipc::reader::{FileReader, StreamReader};
use arrow_schema::{ArrowError, SchemaRef};
use bytes::Bytes;
use parquet::{
    arrow::{ProjectionMask, arrow_reader::ParquetRecordBatchReaderBuilder},
    errors::ParquetError,
    file::reader::ChunkReader,
};

use super::choice::Choice;
use crate::{
    error::Problem,
    format::{Format, is_compressed},
    keys::Columns,
    source::{Input, Source},
};

type Iter<'a> = Box<dyn Iterator<Item = Result<RecordBatch, ArrowError>> + Send + 'a>;

/// The batches of a file, without the columns that nobody wants where the container can skip them.
pub(super) struct Batches<'a> {
    pub(super) schema: SchemaRef,
    /// The place of the column of vectors.
    pub(super) vectors: usize,
    /// The place of the column of keys.
    pub(super) keys: Option<usize>,
    pub(super) total: Option<u64>,
    iter: Iter<'a>,
}

impl<'a> Batches<'a> {
    pub(super) fn open(
        format: Format,
        path: &Path,
        input: Input<'a>,
        columns: &Columns,
    ) -> Result<Self, Problem> {
        // A stream is read from its front. Of the other two the table of contents stands at the end, so
        // they are in a file or in memory.
        match (format, input) {
            (Format::ArrowStream, input) => {
                Self::stream(Source::new(path, input)?.into_reader(), columns)
            }
            (Format::Arrow, Input::File(file)) if !is_compressed(path) => {
                let again = file.try_clone()?;
                Self::file(file, again, columns)
            }
            (Format::Arrow, input) => {
                let bytes = all(path, input)?;
                Self::file(Cursor::new(bytes.clone()), Cursor::new(bytes), columns)
            }
            (_, Input::File(file)) if !is_compressed(path) => Self::parquet(file, columns),
            (_, input) => Self::parquet(all(path, input)?, columns),
        }
    }

    fn parquet(input: impl ChunkReader + 'static, columns: &Columns) -> Result<Self, Problem> {
        let builder = ParquetRecordBatchReaderBuilder::try_new(input)?;
        let choice = Choice::of(builder.schema(), columns)?;
        let total = u64::try_from(builder.metadata().file_metadata().num_rows()).ok();
        let mask = ProjectionMask::roots(builder.parquet_schema(), choice.wanted());
        let reader = builder.with_projection(mask).build()?;
        let schema = arrow_array::RecordBatchReader::schema(&reader);
        Ok(Self::of(schema, choice.among_wanted(), total, Box::new(reader)))
    }

    fn file(
        first: impl Read + Seek,
        again: impl Read + Seek + Send + 'a,
        columns: &Columns,
    ) -> Result<Self, Problem> {
        let choice = Choice::of(&FileReader::try_new_buffered(first, None)?.schema(), columns)?;
        let reader = FileReader::try_new_buffered(again, Some(choice.wanted()))?;
        Ok(Self::of(reader.schema(), choice.among_wanted(), None, Box::new(reader)))
    }

    fn stream(input: impl Read + Send + 'a, columns: &Columns) -> Result<Self, Problem> {
        let reader = StreamReader::try_new_buffered(input, None)?;
        let choice = Choice::of(&reader.schema(), columns)?;
        Ok(Self::of(reader.schema(), choice, None, Box::new(reader)))
    }

    fn of(schema: SchemaRef, choice: Choice, total: Option<u64>, iter: Iter<'a>) -> Self {
        Self { schema, vectors: choice.vectors, keys: choice.keys, total, iter }
    }

    /// The next batch that has a row.
    pub(super) fn next(&mut self) -> Result<Option<RecordBatch>, Problem> {
        loop {
            let batch = self.iter.next().transpose()?;
            if batch.as_ref().is_none_or(|batch| batch.num_rows() > 0) {
                return Ok(batch);
            }
        }
    }
}

fn all(path: &Path, input: Input<'_>) -> Result<Bytes, Problem> {
    let mut bytes = Vec::new();
    Source::new(path, input)?.into_reader().read_to_end(&mut bytes)?;
    Ok(bytes.into())
}

impl From<ArrowError> for Problem {
    fn from(error: ArrowError) -> Self {
        Self::Container(error.into())
    }
}

impl From<ParquetError> for Problem {
    fn from(error: ParquetError) -> Self {
        Self::Container(error.into())
    }
}
