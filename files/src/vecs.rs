//! `.fvecs` and its kin: per row an `i32` dimension, then the row.

use crate::{
    error::Problem,
    matrix::{Kind, Values, each_kind},
    rows::{Rows, Taken},
    source::{Order, Scalar, Source},
};

/// Bytes in front of every row.
const HEADER: usize = 4;

/// Rows that each say how long they are; the file ends behind any of them.
pub(crate) struct Vecs<'a> {
    source: Source<'a>,
    kind: Kind,
    dim: i32,
    done: u64,
    /// The length of the next row, where it has been read already.
    next_dim: Option<i32>,
}

impl<'a> Vecs<'a> {
    pub(crate) fn open(source: Source<'a>, kind: Kind) -> Result<Self, Problem> {
        let mut rows = Self { source, kind, dim: 0, done: 0, next_dim: None };
        let dim = rows.header()?.ok_or(Problem::Empty)?;
        if dim <= 0 {
            return Err(Problem::RowLength { row: 0, dim });
        }
        Ok(Self { dim, next_dim: Some(dim), ..rows })
    }

    /// The length that stands in front of the next row; none at the end of the file, which belongs
    /// between two rows.
    fn header(&mut self) -> Result<Option<i32>, Problem> {
        let mut header = [0; HEADER];
        match self.source.fill(&mut header)? {
            0 => Ok(None),
            HEADER => Ok(Some(i32::from_le_bytes(header))),
            found => Err(self.short_row(found as u64)),
        }
    }

    fn short_row(&self, found: u64) -> Problem {
        Problem::ShortRow { row: self.done, needed: self.row_bytes(), found }
    }

    fn row_bytes(&self) -> u64 {
        HEADER as u64 + self.dim as u64 * self.kind.size() as u64
    }

    /// Appends rows to `values`, at most `limit` of them.
    fn append<T: Scalar>(&mut self, values: &mut Vec<T>, limit: usize) -> Result<(), Problem> {
        // By itself, so that `values` can grow in steps that double.
        let mut row_values = Vec::new();
        for _ in 0..limit {
            let dim = match self.next_dim.take() {
                Some(dim) => dim,
                None => match self.header()? {
                    Some(dim) => dim,
                    None => return Ok(()),
                },
            };
            let (row, first) = (self.done, self.dim);
            match dim {
                ..=0 => return Err(Problem::RowLength { row, dim }),
                _ if dim != first => return Err(Problem::Ragged { row, dim, first }),
                _ => row_values.clear(),
            }
            let appended = self.source.append(&mut row_values, dim as usize, Order::Little)?;
            appended.map_err(|found| self.short_row(HEADER as u64 + found))?;
            values.extend_from_slice(&row_values);
            self.done += 1;
        }
        Ok(())
    }
}

impl Rows for Vecs<'_> {
    fn kind(&self) -> Kind {
        self.kind
    }

    fn dim(&self) -> usize {
        self.dim as usize
    }

    fn total(&self) -> Option<u64> {
        self.source.length().map(|bytes| bytes / self.row_bytes())
    }

    fn next(&mut self, limit: usize) -> Result<Taken, Problem> {
        let mut values = Values::empty(self.kind);
        each_kind!(&mut values, v => self.append(v, limit))?;
        Ok(values.into())
    }
}
