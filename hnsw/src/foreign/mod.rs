//! Indexes of other libraries: read, searched as they are, and written.
//!
//! | library | reads | writes | keys |
//! |---|---|---|---|
//! | [`hnswlib`] | its `.bin` of `f32` | the same | its labels |
//! | [`usearch`] | `f32`, `f16`, `bf16`, `i8`, `u8` under l2sq, ip, cos | | its keys |
//! | [`faiss`] | `IndexHNSWFlat` and `IndexHNSWSQ`, also inside of others | | 0, 1, 2 …, or those of an `IndexIDMap` |
//!
//! What each byte of the files means stands where they are read. A file is parsed to the neutral parts
//! ([`parsed`]) which one function turns into an index.
//!
//! # What a search of an imported graph does
//!
//! It goes the way of the library that built it: down the levels from its entry point, then a beam of
//! `ef` on level 0, over whole vectors; so it finds the same points at the same `ef` (`expansion_search`
//! of usearch, `efSearch` of faiss), apart from ties. What it does beyond that: `ef` is raised to `k`, as
//! hnswlib and usearch do; and where the beam finds fewer than min(k, points) it is widened, and at last
//! all points are compared, so that this many come back.
//!
//! Removed points are walked through, and neither come back nor count for `ef`.
//!
//! # Distances
//!
//! Those of this crate. The inner product of hnswlib and usearch is 1 − dot and that of faiss dot, here
//! it is −dot; the order is the same. Under the cosine rows of `f32` are normalised when they are read,
//! as hnswlib does when they are added and usearch with each distance. usearch computes in other
//! precision, and faiss adds in other orders, so that the last digits differ.
//!
//! # Damaged and hostile files
//!
//! Every number is verified when it is read, in time in proportion to the file; what does not hold is an
//! [`ImportError`]. Memory is taken for what the file has bytes for, a few times over at most.

mod codes;
mod cursor;
mod detect;
mod error;
mod export;
mod faiss;
mod hnswlib;
mod library;
mod parsed;
mod usearch;

use std::fs;
use std::path::Path;

use nearfield_kernels::Metric;

pub use detect::Foreign;
pub use error::ImportError;
pub use export::ExportError;
pub use library::Library;

use crate::index::{Hnsw, Index};
use crate::vectors::{VectorElement, Vectors};

impl Index<u64, Vectors<f32>> {
    /// Reads an index that hnswlib has [saved](https://github.com/nmslib/hnswlib), searched as it is;
    /// keys are its labels. The file does not name the metric: `l2` is [`Metric::L2Squared`], `ip` is
    /// [`Metric::InnerProduct`], where distances are −dot here and 1 − dot there, and `cosine` is
    /// [`Metric::Cosine`].
    ///
    /// The index can be searched; to change it, [compact](Self::compact) it, which builds its graph
    /// anew.
    ///
    /// ```no_run
    /// use nearfield_hnsw::{Index, Metric, Search, Vectors};
    ///
    /// let index = Index::<u64, Vectors<f32>>::from_hnswlib("index.bin", Metric::L2Squared)?;
    /// let hits = index.search(&[0.5; 128], Search::new(10).ef(100))?;
    /// println!("label {} at {}", hits[0].key, hits[0].distance);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// When the file cannot be read or is none of hnswlib, whatever is damaged in it, or a vector is
    /// [flawed](crate::space::InvalidVector).
    pub fn from_hnswlib(path: impl AsRef<Path>, metric: Metric) -> Result<Self, ImportError> {
        Self::from_hnswlib_bytes(&bytes(path.as_ref())?, metric)
    }

    /// As [`from_hnswlib`](Self::from_hnswlib), from the bytes of a file.
    ///
    /// # Errors
    /// As [`from_hnswlib`](Self::from_hnswlib).
    pub fn from_hnswlib_bytes(bytes: &[u8], metric: Metric) -> Result<Self, ImportError> {
        hnswlib::read(bytes, metric)?.into_index()
    }

    /// Writes a file that hnswlib [loads](https://github.com/nmslib/hnswlib): its labels are the keys,
    /// and removed points are marked as deleted. Under [`Metric::Cosine`] the vectors are written
    /// normalised, as hnswlib has them.
    ///
    /// The file takes the place of another at the path once all of it is on the disk. Writers wait
    /// meanwhile, searches do not. hnswlib searches it without what is done here to find equal rows and
    /// to cross points that are about equally far.
    ///
    /// ```
    /// use nearfield_hnsw::{Index, Metric, Params, Search, Vectors};
    ///
    /// # let folder = tempfile::tempdir()?;
    /// let path = folder.path().join("index.bin");
    /// let index = Index::new(Vectors::<f32>::new(2, Metric::L2Squared)?, Params::default())?;
    /// index.insert(70, &[1.0, 2.0])?;
    /// index.to_hnswlib(&path)?;
    ///
    /// let read = Index::<u64, Vectors<f32>>::from_hnswlib(&path, Metric::L2Squared)?;
    /// assert_eq!(read.search(&[1.0, 1.0], Search::new(1))?[0].key, &70);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// When the metric is another, the index is not [whole](crate::Unwritable), or the file cannot be
    /// written. What was at the path is then as before.
    pub fn to_hnswlib(&self, path: impl AsRef<Path>) -> Result<(), ExportError> {
        let _writer = self.settled()?;
        // A point that was lost in a batch that was not completed has no key.
        let key = |id| self.key(id).copied().unwrap_or(u64::MAX);
        export::to_hnswlib(self.by_id(), key, path.as_ref())
    }

    /// Reads an index that faiss has [written](https://github.com/facebookresearch/faiss), searched as
    /// it is: an `IndexHNSWFlat`, or an `IndexHNSWSQ` of 4, 6, 8 or 16 bits, whose vectors are kept as
    /// what the codes stand for, in `f32`. Keys are the places of the vectors.
    ///
    /// It may be inside of others:
    /// - of an `IndexIDMap` or `IndexIDMap2`: keys are its ids;
    /// - of an `IndexRefine` with flat or scalar-quantized vectors: these are taken, so that the graph is
    ///   searched by the distances by which faiss sorts what it found;
    /// - of an `IndexPreTransform` that normalises (`L2norm,HNSW32`): the metric is
    ///   [`Metric::Cosine`], whatever length queries have. faiss's distance is 1 − ours for its inner
    ///   product, and 2 · ours for L2. Of others, such as PCA and OPQ, queries would have to be
    ///   changed before a search, so these are refused.
    ///
    /// The metric L1 is [`Metric::Manhattan`].
    ///
    /// The index can be searched; to change it, [compact](Self::compact) it, which builds its graph
    /// anew.
    ///
    /// ```no_run
    /// use nearfield_hnsw::{Index, Search, Vectors};
    ///
    /// let index = Index::<u64, Vectors<f32>>::from_faiss("hnsw.faiss")?;
    /// let hits = index.search(&[0.5; 128], Search::new(10).ef(100))?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// When the file cannot be read or is no such index of faiss, whatever is damaged in it, or a vector
    /// is [flawed](crate::space::InvalidVector).
    pub fn from_faiss(path: impl AsRef<Path>) -> Result<Self, ImportError> {
        Self::from_faiss_bytes(&bytes(path.as_ref())?)
    }

    /// As [`from_faiss`](Self::from_faiss), from the bytes of a file.
    ///
    /// # Errors
    /// As [`from_faiss`](Self::from_faiss).
    pub fn from_faiss_bytes(bytes: &[u8]) -> Result<Self, ImportError> {
        faiss::read(bytes)?.into_index()
    }
}

impl Hnsw<Vectors<f32>> {
    /// Writes a file that hnswlib loads, as [`Index::to_hnswlib`] does; its labels are the ids.
    ///
    /// # Errors
    /// As [`Index::to_hnswlib`].
    pub fn to_hnswlib(&self, path: impl AsRef<Path>) -> Result<(), ExportError> {
        let _writer = self.settled()?;
        export::to_hnswlib(self, u64::from, path.as_ref())
    }
}

impl<E: VectorElement> Index<u64, Vectors<E>> {
    /// Reads an index that usearch has [saved](https://github.com/unum-cloud/usearch), searched as it
    /// is. The type of its elements must be `E`; [`Foreign::detect`] tells it. Distances under its `ip`
    /// are −dot here and 1 − dot there.
    ///
    /// The index can be searched; to change it, [compact](Self::compact) it, which builds its graph
    /// anew.
    ///
    /// ```no_run
    /// use nearfield_hnsw::{Index, Search, Vectors, f16};
    ///
    /// let index = Index::<u64, Vectors<f16>>::from_usearch("index.usearch")?;
    /// let hits = index.search(&[f16::ONE; 128], Search::new(10).ef(100))?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// When the file cannot be read or is none of usearch, its elements are others, the vectors are not
    /// in it, whatever is damaged in it, a key comes twice, or a vector is [flawed](crate::space::InvalidVector).
    pub fn from_usearch(path: impl AsRef<Path>) -> Result<Self, ImportError> {
        Self::from_usearch_bytes(&bytes(path.as_ref())?)
    }

    /// As [`from_usearch`](Self::from_usearch), from the bytes of a file.
    ///
    /// # Errors
    /// As [`from_usearch`](Self::from_usearch).
    pub fn from_usearch_bytes(bytes: &[u8]) -> Result<Self, ImportError> {
        usearch::read(bytes)?.into_index()
    }
}

fn bytes(path: &Path) -> Result<Vec<u8>, ImportError> {
    fs::read(path).map_err(|error| ImportError::Read { path: path.to_owned(), error })
}
