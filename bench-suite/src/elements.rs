//! The elements that can be timed: what a type needs, so that every course can be run over it.

use bytemuck::Pod;
use half::{bf16, f16};
use nearfield_kernels::{Element, Metric, Query};

use crate::machine::{Buffer, Pages, Probed};
use crate::peers::Peers;
use crate::plain::{self, Plain};
use crate::random::Random;

/// Elements of a query that can be timed against rows of `R`.
pub(crate) trait Timed<R: Element = Self>: Query<R> + Filled + Peers<R> {
    /// The name in reports: of the element, or of both.
    const NAME: &'static str;

    /// The loop that anyone would write first, where the report compares with it.
    fn plain(_metric: Metric) -> Option<Plain<Self, R>> {
        None
    }
}

impl Timed for f32 {
    const NAME: &'static str = "f32";

    fn plain(metric: Metric) -> Option<Plain<Self>> {
        plain::over_floats(metric)
    }
}

impl Timed for u64 {
    const NAME: &'static str = "bits";

    fn plain(metric: Metric) -> Option<Plain<Self>> {
        plain::over_bits(metric)
    }
}

/// Those that need no more than a name.
macro_rules! timed {
    ($($query:ty, $row:ty: $name:literal;)*) => {$(
        impl Timed<$row> for $query {
            const NAME: &'static str = $name;
        }
    )*};
}

timed! {
    f16, f16: "f16";
    bf16, bf16: "bf16";
    i8, i8: "i8";
    u8, u8: "u8";
    f32, f16: "f32xf16";
    f32, bf16: "f32xbf16";
    f32, i8: "f32xi8";
    f32, u8: "f32xu8";
}

/// Dimensions that one element of `R` holds: metrics over sets count its bits.
pub(crate) fn dims_per_element<R>(metric: Metric) -> usize {
    match metric {
        Metric::Hamming | Metric::Jaccard => 8 * size_of::<R>(),
        _ => 1,
    }
}

/// An element that can be drawn at random.
pub(crate) trait Filled: Pod {
    /// A number in −1…1, or for integers any.
    fn draw(random: &mut Random) -> Self;
}

/// What a type takes of 64 random bits, or of a number in −1…1.
macro_rules! filled {
    ($($element:ty: $draw:expr;)*) => {$(
        impl Filled for $element {
            fn draw(random: &mut Random) -> Self {
                let draw: fn(&mut Random) -> Self = $draw;
                draw(random)
            }
        }
    )*};
}

filled! {
    f32: Random::unit;
    f16: |random| Self::from_f32(random.unit());
    bf16: |random| Self::from_f32(random.unit());
    i8: |random| random.bits() as Self;
    u8: |random| random.bits() as Self;
    u64: Random::bits;
}

/// `bytes` of memory in huge pages, full of random elements.
pub(crate) fn filled<E: Filled>(bytes: usize) -> Probed<Buffer> {
    let mut buffer = Buffer::new(bytes, Pages::Huge)?;
    let mut random = Random::new(0xf17);
    // Enough to differ from row to row; drawing a whole gigabyte would take longer than timing it.
    let values = buffer.as_mut_slice::<E>();
    let (drawn, rest) = values.split_at_mut(values.len().min(DRAWN / size_of::<E>()));
    drawn.fill_with(|| E::draw(&mut random));
    for part in rest.chunks_mut(DRAWN / size_of::<E>()) {
        part.copy_from_slice(&drawn[..part.len()]);
    }
    Ok(buffer)
}

/// Bytes that are drawn, and then repeated.
const DRAWN: usize = 4 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_full_of_numbers_to_its_end() {
        let buffer = filled::<f16>(DRAWN + 1024).unwrap();
        let values = buffer.as_slice::<f16>();
        assert!(values.iter().all(|x| x.to_f32().abs() <= 1.0));
        assert_eq!(values[DRAWN / 2..][..512], values[..512]);
        assert_ne!(values[0], values[1]);
        assert_eq!(filled::<u64>(8).unwrap().as_slice::<u64>().len(), 32);
    }

    #[test]
    fn sets_are_counted_in_bits() {
        assert_eq!(dims_per_element::<u64>(Metric::Hamming), 64);
        assert_eq!(dims_per_element::<u8>(Metric::Jaccard), 8);
        assert_eq!(dims_per_element::<u8>(Metric::Cosine), 1);
    }
}
