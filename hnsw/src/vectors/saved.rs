//! Vectors in a file.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use nearfield_kernels::{Backend, Metric};

use super::{VectorElement, VectorError, Vectors, split_rows, stride};
use crate::file::{Corruption, Flag, Head, Kind, Parts, ReadError, Source};

/// Why vectors in a file cannot be had.
#[derive(Debug)]
pub(crate) enum RowsError {
    /// They have another element type, of this name.
    Element(String),
    Read(ReadError),
    Vectors(VectorError),
}

/// The name of an element in files: without what is said beside it.
pub(crate) fn element_name<E: VectorElement>() -> &'static str {
    E::NAME.split(' ').next().unwrap_or(E::NAME)
}

impl<E: VectorElement> Vectors<E> {
    /// Adds the first `rows` rows, and what the head says of them.
    pub(crate) fn save<'a>(&'a self, rows: usize, head: &mut Head, parts: &mut Parts<'a>) {
        head.metric = self.metric.name().to_owned();
        head.element = element_name::<E>().to_owned();
        head.dim = self.dim as u32;
        head.stride = self.table.stride() as u32;
        head.set(Flag::SplitRows, self.halved.is_some());
        head.set(Flag::Short, self.all_short.load(Relaxed));
        parts.table(Kind::Rows, &self.table, rows);
    }

    /// The vectors of a file, to be compared on the best backend.
    pub(crate) fn restore(head: &Head, source: &mut Source) -> Result<Self, RowsError> {
        if head.element != element_name::<E>() {
            return Err(RowsError::Element(head.element.clone()));
        }
        let damaged = |damage: Corruption| RowsError::Read(damage.into());
        let metric = Metric::ALL.into_iter().find(|metric| metric.name() == head.metric);
        let metric = metric.ok_or_else(|| {
            damaged(Corruption::Name { of: "metric", found: head.metric.clone() })
        })?;
        let dim = head.dim as usize;
        if stride::<E>(dim) != Some(head.stride as usize) {
            return Err(damaged(Corruption::Field { name: "stride", value: head.stride.into() }));
        }
        let on = || Self::on(Backend::best()?, dim, metric);
        let vectors = on().map_err(RowsError::Vectors)?;
        // Those of imported graphs are whole where others would be in halves.
        let halved = vectors.halved.filter(|_| head.has(Flag::SplitRows));
        if halved.is_some() != head.has(Flag::SplitRows) {
            return Err(damaged(Corruption::Field { name: "flags", value: head.flags.into() }));
        }
        let stride = vectors.table.stride();
        let table = source.table(Kind::Rows, stride, head.points as usize);
        let table = table.map_err(RowsError::Read)?;
        Ok(Self { table, halved, all_short: AtomicBool::new(head.has(Flag::Short)), ..vectors })
    }

    /// Verifies that rows are what the head says of them.
    pub(crate) fn verify(&self) -> Result<(), Corruption> {
        let claims = self.halved.is_some() && self.all_short.load(Relaxed);
        let is_short = |row: u32| split_rows::is_short(bytemuck::cast_slice(self.table.row(row)));
        let mut rows = 0..if claims { self.table.len() as u32 } else { 0 };
        match rows.find(|row| !is_short(*row)) {
            Some(row) => Err(Corruption::Item { section: Kind::Rows, item: row.into() }),
            None => Ok(()),
        }
    }
}
