//! Reads little-endian numbers and arrays from bytes that may be anything.

use super::error::ImportError;

/// What is left of a file's bytes. It never reads beyond them, and never believes a length before it
/// has seen that there is as much.
pub(super) struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

/// Numbers: how each is read.
macro_rules! numbers {
    ($($number:ident)*) => {$(
        pub(super) fn $number(&mut self, what: &'static str) -> Result<$number, ImportError> {
            self.array(what).map($number::from_le_bytes)
        }
    )*};
}

impl<'a> Cursor<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// The next `count` items of `size` bytes.
    pub(super) fn items(
        &mut self,
        count: u64,
        size: u64,
        what: &'static str,
    ) -> Result<&'a [u8], ImportError> {
        let left = self.bytes.len() - self.at;
        let len = count.checked_mul(size).and_then(|len| usize::try_from(len).ok());
        let Some(len) = len.filter(|len| *len <= left) else {
            let needed = count.saturating_mul(size);
            return Err(ImportError::Cut { what, at: self.at, needed, left });
        };
        let bytes = &self.bytes[self.at..][..len];
        self.at += len;
        Ok(bytes)
    }

    /// An array behind its length, of items of `size` bytes.
    pub(super) fn vector(
        &mut self,
        size: u64,
        what: &'static str,
    ) -> Result<&'a [u8], ImportError> {
        let count = self.u64(what)?;
        self.items(count, size, what)
    }

    pub(super) fn array<const N: usize>(
        &mut self,
        what: &'static str,
    ) -> Result<[u8; N], ImportError> {
        let bytes = self.items(N as u64, 1, what)?;
        Ok(bytes.try_into().expect("as many bytes as were asked for"))
    }

    /// The next bytes, which stay.
    pub(super) fn peek<const N: usize>(&self) -> Option<&'a [u8; N]> {
        self.bytes[self.at..].first_chunk()
    }

    numbers! { u8 u16 u32 u64 i16 i32 i64 f64 }

    /// Whether all was read.
    pub(super) fn end(self) -> Result<(), ImportError> {
        match self.bytes.len() - self.at {
            0 => Ok(()),
            bytes => Err(ImportError::Excess { at: self.at, bytes }),
        }
    }
}

/// The numbers of an array; `N` bytes each.
pub(super) fn numbers<'a, T, const N: usize>(
    bytes: &'a [u8],
    number: fn([u8; N]) -> T,
) -> impl ExactSizeIterator<Item = T> + Clone + use<'a, T, N> {
    let (items, _) = bytes.as_chunks::<N>();
    items.iter().map(move |item| number(*item))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_is_there_and_no_more() {
        let mut cursor = Cursor::new(&[7, 1, 0, 2, 0, 3]);
        assert_eq!(cursor.u8("a").unwrap(), 7);
        let items = cursor.items(2, 2, "b").unwrap();
        assert_eq!(numbers(items, u16::from_le_bytes).collect::<Vec<_>>(), [1, 2]);
        let error = cursor.u32("c").unwrap_err();
        assert!(
            matches!(error, ImportError::Cut { what: "c", at: 5, needed: 4, left: 1 }),
            "{error}"
        );
        for count in [u64::MAX, u64::MAX / 4, 2] {
            assert!(cursor.items(count, 4, "d").is_err());
        }
        let error = cursor.end().unwrap_err();
        assert!(matches!(error, ImportError::Excess { at: 5, bytes: 1 }), "{error}");
    }
}
