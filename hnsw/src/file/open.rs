//! Making an index of a file that is opened: read into memory here, mapped in `mapped.rs`.

use std::io::Cursor;
use std::path::Path;

use super::error::{OpenCause, OpenError};
use crate::file::disk::{Disk, Os};
use crate::file::{Corruption, Description, Flag, Head, Kind, Source};
use crate::graph::{Duplicates, Graph};
use crate::id::Id;
use crate::index::{Hnsw, Index, Keys, SavedKey, Unverified, Unwritable, Writer};
use crate::params::Params;
use crate::space::Space;
use crate::vectors::{VectorElement, Vectors, element_name};

/// Points of a space that are looked at when a graph without points is mapped.
const SAMPLE: usize = 64;

impl<E: VectorElement> Hnsw<Vectors<E>> {
    /// Reads a saved index into memory, as [`Index::load`] does, without keys.
    ///
    /// # Errors
    /// As [`Index::load`].
    pub fn load(path: impl AsRef<Path>) -> Result<Self, OpenError> {
        Self::restore(path.as_ref(), true, read(&Os, path.as_ref()))
    }

    pub(super) fn restore(
        path: &Path,
        verifies: bool,
        source: impl FnOnce() -> Result<(Head, Source), OpenCause>,
    ) -> Result<Self, OpenError> {
        let restored = restore(path, verifies, source, vectors(verifies), |_, _| Ok(()));
        restored.map(|(index, (), _)| index)
    }
}

impl<S: Space> Hnsw<S> {
    /// Reads a graph that was [saved alone](Self::save_graph) into memory, as [`Index::load_graph`]
    /// does, without keys.
    ///
    /// # Errors
    /// As [`Index::load_graph`].
    pub fn load_graph(space: S, path: impl AsRef<Path>) -> Result<Self, OpenError> {
        Self::restore_graph(space, path.as_ref(), true, read(&Os, path.as_ref()))
    }

    pub(super) fn restore_graph(
        space: S,
        path: &Path,
        verifies: bool,
        source: impl FnOnce() -> Result<(Head, Source), OpenCause>,
    ) -> Result<Self, OpenError> {
        let restored = restore(path, verifies, source, elsewhere(space), |_, _| Ok(()));
        restored.map(|(index, (), _)| index)
    }
}

impl<K: SavedKey, E: VectorElement> Index<K, Vectors<E>> {
    /// Reads a saved index into memory, and verifies all of it: checksums, and that the graph is
    /// [whole](crate::Index::check). The file is not needed any more, and whatever others do to it
    /// meanwhile, the index is what was verified. Takes time in proportion to the size:
    /// [`open`](Self::open) takes none, and wants a promise instead. Searches are faster than over a map
    /// where the system has huge pages for memory only.
    ///
    /// # Errors
    /// When the file cannot be read, anything at all is wrong with it, or it is an index of other elements
    /// or keys.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, OpenError> {
        Self::load_on(&Os, path.as_ref()).map(|(index, _)| index)
    }

    /// An index of the bytes that [`to_bytes`](Self::to_bytes) gave, or [`save`](Self::save) wrote; verified
    /// as by [`load`](Self::load).
    ///
    /// ```
    /// use nearfield_hnsw::{Metric, VectorIndex};
    ///
    /// let index = VectorIndex::with_dim(2, Metric::Cosine)?;
    /// index.insert(7u64, &[1.0, 0.0])?;
    /// let copy = VectorIndex::<u64, f32>::from_bytes(index.to_bytes()?)?;
    /// assert_eq!(copy.graph_hash(), index.graph_hash());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`load`](Self::load). The path in the error is `memory`.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self, OpenError> {
        let read = || Ok(Source::read(Box::new(Cursor::new(bytes)))?);
        Self::restore(Path::new("memory"), true, read).map(|(index, _)| index)
    }

    /// Loads from any disk; returns the number with which it was saved as well.
    pub(crate) fn load_on(disk: &dyn Disk, path: &Path) -> Result<(Self, u64), OpenError> {
        Self::restore(path, true, read(disk, path))
    }

    /// Makes an index of a file; returns the number with which it was saved as well.
    pub(super) fn restore(
        path: &Path,
        verifies: bool,
        source: impl FnOnce() -> Result<(Head, Source), OpenCause>,
    ) -> Result<(Self, u64), OpenError> {
        let (hnsw, keys, mark) = restore(path, verifies, source, vectors(verifies), keys)?;
        Ok((Self::joined(hnsw, keys).map_err(|damage| at(path)(damage.into()))?, mark))
    }
}

impl<K: SavedKey, S: Space> Index<K, S> {
    /// Reads a graph with its keys that was [saved alone](Self::save_graph) into memory, and verifies it
    /// as [`load`](Index::load) does. `space` must have the same points: its own order, those that were
    /// removed among them.
    ///
    /// # Errors
    /// As [`load`](Index::load), and when the space has another number of points than the graph,
    /// [describes](Space::description) itself otherwise, or a point is another.
    pub fn load_graph(space: S, path: impl AsRef<Path>) -> Result<Self, OpenError> {
        Self::restore_graph(space, path.as_ref(), true, read(&Os, path.as_ref()))
    }

    pub(super) fn restore_graph(
        space: S,
        path: &Path,
        verifies: bool,
        source: impl FnOnce() -> Result<(Head, Source), OpenCause>,
    ) -> Result<Self, OpenError> {
        let (hnsw, keys, _) = restore(path, verifies, source, elsewhere(space), keys)?;
        Self::joined(hnsw, keys).map_err(|damage| at(path)(damage.into()))
    }

    /// An index of its parts; keys are verified where the graph is.
    fn joined(hnsw: Hnsw<S>, mut keys: Keys<K>) -> Result<Self, Corruption> {
        let is_verified = hnsw.writer().is_ok_and(|writer| writer.unverified.is_none());
        if is_verified {
            keys.verify_once()?;
            keys.forget_bytes();
        }
        Ok(Self::of(hnsw, keys))
    }
}

/// Opens a file to be read.
fn read(disk: &dyn Disk, path: &Path) -> impl FnOnce() -> Result<(Head, Source), OpenCause> {
    move || Ok(Source::read(disk.open(path)?)?)
}

fn at(path: &Path) -> impl FnOnce(OpenCause) -> OpenError {
    |cause| OpenError { path: path.to_owned(), cause }
}

fn vectors<E: VectorElement>(
    verifies: bool,
) -> impl FnOnce(&Head, &mut Source) -> Result<Vectors<E>, OpenCause> {
    move |head, source| {
        let of_rows = |error| OpenCause::of_rows(error, element_name::<E>());
        let vectors = Vectors::restore(head, source).map_err(of_rows)?;
        if verifies {
            vectors.verify()?;
        }
        Ok(vectors)
    }
}

fn keys<K: SavedKey>(head: &Head, source: &mut Source) -> Result<Keys<K>, OpenCause> {
    let is_former = K::FORMER_ENCODING.is_some_and(|former| former == head.keys);
    let others = || OpenCause::Keys { expected: K::ENCODING, found: head.keys.clone() };
    if head.keys != K::ENCODING && !is_former {
        return Err(others());
    }
    let keys = Keys::restore(head, source)?;
    // Not all types whose keys have this name need be one.
    match keys.unreadable(is_former) {
        None => Ok(keys),
        Some(_) if is_former => Err(others()),
        Some(id) => Err(Corruption::Key { id }.into()),
    }
}

/// Takes a space for that of a graph whose points are not in its file.
fn elsewhere<S: Space>(space: S) -> impl FnOnce(&Head, &mut Source) -> Result<S, OpenCause> {
    |head, _| {
        if !head.element.is_empty() {
            return Err(OpenCause::Element { expected: "", found: head.element.clone() });
        }
        let description = space.description();
        if head.space.differs(&Description::of(&description)) {
            let expected = head.space.words.clone();
            return Err(OpenCause::Space { expected, found: description });
        }
        let (expected, found) = (head.points as usize, space.len());
        if expected == found { Ok(space) } else { Err(OpenCause::Points { expected, found }) }
    }
}

/// Makes a graph of a file; `space` and `more` restore what is beside it. Where it `verifies`, all of
/// the file is good.
fn restore<S: Space, M>(
    path: &Path,
    verifies: bool,
    source: impl FnOnce() -> Result<(Head, Source), OpenCause>,
    space: impl FnOnce(&Head, &mut Source) -> Result<S, OpenCause>,
    more: impl FnOnce(&Head, &mut Source) -> Result<M, OpenCause>,
) -> Result<(Hnsw<S>, M, u64), OpenError> {
    let restored = || {
        let (head, mut source) = source()?;
        let params = params(&head)?;
        let space = space(&head, &mut source)?;
        let graph = Graph::restore(&head, &mut source)?;
        let duplicates = Duplicates::restore(&head, &mut source)?;
        let more = more(&head, &mut source)?;
        let tails = source.bytes(Kind::Tails)?;
        let looked_at = if verifies { graph.len() } else { SAMPLE };
        if head.element.is_empty()
            && let Some(id) = duplicates.stranger(&space, &graph, &tails, looked_at)
        {
            return Err(OpenCause::OtherPoint { id });
        }
        let unverified = Unverified { source, tails };
        let next_repaired = head.next_repaired as Id;
        let writer = Writer { next_repaired, is_broken: false, unverified: Some(unverified) };
        let distances = head.build_distances;
        let index = Hnsw::restored(space, params, graph, duplicates, writer, distances);
        if verifies && let Err(Unwritable::Damaged(damage)) = index.settled() {
            return Err(damage.into());
        }
        Ok((index, more, head.mark))
    };
    restored().map_err(at(path))
}

fn params(head: &Head) -> Result<Params, Corruption> {
    let params = Params {
        m: head.m as usize,
        ef_construction: head.ef_construction as usize,
        seed: head.seed,
        keep_pruned: head.has(Flag::KeepPruned),
    };
    let bad = |name, value| Err(Corruption::Field { name, value });
    if head.next_repaired > u64::from(head.points) {
        return bad("next to be repaired", head.next_repaired);
    }
    match params.check() {
        Ok(()) => Ok(params),
        Err(_) if !Params::M.contains(&params.m) => bad("M", head.m.into()),
        Err(_) => bad("ef_construction", head.ef_construction),
    }
}
