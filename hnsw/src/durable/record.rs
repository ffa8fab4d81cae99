//! Records of the log: heads and checksums. What their bodies say is the business of `operation.rs`.

use twox_hash::XxHash3_64;

/// The version of the format, which the head of a log names.
pub(super) const VERSION: u32 = 1;

/// Bytes of a record's head.
pub(super) const HEAD: usize = 48;

/// Begins every record.
pub(super) const MAGIC: [u8; 4] = *b"nfR\xAF";

/// The head of a record, see the table in `mod.rs`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RecordHead {
    /// What kind of operation the body tells.
    pub(super) kind: u8,
    /// Bytes of the body.
    pub(super) len: u64,
    /// Its number.
    pub(super) sequence: u64,
    /// The last record that was known to be synced when this one was written.
    pub(super) durable: u64,
    /// Of the body.
    pub(super) checksum: u64,
}

impl RecordHead {
    /// The head of a record with this body, in the log of this seed.
    pub(super) fn of(kind: u8, sequence: u64, durable: u64, body: &[u8], seed: u64) -> Self {
        let checksum = XxHash3_64::oneshot_with_seed(seed, body);
        Self { kind, len: body.len() as u64, sequence, durable, checksum }
    }

    pub(super) fn write(&self, seed: u64) -> [u8; HEAD] {
        let mut bytes = [0; HEAD];
        bytes[..4].copy_from_slice(&MAGIC);
        bytes[4] = self.kind;
        let numbers = [self.len, self.sequence, self.durable, self.checksum];
        for (place, number) in bytes[8..40].chunks_exact_mut(8).zip(numbers) {
            place.copy_from_slice(&number.to_le_bytes());
        }
        let checksum = XxHash3_64::oneshot_with_seed(seed, &bytes[..40]);
        bytes[40..].copy_from_slice(&checksum.to_le_bytes());
        bytes
    }

    /// The head that these bytes are; `None` where they are none of this log.
    pub(super) fn read(bytes: &[u8; HEAD], seed: u64) -> Option<Self> {
        let number = |place: usize| {
            let (number, _) = bytes[place..].split_first_chunk()?;
            Some(u64::from_le_bytes(*number))
        };
        let is_ours = bytes[..4] == MAGIC
            && number(40) == Some(XxHash3_64::oneshot_with_seed(seed, &bytes[..40]));
        if !is_ours {
            return None;
        }
        Some(Self {
            kind: bytes[4],
            len: number(8)?,
            sequence: number(16)?,
            durable: number(24)?,
            checksum: number(32)?,
        })
    }

    /// Whether this is the body that was written behind the head.
    pub(super) fn fits(&self, body: &[u8], seed: u64) -> bool {
        self.checksum == XxHash3_64::oneshot_with_seed(seed, body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bit_of_a_head_and_its_body_counts() {
        let head = RecordHead::of(3, 7, 5, b"body", 11);
        let bytes = head.write(11);
        assert_eq!(RecordHead::read(&bytes, 11), Some(head));
        assert_eq!(RecordHead::read(&bytes, 12), None);
        for bit in 0..HEAD * 8 {
            let mut flipped = bytes;
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(RecordHead::read(&flipped, 11), None, "bit {bit}");
        }
        assert!(head.fits(b"body", 11) && !head.fits(b"bodz", 11) && !head.fits(b"body", 12));
    }
}
