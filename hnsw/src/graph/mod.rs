//! The graph: who links to whom. It knows ids and nothing of points; only [`duplicates`] asks a space which
//! rows are equal.
//!
//! | array | per point | holds |
//! |---|---|---|
//! | `base` | 2M slots | neighbours on level 0 |
//! | `upper` | M slots per level above 0 | neighbours there; one point in M has any |
//! | `upper_starts` | 1 for 16 points | where the lists in `upper` of a block of points begin |
//! | `parents` | 1 | the point's parent in the protected spanning tree |
//! | `children` | 4 bits | how many children it has |
//! | `copies` | 1 bit | whether the point is a copy: equal to an earlier row and reached through it |
//! | [`visibility`] | | which points there are |
//!
//! # Memory order
//!
//! One writer at a time stores, nearly everything Relaxed. What publishes it, also what a later writer stores:
//!
//! | stored | a search that begins after the change sees it by | a search under way |
//! |---|---|---|
//! | slots of lists | the word of `visibility` (Release) | sees old and new links mixed; that it misses none which a removal took is told by the log, which is stored before, with a Release fence: in [`Visibility::end`](visibility::Visibility) by the writer that removes, at the start of its turn by every later one |
//! | `parents`, `copies` | the word | may take a new copy for a point of its own: it is not visible, or found twice and returned once |
//! | `children` | no search reads it; writers see it by their lock | |
//! | rows of all arrays | the length of `base`, stored last (Release) | reads no row beyond the length that it has read |
//! | `entry` | itself (Release), after the lists of the point | |
//!
//! An empty slot holds [`NONE`]. A point's level is not stored, unless the graph was imported: it is a
//! function of its id. Where its
//! upper lists begin follows from the levels of the points before it in its block.

mod check;
mod digest;
mod draft;
mod duplicates;
mod frozen;
mod level;
mod saved;
mod visibility;

use std::io;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{
    AtomicU8, AtomicU32, AtomicU64, AtomicUsize,
    Ordering::{Acquire, Relaxed, Release},
};

pub use check::InvariantViolation;
pub(crate) use draft::{Draft, List};
pub(crate) use duplicates::{Duplicates, Meeting, Split};
use frozen::Freezer;
pub(crate) use frozen::Frozen;
use level::Levels;
pub(crate) use level::mix;
pub(crate) use visibility::Snapshot;
use visibility::Visibility;

use crate::file::Bytes;
use crate::id::{Id, NONE};
use crate::store::Table;

/// A link in a list of neighbours; atomic so that searches may read what a writer rewrites.
pub(crate) type Slot = AtomicU32;

/// Points that share a place in `upper_starts`. Finding the lists of one takes the levels of half as
/// many, on average: about 20 ns, on the few hops above level 0.
const BLOCK: usize = 16;

#[derive(Debug)]
pub(crate) struct Graph {
    m: usize,
    levels: Levels,
    base: Table<Slot>,
    upper: Table<Slot>,
    upper_starts: Table<AtomicU32>,
    parents: Table<AtomicU32>,
    children: Table<AtomicU8>,
    copies: Table<AtomicU64>,
    copy_count: AtomicUsize,
    visibility: Visibility,
    freezer: Freezer,
    /// [`NONE`] while no point lives.
    entry: AtomicU32,
}

impl Graph {
    /// A graph without points whose first segments hold `points` of them.
    pub(crate) fn with_capacity(m: usize, seed: u64, points: usize) -> Self {
        Self {
            m,
            levels: Levels::new(m, seed),
            base: Table::with_capacity(points, 2 * m),
            // One point in M is lifted a level, one in M² two, …
            upper: Table::with_capacity(points / (m - 1), m),
            upper_starts: Table::with_capacity(points.div_ceil(BLOCK), 1),
            parents: Table::with_capacity(points, 1),
            children: Table::with_capacity(points.div_ceil(2), 1),
            copies: Table::with_capacity(points.div_ceil(64), 1),
            copy_count: AtomicUsize::new(0),
            visibility: Visibility::with_capacity(points),
            freezer: Freezer::default(),
            entry: AtomicU32::new(NONE),
        }
    }

    /// The graph of another library, without its links: the points that have these levels. It has no
    /// spanning tree and no chains of copies, so that it cannot be changed.
    pub(crate) fn imported(m: usize, levels: Vec<u8>) -> io::Result<Self> {
        let len = levels.len();
        let graph = Self {
            levels: Levels::listed(Bytes::Read(levels.into())),
            ..Self::with_capacity(m, 0, len)
        };
        graph.reserve(len)?;
        graph.grow_to(len);
        Ok(graph)
    }

    /// Whether another library has built it.
    #[inline(always)]
    pub(crate) fn is_imported(&self) -> bool {
        self.levels.list().is_some()
    }

    /// Makes sure that [`grow_to`](Self::grow_to) finds memory for `len` points. On an error nothing has
    /// changed. One writer at a time.
    pub(crate) fn reserve(&self, len: usize) -> io::Result<()> {
        self.visibility.reserve(len)?;
        self.base.reserve(len)?;
        self.upper.reserve(self.upper.len() + self.new_lists(len))?;
        self.upper_starts.reserve(len.div_ceil(BLOCK))?;
        self.parents.reserve(len)?;
        self.children.reserve(len.div_ceil(2))?;
        self.copies.reserve(len.div_ceil(64))
    }

    /// Appends points until there are `len`; the new ones have no links yet. One writer at a time, who has
    /// [reserved](Self::reserve) the memory.
    pub(crate) fn grow_to(&self, len: usize) {
        let (first_new, empty_lists) = (self.len(), self.upper.len());
        let mut lists = empty_lists;
        self.visibility.grow_to(len);
        self.upper.grow_to(lists + self.new_lists(len));
        self.upper_starts.grow_to(len.div_ceil(BLOCK));
        self.parents.grow_to(len);
        self.children.grow_to(len.div_ceil(2));
        self.copies.grow_to(len.div_ceil(64));
        for list in empty_lists..self.upper.len() {
            clear(self.upper.row(list as u32));
        }
        for id in first_new..len {
            self.parents.row(id as Id)[0].store(NONE, Relaxed);
            // The upper lists of an id lie together, so their places follow from a running sum.
            if id.is_multiple_of(BLOCK) {
                self.upper_starts.row((id / BLOCK) as u32)[0].store(lists as u32, Relaxed);
            }
            lists += self.levels.of(id as Id);
        }
        // Last, since its length is the graph's.
        let new = len.saturating_sub(first_new);
        let grown = self.base.append(new, |_, slots| slots.fill_with(|| Slot::new(NONE)));
        grown.expect("memory for the links is reserved");
    }

    /// Points for which there are lists on level 0 in the first segment.
    #[cfg(test)]
    pub(crate) fn capacity_of_links(&self) -> usize {
        self.base.first_rows()
    }

    /// The number of lists above level 0 that the points from here to `len` will have.
    fn new_lists(&self, len: usize) -> usize {
        (self.len()..len).map(|id| self.levels.of(id as Id)).sum()
    }

    /// Bytes that `points` more points will take, the hash of equal rows apart.
    pub(crate) fn bytes_of(&self, points: usize) -> usize {
        let lists =
            2 * self.m * points + self.m * self.new_lists(self.len().saturating_add(points));
        let (parents, children, copies) = (size_of::<Id>() * points, points / 2, points / 8);
        let starts = size_of::<u32>() * points / BLOCK;
        lists.saturating_mul(size_of::<Slot>()) + parents + children + copies + starts
    }

    /// The points for which there is room: linked, being linked, or dead. Nothing links to others.
    #[inline(always)]
    pub(crate) fn len(&self) -> usize {
        self.base.len()
    }

    /// What a search that begins now sees.
    pub(crate) fn snapshot(&self) -> Snapshot {
        self.visibility.snapshot()
    }

    /// Lets searches that begin from now on see all that was done.
    pub(crate) fn publish(&self) {
        self.visibility.publish(self.len());
        self.freezer.thaw();
    }

    /// Lets searches find the graph as it is now until the next time that it is published. On an error
    /// nothing has changed.
    pub(crate) fn freeze(&self) -> io::Result<()> {
        let count = self.snapshot().count;
        let lists = [(count as usize, 2 * self.m), (self.upper.len(), self.m)];
        if count > 0 { self.freezer.freeze(count, self.entry(), lists) } else { Ok(()) }
    }

    /// The graph of this many points, if it is frozen.
    pub(crate) fn frozen(&self, points: u32) -> Option<Arc<Frozen>> {
        self.freezer.frozen(points)
    }

    /// To be called by whoever takes the writer's turn, before the first store of the turn: what earlier
    /// writers logged is then known to all who see what this one stores.
    pub(crate) fn begin_stores(&self) {
        self.visibility.begin_stores();
    }

    /// Ends `id`, before its links are taken away. `moved` is a point that loses its place in the
    /// graph for it: searches under way will look for both.
    pub(crate) fn end(&self, id: Id, moved: Option<Id>) {
        self.visibility.end(id, moved);
    }

    /// Whether `id` was removed.
    #[inline(always)]
    pub(crate) fn is_dead(&self, id: Id) -> bool {
        self.visibility.is_dead(id)
    }

    /// Whether a search with this snapshot may return `id`.
    #[inline(always)]
    pub(crate) fn is_visible(&self, id: Id, snapshot: Snapshot) -> bool {
        self.visibility.is_visible(id, snapshot)
    }

    /// The number of removals of which the caller may have seen anything: all that it has read of the
    /// lists before the call is as it was before later ones.
    pub(crate) fn removals(&self) -> u32 {
        self.visibility.logged()
    }

    /// The points that these removals ended, and those that lost their place for them.
    pub(crate) fn disturbed(&self, removals: Range<u32>) -> impl Iterator<Item = Id> {
        self.visibility.disturbed(removals)
    }

    pub(crate) fn m(&self) -> usize {
        self.m
    }

    /// The most links a point may have on `level`.
    pub(crate) fn degree(&self, level: usize) -> usize {
        if level == 0 { 2 * self.m } else { self.m }
    }

    /// The level of `id`: it has lists on all levels up to it.
    pub(crate) fn level(&self, id: Id) -> usize {
        self.levels.of(id)
    }

    /// Where every search begins: a point on the highest level; `None` while no point lives. To be
    /// read before [`len`](Self::len), which then is larger.
    pub(crate) fn entry(&self) -> Option<Id> {
        let entry = self.entry.load(Acquire);
        (entry != NONE).then_some(entry)
    }

    /// Stored with Release: who begins here sees the links of `id`.
    pub(crate) fn set_entry(&self, id: Option<Id>) {
        self.entry.store(id.unwrap_or(NONE), Release);
    }

    /// The neighbour slots of `id` on `level`, [`NONE`] where empty. On a level where the point is not,
    /// to which only a damaged graph leads, there are none.
    #[inline(always)]
    pub(crate) fn slots(&self, id: Id, level: usize) -> &[Slot] {
        if level == 0 { self.base.row(id) } else { self.upper_slots(id, level) }
    }

    /// As [`slots`](Self::slots), of a frozen graph.
    #[inline(always)]
    pub(crate) fn slots_in<'a>(
        &'a self,
        frozen: Option<&'a Frozen>,
        id: Id,
        level: usize,
    ) -> &'a [Slot] {
        let now = self.slots(id, level);
        match frozen {
            None => now,
            Some(frozen) if level == 0 => frozen.base(id, now),
            Some(frozen) => frozen.upper(self.upper_list(id, level), now),
        }
    }

    fn upper_slots(&self, id: Id, level: usize) -> &[Slot] {
        if level > self.level(id) {
            return &[];
        }
        self.upper.get(self.upper_list(id, level)).unwrap_or_default()
    }

    /// The place in `upper` of a list of `id`.
    fn upper_list(&self, id: Id, level: usize) -> u32 {
        let block = id / BLOCK as Id;
        let before = (block * BLOCK as Id..id).map(|id| self.level(id) as u32).sum::<u32>();
        let first = self.upper_starts.row(block)[0].load(Relaxed).saturating_add(before);
        first.saturating_add((level - 1) as u32)
    }

    /// The neighbours of `id` on `level`.
    pub(crate) fn links(&self, id: Id, level: usize) -> impl Iterator<Item = Id> {
        self.slots(id, level).iter().map(|slot| slot.load(Relaxed)).filter(|id| *id != NONE)
    }

    /// Makes `links` the neighbours of `id` on `level`. Those that stay keep their slots, so that a
    /// search reading meanwhile never misses one that stays.
    pub(crate) fn set_links(&self, id: Id, level: usize, links: &[Id]) {
        let slots = self.slots(id, level);
        debug_assert!(links.len() <= slots.len());
        let list = if level == 0 { id } else { self.upper_list(id, level) };
        self.freezer.keep(id, level, list, slots);
        let stays = |slot: &Slot| links.contains(&slot.load(Relaxed));
        let is_new = |link: &&Id| !slots.iter().any(|slot| slot.load(Relaxed) == **link);
        let mut new: Vec<Id> = links.iter().filter(is_new).copied().collect();
        new.reverse();
        for slot in slots {
            if !stays(slot) {
                slot.store(new.pop().unwrap_or(NONE), Relaxed);
            }
        }
    }

    /// The parent of `id` in the spanning tree; `None` for the root.
    pub(crate) fn parent(&self, id: Id) -> Option<Id> {
        let parent = self.parents.row(id)[0].load(Relaxed);
        (parent != NONE).then_some(parent)
    }

    /// Makes `parent` the parent of `id` in the spanning tree, or in its chain of copies.
    fn set_parent(&self, id: Id, parent: Option<Id>) {
        self.parents.row(id)[0].store(parent.unwrap_or(NONE), Relaxed);
    }

    /// Stores how many tree children `id` has. One writer at a time.
    fn set_children(&self, id: Id, children: usize) {
        let (byte, shift) = self.child_count(id);
        let other = byte.load(Relaxed) & !(15 << shift);
        byte.store(other | (children as u8) << shift, Relaxed);
    }

    /// The number of tree children of `id`, without the head of a chain of copies.
    pub(crate) fn children(&self, id: Id) -> usize {
        let (byte, shift) = self.child_count(id);
        usize::from(byte.load(Relaxed) >> shift & 15)
    }

    /// The byte that holds the number of children of `id`, and from which bit on.
    fn child_count(&self, id: Id) -> (&AtomicU8, u32) {
        (&self.children.row(id / 2)[0], id % 2 * 4)
    }

    /// Whether the level-0 link between the two belongs to the tree and must stay.
    pub(crate) fn is_tree_link(&self, a: Id, b: Id) -> bool {
        self.parent(a) == Some(b) || self.parent(b) == Some(a)
    }

    /// Whether `id` is a copy: equal to an earlier row, and linked only into the chain behind it.
    #[inline(always)]
    pub(crate) fn is_copy(&self, id: Id) -> bool {
        self.has_copies() && self.copies.row(id / 64)[0].load(Relaxed) >> (id % 64) & 1 == 1
    }

    /// Makes `id` a copy, or a point like others. One writer at a time.
    fn set_copy(&self, id: Id, is_copy: bool) {
        let bit = 1 << (id % 64);
        let word = &self.copies.row(id / 64)[0];
        if is_copy && word.fetch_or(bit, Relaxed) & bit == 0 {
            self.copy_count.fetch_add(1, Relaxed);
        } else if !is_copy && word.fetch_and(!bit, Relaxed) & bit != 0 {
            self.copy_count.fetch_sub(1, Relaxed);
        }
    }

    #[inline(always)]
    pub(crate) fn has_copies(&self) -> bool {
        self.copy_count.load(Relaxed) > 0
    }

    /// The next copy in the chain that begins behind the point `id`, in ascending order of ids, so that
    /// it ends in a damaged graph as well. A copy links to the one before and the one behind it, also
    /// when it has been removed.
    pub(crate) fn next_copy(&self, id: Id) -> Option<Id> {
        let mut later =
            self.links(id, 0).filter(|next| *next > id && (*next as usize) < self.len());
        if self.is_copy(id) {
            return later.next();
        }
        later.find(|next| self.is_copy(*next) && self.parent(*next) == Some(id))
    }

    /// Bytes of the neighbour lists, and of all else.
    pub(crate) fn bytes(&self) -> (usize, usize) {
        let other = self.upper_starts.bytes() + self.parents.bytes() + self.visibility.bytes();
        let other = other
            + self.children.bytes()
            + self.copies.bytes()
            + self.levels.list().map_or(0, <[u8]>::len);
        (self.base.bytes() + self.upper.bytes(), other)
    }
}

fn clear(slots: &[Slot]) {
    for slot in slots {
        slot.store(NONE, Relaxed);
    }
}
