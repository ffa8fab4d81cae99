//! The caches: what the operating system or the CPU says of them, and the working sets that follow.

use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::probed::{NotAvailable, Probed};

/// One cache that data passes through, as seen from the first core.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cache {
    /// 1 is next to the core.
    pub level: u8,
    /// Capacity.
    pub bytes: usize,
    /// Bytes of a line.
    pub line: usize,
    /// Logical CPUs that share it, where known.
    pub shared_by: Option<usize>,
}

/// The data and unified caches of the first core, by level.
///
/// # Errors
/// When neither sysfs nor CPUID tell.
pub(super) fn detect() -> Probed<Vec<Cache>> {
    from_sysfs(Path::new("/sys/devices/system/cpu/cpu0/cache")).or_else(|sysfs| {
        from_cpuid()
            .ok_or_else(|| NotAvailable::because(format_args!("{}; no CPUID either", sysfs.0)))
    })
}

fn from_sysfs(folder: &Path) -> Probed<Vec<Cache>> {
    let entries = fs::read_dir(folder)
        .map_err(|e| NotAvailable::because(format_args!("{}: {e}", folder.display())))?;
    let mut caches: Vec<Cache> = entries
        .filter_map(|entry| {
            let index = entry.ok()?.path();
            let read =
                |name: &str| Some(fs::read_to_string(index.join(name)).ok()?.trim().to_owned());
            if read("type")? == "Instruction" {
                return None;
            }
            Some(Cache {
                level: read("level")?.parse().ok()?,
                bytes: parse_size(&read("size")?)?,
                line: read("coherency_line_size").and_then(|s| s.parse().ok()).unwrap_or(64),
                shared_by: read("shared_cpu_list").and_then(|s| count_cpus(&s)),
            })
        })
        .collect();
    caches.sort_by_key(|cache| cache.level);
    if caches.is_empty() {
        return Err(NotAvailable::because(format_args!("{} lists no cache", folder.display())));
    }
    Ok(caches)
}

/// `"32K"`, `"2M"` or plain bytes.
fn parse_size(text: &str) -> Option<usize> {
    let (digits, factor) = match text.strip_suffix(['K', 'k']) {
        Some(digits) => (digits, 1 << 10),
        None => text.strip_suffix('M').map_or((text, 1), |digits| (digits, 1 << 20)),
    };
    Some(digits.parse::<usize>().ok()? * factor)
}

/// The CPUs in a list such as `0-3,8,10-11`.
fn count_cpus(list: &str) -> Option<usize> {
    list.split(',')
        .map(|range| {
            let (first, last) = range.split_once('-').unwrap_or((range, range));
            let (first, last): (usize, usize) = (first.parse().ok()?, last.parse().ok()?);
            last.checked_sub(first).map(|n| n + 1)
        })
        .sum()
}

#[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
fn from_cpuid() -> Option<Vec<Cache>> {
    use raw_cpuid::CacheType;
    let caches: Vec<Cache> = raw_cpuid::CpuId::new()
        .get_cache_parameters()?
        .filter(|cache| cache.cache_type() != CacheType::Instruction)
        .map(|cache| Cache {
            level: cache.level(),
            bytes: cache.sets()
                * cache.associativity()
                * cache.physical_line_partitions()
                * cache.coherency_line_size(),
            line: cache.coherency_line_size(),
            // CPUID gives the largest number possible, not the number there is.
            shared_by: None,
        })
        .collect();
    (!caches.is_empty()).then_some(caches)
}

#[cfg(not(any(target_arch = "x86", target_arch = "x86_64")))]
fn from_cpuid() -> Option<Vec<Cache>> {
    None
}

/// Working sets that lie well inside each level.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Levels {
    /// Capacity of the first level, where two vectors that are compared again and again stay.
    pub l1: usize,
    /// Capacity of the second level.
    pub l2: usize,
    /// Capacity of the third level, where there is one.
    pub l3: Option<usize>,
    /// A working set that no cache holds.
    pub dram: usize,
}

impl Levels {
    /// The levels of these caches. `most` bounds the working set for DRAM.
    ///
    /// Without caches it assumes small ones, which hold on every CPU of the last ten years.
    pub fn of(caches: &Probed<Vec<Cache>>, most: usize) -> Self {
        let level = |level| {
            let caches = caches.as_deref().unwrap_or_default();
            caches.iter().find(|c| c.level == level).map(|c| c.bytes)
        };
        let l1 = level(1).unwrap_or(32 << 10);
        let l2 = level(2).unwrap_or(512 << 10);
        let l3 = level(3);
        // Four times the last cache: even a perfect one then holds no more than a quarter.
        let dram = (4 * l3.unwrap_or(l2)).max(256 << 20).min(most);
        Self { l1, l2, l3, dram }
    }

    /// Powers of two from 4 KiB to `largest`: the x axis of the curves.
    pub fn working_sets(largest: usize) -> Vec<usize> {
        (12..usize::BITS).map(|log| 1 << log).take_while(|&bytes| bytes <= largest).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sysfs_texts_are_understood() {
        assert_eq!(parse_size("32K"), Some(32 << 10));
        assert_eq!(parse_size("105M"), Some(105 << 20));
        assert_eq!(parse_size("512"), Some(512));
        assert_eq!(parse_size("big"), None);
        assert_eq!(count_cpus("0"), Some(1));
        assert_eq!(count_cpus("0-3,8,10-11"), Some(7));
        assert_eq!(count_cpus("3-1"), None);
        assert_eq!(count_cpus(""), None);
    }

    #[test]
    fn a_missing_folder_is_a_reason_not_a_panic() {
        let reason = from_sysfs(Path::new("/nonexistent/cache")).unwrap_err();
        assert!(reason.to_string().contains("/nonexistent/cache"));
    }

    #[test]
    fn levels_fall_back_and_keep_their_order() {
        let cache = |level, bytes| Cache { level, bytes, line: 64, shared_by: None };
        let none = Levels::of(&Err(NotAvailable::because("no sysfs")), 1 << 30);
        assert!(none.l1 < none.l2 && none.l3.is_none() && none.l2 < none.dram);
        let some = Levels::of(
            &Ok(vec![cache(1, 49_152), cache(2, 2 << 20), cache(3, 105 << 20)]),
            1 << 30,
        );
        assert_eq!((some.l1, some.l2, some.l3), (49_152, 2 << 20, Some(105 << 20)));
        assert_eq!(some.dram, 420 << 20);
        let bounded = Levels::of(&Ok(vec![cache(3, 105 << 20)]), 300 << 20);
        assert_eq!(bounded.dram, 300 << 20);
    }

    #[test]
    fn working_sets_double() {
        assert_eq!(Levels::working_sets(20_000), [4_096, 8_192, 16_384]);
    }
}
