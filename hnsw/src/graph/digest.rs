//! A digest of the graph: equal exactly when entry point, links, tree and removed points are equal.

use std::hash::Hasher;
use std::sync::atomic::Ordering::Relaxed;

use twox_hash::XxHash3_64;

use super::Graph;
use crate::id::{Id, NONE};

impl Graph {
    /// XXH3 over entry point, lists (slot by slot, ids as little-endian `u32`), parents, and which
    /// points are dead.
    pub(crate) fn digest(&self) -> u64 {
        let mut hasher = XxHash3_64::new();
        let mut write = |id: Id| hasher.write(&id.to_le_bytes());
        write(self.entry().unwrap_or(NONE));
        for id in 0..self.len() as Id {
            write(self.parent(id).unwrap_or(NONE));
            if self.is_dead(id) {
                write(id);
            }
            for level in 0..=self.level(id) {
                for slot in self.slots(id, level) {
                    write(slot.load(Relaxed));
                }
            }
        }
        hasher.finish()
    }
}
