//! The layouts that files of vectors have, and how their names say so.

use std::path::Path;

use crate::matrix::Kind;

/// The layouts, named by the extension of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Bin(Kind),
    Vecs(Kind),
    Npy,
    Parquet,
    Arrow,
    ArrowStream,
}

impl Format {
    const ALL: [(&'static str, Self); 13] = [
        ("fbin", Self::Bin(Kind::F32)),
        ("f16bin", Self::Bin(Kind::F16)),
        ("u8bin", Self::Bin(Kind::U8)),
        ("i8bin", Self::Bin(Kind::I8)),
        ("ibin", Self::Bin(Kind::I32)),
        ("fvecs", Self::Vecs(Kind::F32)),
        ("ivecs", Self::Vecs(Kind::I32)),
        ("bvecs", Self::Vecs(Kind::U8)),
        ("npy", Self::Npy),
        ("parquet", Self::Parquet),
        ("arrow", Self::Arrow),
        ("feather", Self::Arrow),
        ("arrows", Self::ArrowStream),
    ];

    /// All of them, for messages.
    pub(crate) const LIST: &'static str = ".fbin .f16bin .u8bin .i8bin .ibin .fvecs .ivecs .bvecs \
                                           .npy .parquet .arrow .feather .arrows";

    /// The format that a file's name asks for; `None` where it asks for none that is known. Only the
    /// end of the name need be text, in capitals or not.
    pub(crate) fn of(path: &Path) -> Option<Self> {
        let name = path.file_name()?.as_encoded_bytes();
        let name = without(name, b".zst").unwrap_or(name);
        let is_of = |extension: &str| {
            without(name, extension.as_bytes()).is_some_and(|front| front.ends_with(b"."))
        };
        Self::ALL.into_iter().find(|(known, _)| is_of(known)).map(|(_, format)| format)
    }

    pub(crate) fn extension(self) -> &'static str {
        Self::ALL.into_iter().find(|(_, format)| *format == self).map_or("", |(name, _)| name)
    }

    /// Whether its rows have columns with names.
    pub(crate) fn has_columns(self) -> bool {
        matches!(self, Self::Parquet | Self::Arrow | Self::ArrowStream)
    }
}

/// Whether a file's name says that it is compressed.
pub(crate) fn is_compressed(path: &Path) -> bool {
    path.file_name().is_some_and(|name| without(name.as_encoded_bytes(), b".zst").is_some())
}

/// What stands before the end of a name, in capitals or not; `None` where it ends otherwise.
fn without<'a>(name: &'a [u8], end: &[u8]) -> Option<&'a [u8]> {
    let (front, last) = name.split_at_checked(name.len().checked_sub(end.len())?)?;
    last.eq_ignore_ascii_case(end).then_some(front)
}
