//! A hash of anything that implements [`Hash`], by a stated algorithm: what reaches a file must be the same
//! tomorrow and on another machine, which std's own hasher does not promise.
//!
//! It is XXH3-64 (seed 0) of the bytes that [`Hash`] writes. Integers are written little-endian, those of the
//! pointer's width (lengths of slices and discriminants of enums among them) as 64 bits.

use std::hash::{Hash, Hasher};

use twox_hash::XxHash3_64;

/// The same for equal values.
pub(crate) fn of<T: Hash + ?Sized>(value: &T) -> u64 {
    let mut hasher = Fingerprint(XxHash3_64::new());
    value.hash(&mut hasher);
    hasher.finish()
}

struct Fingerprint(XxHash3_64);

/// Signed integers are written as the unsigned ones of their width by the provided methods.
macro_rules! little_endian {
    ($($write:ident $integer:ident)*) => {$(
        fn $write(&mut self, value: $integer) {
            self.write(&value.to_le_bytes());
        }
    )*};
}

impl Hasher for Fingerprint {
    fn write(&mut self, bytes: &[u8]) {
        self.0.write(bytes);
    }

    little_endian! { write_u16 u16 write_u32 u32 write_u64 u64 write_u128 u128 }

    fn write_usize(&mut self, value: usize) {
        self.write_u64(value as u64);
    }

    fn write_isize(&mut self, value: isize) {
        self.write_i64(value as i64);
    }

    fn finish(&self) -> u64 {
        self.0.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Hash)]
    enum Shape {
        Dot,
        Line { from: u16, to: i32 },
    }

    #[test]
    fn is_xxh3_of_stated_bytes() {
        let expect = |found: u64, bytes: &[&[u8]]| {
            assert_eq!(found, XxHash3_64::oneshot(&bytes.concat()), "{bytes:?}");
        };
        expect(of("heron"), &[b"heron\xFF"]);
        expect(of(&7u8), &[&[7]]);
        expect(of(&-2i32), &[&(-2i32).to_le_bytes()]);
        expect(of(&0x0102_0304_0506_0708u64), &[&[8, 7, 6, 5, 4, 3, 2, 1]]);
        expect(of(&1u128), &[&1u128.to_le_bytes()]);
        expect(of(&9usize), &[&9u64.to_le_bytes()]);
        expect(of(&-9isize), &[&(-9i64).to_le_bytes()]);
        expect(of(&[1u8, 2, 3][..]), &[&3u64.to_le_bytes(), &[1, 2, 3]]);
        expect(of(&vec![1u32, 2]), &[&2u64.to_le_bytes(), &[1, 0, 0, 0, 2, 0, 0, 0]]);
        expect(of(&Shape::Dot), &[&0i64.to_le_bytes()]);
        let line = Shape::Line { from: 3, to: -1 };
        expect(of(&line), &[&1i64.to_le_bytes(), &[3, 0], &[0xFF; 4]]);
        expect(of(&("a", 'b')), &[b"a\xFF", &('b' as u32).to_le_bytes()]);
    }

    /// Fixed numbers: a change here makes the directories of saved graphs useless.
    #[test]
    fn stays_what_it_was() {
        assert_eq!(of("heron"), 0xFDB0_0214_1924_31FB);
        assert_eq!(of(&[1.5f32, -2.0].map(f32::to_bits)), 0x6AC3_F8FE_2545_652C);
    }
}
