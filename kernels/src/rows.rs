//! A borrowed table of vectors: one contiguous slice, or segments that double.

use core::fmt;

/// The most segments a table can have: with a first segment of one row, 32 doublings cover every `u32` id.
pub const MAX_SEGMENTS: usize = 33;

/// `len` rows of `dim` elements each, `stride` elements apart.
///
/// Row *i* of the first segment starts at element `i · stride`. A table that grows is made of
/// several segments: the first holds 2^`first_log2` rows, each later one as many as all before it
/// together, so that finding a row takes a bit scan and one load, and growth moves nothing.
///
/// ```
/// use nearfield_kernels::Rows;
///
/// let values = [0.0f32, 0.1, 1.0, 1.1, 2.0, 2.1];
/// let rows = Rows::new(&values, 2);
/// assert_eq!(rows.len(), 3);
/// assert_eq!(rows.row(1), [1.0, 1.1]);
/// ```
#[derive(Clone, Copy)]
pub struct Rows<'a, E> {
    segments: [&'a [E]; MAX_SEGMENTS],
    first_log2: u32,
    /// Whether the first segment holds all rows.
    is_flat: bool,
    len: usize,
    dim: usize,
    stride: usize,
}

impl<'a, E> Rows<'a, E> {
    /// Rows that lie next to each other: `values.len() / dim` of them.
    ///
    /// # Panics
    /// When `dim` is 0 or does not divide `values.len()`.
    pub fn new(values: &'a [E], dim: usize) -> Self {
        assert!(dim > 0, "rows need at least one dimension");
        assert!(
            values.len().is_multiple_of(dim),
            "{} elements are not a whole number of rows of {dim}",
            values.len()
        );
        Self::with_stride(values, dim, dim, values.len() / dim)
    }

    /// `len` rows of `dim` elements whose starts are `stride` elements apart.
    ///
    /// # Panics
    /// When `stride < dim`, `dim` is 0, or `values` is too short for `len` rows.
    pub fn with_stride(values: &'a [E], dim: usize, stride: usize, len: usize) -> Self {
        // 32: every u32 id falls into the first segment.
        Self::segmented(core::iter::once(values), 32, dim, stride, len)
    }

    /// `len` rows in segments: the first holds 2^`first_log2` rows, each later one as many as all
    /// segments before it together. The last one may be cut short behind row `len`.
    ///
    /// # Panics
    /// When `dim` is 0, `stride < dim`, there are more than [`MAX_SEGMENTS`] segments or 2³² rows, or a
    /// segment is too short for the rows below `len` that belong to it.
    pub fn segmented(
        segments: impl IntoIterator<Item = &'a [E]>,
        first_log2: u32,
        dim: usize,
        stride: usize,
        len: usize,
    ) -> Self {
        assert!(dim > 0, "rows need at least one dimension");
        assert!(stride >= dim, "a stride of {stride} is shorter than a row of {dim}");
        assert!(len as u64 <= 1 << 32, "{len} rows are more than u32 ids can name");
        let first = power_of_two(first_log2);
        let mut table: [&[E]; MAX_SEGMENTS] = [&[]; MAX_SEGMENTS];
        let mut covered = 0;
        for (i, segment) in segments.into_iter().enumerate() {
            assert!(i < MAX_SEGMENTS, "more than {MAX_SEGMENTS} segments");
            let capacity = if i == 0 { first } else { covered };
            let used = capacity.min(len - covered);
            // What a usize cannot count, no segment has.
            let needed =
                if used == 0 { 0 } else { (used - 1).saturating_mul(stride).saturating_add(dim) };
            assert!(
                segment.len() >= needed,
                "segment {i} has {} elements; its {used} rows need {needed}",
                segment.len()
            );
            table[i] = segment;
            covered += used;
        }
        assert!(covered == len, "the segments hold {covered} rows, not {len}");
        let is_flat = len <= first;
        Self { segments: table, first_log2, is_flat, len, dim, stride }
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Elements in a row.
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// Row `id`.
    ///
    /// # Panics
    /// When `id` is not below [`len`](Self::len).
    #[inline(always)]
    pub fn row(&self, id: u32) -> &'a [E] {
        assert!((id as usize) < self.len, "row {id} of {}", self.len);
        // Most tables are one segment. To look for it took 1.2 of the 5.2 ns of a gathered row of 32
        // bytes, which is located twice: to be fetched and to be scored.
        let (segment, offset) =
            if self.is_flat { (0, id as usize) } else { locate(id, self.first_log2) };
        let start = offset * self.stride;
        &self.segments[segment][start..start + self.dim]
    }
}

impl<E> fmt::Debug for Rows<'_, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rows")
            .field("len", &self.len)
            .field("dim", &self.dim)
            .field("stride", &self.stride)
            .finish_non_exhaustive()
    }
}

/// 2^`log2` rows, or where a `usize` does not count that far, more than there can be.
fn power_of_two(log2: u32) -> usize {
    1usize.checked_shl(log2).unwrap_or(usize::MAX)
}

/// The segment that holds item `id`, and its place in it, where the first segment holds
/// 2^`first_log2` items and each later one as many as all before it.
#[inline(always)]
pub fn locate(id: u32, first_log2: u32) -> (usize, usize) {
    let id = u64::from(id);
    let segment = u64::BITS - (id >> first_log2).leading_zeros();
    // The segment's first item: 0, or 2^(first_log2 + segment − 1).
    let start = ((1u64 << (first_log2 + segment)) >> 1) & !((1u64 << first_log2) - 1);
    (segment as usize, (id - start) as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locate_counts_through_doubling_segments() {
        for first_log2 in [0, 1, 4, 10, 32] {
            let (mut segment, mut offset) = (0usize, 0usize);
            let mut capacity = power_of_two(first_log2);
            for id in 0..5_000u32 {
                if offset == capacity {
                    capacity = if segment == 0 { capacity } else { capacity * 2 };
                    (segment, offset) = (segment + 1, 0);
                }
                assert_eq!(locate(id, first_log2), (segment, offset), "id {id}, 2^{first_log2}");
                offset += 1;
            }
            if first_log2 < 32 {
                let (last, offset) = locate(u32::MAX, first_log2);
                assert_eq!(last, 32 - first_log2 as usize);
                assert_eq!(offset, (1 << 31) - 1);
            }
        }
    }

    #[test]
    fn segmented_rows_are_the_rows_in_order() {
        let values: Vec<u64> = (0..30).collect();
        let flat = Rows::with_stride(&values, 2, 3, 10);
        let split = Rows::segmented(
            [&values[..6], &values[6..12], &values[12..24], &values[24..]],
            1,
            2,
            3,
            10,
        );
        for id in 0..10 {
            assert_eq!(flat.row(id), split.row(id));
            assert_eq!(flat.row(id), [u64::from(id) * 3, u64::from(id) * 3 + 1]);
        }
    }

    /// A `usize` of 32 bits does not count to 2³², the size of the first segment of a flat table.
    #[test]
    fn a_first_segment_may_be_larger_than_memory() {
        let values = [1u8, 2, 3];
        for first_log2 in [32, 63, 64, u32::MAX] {
            let rows = Rows::segmented([&values[..]], first_log2, 1, 1, 3);
            assert_eq!(rows.row(2), [3], "2^{first_log2}");
        }
    }

    #[test]
    #[should_panic(expected = "segment 0 has 4 elements; its 3 rows need")]
    fn a_stride_beyond_memory_panics() {
        // 2 · stride + 2 is 2 in the arithmetic of a usize.
        let _ = Rows::with_stride(&[1.0f32; 4], 2, 1 << (usize::BITS - 1), 3);
    }

    #[test]
    #[should_panic(expected = "row 3 of 3")]
    fn a_row_out_of_range_panics() {
        let _ = Rows::new(&[1.0f32, 2.0, 3.0], 1).row(3);
    }
}
