//! `.fbin` and its kin: `u32` rows, `u32` dimensions, then the rows.

use std::fmt;

use crate::{
    error::Problem,
    matrix::{Kind, Values, each_kind},
    rows::{Rows, Taken},
    source::{Order, Raw, Scalar, Source, elements},
};

/// What the elements of a file are. Integers that no [`Kind`] has become those of the next wider one
/// that is signed, which has all of their values but those of `u64` from 2⁶³ on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stored {
    Kind(Kind),
    I16,
    U16,
    U32,
    U64,
}

impl Stored {
    /// What they are once they have been read.
    fn kind(self) -> Kind {
        match self {
            Self::Kind(kind) => kind,
            Self::I16 | Self::U16 => Kind::I32,
            Self::U32 | Self::U64 => Kind::I64,
        }
    }

    /// Bytes of an element in the file.
    fn size(self) -> usize {
        match self {
            Self::Kind(kind) => kind.size(),
            Self::I16 | Self::U16 => 2,
            Self::U32 => 4,
            Self::U64 => 8,
        }
    }
}

/// Rows that lie one behind the other, with nothing between them and nothing behind them.
pub(crate) struct Bin<'a> {
    source: Source<'a>,
    stored: Stored,
    order: Order,
    rows: u64,
    dim: usize,
    done: u64,
}

impl<'a> Bin<'a> {
    pub(crate) fn open(mut source: Source<'a>, kind: Kind) -> Result<Self, Problem> {
        let header: [[u8; 4]; 2] = bytemuck::cast(source.header::<8>()?);
        let [rows, dim] = header.map(|bytes| u64::from(u32::from_le_bytes(bytes)));
        Self::behind_header(source, Stored::Kind(kind), Order::Little, [rows, dim])
    }

    /// The rows of a file whose header says how many there are and has been read.
    pub(crate) fn behind_header(
        source: Source<'a>,
        stored: Stored,
        order: Order,
        [rows, dim]: [u64; 2],
    ) -> Result<Self, Problem> {
        if dim == 0 {
            return Err(Problem::NoDimensions);
        }
        let too_large = Problem::TooLarge { rows, dim };
        let bytes = rows.checked_mul(dim).and_then(|count| count.checked_mul(stored.size() as u64));
        if bytes.is_none_or(|bytes| bytes > i64::MAX as u64) {
            return Err(too_large); // than any file
        }
        let Ok(dim) = usize::try_from(dim) else { return Err(too_large) };
        Ok(Self { source, stored, order, rows, dim, done: 0 })
    }

    /// The next `count` elements, or how many bytes there are where they are fewer.
    fn elements(&mut self, count: usize) -> Result<Result<Values, u64>, Problem> {
        match self.stored {
            Stored::Kind(kind) => {
                let mut values = Values::empty(kind);
                let appended =
                    each_kind!(&mut values, v => self.source.append(v, count, self.order))?;
                Ok(appended.map(|()| values))
            }
            Stored::I16 => self.widened::<i16, i32>(count),
            Stored::U16 => self.widened::<u16, i32>(count),
            Stored::U32 => self.widened::<u32, i64>(count),
            Stored::U64 => self.widened::<u64, i64>(count),
        }
    }

    fn widened<T, W>(&mut self, count: usize) -> Result<Result<Values, u64>, Problem>
    where
        T: Raw + fmt::Display,
        W: Scalar + TryFrom<T>,
    {
        let mut stored = Vec::<T>::new();
        if let Err(found) = self.source.append(&mut stored, count, self.order)? {
            return Ok(Err(found));
        }
        let (done, dim) = (self.done, self.dim as u64);
        let widen = |(at, value): (usize, T)| {
            W::try_from(value).map_err(|_| Problem::DoesNotFit {
                row: done + at as u64 / dim,
                column: at as u64 % dim,
                value: value.to_string(),
            })
        };
        let values: Result<_, _> = stored.into_iter().enumerate().map(widen).collect();
        values.map(|values| Ok(W::into_values(values)))
    }
}

impl Rows for Bin<'_> {
    fn kind(&self) -> Kind {
        self.stored.kind()
    }

    fn dim(&self) -> usize {
        self.dim
    }

    fn total(&self) -> Option<u64> {
        Some(self.rows)
    }

    fn next(&mut self, limit: usize) -> Result<Taken, Problem> {
        let (rows, dim, size) = (self.rows, self.dim as u64, self.stored.size() as u64);
        let taken = (rows - self.done).min(limit as u64);
        let count = elements(taken, dim, self.kind())?;
        let values = self.elements(count)?.map_err(|found| {
            let (needed, found) = (rows * dim * size, self.done * dim * size + found);
            Problem::Truncated { rows, dim, needed, found }
        })?;
        self.done += taken;
        if self.done == rows && !self.source.is_at_end()? {
            return Err(Problem::Trailing { rows, dim });
        }
        Ok(values.into())
    }
}
