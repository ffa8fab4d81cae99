//! A file that is mapped: somebody has promised that it stays as it is.
#![allow(unsafe_code, reason = "maps a file, of which its opener promised that nobody changes it")]

use std::fs::File;
use std::io;

use memmap2::Mmap;

use crate::store::{Plain, Segment};

/// A file that does not change.
#[derive(Debug)]
pub(crate) struct Unchanging(File);

impl Unchanging {
    /// Takes a file for one that does not change.
    ///
    /// # Safety
    /// As long as this lives, or anything that was made from it, nobody writes to the file or cuts it:
    /// no thread of this process and no other process.
    pub(crate) unsafe fn new(file: File) -> Self {
        Self(file)
    }

    /// The file, to be read.
    pub(super) fn file(&mut self) -> &mut File {
        &mut self.0
    }

    /// The whole of it.
    pub(super) fn whole(&self) -> io::Result<Mmap> {
        // SAFETY: nobody changes the file while the map lives, as was promised in `new`.
        unsafe { Mmap::map(&self.0) }
    }

    /// A segment of `len` items, of which the first `saved` are in the file, at an offset that is a
    /// multiple of 64.
    pub(super) fn segment<T: Plain>(
        &self,
        offset: u64,
        saved: usize,
        len: usize,
    ) -> io::Result<Segment<T>> {
        // SAFETY: nobody changes the file while the segment lives, as was promised in `new`.
        unsafe { Segment::mapped(&self.0, offset, saved, len) }
    }
}
