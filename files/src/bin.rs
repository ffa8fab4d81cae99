//! `.fbin` and its kin: `u32` rows, `u32` dimensions, then the rows.

use crate::{
    error::Problem,
    matrix::{Kind, Values, each_kind},
    rows::{Rows, Taken},
    source::{Order, Source, elements},
};

/// Rows that lie one behind the other, with nothing between them and nothing behind them.
pub(crate) struct Bin<'a> {
    source: Source<'a>,
    kind: Kind,
    order: Order,
    rows: u64,
    dim: usize,
    done: u64,
}

impl<'a> Bin<'a> {
    pub(crate) fn open(mut source: Source<'a>, kind: Kind) -> Result<Self, Problem> {
        let header: [[u8; 4]; 2] = bytemuck::cast(source.header::<8>()?);
        let [rows, dim] = header.map(|bytes| u64::from(u32::from_le_bytes(bytes)));
        Self::behind_header(source, kind, Order::Little, [rows, dim])
    }

    /// The rows of a file whose header says how many there are and has been read.
    pub(crate) fn behind_header(
        source: Source<'a>,
        kind: Kind,
        order: Order,
        [rows, dim]: [u64; 2],
    ) -> Result<Self, Problem> {
        if dim == 0 {
            return Err(Problem::NoDimensions);
        }
        let too_large = Problem::TooLarge { rows, dim };
        let bytes = rows.checked_mul(dim).and_then(|count| count.checked_mul(kind.size() as u64));
        if bytes.is_none_or(|bytes| bytes > i64::MAX as u64) {
            return Err(too_large); // than any file
        }
        let Ok(dim) = usize::try_from(dim) else { return Err(too_large) };
        Ok(Self { source, kind, order, rows, dim, done: 0 })
    }
}

impl Rows for Bin<'_> {
    fn kind(&self) -> Kind {
        self.kind
    }

    fn dim(&self) -> usize {
        self.dim
    }

    fn total(&self) -> Option<u64> {
        Some(self.rows)
    }

    fn next(&mut self, limit: usize) -> Result<Taken, Problem> {
        let (rows, dim, size) = (self.rows, self.dim as u64, self.kind.size() as u64);
        let taken = (rows - self.done).min(limit as u64);
        let count = elements(taken, dim, self.kind)?;
        let mut values = Values::empty(self.kind);
        let appended = each_kind!(&mut values, v => self.source.append(v, count, self.order))?;
        if let Err(found) = appended {
            let (needed, found) = (rows * dim * size, self.done * dim * size + found);
            return Err(Problem::Truncated { rows, dim, needed, found });
        }
        self.done += taken;
        if self.done == rows && !self.source.is_at_end()? {
            return Err(Problem::Trailing { rows, dim });
        }
        Ok(values.into())
    }
}
