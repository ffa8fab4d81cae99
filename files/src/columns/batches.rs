//! Batches of the wanted columns, from either container.

use std::{io::Read, path::Path, sync::Arc};

use arrow_array::RecordBatch;
use arrow_schema::{ArrowError, Schema, SchemaRef};
use bytes::Bytes;
use parquet::{
    arrow::{
        ProjectionMask,
        arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder},
    },
    errors::ParquetError,
    file::reader::ChunkReader,
};

use super::{choice::Choice, guard::guarded, ipc::Ipc};
use crate::{
    error::Problem,
    format::{Format, is_compressed},
    keys::Columns,
    source::{Input, Source},
};

/// The batches of a file, without the columns that nobody wants.
pub(super) struct Batches<'a> {
    pub(super) schema: SchemaRef,
    /// The place of the column of vectors.
    pub(super) vectors: usize,
    /// The place of the column of keys.
    pub(super) keys: Option<usize>,
    pub(super) total: Option<u64>,
    container: Container<'a>,
}

enum Container<'a> {
    Parquet(ParquetRecordBatchReader),
    Ipc(Ipc<'a>),
}

impl<'a> Batches<'a> {
    pub(super) fn open(
        format: Format,
        path: &Path,
        input: Input<'a>,
        columns: &Columns,
    ) -> Result<Self, Problem> {
        guarded(|| match (format, input) {
            // The table of contents stands at the end, so the whole must be in a file or in memory.
            (Format::Parquet, Input::File(file)) if !is_compressed(path) => {
                Self::parquet(file, columns)
            }
            (Format::Parquet, input) => Self::parquet(all(path, input)?, columns),
            (_, input) => Self::ipc(Ipc::open(path, input)?, columns),
        })
    }

    fn parquet(input: impl ChunkReader + 'static, columns: &Columns) -> Result<Self, Problem> {
        let builder = ParquetRecordBatchReaderBuilder::try_new(input)?;
        let total = u64::try_from(builder.metadata().file_metadata().num_rows()).ok();
        let schema = builder.schema().clone();
        let choice = Choice::of(&schema, columns)?;
        let mask = ProjectionMask::roots(builder.parquet_schema(), choice.wanted());
        let container = Container::Parquet(builder.with_projection(mask).build()?);
        Self::of(&schema, choice, total, container)
    }

    fn ipc(stream: Ipc<'a>, columns: &Columns) -> Result<Self, Problem> {
        let schema = stream.schema().clone();
        let choice = Choice::of(&schema, columns)?;
        Self::of(&schema, choice, None, Container::Ipc(stream.with_columns(choice.wanted())))
    }

    fn of(
        schema: &Schema,
        choice: Choice,
        total: Option<u64>,
        container: Container<'a>,
    ) -> Result<Self, Problem> {
        let schema = Arc::new(schema.project(&choice.wanted())?);
        let Choice { vectors, keys } = choice.among_wanted();
        Ok(Self { schema, vectors, keys, total, container })
    }

    /// The next batch that has a row.
    pub(super) fn next(&mut self) -> Result<Option<RecordBatch>, Problem> {
        loop {
            let batch = guarded(|| self.container.next())?;
            if batch.as_ref().is_none_or(|batch| batch.num_rows() > 0) {
                return Ok(batch);
            }
        }
    }
}

impl Container<'_> {
    fn next(&mut self) -> Result<Option<RecordBatch>, Problem> {
        match self {
            Self::Parquet(batches) => Ok(batches.next().transpose()?),
            Self::Ipc(batches) => batches.next(),
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
