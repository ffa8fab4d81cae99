//! The durable index: every operation goes to the log before it is done.

use std::borrow::Borrow;
use std::hash::Hash;
use std::sync::{Arc, PoisonError, RwLock};

use super::error::{CheckpointError, LogError, WriteError};
use super::folder::Folder;
use super::log::{Entry, Log};
use super::operation::{self, BATCH, INSERT, REMOVE, UPSERT};
use super::policy::{Policy, Synced, Wait};
use super::snapshot;
use crate::construct::Build;
use crate::id::Id;
use crate::index::{CompactError, Index, SavedKey};
use crate::vectors::{VectorElement, VectorError, Vectors};

/// An [`Index`] over vectors that survives: what a call has done is on the disk when the call returns.
///
/// It lives in a folder of its own, as a snapshot and a log of the operations since.
/// [`create`](Self::create) makes one, [`open`](Self::open) reads it again and says what it found,
/// [`checkpoint`](Self::checkpoint) writes a new snapshot and so keeps the log short. It is searched
/// as an [`Index`].
///
/// ```
/// use nearfield_hnsw::{Durable, Index, Metric, Params, Search, Vectors};
///
/// # let parent = tempfile::tempdir()?;
/// # let folder = parent.path().join("index");
/// let empty = Index::new(Vectors::<f32>::new(2, Metric::Cosine)?, Params::default())?;
/// let index = Durable::create(&folder, empty)?;
/// index.insert("east".to_owned(), &[1.0, 0.0])?;
/// index.insert("north".to_owned(), &[0.0, 1.0])?;
/// index.remove("east")?;
/// drop(index);
///
/// let (index, recovery) = Durable::<String, f32>::open(&folder)?;
/// assert_eq!((recovery.operations, recovery.cut), (3, None));
/// assert_eq!(index.search(&[1.0, 1.0], Search::new(2))?[0].key, "north");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Acknowledging earlier
///
/// A sync takes a disk some milliseconds. Threads that write at the same time share one, and
/// [`insert_batch`](Self::insert_batch) needs one for the whole batch. Where the last operations may be
/// lost with the power, [`relaxed`](Self::relaxed) gives an index that returns earlier, and says so in
/// what it returns:
///
/// ```
/// use nearfield_hnsw::{durable::{Every, Unsynced}, Durable};
/// # use nearfield_hnsw::{Index, Metric, Params, Vectors};
///
/// # let parent = tempfile::tempdir()?;
/// # let folder = parent.path().join("index");
/// # let empty = Index::<u64, _>::new(Vectors::<f32>::new(2, Metric::Cosine)?, Params::default())?;
/// # let index = Durable::create(&folder, empty)?;
/// let index = index.relaxed(Every(1000));
/// let Unsynced(id) = index.insert(7, &[1.0, 0.0])?;
/// index.flush()?; // now it will survive
/// # assert_eq!(id, 0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Searches see an operation as soon as it is done, which is before it is on the disk.
///
/// # When the disk fails
///
/// An operation that cannot be written, as on a full disk, is refused and has done nothing. When a sync
/// fails, nobody knows what is on the disk: the log is closed, those that waited for it get an error,
/// and so does every later operation. Searches go on in any case. See [`LogError`].
///
/// The way out of a closed log is a [`checkpoint`](Self::checkpoint), once the disk works again: it
/// writes all that searches see to new files, those operations too whose sync failed, and opens
/// the log again. Nothing that was acknowledged is lost at any moment of it. Where the index in memory
/// cannot be written any more, [`reopen`](Self::reopen) goes back to what is on the disk.
///
/// A full disk does not keep an index from being opened: it is then searched, and can be written when
/// there is room.
///
/// # One at a time
///
/// The folder is locked: a second opening is an error, in the same process and in another. Any number
/// of threads may write and search. Others, in this process and in any other, may read the index beside
/// with [`open_read_only`](Self::open_read_only). They may copy the folder while it is not open.
///
/// The folder is found by its full path, which is taken once: to change the working folder of the process
/// later, or a symbolic link on the way, is no harm. When the folder itself is moved, or its lock
/// removed, writes go on to the log where it is now, and checkpoints are
/// [refused](crate::durable::SnapshotError::Moved).
///
/// # `fork`
///
/// A process that is forked while an index is open has a copy of it, and shares log and lock with its
/// parent. It must not write to that copy, make a checkpoint of it, or drop it with operations that are
/// not synced: both would write to one log, each at its own end of it. Nor may it search while
/// another thread of the parent may have been inside a call: locks that such a thread held stay locked
/// in the child. The folder stays locked until both have ended. So open the index after the fork, or let
/// the child start another program at once, which closes the files; a child that only searches opens
/// [its own](Self::open_read_only). Python's `multiprocessing` forks unless told to `spawn`.
#[derive(Debug)]
pub struct Durable<K: SavedKey, E: VectorElement, P: Policy = Synced> {
    pub(super) index: Index<K, Vectors<E>>,
    log: Log,
    /// Held by writers, each beside the others, until it is known whether their records stay; a
    /// checkpoint has it for itself.
    gate: RwLock<()>,
    policy: P,
}

impl<K: SavedKey, E: VectorElement> Durable<K, E> {
    pub(super) fn over(index: Index<K, Vectors<E>>, log: Log) -> Self {
        Self { index, log, gate: RwLock::new(()), policy: Synced }
    }

    /// Refuses to insert beyond `bytes` of memory, as [`Index::with_memory_budget`].
    #[must_use]
    pub fn with_memory_budget(self, bytes: usize) -> Self {
        Self { index: self.index.with_memory_budget(bytes), ..self }
    }

    /// The same index, which acknowledges [earlier](Policy).
    pub fn relaxed<Q: Policy>(self, policy: Q) -> Durable<K, E, Q> {
        let Self { index, log, gate, policy: Synced } = self;
        Durable { index, log, gate, policy }
    }
}

impl<K: SavedKey, E: VectorElement, P: Policy> Durable<K, E, P> {
    /// As [`Index::insert`].
    ///
    /// # Errors
    /// [`WriteError::Refused`] as [`Index::insert`], and [`WriteError::Log`] when the log fails.
    pub fn insert(&self, key: K, vector: &[E]) -> Result<P::Done<Id>, WriteError> {
        self.put(INSERT, key, vector)
    }

    /// As [`Index::upsert`].
    ///
    /// # Errors
    /// [`WriteError::Refused`] as [`Index::upsert`], and [`WriteError::Log`] when the log fails.
    pub fn upsert(&self, key: K, vector: &[E]) -> Result<P::Done<Id>, WriteError> {
        self.put(UPSERT, key, vector)
    }

    fn put(&self, kind: u8, key: K, vector: &[E]) -> Result<P::Done<Id>, WriteError> {
        let record = operation::one(&key, vector);
        self.write(|| {
            let log = || self.append(kind, record);
            let (id, entry) = self.index.put(key, vector, kind == UPSERT, log)?;
            Ok((id, Some(entry)))
        })
    }

    /// Removes the point of a key; whether there was one. As [`Index::remove`].
    ///
    /// # Errors
    /// [`WriteError::Refused`] as [`Index::remove`], and [`WriteError::Log`] when the log fails.
    pub fn remove<Q: Hash + Eq + ?Sized>(&self, key: &Q) -> Result<P::Done<bool>, WriteError>
    where
        K: Borrow<Q>,
    {
        self.write(|| {
            let log = |key: &K| self.append(REMOVE, operation::one::<K, E>(key, &[]));
            let entry = self.index.take_out(key, log)?;
            Ok((entry.is_some(), entry))
        })
    }

    /// Adds vectors under new keys, all or none of them, whatever happens; the log needs one sync. As
    /// [`Index::insert_batch`].
    ///
    /// # Errors
    /// [`WriteError::Refused`] as [`Index::insert_batch`], and [`WriteError::Log`] when the log fails.
    pub fn insert_batch<V: Borrow<[E]>>(
        &self,
        keys: Vec<K>,
        vectors: &[V],
        build: Build<'_>,
    ) -> Result<P::Done<()>, WriteError> {
        let record = operation::many(&keys, vectors);
        self.write(|| {
            let log = |_: &[K]| self.append(BATCH, record);
            let entry = self.index.put_batch(keys, vectors, build, log)?;
            Ok(((), Some(entry)))
        })
    }

    fn append(&self, kind: u8, record: Vec<u8>) -> Result<Entry<'_>, WriteError> {
        Ok(self.log.append(kind, record)?)
    }

    /// Does something, and waits as the policy asks if it wrote to the log.
    fn write<'a, T>(
        &'a self,
        operation: impl FnOnce() -> Result<(T, Option<Entry<'a>>), WriteError>,
    ) -> Result<P::Done<T>, WriteError> {
        let gate = self.gate.read().unwrap_or_else(PoisonError::into_inner);
        let (value, entry) = operation()?;
        let sequence = entry.map(Entry::keep);
        drop(gate);
        match (sequence, self.policy.wait()) {
            (Some(sequence), Wait::Synced) => self.log.sync(sequence)?,
            (Some(_), Wait::Fewer(operations)) => self.log.sync_all_but(operations)?,
            (None, _) | (_, Wait::Nothing) => {}
        }
        Ok(P::done(value))
    }

    /// Returns when everything is on the disk that had returned before.
    ///
    /// # Errors
    /// When the sync fails, or the log was closed before.
    pub fn flush(&self) -> Result<(), LogError> {
        self.log.flush()
    }

    /// Writes a new snapshot and begins a new log, so that the next opening is quick and the old log's
    /// room is free. Writers wait meanwhile, searches do not. A log that is
    /// [closed](LogError::Closed) is open again afterwards.
    ///
    /// The snapshot is read back and verified as by an opening before it takes the place of the one
    /// before, and only then is the log renewed. So a checkpoint costs, beside writing all of the index,
    /// reading all of it, mostly from the system's cache, and for that time as much memory as the
    /// index has once more. On the disk there is for that time a second snapshot.
    ///
    /// # Errors
    /// When the snapshot or the new log cannot be written, or the snapshot does not read back. Nothing is
    /// lost: the old log goes on, or stays closed where it was. When only the very last step of
    /// replacing the log fails, the log is closed, and another checkpoint may follow.
    pub fn checkpoint(&self) -> Result<(), CheckpointError> {
        let _gate = self.gate.write().unwrap_or_else(PoisonError::into_inner);
        let last = self.log.last();
        // Wherever this is interrupted, there is the old snapshot with the old log, or the new one, which
        // needs none.
        snapshot::write(&self.index, &self.log.folder(), last)
            .map_err(CheckpointError::Snapshot)?;
        self.log.renew(last).map_err(CheckpointError::Log)
    }

    /// Puts a [compact](Index::compact) index in the place of this one, in memory; a
    /// [checkpoint](Self::checkpoint) then brings it to the disk.
    ///
    /// # Errors
    /// As [`Index::compact`]. The index is then as before.
    pub fn compact(&mut self, build: Build<'_>) -> Result<(), CompactError<VectorError>> {
        self.index = self.index.compact(build)?;
        Ok(())
    }

    pub(super) fn folder(&self) -> Arc<Folder> {
        self.log.folder()
    }

    /// Puts another index in the place of this one, with its log.
    pub(super) fn replace(&mut self, index: Index<K, Vectors<E>>, log: Log) {
        self.index = match self.index.hnsw.budget {
            Some(bytes) => index.with_memory_budget(bytes),
            None => index,
        };
        self.log = log;
    }
}
