//! Memory to measure in, on huge pages where the system grants them, or on small ones.

use std::fmt;

use memmap2::MmapMut;
use serde::{Deserialize, Serialize};

use super::probed::{NotAvailable, Probed};

/// Where a huge page may begin on x86-64 and on AArch64 with 4 KiB pages.
const HUGE_PAGE: usize = 2 << 20;

/// The pages asked of the system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pages {
    /// Transparent huge pages (2 MiB), by `madvise`.
    Huge,
    /// Base pages (usually 4 KiB), even where huge ones are the default.
    Small,
}

impl fmt::Display for Pages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Huge => "huge pages",
            Self::Small => "4 KiB pages",
        })
    }
}

/// Anonymous memory that begins where a huge page can, every page of it touched.
#[derive(Debug)]
pub struct Buffer {
    map: MmapMut,
    start: usize,
    len: usize,
    advised: Probed<()>,
}

impl Buffer {
    /// `len` bytes, rounded up to whole cache lines.
    ///
    /// # Errors
    /// When the system refuses the memory. Refused advice is no error: see [`huge_share`](Self::huge_share).
    pub fn new(len: usize, pages: Pages) -> Probed<Self> {
        let len = len.next_multiple_of(256);
        let mut map = MmapMut::map_anon(len + HUGE_PAGE)
            .map_err(|e| NotAvailable::because(format_args!("no memory of {len} bytes: {e}")))?;
        let advised = advise(&map, pages);
        let address = map.as_ptr().addr();
        let start = address.next_multiple_of(HUGE_PAGE) - address;
        // Not zero, so that nothing merges the pages again. Within a huge page, the first touch
        // is what makes the system choose.
        map[start..start + len].fill(0x5a);
        Ok(Self { map, start, len, advised })
    }

    /// The memory as elements of any plain type whose size divides 256.
    pub fn as_slice<T: bytemuck::Pod>(&self) -> &[T] {
        bytemuck::cast_slice(&self.map[self.start..self.start + self.len])
    }

    /// The memory as elements that can be written.
    pub fn as_mut_slice<T: bytemuck::Pod>(&mut self) -> &mut [T] {
        bytemuck::cast_slice_mut(&mut self.map[self.start..self.start + self.len])
    }

    /// How much of the buffer really lies on huge pages (0…1), as the system accounts for it.
    ///
    /// # Errors
    /// When the system takes no such advice, or does not tell what came of it.
    pub fn huge_share(&self) -> Probed<f64> {
        self.advised.clone()?;
        let smaps = std::fs::read_to_string("/proc/self/smaps")
            .map_err(|e| NotAvailable::because(format_args!("/proc/self/smaps: {e}")))?;
        let start = self.map.as_ptr().addr() + self.start;
        Ok((huge_bytes(&smaps, start..start + self.len) as f64 / self.len as f64).min(1.0))
    }
}

#[cfg(target_os = "linux")]
fn advise(map: &MmapMut, pages: Pages) -> Probed<()> {
    map.advise(match pages {
        Pages::Huge => memmap2::Advice::HugePage,
        Pages::Small => memmap2::Advice::NoHugePage,
    })
    .map_err(|e| NotAvailable::because(format_args!("madvise for {pages} refused: {e}")))
}

#[cfg(not(target_os = "linux"))]
fn advise(_map: &MmapMut, _pages: Pages) -> Probed<()> {
    Err(NotAvailable::because("only Linux lets a program choose the page size of plain memory"))
}

/// The bytes on huge pages in every mapping of `smaps` that overlaps `range`.
fn huge_bytes(smaps: &str, range: std::ops::Range<usize>) -> usize {
    let mut inside = false;
    let mut sum = 0;
    for line in smaps.lines() {
        if let Some(mapping) = mapping_of(line) {
            inside = mapping.start < range.end && range.start < mapping.end;
        } else if inside && let Some(rest) = line.strip_prefix("AnonHugePages:") {
            let kib: usize = rest.trim().trim_end_matches(" kB").parse().unwrap_or(0);
            sum += kib * 1024;
        }
    }
    sum
}

/// The address range of a mapping's first line (`7f00-7f10 rw-p …`); `None` for other lines.
fn mapping_of(line: &str) -> Option<std::ops::Range<usize>> {
    let (start, end) = line.split_once(' ')?.0.split_once('-')?;
    Some(usize::from_str_radix(start, 16).ok()?..usize::from_str_radix(end, 16).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMAPS: &str = "\
1000-3000 rw-p 00000000 00:00 0
Size:                  8 kB
AnonHugePages:      2048 kB
VmFlags: rd wr
3000-5000 rw-p 00000000 00:00 0 [heap]
AnonHugePages:      4096 kB
9000-a000 r--p 00000000 00:00 0 /lib/x.so
AnonHugePages:         6 kB
";

    #[test]
    fn huge_bytes_counts_only_mappings_that_overlap() {
        assert_eq!(huge_bytes(SMAPS, 0x1000..0x3000), 2048 * 1024);
        assert_eq!(huge_bytes(SMAPS, 0x2fff..0x3001), 6144 * 1024);
        assert_eq!(huge_bytes(SMAPS, 0x5000..0x9000), 0);
    }

    #[test]
    fn a_buffer_is_aligned_writable_and_no_shorter_than_asked() {
        for pages in [Pages::Huge, Pages::Small] {
            let mut buffer = Buffer::new(3 * HUGE_PAGE + 100, pages).unwrap();
            let words = buffer.as_mut_slice::<u64>();
            assert!(words.len() * 8 >= 3 * HUGE_PAGE + 100);
            words[0] = 7;
            assert_eq!(buffer.as_slice::<u64>()[0], 7);
            assert_eq!(buffer.as_slice::<u8>().as_ptr().addr() % HUGE_PAGE, 0);
            // Granted or not depends on the system; a share it must be.
            if let Ok(share) = buffer.huge_share() {
                assert!((0.0..=1.0).contains(&share));
            }
        }
    }
}
