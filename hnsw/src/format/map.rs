//! A file as a slice of bytes.
#![allow(unsafe_code, reason = "maps a file, of which one must promise that nobody changes it")]

use std::fs::File;
use std::io;

use memmap2::Mmap;

/// The whole file.
pub(super) fn whole(file: &File) -> io::Result<Mmap> {
    // SAFETY: whoever opens an index by its map is told that nobody may change or cut the file while
    // the index lives. All that is read from the map is checked when it is used, so what a change
    // does is to give wrong answers.
    unsafe { Mmap::map(file) }
}
