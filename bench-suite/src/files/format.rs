//! The layouts that files of vectors have, and how their names say so.

use std::path::Path;

/// The layouts, named by the extension of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Fbin,
    F16bin,
    U8bin,
    I8bin,
    Ibin,
    Fvecs,
    Ivecs,
    Bvecs,
    Npy,
}

impl Format {
    const ALL: [(&'static str, Self); 9] = [
        ("fbin", Self::Fbin),
        ("f16bin", Self::F16bin),
        ("u8bin", Self::U8bin),
        ("i8bin", Self::I8bin),
        ("ibin", Self::Ibin),
        ("fvecs", Self::Fvecs),
        ("ivecs", Self::Ivecs),
        ("bvecs", Self::Bvecs),
        ("npy", Self::Npy),
    ];

    /// All of them, for messages.
    pub(super) const LIST: &'static str =
        ".fbin .f16bin .u8bin .i8bin .ibin .fvecs .ivecs .bvecs .npy";

    /// The format that a file's name asks for; `None` where it asks for none that is known.
    pub(super) fn of(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_str()?;
        let (_, extension) = name.strip_suffix(".zst").unwrap_or(name).rsplit_once('.')?;
        Self::ALL.into_iter().find(|(known, _)| *known == extension).map(|(_, format)| format)
    }

    pub(super) fn extension(self) -> &'static str {
        Self::ALL.into_iter().find(|(_, format)| *format == self).map_or("", |(name, _)| name)
    }
}
