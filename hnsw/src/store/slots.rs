//! Places for values of any type, each filled once, that never move.

use std::sync::OnceLock;

use nearfield_kernels::locate;

use crate::id::Id;

/// The first block has 2⁶ places, each later one as many as all before it: 27 for all ids.
const FIRST_LOG2: u32 = 6;
const BLOCKS: usize = (u32::BITS - FIRST_LOG2) as usize + 1;

/// A value for each id, or none yet. Readers wait for nobody.
#[derive(Debug)]
pub(crate) struct Slots<T> {
    blocks: [OnceLock<Box<[OnceLock<T>]>>; BLOCKS],
}

impl<T> Default for Slots<T> {
    fn default() -> Self {
        Self { blocks: [const { OnceLock::new() }; BLOCKS] }
    }
}

impl<T> Slots<T> {
    /// Fills the place of `id`.
    ///
    /// # Panics
    /// When it is filled already.
    pub(crate) fn set(&self, id: Id, value: T) {
        let (block, place) = locate(id, FIRST_LOG2);
        let len = 1 << (FIRST_LOG2 as usize + block.saturating_sub(1));
        let empty = || std::iter::repeat_with(OnceLock::new).take(len).collect();
        let filled = self.blocks[block].get_or_init(empty)[place].set(value);
        assert!(filled.is_ok(), "place {id} is filled twice");
    }

    pub(crate) fn get(&self, id: Id) -> Option<&T> {
        let (block, place) = locate(id, FIRST_LOG2);
        self.blocks[block].get()?[place].get()
    }

    /// Bytes of the blocks in use; what values own elsewhere is not counted.
    pub(crate) fn bytes(&self) -> usize {
        let blocks = self.blocks.iter().filter_map(OnceLock::get);
        blocks.map(|block| size_of_val(&**block)).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_come_back_and_stay_where_they_are() {
        let slots = Slots::default();
        let ids = [0, 1, 63, 64, 127, 128, 1000, 100_000];
        for id in ids {
            assert_eq!(slots.get(id), None);
            slots.set(id, id.to_string());
        }
        let first = slots.get(0).map(std::ptr::from_ref);
        slots.set(500_000, "far".into());
        assert_eq!(slots.get(0).map(std::ptr::from_ref), first);
        for id in ids {
            assert_eq!(slots.get(id), Some(&id.to_string()));
        }
        assert_eq!(slots.get(2), None);
    }

    #[test]
    #[should_panic(expected = "place 3 is filled twice")]
    fn a_place_is_filled_once() {
        let slots = Slots::default();
        slots.set(3, ());
        slots.set(3, ());
    }
}
