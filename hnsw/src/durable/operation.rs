//! What the body of a record says: an operation on an index, as bytes.
//!
//! What writes one leaves room for the record's head before it.

use std::borrow::Borrow;
use std::fmt;

use super::record::HEAD;
use crate::index::SavedKey;
use crate::vectors::VectorElement;

pub(super) const MARK: u8 = 0;
pub(super) const INSERT: u8 = 1;
pub(super) const UPSERT: u8 = 2;
pub(super) const REMOVE: u8 = 3;
pub(super) const BATCH: u8 = 4;

/// An operation as it is read from a log.
#[derive(Debug, PartialEq)]
pub(super) enum Operation<K, E> {
    /// Nothing: its record says what is synced.
    Mark,
    Insert(K, Vec<E>),
    Upsert(K, Vec<E>),
    Remove(K),
    Batch(Vec<K>, Vec<Vec<E>>),
}

/// A record without its head, of nothing.
pub(super) fn mark() -> Vec<u8> {
    vec![0; HEAD]
}

/// A record without its head, of a key with its vector or without.
pub(super) fn one<K: SavedKey, E: VectorElement>(key: &K, vector: &[E]) -> Vec<u8> {
    let mut record = Vec::with_capacity(HEAD + 32 + size_of_val(vector));
    record.resize(HEAD, 0);
    put(key, vector, &mut record);
    record
}

/// A record without its head, of many keys with their vectors.
pub(super) fn many<K: SavedKey, E: VectorElement, P: Borrow<[E]>>(
    keys: &[K],
    vectors: &[P],
) -> Vec<u8> {
    let mut record = vec![0; HEAD];
    record.extend((keys.len() as u64).to_le_bytes());
    keys.iter().zip(vectors).for_each(|(key, vector)| put(key, vector.borrow(), &mut record));
    record
}

fn put<K: SavedKey, E: VectorElement>(key: &K, vector: &[E], record: &mut Vec<u8>) {
    let before = record.len();
    record.extend([0; 8]);
    key.write(record);
    let len = (record.len() - before - 8) as u64;
    record[before..before + 8].copy_from_slice(&len.to_le_bytes());
    let start = record.len();
    record.extend_from_slice(bytemuck::cast_slice(vector));
    to_little_endian::<E>(&mut record[start..]);
}

/// Turns the bytes of elements from this machine's order to that of files, or back.
fn to_little_endian<E>(bytes: &mut [u8]) {
    if cfg!(target_endian = "big") {
        bytes.chunks_exact_mut(size_of::<E>()).for_each(<[u8]>::reverse);
    }
}

impl<K: SavedKey, E: VectorElement> Operation<K, E> {
    /// The operation that a body tells; of vectors of `dim` elements.
    pub(super) fn read(kind: u8, body: &[u8], dim: usize) -> Result<Self, BodyError> {
        let mut rest = Rest(body);
        let operation = match kind {
            MARK => Self::Mark,
            INSERT => Self::Insert(rest.key()?, rest.vector(dim)?),
            UPSERT => Self::Upsert(rest.key()?, rest.vector(dim)?),
            REMOVE => Self::Remove(rest.key()?),
            BATCH => {
                let count = rest.number()?;
                let (mut keys, mut vectors) = (Vec::new(), Vec::new());
                // A count that was made up ends where the bytes do.
                for _ in 0..count {
                    keys.push(rest.key()?);
                    vectors.push(rest.vector(dim)?);
                }
                Self::Batch(keys, vectors)
            }
            kind => return Err(BodyError::Kind { kind }),
        };
        match rest.0.len() {
            0 => Ok(operation),
            bytes => Err(BodyError::TooLong { bytes }),
        }
    }
}

/// The bytes of a body that were not read yet.
struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    fn take(&mut self, bytes: usize) -> Result<&'a [u8], BodyError> {
        let (taken, rest) = self.0.split_at_checked(bytes).ok_or(BodyError::TooShort)?;
        self.0 = rest;
        Ok(taken)
    }

    fn number(&mut self) -> Result<u64, BodyError> {
        let mut number = [0; 8];
        number.copy_from_slice(self.take(8)?);
        Ok(u64::from_le_bytes(number))
    }

    fn key<K: SavedKey>(&mut self) -> Result<K, BodyError> {
        let len = usize::try_from(self.number()?).map_err(|_| BodyError::TooShort)?;
        K::read(self.take(len)?).ok_or(BodyError::Key { encoding: K::ENCODING })
    }

    fn vector<E: VectorElement>(&mut self, dim: usize) -> Result<Vec<E>, BodyError> {
        let bytes = dim.checked_mul(size_of::<E>()).ok_or(BodyError::TooShort)?;
        let bytes = self.take(bytes)?;
        let mut vector = vec![E::zeroed(); dim];
        let place: &mut [u8] = bytemuck::cast_slice_mut(&mut vector);
        place.copy_from_slice(bytes);
        to_little_endian::<E>(place);
        Ok(vector)
    }
}

/// Why a body with the right checksum tells no operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BodyError {
    Kind { kind: u8 },
    Key { encoding: &'static str },
    TooShort,
    TooLong { bytes: usize },
}

impl fmt::Display for BodyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kind { kind } => write!(f, "its kind {kind} is unknown"),
            Self::Key { encoding } => {
                write!(f, "one of its keys is none in the encoding `{encoding}`")
            }
            Self::TooShort => f.write_str("it ends too early"),
            Self::TooLong { bytes } => write!(f, "it has {bytes} bytes too many"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Read = Operation<String, f32>;

    #[test]
    fn operations_come_back() {
        let (key, vector) = ("a key".to_owned(), vec![1.0, -2.5]);
        let body = &one(&key, &vector)[HEAD..];
        let insert = Read::read(INSERT, body, 2).unwrap();
        assert_eq!(insert, Read::Insert(key.clone(), vector.clone()));
        let upsert = Read::read(UPSERT, body, 2).unwrap();
        assert_eq!(upsert, Read::Upsert(key.clone(), vector.clone()));
        let remove = Read::read(REMOVE, &one::<_, f32>(&key, &[])[HEAD..], 2).unwrap();
        assert_eq!(remove, Read::Remove(key.clone()));
        let (keys, vectors) = (vec![key, "b".into()], vec![vector, vec![0.0, 7.0]]);
        let batch = Read::read(BATCH, &many(&keys, &vectors)[HEAD..], 2).unwrap();
        assert_eq!(batch, Read::Batch(keys, vectors));
        assert_eq!(Read::read(MARK, &[], 2), Ok(Read::Mark));
    }

    #[test]
    fn bodies_that_are_none_are_refused() {
        let body = &one(&"key".to_owned(), &[1.0f32, 2.0])[HEAD..];
        for len in 0..body.len() {
            assert_eq!(Read::read(INSERT, &body[..len], 2), Err(BodyError::TooShort), "{len}");
        }
        assert_eq!(Read::read(INSERT, body, 1), Err(BodyError::TooLong { bytes: 4 }));
        assert_eq!(Read::read(REMOVE, body, 2), Err(BodyError::TooLong { bytes: 8 }));
        assert_eq!(Read::read(9, body, 2), Err(BodyError::Kind { kind: 9 }));
        assert_eq!(
            Operation::<u64, f32>::read(INSERT, body, 2),
            Err(BodyError::Key { encoding: "u64" })
        );
        // Lengths that nothing stands behind allocate nothing.
        for kind in [INSERT, BATCH] {
            assert_eq!(Read::read(kind, &[0xFF; 64], 2), Err(BodyError::TooShort));
            assert_eq!(Read::read(kind, body, usize::MAX), Err(BodyError::TooShort));
        }
    }
}
