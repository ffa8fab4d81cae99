//! One block of zeroed memory that never moves, in huge pages where the system grants them.
//!
//! A search reads rows in random order, so most reads miss the TLB as well as the caches: over 1 GB
//! such a read takes about 230 ns with 2 MiB pages and 340 ns with 4 KiB pages. Linux gives a plain
//! `Vec` small pages (transparent huge pages are opt-in on most servers), so large blocks are mapped
//! and advised. Pages are granted when they are first written: room that is never used costs nothing.
//!
//! The front of a block can be the bytes of a file. They are mapped privately: a write makes a page the
//! block's own, and the file stays as it is.
#![allow(unsafe_code, reason = "views mapped bytes as the items they hold")]

use std::fs::File;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::{io, ops::Range, ptr::NonNull};

use bytemuck::Zeroable;
use memmap2::MmapMut;

use super::{Plain, grant};

const HUGE_PAGE: usize = 2 << 20;

/// `len` items of `T`, all zero at first, aligned to at least 64 bytes.
///
/// It is read as a slice while one owner has it; a [`Table`](super::Table), which lends some items
/// while it writes others, takes ranges of it instead.
pub(crate) struct Segment<T> {
    first: NonNull<T>,
    len: usize,
    /// What `first` points into; unmapped when the segment is dropped.
    _memory: MmapMut,
}

impl<T: Zeroable> Segment<T> {
    pub(crate) fn zeroed(len: usize) -> io::Result<Self> {
        Self::zeroed_in(HUGE_PAGE, len)
    }

    /// The same in pages of the usual size: for arrays that are used here and there, or whose first use must
    /// not take long. The system empties a huge page when it is first touched, and may move others for it;
    /// a dozen of them took an insertion 50 ms.
    pub(crate) fn zeroed_in_small_pages(len: usize) -> io::Result<Self> {
        Self::zeroed_in(usize::MAX, len)
    }

    /// In huge pages from so many bytes on.
    fn zeroed_in(huge_from: usize, len: usize) -> io::Result<Self> {
        grant()?;
        let bytes = len
            .checked_mul(size_of::<T>())
            .filter(|bytes| *bytes < isize::MAX as usize - 2 * HUGE_PAGE)
            .ok_or(io::ErrorKind::OutOfMemory)?;
        let is_large = bytes >= huge_from;
        let mapped = if is_large { bytes + 2 * HUGE_PAGE } else { bytes.max(1) };
        let mut memory = MmapMut::map_anon(mapped)?;
        let mut start = 0;
        if is_large {
            let first_huge = memory.as_ptr().align_offset(HUGE_PAGE) + HUGE_PAGE;
            // Only a hint: without huge pages everything works, more slowly.
            #[cfg(target_os = "linux")]
            let _ = memory.advise_range(memmap2::Advice::HugePage, first_huge, mapped - first_huge);
            start = first_huge - small_pages_before();
        }
        let first = NonNull::from(&mut memory[start..]).cast();
        Ok(Self { first, len, _memory: memory })
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// The items of `range`.
    ///
    /// # Safety
    /// Nobody writes to them while the slice lives, but through `T`'s own interior mutability.
    ///
    /// # Panics
    /// When the range is not within the segment.
    #[inline(always)]
    pub(super) unsafe fn shared(&self, range: Range<usize>) -> &[T] {
        assert!(range.start <= range.end && range.end <= self.len, "{range:?} of {}", self.len);
        // SAFETY: within the segment, by the assertion.
        let first = unsafe { self.first.add(range.start) };
        // SAFETY: room for `len` items is mapped behind `first`, at an address aligned to 64 bytes or
        // more; zero bytes are a valid `T`, where there are others `T` is `Plain`, all writes are of
        // type `T` through this type, and the caller sees to it that there are none now.
        unsafe { std::slice::from_raw_parts(first.as_ptr(), range.end - range.start) }
    }

    /// The items of `range`, to be written.
    ///
    /// # Safety
    /// No other reference to them is used while this one lives.
    ///
    /// # Panics
    /// When the range is not within the segment.
    #[expect(clippy::mut_from_ref, reason = "the caller's contract makes the access exclusive")]
    pub(super) unsafe fn exclusive(&self, range: Range<usize>) -> &mut [T] {
        assert!(range.start <= range.end && range.end <= self.len, "{range:?} of {}", self.len);
        // SAFETY: within the segment, by the assertion.
        let first = unsafe { self.first.add(range.start) };
        // SAFETY: as in `shared`; the caller makes the access exclusive.
        unsafe { std::slice::from_raw_parts_mut(first.as_ptr(), range.end - range.start) }
    }
}

impl<T: Plain> Segment<T> {
    /// `len` items, of which the first `saved` are the bytes of `file` from `offset` on, a multiple of
    /// 64; the others are zero.
    ///
    /// # Safety
    /// As long as the segment lives nobody changes these bytes of the file, or cuts it before their end.
    #[cfg(unix)]
    pub(crate) unsafe fn mapped(
        file: &File,
        offset: u64,
        saved: usize,
        len: usize,
    ) -> io::Result<Self> {
        use std::os::fd::AsRawFd;

        assert!(saved <= len && offset.is_multiple_of(64), "{saved} of {len} at {offset}");
        if saved == 0 {
            return Self::zeroed(len);
        }
        let page = page_size()?;
        // The map begins at a page of the file, some bytes before the items.
        let before = (offset % page as u64) as usize;
        let bytes = saved * size_of::<T>();
        let room = len
            .checked_mul(size_of::<T>())
            .filter(|room| *room < isize::MAX as usize - 2 * HUGE_PAGE)
            .ok_or(io::ErrorKind::OutOfMemory)?;
        let from = offset - before as u64;
        let is_large = bytes >= HUGE_PAGE;
        let slack = if is_large { HUGE_PAGE } else { 0 };
        let mut memory = MmapMut::map_anon((before + room).next_multiple_of(page) + slack)?;
        // A file's pages can be huge, too, where file and memory are aligned alike: over 1 GB searches
        // are 1.3 times as fast then.
        let skip = (from as usize).wrapping_sub(memory.as_ptr() as usize) % HUGE_PAGE;
        let skip = if is_large { skip } else { 0 };
        let start = memory[skip..].as_mut_ptr();
        let from = libc::off_t::try_from(from).map_err(io::Error::other)?;
        // SAFETY: replaces pages of a map that nothing else knows of yet by pages of the file, which are
        // private; the map is longer than `before + bytes`.
        let mapped = unsafe {
            libc::mmap(
                start.cast(),
                before + bytes,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_PRIVATE | libc::MAP_FIXED,
                file.as_raw_fd(),
                from,
            )
        };
        if mapped == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        // The last page shows what follows in the file.
        let end = skip + before + bytes;
        memory[end..end.next_multiple_of(page)].fill(0);
        // What is not in memory yet then comes in huge pages, of which there must be room for all.
        #[cfg(target_os = "linux")]
        if is_large && bytes <= memory_size() / 4 {
            let _ = memory.advise(memmap2::Advice::HugePage);
        }
        let first = NonNull::from(&mut memory[skip + before..]).cast();
        Ok(Self { first, len, _memory: memory })
    }

    /// As on Unix, but read into memory: only there a map can have room behind the file's bytes.
    ///
    /// # Safety
    /// There is nothing to promise here.
    #[cfg(not(unix))]
    pub(crate) unsafe fn mapped(
        file: &File,
        offset: u64,
        saved: usize,
        len: usize,
    ) -> io::Result<Self> {
        use std::io::{Read, Seek, SeekFrom};

        let (mut file, mut segment) = (file, Self::zeroed(len)?);
        file.seek(SeekFrom::Start(offset))?;
        file.read_exact(segment.bytes_mut(saved))?;
        Ok(segment)
    }

    /// The bytes of the first `items` items, to be filled.
    pub(crate) fn bytes_mut(&mut self, items: usize) -> &mut [u8] {
        let items: &mut [T] = &mut self[..items];
        let (first, len) = (items.as_mut_ptr().cast(), size_of_val(items));
        // SAFETY: the same memory, to which `items` has exclusive access; any bytes are an item, and
        // all of an item's bytes are initialised.
        unsafe { std::slice::from_raw_parts_mut(first, len) }
    }
}

/// The bytes of a large segment that lie in small pages, before its first huge one: a page to 2 MiB, for each
/// segment another number.
///
/// The first write to a huge page takes 0.4 ms, and up to 4 ms in a virtual machine whose host has to find
/// the memory. Tables that grow together would meet their huge pages at the same point: four of them took an
/// insertion 9 ms.
fn small_pages_before() -> usize {
    const SMALL_PAGE: usize = 4096;
    const STEP: usize = 37; // no divisor of the 512 small pages in a huge one
    static SEGMENTS: AtomicUsize = AtomicUsize::new(0);
    let pages = SEGMENTS.fetch_add(STEP, Relaxed) % (HUGE_PAGE / SMALL_PAGE);
    (pages + 1) * SMALL_PAGE
}

/// The bytes of a page of memory.
#[cfg(unix)]
fn page_size() -> io::Result<usize> {
    // SAFETY: has no preconditions.
    let size = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    usize::try_from(size).map_err(|_| io::Error::last_os_error())
}

/// The bytes of this machine's memory; 0 where the system does not say.
#[cfg(target_os = "linux")]
fn memory_size() -> usize {
    // SAFETY: has no preconditions.
    let pages = unsafe { libc::sysconf(libc::_SC_PHYS_PAGES) };
    usize::try_from(pages).unwrap_or(0).saturating_mul(page_size().unwrap_or(0))
}

impl<T: Zeroable> std::ops::Deref for Segment<T> {
    type Target = [T];

    #[inline(always)]
    fn deref(&self) -> &[T] {
        // SAFETY: without a table the one owner holds a shared reference now, so nobody writes.
        unsafe { self.shared(0..self.len) }
    }
}

impl<T: Zeroable> std::ops::DerefMut for Segment<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        // SAFETY: `&mut self`.
        unsafe { self.exclusive(0..self.len) }
    }
}

// SAFETY: a segment owns its items as a `Box<[T]>` does; the map is plain private memory.
unsafe impl<T: Send> Send for Segment<T> {}
// SAFETY: shared access gives `&[T]`, or `&mut [T]` to a caller who promises that it is the only one:
// the table, which asks for `T: Send` as well.
unsafe impl<T: Sync> Sync for Segment<T> {}

impl<T> std::fmt::Debug for Segment<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Segment").field("len", &self.len).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_zeroed_aligned_and_writable_at_any_size() {
        for len in [0, 1, 1000, HUGE_PAGE / 8, HUGE_PAGE / 4 + 1] {
            let mut segment = Segment::<u64>::zeroed(len).unwrap();
            assert_eq!(segment.len(), len);
            assert!(segment.iter().all(|item| *item == 0));
            assert_eq!(segment.as_ptr() as usize % 64, 0);
            if let Some(last) = segment.last_mut() {
                *last = 7;
                assert_eq!(segment[len - 1], 7);
            }
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_file_shows_through_and_stays_as_it_is() {
        use std::io::Write;
        use std::os::unix::fs::FileExt;
        use std::sync::atomic::AtomicU32;

        let mut file = tempfile::tempfile().unwrap();
        let numbers: Vec<u32> = (0..1_500_000).collect();
        file.write_all(bytemuck::cast_slice(&numbers)).unwrap();
        for (offset, saved, len) in [
            (0, 10_000, 10_000),
            (64, 100, 2000),
            (8192, 1024, 1024),
            (4032, 0, 7),
            (64, 1_000_000, 2_000_000),
            (3_000_000, 700_000, 700_001),
        ] {
            // SAFETY: the file is this test's alone, which writes to it no more.
            let segment = unsafe { Segment::<AtomicU32>::mapped(&file, offset, saved, len) };
            let mut segment = segment.unwrap();
            assert_eq!(segment.len(), len);
            let first = offset as u32 / 4;
            for (i, item) in segment.iter_mut().enumerate() {
                let expected = if i < saved { first + i as u32 } else { 0 };
                assert_eq!(*item.get_mut(), expected, "{i} at {offset}");
                *item.get_mut() = u32::MAX;
            }
        }
        let mut bytes = vec![0; numbers.len() * 4];
        file.read_exact_at(&mut bytes, 0).unwrap();
        assert_eq!(bytes, bytemuck::cast_slice::<u32, u8>(&numbers));
    }

    #[test]
    fn an_impossible_size_is_an_error() {
        assert!(Segment::<u64>::zeroed(usize::MAX / 4).is_err());
        assert!(Segment::<u64>::zeroed(usize::MAX / 32).is_err());
    }
}
