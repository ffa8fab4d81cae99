//! Which library has written a file.

use std::fmt;

/// A library whose files are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Library {
    /// [hnswlib](https://github.com/nmslib/hnswlib).
    Hnswlib,
    /// [USearch](https://github.com/unum-cloud/usearch).
    Usearch,
    /// [Faiss](https://github.com/facebookresearch/faiss).
    Faiss,
}

impl fmt::Display for Library {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Hnswlib => "hnswlib",
            Self::Usearch => "usearch",
            Self::Faiss => "faiss",
        })
    }
}
