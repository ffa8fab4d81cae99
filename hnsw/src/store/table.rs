//! Rows of items that grow without moving: segments that double.

use std::io;

use bytemuck::Zeroable;
use nearfield_kernels::locate;

use super::Segment;

/// Rows of `stride` items. The first segment holds 2^`first_log2` rows, each later one as many as
/// all before it, so a row's place follows from its number by a bit scan. Memory that no row has
/// used yet is only address space.
#[derive(Debug)]
pub(crate) struct Table<T> {
    segments: Vec<Segment<T>>,
    first_log2: u32,
    stride: usize,
    len: usize,
}

impl<T: Zeroable> Table<T> {
    /// An empty table whose first segment will hold at least `rows` rows.
    pub(crate) fn with_capacity(rows: usize, stride: usize) -> Self {
        // Less than 64 rows are not worth a segment.
        let first_log2 = rows.max(64).next_power_of_two().ilog2();
        Self { segments: Vec::new(), first_log2, stride, len: 0 }
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn stride(&self) -> usize {
        self.stride
    }

    pub(crate) fn first_log2(&self) -> u32 {
        self.first_log2
    }

    /// The segments, whole.
    pub(crate) fn segments(&self) -> impl Iterator<Item = &[T]> {
        self.segments.iter().map(|segment| &**segment)
    }

    /// Bytes of the rows in use.
    pub(crate) fn bytes(&self) -> usize {
        self.len * self.stride * size_of::<T>()
    }

    /// Gives up all rows but the first `len`. What they held is there again when rows are appended.
    pub(crate) fn truncate(&mut self, len: usize) {
        self.len = self.len.min(len);
    }

    /// Appends rows, zeroed if they are new, until there are `len`; no row moves. On an error
    /// nothing has changed.
    pub(crate) fn grow_to(&mut self, len: usize) -> io::Result<()> {
        if self.segments.is_empty() {
            // Nothing is there yet, so the first segment can be as large as is known to be needed.
            self.first_log2 = self.first_log2.max(len.next_power_of_two().ilog2());
        }
        while len > self.capacity() {
            let rows = self.capacity().max(1 << self.first_log2);
            let items = rows.checked_mul(self.stride).ok_or(io::ErrorKind::OutOfMemory)?;
            self.segments.push(Segment::zeroed(items)?);
        }
        self.len = self.len.max(len);
        Ok(())
    }

    fn capacity(&self) -> usize {
        match self.segments.len() {
            0 => 0,
            n => 1 << (self.first_log2 as usize + n - 1),
        }
    }

    #[inline(always)]
    pub(crate) fn row(&self, row: u32) -> &[T] {
        debug_assert!((row as usize) < self.len, "row {row} of {}", self.len);
        let (segment, offset) = locate(row, self.first_log2);
        &self.segments[segment][offset * self.stride..][..self.stride]
    }

    pub(crate) fn row_mut(&mut self, row: u32) -> &mut [T] {
        debug_assert!((row as usize) < self.len, "row {row} of {}", self.len);
        let (segment, offset) = locate(row, self.first_log2);
        &mut self.segments[segment][offset * self.stride..][..self.stride]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_stay_where_they_are_while_the_table_grows() {
        let mut table = Table::<u32>::with_capacity(0, 3);
        let mut places = Vec::new();
        for row in 0..1000u32 {
            table.grow_to(row as usize + 1).unwrap();
            assert_eq!(table.row(row), [0; 3]);
            table.row_mut(row).fill(row);
            places.push(table.row(row).as_ptr());
        }
        for row in 0..1000u32 {
            assert_eq!(table.row(row), [row; 3]);
            assert_eq!(table.row(row).as_ptr(), places[row as usize]);
        }
        assert_eq!(table.segments().count(), 5); // 64, 64, 128, 256, 512
    }

    #[test]
    fn a_known_size_gives_one_segment() {
        let mut table = Table::<u32>::with_capacity(0, 1);
        table.grow_to(1000).unwrap();
        assert_eq!(table.segments().count(), 1);
        assert_eq!(table.bytes(), 4000);
    }
}
