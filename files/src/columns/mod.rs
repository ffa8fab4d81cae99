//! Parquet and Arrow: rows in columns with names, one of vectors and perhaps one of keys.

mod batches;
mod choice;
mod guard;
mod ipc;
mod keys;
mod vectors;
mod write;

use std::path::Path;

use arrow_array::RecordBatch;

use crate::{
    error::Problem,
    format::Format,
    keys::{Columns, Keys},
    matrix::{Kind, Values},
    rows::{Rows, Taken},
    source::Input,
};
use batches::Batches;
use keys::KeyColumn;
use vectors::VectorColumn;
pub(crate) use write::write;

pub(crate) fn open<'a>(
    format: Format,
    path: &Path,
    input: Input<'a>,
    columns: &Columns,
) -> Result<Box<dyn Rows + Send + 'a>, Problem> {
    let mut batches = Batches::open(format, path, input, columns)?;
    let field = |at: usize| batches.schema.field(at);
    let keys = batches.keys.map(|at| KeyColumn::new(field(at))).transpose()?;
    let mut vectors = VectorColumn::new(field(batches.vectors))?;
    let rest = match vectors.dim {
        Some(_) => None,
        // What the type of a list does not say, the first one does.
        None => {
            let first = batches.next()?.ok_or(Problem::Empty)?;
            vectors.dim = Some(vectors.first_dim(first.column(batches.vectors))?);
            Some(first)
        }
    };
    Ok(Box::new(Table { batches, vectors, keys, rest, done: 0 }))
}

/// The rows of a file, of which batches arrive.
struct Table<'a> {
    batches: Batches<'a>,
    vectors: VectorColumn,
    keys: Option<KeyColumn>,
    /// What is left of a batch that has arrived; it is not empty.
    rest: Option<RecordBatch>,
    done: u64,
}

impl Rows for Table<'_> {
    fn kind(&self) -> Kind {
        self.vectors.kind
    }

    fn dim(&self) -> usize {
        self.vectors.dim.expect("`open` has seen to it")
    }

    fn total(&self) -> Option<u64> {
        self.batches.total
    }

    fn next(&mut self, limit: usize) -> Result<Taken, Problem> {
        let mut values = Values::empty(self.kind());
        let mut keys = self.keys.as_ref().map(KeyColumn::empty);
        let mut left = limit;
        while left > 0 {
            let rest = self.rest.take();
            let Some(batch) = rest.map_or_else(|| self.batches.next(), |rest| Ok(Some(rest)))?
            else {
                break;
            };
            let taken = left.min(batch.num_rows());
            self.append(&batch.slice(0, taken), &mut values, keys.as_mut())?;
            if taken < batch.num_rows() {
                self.rest = Some(batch.slice(taken, batch.num_rows() - taken));
            }
            left -= taken;
        }
        Ok(Taken { values, keys })
    }
}

impl Table<'_> {
    fn append(
        &mut self,
        batch: &RecordBatch,
        values: &mut Values,
        keys: Option<&mut Keys>,
    ) -> Result<(), Problem> {
        self.vectors.append(batch.column(self.batches.vectors), self.done, values)?;
        if let (Some(column), Some(at), Some(keys)) = (&self.keys, self.batches.keys, keys) {
            column.append(batch.column(at), self.done, keys)?;
        }
        self.done += batch.num_rows() as u64;
        Ok(())
    }
}
