//! Vectors as codes of a scalar quantizer, and what they stand for.

use nearfield_kernels::{bf16, f16};

/// Codes of vectors, and the ranges that they divide.
pub(super) struct Codes<'a> {
    pub(super) bytes: &'a [u8],
    /// Bytes of a vector.
    pub(super) stride: usize,
    pub(super) coding: Coding,
    /// Where ranges begin: one for each dimension, or one for all, or none where codes need none.
    pub(super) least: Vec<f32>,
    /// How long they are.
    pub(super) step: Vec<f32>,
}

/// What the code of an element stands for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Coding {
    /// So many bits, which stand for `least + step · (code + ½) / (2^bits − 1)`.
    Steps(usize),
    F16,
    Bf16,
    U8,
    /// A byte for −128 to 127, from 0 on.
    Signed,
}

impl Codes<'_> {
    /// Writes the elements of a vector, as little-endian `f32`.
    pub(super) fn write(&self, row: usize, out: &mut [[u8; 4]]) {
        let code = &self.bytes[row * self.stride..][..self.stride];
        match self.coding {
            Coding::Steps(bits) => self.steps(bits, code, out),
            Coding::F16 => each(code, out, |half| f16::from_le_bytes(half).to_f32()),
            Coding::Bf16 => each(code, out, |half| bf16::from_le_bytes(half).to_f32()),
            Coding::U8 => each(code, out, |[byte]| f32::from(byte)),
            Coding::Signed => each(code, out, |[byte]| f32::from(byte) - 128.0),
        }
    }

    fn steps(&self, bits: usize, code: &[u8], out: &mut [[u8; 4]]) {
        let most = ((1 << bits) - 1) as u8;
        let ranges = self.least.iter().zip(&self.step).cycle();
        for ((at, out), (least, step)) in (0..).zip(out).zip(ranges) {
            // Codes lie one behind the other, from the lowest bit on.
            let (byte, shift) = (at * bits / 8, at * bits % 8);
            let next = code.get(byte + 1).copied().unwrap_or(0);
            let code = (u16::from_le_bytes([code[byte], next]) >> shift) as u8 & most;
            let share = (f32::from(code) + 0.5) / f32::from(most);
            *out = (least + share * step).to_le_bytes();
        }
    }
}

fn each<const N: usize>(code: &[u8], out: &mut [[u8; 4]], value: fn([u8; N]) -> f32) {
    for (out, code) in out.iter_mut().zip(code.as_chunks::<N>().0) {
        *out = value(*code).to_le_bytes();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn six_bits_lie_across_bytes() {
        let bytes = [0b0100_0001, 0b0001_0000, 0b1111_1100];
        let (coding, least, step) = (Coding::Steps(6), vec![0.0], vec![63.0]);
        let codes = Codes { bytes: &bytes, stride: 3, coding, least, step };
        let mut out = [[0; 4]; 4];
        codes.write(0, &mut out);
        assert_eq!(out.map(f32::from_le_bytes), [1.5, 1.5, 1.5, 63.5]);
    }
}
