//! How much of its scratch memory a search leaves to the next one.

/// Items of each list that are kept: a beam of 4,096 meets about as many points.
const KEPT: usize = 1 << 16;

/// Empties a list that has become very long, and gives most of its memory back to the system.
pub(super) fn trim<T>(list: &mut Vec<T>) {
    if list.capacity() > KEPT {
        list.clear();
        list.shrink_to(KEPT);
    }
}
