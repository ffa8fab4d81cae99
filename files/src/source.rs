//! A stream of bytes from which typed values are taken, never trusting how many are promised.

use std::{
    fs::File,
    io::{self, BufReader, Read},
    path::Path,
};

use bytemuck::Pod;
use half::f16;

use crate::{
    error::Problem,
    format::is_compressed,
    matrix::{Kind, Values},
};

/// Bytes read at once while nothing is known about the file but its promises.
const FIRST_STEP: usize = 64 << 10;

/// Where bytes come from.
pub(crate) enum Input<'a> {
    File(File),
    Stream(Box<dyn Read + Send + 'a>),
}

impl Input<'_> {
    /// How many bytes there are, where the system says so.
    fn length(&self) -> io::Result<Option<u64>> {
        let Self::File(file) = self else { return Ok(None) };
        let metadata = file.metadata()?;
        Ok(metadata.is_file().then_some(metadata.len()))
    }
}

/// The bytes of a file, decompressed on the way where its name ends in `.zst`.
pub(crate) struct Source<'a> {
    reader: Box<dyn Read + Send + 'a>,
    compressed: bool,
    length: Option<u64>,
}

impl<'a> Source<'a> {
    pub(crate) fn new(path: &Path, input: Input<'a>) -> Result<Self, Problem> {
        let length = input.length()?;
        let bytes: Box<dyn Read + Send> = match input {
            Input::File(file) => Box::new(file),
            Input::Stream(stream) => stream,
        };
        if is_compressed(path) {
            return Ok(Self { reader: decompressed(bytes)?, compressed: true, length: None });
        }
        let reader = Box::new(BufReader::with_capacity(1 << 18, bytes));
        Ok(Self { reader, compressed: false, length })
    }

    /// What is left, as it comes.
    #[cfg(feature = "arrow")]
    pub(crate) fn into_reader(self) -> Box<dyn Read + Send + 'a> {
        self.reader
    }

    /// How many bytes the whole file has, where the system says so.
    pub(crate) fn length(&self) -> Option<u64> {
        self.length
    }

    /// Fills `buffer` as far as the file goes and returns how many bytes that were.
    pub(crate) fn fill(&mut self, buffer: &mut [u8]) -> Result<usize, Problem> {
        let mut filled = 0;
        while filled < buffer.len() {
            match self.reader.read(&mut buffer[filled..]) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if self.compressed => return Err(Problem::Compression(error)),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(filled)
    }

    /// The next `N` bytes, which belong to the header.
    pub(crate) fn header<const N: usize>(&mut self) -> Result<[u8; N], Problem> {
        let mut bytes = [0; N];
        let found = self.fill(&mut bytes)?;
        if found < N {
            return Err(Problem::ShortHeader { needed: N as u64, found: found as u64 });
        }
        Ok(bytes)
    }

    /// Appends the next `count` values to `values`; where the file has fewer bytes, returns their
    /// number as the inner error.
    ///
    /// Room is made as the bytes arrive, at most twice what has arrived: a header can promise
    /// anything, and only the file itself is proof that it is worth the memory. A true promise
    /// ends with a vector that has exactly the capacity it needs.
    pub(crate) fn append<T: Raw>(
        &mut self,
        values: &mut Vec<T>,
        count: usize,
        order: Order,
    ) -> Result<Result<(), u64>, Problem> {
        let start = values.len();
        let end = start + count;
        while values.len() < end {
            let done = values.len();
            if done == values.capacity() {
                let step = done.max(FIRST_STEP / size_of::<T>()).min(end - done);
                values.reserve_exact(step);
            }
            let next = end.min(values.capacity());
            values.resize(next, T::zeroed());
            let found = self.fill(bytemuck::cast_slice_mut(&mut values[done..]))?;
            let wanted = (next - done) * size_of::<T>();
            if found < wanted {
                return Ok(Err(((done - start) * size_of::<T>() + found) as u64));
            }
        }
        if order != Order::NATIVE {
            values[start..].iter_mut().for_each(|value| *value = value.swapped());
        }
        Ok(Ok(()))
    }

    /// Whether no byte is left.
    pub(crate) fn is_at_end(&mut self) -> Result<bool, Problem> {
        Ok(self.fill(&mut [0])? == 0)
    }
}

#[cfg(feature = "zstd")]
fn decompressed<'a>(bytes: impl Read + Send + 'a) -> Result<Box<dyn Read + Send + 'a>, Problem> {
    Ok(Box::new(BufReader::new(zstd::Decoder::new(bytes)?)))
}

#[cfg(not(feature = "zstd"))]
fn decompressed<'a>(_bytes: impl Read + Send + 'a) -> Result<Box<dyn Read + Send + 'a>, Problem> {
    Err(Problem::NeedsFeature { format: "zst", feature: "zstd" })
}

/// The order of the bytes of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    Little,
    Big,
}

impl Order {
    pub(crate) const NATIVE: Self =
        if cfg!(target_endian = "little") { Self::Little } else { Self::Big };
}

/// An element that can be read from bytes.
pub(crate) trait Raw: Pod {
    /// The same value with its bytes in the other order.
    fn swapped(self) -> Self;
}

/// An element that has a kind.
pub(crate) trait Scalar: Raw {
    fn into_values(values: Vec<Self>) -> Values;
}

macro_rules! raw {
    ($($type:ty $(, $variant:ident)?: $value:ident => $swapped:expr;)*) => {$(
        impl Raw for $type {
            fn swapped(self) -> Self {
                let $value = self;
                $swapped
            }
        }

        $(impl Scalar for $type {
            fn into_values(values: Vec<Self>) -> Values {
                Values::$variant(values)
            }
        })?
    )*};
}

raw! {
    f64, F64: v => Self::from_bits(v.to_bits().swap_bytes());
    f32, F32: v => Self::from_bits(v.to_bits().swap_bytes());
    f16, F16: v => Self::from_bits(v.to_bits().swap_bytes());
    u8, U8: v => v;
    i8, I8: v => v;
    i32, I32: v => v.swap_bytes();
    i64, I64: v => v.swap_bytes();
    // Without a kind: they become one that is wider.
    i16: v => v.swap_bytes();
    u16: v => v.swap_bytes();
    u32: v => v.swap_bytes();
    u64: v => v.swap_bytes();
}

/// How many elements so many rows have, where this machine can address them.
pub(crate) fn elements(rows: u64, dim: u64, kind: Kind) -> Result<usize, Problem> {
    let bytes = rows.checked_mul(dim).and_then(|count| count.checked_mul(kind.size() as u64));
    match bytes {
        Some(bytes) if bytes <= isize::MAX as u64 => Ok((rows * dim) as usize),
        _ => Err(Problem::TooLarge { rows, dim }),
    }
}
