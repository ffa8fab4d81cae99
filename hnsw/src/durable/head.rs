//! The head of a log: of what it is a log.

use std::hash::{BuildHasher, RandomState};

use nearfield_kernels::Metric;
use twox_hash::XxHash3_64;

use super::error::BadLog;
use super::record::VERSION;
use crate::index::SavedKey;
use crate::vectors::{VectorElement, Vectors, element_name};

/// Bytes of the head.
pub(super) const LEN: usize = 96;

const MAGIC: [u8; 8] = *b"NFIELDWL";

/// Room for a name.
const NAME: usize = 16;

/// The names and the dimension in which a log and an index must agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Contents {
    /// Key encoding, element and metric.
    names: [[u8; NAME]; 3],
    dim: u64,
    /// The key encoding as earlier versions named it, or nothing.
    former_keys: [u8; NAME],
}

impl Contents {
    /// Those of an index.
    pub(super) fn of<K: SavedKey, E: VectorElement>(dim: usize, metric: Metric) -> Self {
        const { assert!(K::ENCODING.len() <= NAME, "the name of a key encoding is too long") };
        let field = |name: &str| {
            let mut bytes = [0; NAME];
            bytes.iter_mut().zip(name.bytes()).for_each(|(to, from)| *to = from);
            bytes
        };
        let names = [K::ENCODING, element_name::<E>(), metric.name()].map(field);
        Self { names, dim: dim as u64, former_keys: field(K::FORMER_ENCODING.unwrap_or_default()) }
    }

    pub(super) fn of_vectors<K: SavedKey, E: VectorElement>(vectors: &Vectors<E>) -> Self {
        Self::of::<K, E>(vectors.dim(), vectors.metric())
    }

    /// The names of key encoding, element and metric.
    pub(super) fn names(&self) -> [String; 3] {
        self.names.each_ref().map(text)
    }

    pub(super) fn dim(&self) -> u64 {
        self.dim
    }

    /// Refuses to take the one for the other.
    pub(super) fn compare(&self, found: &Self) -> Result<(), BadLog> {
        let whats = ["key encoding", "element", "metric"];
        for (what, (expected, found)) in whats.into_iter().zip(self.names.iter().zip(found.names)) {
            let is_former = what == whats[0] && found != [0; NAME] && found == self.former_keys;
            if *expected != found && !is_former {
                let (expected, found) = (text(expected), text(&found));
                return Err(BadLog::Other { what, expected, found });
            }
        }
        if self.dim != found.dim {
            let (expected, found) = (self.dim.to_string(), found.dim.to_string());
            return Err(BadLog::Other { what: "dimension", expected, found });
        }
        Ok(())
    }
}

/// A name without the zeros behind it.
fn text(name: &[u8; NAME]) -> String {
    let end = name.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    String::from_utf8_lossy(&name[..end]).into_owned()
}

/// The head, see the table in `mod.rs`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) contents: Contents,
    /// The number behind which its records begin.
    pub(super) start: u64,
    /// A number that no other log has.
    salt: u64,
}

impl Head {
    /// The head of a new log.
    pub(super) fn new(contents: Contents, start: u64) -> Self {
        Self { contents, start, salt: RandomState::new().hash_one(start) }
    }

    pub(super) fn write(&self) -> [u8; LEN] {
        let mut bytes = [0; LEN];
        bytes[..8].copy_from_slice(&MAGIC);
        bytes[8..12].copy_from_slice(&VERSION.to_le_bytes());
        bytes[16..64].copy_from_slice(self.contents.names.as_flattened());
        for (place, number) in [(64, self.contents.dim), (72, self.start), (80, self.salt)] {
            bytes[place..][..8].copy_from_slice(&number.to_le_bytes());
        }
        let checksum = XxHash3_64::oneshot(&bytes[..88]);
        bytes[88..].copy_from_slice(&checksum.to_le_bytes());
        bytes
    }

    /// The head that these bytes are.
    pub(super) fn read(bytes: &[u8; LEN]) -> Result<Self, BadLog> {
        if bytes[..8] != MAGIC {
            return Err(BadLog::NoLog);
        }
        let mut version = [0; 4];
        version.copy_from_slice(&bytes[8..12]);
        let version = u32::from_le_bytes(version);
        let number = |place: usize| {
            let mut number = [0; 8];
            number.copy_from_slice(&bytes[place..place + 8]);
            u64::from_le_bytes(number)
        };
        if version != VERSION {
            return Err(BadLog::Version { version });
        }
        if number(88) != XxHash3_64::oneshot(&bytes[..88]) {
            return Err(BadLog::Head);
        }
        let mut names = [[0; NAME]; 3];
        names.as_flattened_mut().copy_from_slice(&bytes[16..64]);
        let contents = Contents { names, dim: number(64), former_keys: [0; NAME] };
        Ok(Self { contents, start: number(72), salt: number(80) })
    }

    /// Seeds the checksums of the records, so that those of another log, or of one inside a record's
    /// body, are no records of this one.
    pub(super) fn seed(&self) -> u64 {
        XxHash3_64::oneshot(&self.write())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_comes_back_and_every_bit_of_it_counts() {
        let contents = Contents::of::<String, f32>(3, Metric::Cosine);
        let head = Head::new(contents, 9);
        let bytes = head.write();
        assert_eq!(Head::read(&bytes).unwrap(), head);
        for bit in 0..LEN * 8 {
            let mut flipped = bytes;
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(Head::read(&flipped).is_err(), "bit {bit}");
        }
        assert_ne!(head.seed(), Head::new(contents, 9).seed());
    }

    #[test]
    fn other_contents_are_told_apart() {
        let here = Contents::of::<String, f32>(3, Metric::Cosine);
        let differs = |other: Contents| here.compare(&other).unwrap_err().to_string();
        assert!(here.compare(&here).is_ok());
        let of = |names: &str| format!("its {names}");
        assert_eq!(
            differs(Contents::of::<u64, f32>(3, Metric::Cosine)),
            of("key encoding is u64, that of the snapshot utf-8")
        );
        assert_eq!(
            differs(Contents::of::<String, i8>(3, Metric::Cosine)),
            of("element is i8, that of the snapshot f32")
        );
        assert_eq!(
            differs(Contents::of::<String, f32>(3, Metric::L2)),
            of("metric is euclidean, that of the snapshot cosine")
        );
        assert_eq!(
            differs(Contents::of::<String, f32>(4, Metric::Cosine)),
            of("dimension is 4, that of the snapshot 3")
        );
    }
}
