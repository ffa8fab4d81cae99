//! The vectors of an index, as a file of vectors has them.

use nearfield_files::{Keys, Matrix, Values};
use nearfield_hnsw::{
    bf16, f16,
    space::{Space, VectorElement},
};

use crate::saved::Saved;

/// An element that files of vectors have, or one that is exactly another that they have.
pub trait Exported: VectorElement {
    /// The values of rows, and how many make what an element is.
    fn values(rows: Vec<Self>) -> (Values, usize);
}

macro_rules! exported {
    ($($element:ty: $values:expr, $each:literal;)*) => {$(
        impl Exported for $element {
            fn values(rows: Vec<Self>) -> (Values, usize) {
                let values: fn(Vec<Self>) -> Values = $values;
                (values(rows), $each)
            }
        }
    )*};
}

exported! {
    f32: Values::F32, 1;
    f16: Values::F16, 1;
    bf16: |rows| Values::F32(rows.into_iter().map(f32::from).collect()), 1; // exact
    i8: Values::I8, 1;
    u8: Values::U8, 1;
    u64: |rows| Values::U8(rows.into_iter().flat_map(u64::to_le_bytes).collect()), 8; // packed bits
}

/// The vectors of the points that live, in the order of their ids, and their keys.
pub fn vectors<E: Exported>(saved: &Saved<E>) -> (Matrix, Keys) {
    let vectors = saved.vectors();
    let living = (0..vectors.len() as u32).filter_map(|id| Some((id, saved.key(id)?)));
    let (ids, keys): (Vec<u32>, Vec<u64>) = living.unzip();
    let rows = ids.into_iter().filter_map(|id| vectors.get(id));
    let (values, each) = E::values(rows.flat_map(std::borrow::Cow::into_owned).collect());
    (Matrix::new(vectors.dim() * each, values), Keys::Unsigned(keys))
}
