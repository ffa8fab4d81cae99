//! What a key must be, and what it needs to be kept in a file.

use std::hash::Hash;
use std::sync::Arc;

/// What a key must be: a number, a string, a UUID …
pub trait Key: Clone + Eq + Hash + Send + Sync {}

impl<K: Clone + Eq + Hash + Send + Sync> Key for K {}

/// A key that can be written to a file and read again.
///
/// Integers, strings and byte strings are. For a type of your own:
///
/// ```
/// use nearfield_hnsw::SavedKey;
///
/// #[derive(Clone, Debug, PartialEq, Eq, Hash)]
/// struct Chapter {
///     book: u32,
///     number: u16,
/// }
///
/// impl SavedKey for Chapter {
///     const ENCODING: &'static str = "chapter";
///
///     fn write(&self, out: &mut Vec<u8>) {
///         out.extend(self.book.to_le_bytes());
///         out.extend(self.number.to_le_bytes());
///     }
///
///     fn read(bytes: &[u8]) -> Option<Self> {
///         let (book, number) = bytes.split_first_chunk()?;
///         Some(Self {
///             book: u32::from_le_bytes(*book),
///             number: u16::from_le_bytes(number.try_into().ok()?),
///         })
///     }
/// }
///
/// let mut bytes = Vec::new();
/// let key = Chapter { book: 7, number: 12 };
/// key.write(&mut bytes);
/// assert_eq!(Chapter::read(&bytes), Some(key));
/// assert_eq!(Chapter::read(&bytes[1..]), None);
/// ```
pub trait SavedKey: Key {
    /// Names the encoding, in at most 16 bytes. A file whose keys have another is refused, so types
    /// whose bytes mean different things have different names, and so have types of different widths:
    /// `[u8; 3]` and `[u8; 16]` are named so.
    const ENCODING: &'static str;

    /// The name that earlier versions of the type gave to the same bytes, if it was another. A file that
    /// has it is opened when each of its keys can be [read](Self::read), for which all of them are read.
    const FORMER_ENCODING: Option<&'static str> = None;

    /// Appends the key's bytes: the same for equal keys, on every machine.
    fn write(&self, out: &mut Vec<u8>);

    /// The key that was written so; `None` where these are no key's bytes. They may come from a damaged
    /// file.
    fn read(bytes: &[u8]) -> Option<Self>;
}

/// Integers, little-endian.
macro_rules! integers {
    ($($integer:ident)*) => {$(
        impl SavedKey for $integer {
            const ENCODING: &'static str = stringify!($integer);

            fn write(&self, out: &mut Vec<u8>) {
                out.extend(self.to_le_bytes());
            }

            fn read(bytes: &[u8]) -> Option<Self> {
                bytes.try_into().ok().map(Self::from_le_bytes)
            }
        }
    )*};
}

integers!(u8 u16 u32 u64 u128 i8 i16 i32 i64 i128);

/// Owners of a string or of bytes, which are written as they are.
macro_rules! slices {
    ($($owner:ty: $encoding:literal, $bytes:path, $from:path;)*) => {$(
        impl SavedKey for $owner {
            const ENCODING: &'static str = $encoding;

            fn write(&self, out: &mut Vec<u8>) {
                out.extend_from_slice($bytes(self));
            }

            fn read(bytes: &[u8]) -> Option<Self> {
                $from(bytes).map(Self::from)
            }
        }
    )*};
}

slices! {
    String: "utf-8", str::as_bytes, text;
    Box<str>: "utf-8", str::as_bytes, text;
    Arc<str>: "utf-8", str::as_bytes, text;
    Vec<u8>: "bytes", std::convert::identity::<&[u8]>, Some;
    Box<[u8]>: "bytes", std::convert::identity::<&[u8]>, Some;
    Arc<[u8]>: "bytes", std::convert::identity::<&[u8]>, Some;
}

fn text(bytes: &[u8]) -> Option<&str> {
    str::from_utf8(bytes).ok()
}

impl<const N: usize> SavedKey for [u8; N] {
    const ENCODING: &'static str = Width::<N>::NAME;
    const FORMER_ENCODING: Option<&'static str> = Some("bytes");

    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self);
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok()
    }
}

/// The name of an array of so many bytes: as the type is written.
struct Width<const N: usize>;

impl<const N: usize> Width<N> {
    const DIGITS: usize = match N.checked_ilog10() {
        Some(log) => log as usize + 1,
        None => 1,
    };
    const TEXT: [u8; 16] = {
        let mut text = *b"[u8; ___________";
        assert!(Self::DIGITS <= 10, "an array as a key has less than 10^10 bytes");
        let (mut rest, mut place) = (N, 5 + Self::DIGITS);
        text[place] = b']';
        while place > 5 {
            place -= 1;
            text[place] = b'0' + (rest % 10) as u8;
            rest /= 10;
        }
        text
    };
    const NAME: &'static str = match str::from_utf8(Self::TEXT.split_at(6 + Self::DIGITS).0) {
        Ok(name) => name,
        Err(_) => panic!("digits are UTF-8"),
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written<K: SavedKey>(key: &K) -> Vec<u8> {
        let mut bytes = Vec::new();
        key.write(&mut bytes);
        bytes
    }

    #[test]
    fn keys_come_back() {
        assert_eq!(i64::read(&written(&-7i64)), Some(-7));
        assert_eq!(u128::read(&written(&u128::MAX)), Some(u128::MAX));
        assert_eq!(String::read(&written(&"Zürich".to_owned())), Some("Zürich".into()));
        assert_eq!(Arc::<[u8]>::read(&[1, 2]), Some(Arc::from([1, 2])));
        assert_eq!(<[u8; 3]>::read(&written(&[1, 2, 3])), Some([1, 2, 3]));
    }

    #[test]
    fn bytes_that_are_no_key_are_refused() {
        assert_eq!(u64::read(&[0; 7]), None);
        assert_eq!(u64::read(&[0; 9]), None);
        assert_eq!(String::read(&[0xFF]), None);
        assert_eq!(<[u8; 3]>::read(&[0; 4]), None);
    }

    #[test]
    fn arrays_are_named_as_they_are_written() {
        assert_eq!(<[u8; 0]>::ENCODING, "[u8; 0]");
        assert_eq!(<[u8; 9]>::ENCODING, "[u8; 9]");
        assert_eq!(<[u8; 16]>::ENCODING, "[u8; 16]");
        assert_eq!(<[u8; 1_234_567_890]>::ENCODING, "[u8; 1234567890]");
    }
}
