//! Writes vectors, and keys where there are any, to Parquet and Arrow.

use std::{io::Write, sync::Arc};

use arrow_array::{
    Array, ArrayRef, BinaryArray, FixedSizeListArray, Float16Array, Float32Array, Float64Array,
    Int8Array, Int32Array, Int64Array, RecordBatch, StringArray, UInt8Array, UInt64Array,
};
use arrow_ipc::writer::{FileWriter, StreamWriter};
use arrow_schema::{ArrowError, Field, Schema, SchemaRef};
use parquet::{
    arrow::ArrowWriter, basic::Compression, file::properties::WriterProperties,
    schema::types::ColumnPath,
};

use crate::{
    error::Problem,
    format::Format,
    keys::Keys,
    matrix::{Matrix, Values},
};

/// The names of the columns.
const VECTOR: &str = "vector";
const KEY: &str = "key";

/// Rows in a batch of an Arrow file: so many, that nobody needs memory for the whole.
const BATCH: usize = 1 << 14;

pub(crate) fn write(
    to: &mut (impl Write + Send),
    format: Format,
    matrix: &Matrix,
    keys: Option<&Keys>,
) -> Result<(), Problem> {
    let batch = batch(matrix, keys)?;
    let parts = (0..batch.num_rows()).step_by(BATCH);
    let mut parts = parts.map(|at| batch.slice(at, BATCH.min(batch.num_rows() - at)));
    match format {
        Format::Arrow => {
            let mut writer = FileWriter::try_new_buffered(to, &batch.schema())?;
            parts.try_for_each(|part| writer.write(&part))?;
            writer.finish()?;
        }
        Format::ArrowStream => {
            let mut writer = StreamWriter::try_new_buffered(to, &batch.schema())?;
            parts.try_for_each(|part| writer.write(&part))?;
            writer.finish()?;
        }
        _ => {
            let mut writer = ArrowWriter::try_new(to, batch.schema(), Some(properties()))?;
            writer.write(&batch)?;
            writer.close()?;
        }
    }
    Ok(())
}

/// Vectors hardly repeat and hardly compress: a dictionary of their elements would be dropped again.
fn properties() -> WriterProperties {
    let path = [VECTOR, "list", Field::LIST_FIELD_DEFAULT_NAME].map(str::to_owned).to_vec();
    WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_column_dictionary_enabled(ColumnPath::new(path), false)
        .build()
}

fn batch(matrix: &Matrix, keys: Option<&Keys>) -> Result<RecordBatch, ArrowError> {
    let values: ArrayRef = match matrix.values() {
        Values::F64(values) => Arc::new(Float64Array::from(values.clone())),
        Values::F32(values) => Arc::new(Float32Array::from(values.clone())),
        Values::F16(values) => Arc::new(Float16Array::from(values.clone())),
        Values::U8(values) => Arc::new(UInt8Array::from(values.clone())),
        Values::I8(values) => Arc::new(Int8Array::from(values.clone())),
        Values::I32(values) => Arc::new(Int32Array::from(values.clone())),
        Values::I64(values) => Arc::new(Int64Array::from(values.clone())),
    };
    let dim = i32::try_from(matrix.dim())
        .map_err(|_| ArrowError::InvalidArgumentError("too many dimensions".to_owned()))?;
    let element = Arc::new(Field::new_list_field(values.data_type().clone(), false));
    let vectors: ArrayRef = Arc::new(FixedSizeListArray::try_new(element, dim, values, None)?);
    let keys: Option<ArrayRef> = keys.map(|keys| match keys {
        Keys::Signed(keys) => Arc::new(Int64Array::from(keys.clone())) as ArrayRef,
        Keys::Unsigned(keys) => Arc::new(UInt64Array::from(keys.clone())),
        Keys::Text(keys) => Arc::new(StringArray::from_iter_values(keys)),
        Keys::Bytes(keys) => Arc::new(BinaryArray::from_iter_values(keys)),
    });
    let columns: Vec<(&str, ArrayRef)> =
        keys.map(|keys| (KEY, keys)).into_iter().chain([(VECTOR, vectors)]).collect();
    let fields =
        columns.iter().map(|(name, array)| Field::new(*name, array.data_type().clone(), false));
    let schema: SchemaRef = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    RecordBatch::try_new(schema, columns.into_iter().map(|(_, array)| array).collect())
}
