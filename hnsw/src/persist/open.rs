//! Opening a saved index.

use std::fs::File;
use std::path::Path;

use super::error::{OpenCause, OpenError};
use crate::disk::{Disk, Os};
use crate::format::{Damage, Flag, Head, Kind, Source};
use crate::graph::Graph;
use crate::hnsw::{Hnsw, Unverified, Unwritable, Writer};
use crate::id::Id;
use crate::index::Index;
use crate::key::SavedKey;
use crate::keys::Keys;
use crate::originals::Originals;
use crate::params::Params;
use crate::space::Space;
use crate::vectors::{VectorElement, Vectors, element_name};

/// How a file becomes an index.
#[derive(Clone, Copy)]
enum Way<'a> {
    Map,
    MapVerified,
    Load(&'a dyn Disk),
}

impl Way<'_> {
    /// Whether nothing is trusted that was not verified.
    fn verifies(self) -> bool {
        !matches!(self, Self::Map)
    }
}

impl<E: VectorElement> Hnsw<Vectors<E>> {
    /// Maps a saved index, as [`Index::open`] does, without keys.
    ///
    /// # Errors
    /// As [`Index::open`].
    pub fn open(path: impl AsRef<Path>) -> Result<Self, OpenError> {
        Self::restore(path.as_ref(), Way::Map)
    }

    /// Maps a saved index and verifies it, as [`Index::open_verified`] does, without keys.
    ///
    /// # Errors
    /// As [`Index::open`].
    pub fn open_verified(path: impl AsRef<Path>) -> Result<Self, OpenError> {
        Self::restore(path.as_ref(), Way::MapVerified)
    }

    /// Reads a saved index into memory, as [`Index::load`] does, without keys.
    ///
    /// # Errors
    /// As [`Index::open`].
    pub fn load(path: impl AsRef<Path>) -> Result<Self, OpenError> {
        Self::restore(path.as_ref(), Way::Load(&Os))
    }

    fn restore(path: &Path, way: Way<'_>) -> Result<Self, OpenError> {
        restore(path, way, vectors(way), |_, _| Ok(())).map(|(index, (), _)| index)
    }
}

impl<S: Space> Hnsw<S> {
    /// Maps a graph that was [saved alone](Self::save_graph), as [`Index::open_graph`] does, without
    /// keys.
    ///
    /// # Errors
    /// As [`Index::open_graph`].
    pub fn open_graph(space: S, path: impl AsRef<Path>) -> Result<Self, OpenError> {
        let way = Way::Map;
        restore(path.as_ref(), way, elsewhere(space), |_, _| Ok(())).map(|(index, (), _)| index)
    }
}

impl<K: SavedKey, E: VectorElement> Index<K, Vectors<E>> {
    /// Opens a saved index without reading it: the file is mapped, and what a search needs comes into
    /// memory when it is needed. Takes milliseconds, whatever the size.
    ///
    /// The index can be changed, in memory; the file stays as it is. Before the first change, and before
    /// it is saved, all of it is read and verified as by [`open_verified`](Self::open_verified).
    /// Until then the file is not trusted: whatever its bytes are, searches find points that there are.
    /// If it was damaged they may be wrong ones.
    ///
    /// As long as the index lives nobody may write to the file, which would change what is searched, or
    /// cut it: a read behind its new end ends the process, and nothing can guard against that. To put
    /// another file at `path`, as [`save`](Self::save) does, is no harm. On other systems than Unix the
    /// file is read into memory.
    ///
    /// # Errors
    /// When the file cannot be read, its head is no good, or it is an index of other elements or keys.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, OpenError> {
        Self::restore(path.as_ref(), Way::Map)
    }

    /// Opens a saved index as [`open`](Self::open), and verifies all of it first: checksums, and that the
    /// graph is [whole](crate::Searchable::check).
    ///
    /// # Errors
    /// As [`open`](Self::open), and when anything at all is wrong.
    pub fn open_verified(path: impl AsRef<Path>) -> Result<Self, OpenError> {
        Self::restore(path.as_ref(), Way::MapVerified)
    }

    /// Reads a saved index into memory, and verifies it as [`open_verified`](Self::open_verified) does. The
    /// file is not needed any more. Searches are faster than over a map where the system has huge pages
    /// for memory only.
    ///
    /// # Errors
    /// As [`open_verified`](Self::open_verified).
    pub fn load(path: impl AsRef<Path>) -> Result<Self, OpenError> {
        Self::restore(path.as_ref(), Way::Load(&Os))
    }

    fn restore(path: &Path, way: Way<'_>) -> Result<Self, OpenError> {
        let (hnsw, keys, _) = restore(path, way, vectors(way), keys)?;
        Self::joined(hnsw, keys).map_err(|damage| at(path)(damage.into()))
    }

    /// Loads from any disk; returns the number with which it was saved as well.
    pub(crate) fn load_on(disk: &dyn Disk, path: &Path) -> Result<(Self, u64), OpenError> {
        let way = Way::Load(disk);
        let (hnsw, keys, mark) = restore(path, way, vectors(way), keys)?;
        Ok((Self::joined(hnsw, keys).map_err(|damage| at(path)(damage.into()))?, mark))
    }
}

impl<K: SavedKey, S: Space> Index<K, S> {
    /// Opens a graph with its keys that was [saved alone](Self::save_graph), as [`open`](Index::open)
    /// does. `space` must have the same points: its own order, those that were removed among them.
    ///
    /// # Errors
    /// As [`open`](Index::open), and when the space has another number of points than the graph.
    pub fn open_graph(space: S, path: impl AsRef<Path>) -> Result<Self, OpenError> {
        let path = path.as_ref();
        let way = Way::Map;
        let (hnsw, keys, _) = restore(path, way, elsewhere(space), keys)?;
        Self::joined(hnsw, keys).map_err(|damage| at(path)(damage.into()))
    }

    /// An index of its parts; keys are verified where the graph is.
    fn joined(hnsw: Hnsw<S>, mut keys: Keys<K>) -> Result<Self, Damage> {
        let is_verified = hnsw.writer().is_ok_and(|writer| writer.unverified.is_none());
        if is_verified {
            keys.verify_once()?;
            keys.forget_bytes();
        }
        Ok(Self::of(hnsw, keys))
    }
}

fn at(path: &Path) -> impl FnOnce(OpenCause) -> OpenError {
    |cause| OpenError { path: path.to_owned(), cause }
}

fn vectors<E: VectorElement>(
    way: Way<'_>,
) -> impl FnOnce(&Head, &mut Source) -> Result<Vectors<E>, OpenCause> {
    move |head, source| {
        let of_rows = |error| OpenCause::of_rows(error, element_name::<E>());
        let vectors = Vectors::restore(head, source).map_err(of_rows)?;
        if way.verifies() {
            vectors.verify()?;
        }
        Ok(vectors)
    }
}

fn keys<K: SavedKey>(head: &Head, source: &mut Source) -> Result<Keys<K>, OpenCause> {
    if head.keys != K::ENCODING {
        return Err(OpenCause::Keys { expected: K::ENCODING, found: head.keys.clone() });
    }
    Ok(Keys::restore(head, source)?)
}

/// Takes a space for that of a graph whose points are not in its file.
fn elsewhere<S: Space>(space: S) -> impl FnOnce(&Head, &mut Source) -> Result<S, OpenCause> {
    |head, _| {
        if !head.element.is_empty() {
            return Err(OpenCause::Element { expected: "", found: head.element.clone() });
        }
        let (expected, found) = (head.points as usize, space.len());
        if expected == found { Ok(space) } else { Err(OpenCause::Points { expected, found }) }
    }
}

/// Opens a file; `space` and `more` restore what is beside the graph.
fn restore<S: Space, M>(
    path: &Path,
    way: Way<'_>,
    space: impl FnOnce(&Head, &mut Source) -> Result<S, OpenCause>,
    more: impl FnOnce(&Head, &mut Source) -> Result<M, OpenCause>,
) -> Result<(Hnsw<S>, M, u64), OpenError> {
    let restored = || {
        let (head, mut source) = match way {
            Way::Map | Way::MapVerified => Source::map(File::open(path)?)?,
            Way::Load(disk) => Source::read(disk.open(path)?)?,
        };
        let params = params(&head)?;
        let space = space(&head, &mut source)?;
        let graph = Graph::restore(&head, &mut source)?;
        let originals = Originals::restore(&head, &mut source)?;
        let more = more(&head, &mut source)?;
        let tails = source.bytes(Kind::Tails)?;
        let unverified = Unverified { source, tails };
        let next_mended = head.next_mended as Id;
        let writer = Writer { next_mended, is_broken: false, unverified: Some(unverified) };
        let distances = head.build_distances;
        let index = Hnsw::restored(space, params, graph, originals, writer, distances);
        if way.verifies()
            && let Err(Unwritable::Damaged(damage)) = index.settled()
        {
            return Err(damage.into());
        }
        Ok((index, more, head.mark))
    };
    restored().map_err(at(path))
}

fn params(head: &Head) -> Result<Params, Damage> {
    let params = Params {
        m: head.m as usize,
        ef_construction: head.ef_construction as usize,
        seed: head.seed,
        keep_pruned: head.has(Flag::KeepPruned),
    };
    let bad = |name, value| Err(Damage::Field { name, value });
    if head.next_mended > u64::from(head.points) {
        return bad("next to be mended", head.next_mended);
    }
    match params.check() {
        Ok(()) => Ok(params),
        Err(_) if !Params::M.contains(&params.m) => bad("M", head.m.into()),
        Err(_) => bad("ef_construction", head.ef_construction),
    }
}
