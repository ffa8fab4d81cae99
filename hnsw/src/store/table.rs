//! Rows of items that grow without moving, while others read: segments that double.
#![allow(unsafe_code, reason = "writes rows behind those that readers may borrow")]

use std::io;
use std::sync::atomic::Ordering::Release;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering::Acquire, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use bytemuck::Zeroable;
use nearfield_kernels::locate;

use super::Segment;

/// Fewer rows are not worth a segment: 2⁶.
const SMALLEST_LOG2: u32 = 6;

/// Segments for all ids: a first of 2⁶ rows and 26 doublings.
const SEGMENTS: usize = (u32::BITS - SMALLEST_LOG2) as usize + 1;

/// Rows of `stride` items. The first segment holds 2^`first_log2` rows, each later one as many as
/// all before it, so a row's place follows from its number by a bit scan. Memory that no row has
/// used yet is only address space.
///
/// Rows are appended through a shared reference, one caller at a time, and published by their count:
/// whoever has read the count may read the rows below it, which nobody writes any more.
#[derive(Debug)]
pub(crate) struct Table<T> {
    segments: [OnceLock<Segment<T>>; SEGMENTS],
    first_log2: AtomicU32,
    stride: usize,
    len: AtomicUsize,
    growing: Mutex<()>,
}

impl<T: Zeroable + Send> Table<T> {
    /// An empty table whose first segment will hold at least `rows` rows.
    pub(crate) fn with_capacity(rows: usize, stride: usize) -> Self {
        Self {
            segments: [const { OnceLock::new() }; SEGMENTS],
            first_log2: AtomicU32::new(Self::room_log2(rows)),
            stride,
            len: AtomicUsize::new(0),
            growing: Mutex::default(),
        }
    }

    /// A table whose rows are the first `len` of a segment, which has room for 2^`first_log2`.
    pub(crate) fn restored(first: Segment<T>, first_log2: u32, stride: usize, len: usize) -> Self {
        let table = Self::with_capacity(0, stride);
        table.first_log2.store(first_log2, Relaxed);
        assert!(first_log2 >= SMALLEST_LOG2 && first.len() == stride * table.first_rows());
        let _ = table.segments[0].set(first);
        table.len.store(len, Release);
        table
    }

    /// The number of rows, as a power of two, for which a table of `rows` rows has room at first.
    pub(crate) fn room_log2(rows: usize) -> u32 {
        // The next power of two above the half of a `usize` of 32 bits does not fit it.
        let log2 = rows.saturating_sub(1).checked_ilog2().map_or(0, |log2| log2 + 1);
        log2.clamp(SMALLEST_LOG2, u32::BITS)
    }

    /// The number of rows for which the first segment has room, as far as a `usize` can tell.
    pub(crate) fn first_rows(&self) -> usize {
        1usize.checked_shl(self.first_log2()).unwrap_or(usize::MAX)
    }

    /// The number of rows that may be read.
    #[inline(always)]
    pub(crate) fn len(&self) -> usize {
        self.len.load(Acquire)
    }

    pub(crate) fn stride(&self) -> usize {
        self.stride
    }

    pub(crate) fn first_log2(&self) -> u32 {
        self.first_log2.load(Relaxed)
    }

    /// What of each segment belongs to the first `len` rows.
    ///
    /// # Panics
    /// When there are fewer.
    pub(crate) fn segments(&self, len: usize) -> impl Iterator<Item = &[T]> {
        assert!(len <= self.len(), "{len} rows of {}", self.len());
        let mut before = 0;
        self.segments.iter().map_while(OnceLock::get).map(move |segment| {
            let items = segment.len().min((len - before) * self.stride);
            before += items / self.stride.max(1);
            // SAFETY: rows below the published count are not written any more.
            unsafe { segment.shared(0..items) }
        })
    }

    /// Bytes of the rows in use.
    pub(crate) fn bytes(&self) -> usize {
        self.len() * self.stride * size_of::<T>()
    }

    /// Makes sure that there is memory for `len` rows. On an error no row has been added; memory that was
    /// granted on the way stays for later rows.
    pub(crate) fn reserve(&self, len: usize) -> io::Result<()> {
        self.reserve_locked(len, &self.lock())
    }

    /// Appends zeroed rows until there are `len`; no row moves.
    ///
    /// # Panics
    /// When memory for them was not [reserved](Self::reserve).
    pub(crate) fn grow_to(&self, len: usize) {
        let growing = self.lock();
        self.reserve_locked(len, &growing).expect("memory for the rows is reserved");
        self.len.fetch_max(len, Release);
    }

    /// Appends `rows` rows, each filled by a call with its number and its zeroed items, and returns
    /// the first one's number. They are there for others once all are filled. On an error nothing has
    /// changed.
    pub(crate) fn append(
        &self,
        rows: usize,
        mut fill: impl FnMut(usize, &mut [T]),
    ) -> io::Result<usize> {
        let growing = self.lock();
        let first = self.len();
        let len = first.checked_add(rows).ok_or(io::ErrorKind::OutOfMemory)?;
        self.reserve_locked(len, &growing)?;
        for row in first..len {
            let (segment, start) = self.place(row as u32);
            let items = start..start + self.stride;
            // SAFETY: the row is not published, so no reader has it, and the lock keeps other
            // writers out.
            fill(row - first, unsafe { segment.exclusive(items) });
        }
        self.len.store(len, Release);
        Ok(first)
    }

    #[inline(always)]
    pub(crate) fn row(&self, row: u32) -> &[T] {
        assert!((row as usize) < self.len(), "row {row} of {}", self.len());
        let (segment, start) = self.place(row);
        // SAFETY: rows below the published count are not written any more.
        unsafe { segment.shared(start..start + self.stride) }
    }

    /// A row, if it is there.
    #[inline(always)]
    pub(crate) fn get(&self, row: u32) -> Option<&[T]> {
        ((row as usize) < self.len()).then(|| self.row(row))
    }

    /// The segment of a row for which there is room, and where in it the row begins.
    #[inline(always)]
    fn place(&self, row: u32) -> (&Segment<T>, usize) {
        let (segment, offset) = locate(row, self.first_log2());
        let segment = self.segments[segment].get().expect("a row that is there has a segment");
        (segment, offset * self.stride)
    }

    fn lock(&self) -> MutexGuard<'_, ()> {
        // A filler that panicked has published nothing.
        self.growing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn reserve_locked(&self, len: usize, _growing: &MutexGuard<'_, ()>) -> io::Result<()> {
        let mut first_log2 = self.first_log2();
        if self.segments[0].get().is_none() && len > 0 {
            // Nothing is there yet, so the first segment can be as large as is known to be needed.
            first_log2 = first_log2.max(Self::room_log2(len));
        }
        let mut capacity = 0;
        for segment in &self.segments {
            if len <= capacity {
                return Ok(());
            }
            let rows = if capacity == 0 { 1usize.checked_shl(first_log2) } else { Some(capacity) };
            let rows = rows.ok_or(io::ErrorKind::OutOfMemory)?;
            if segment.get().is_none() {
                let items = rows.checked_mul(self.stride).ok_or(io::ErrorKind::OutOfMemory)?;
                let new = Segment::zeroed(items)?;
                // Only once the first segment is there: a refusal must not make later ones larger.
                self.first_log2.store(first_log2, Relaxed);
                segment.get_or_init(|| new);
            }
            capacity += rows;
        }
        if len <= capacity { Ok(()) } else { Err(io::ErrorKind::OutOfMemory.into()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_stay_where_they_are_while_the_table_grows() {
        let table = Table::<u32>::with_capacity(0, 3);
        let mut places = Vec::new();
        for number in 0..1000u32 {
            let first = table.append(1, |_, row| {
                assert_eq!(row, [0; 3]);
                row.fill(number);
            });
            assert_eq!(first.unwrap(), number as usize);
            places.push(table.row(number).as_ptr());
        }
        for row in 0..1000u32 {
            assert_eq!(table.row(row), [row; 3]);
            assert_eq!(table.row(row).as_ptr(), places[row as usize]);
        }
        let sizes = table.segments(1000).map(<[u32]>::len);
        assert_eq!(sizes.collect::<Vec<_>>(), [64, 64, 128, 256, 488].map(|rows| rows * 3));
        let sizes = table.segments(65).map(<[u32]>::len);
        assert_eq!(sizes.collect::<Vec<_>>(), [64 * 3, 3, 0, 0, 0]);
    }

    #[test]
    fn a_known_size_gives_one_segment() {
        let table = Table::<u32>::with_capacity(0, 1);
        table.grow_to(1000);
        assert_eq!(table.segments(1000).count(), 1);
        assert_eq!(table.bytes(), 4000);
    }

    #[test]
    fn readers_see_whole_rows_while_others_append() {
        let table = Table::<u64>::with_capacity(0, 5);
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    for _ in 0..500 {
                        table.append(3, |_, row| row.fill(7)).unwrap();
                    }
                });
            }
            scope.spawn(|| {
                while table.len() < 3000 {
                    let len = table.len();
                    assert!(table.segments(len).flatten().all(|item| *item == 7));
                    assert_eq!(table.segments(len).map(<[u64]>::len).sum::<usize>(), 5 * len);
                }
            });
        });
    }
}
