//! The log while it is written: records in order, syncs gathered across threads.
//!
//! A record is written under the index's writer lock before the operation changes anything, so that a
//! full disk refuses it whole. The sync comes after that lock is released: of the threads that wait for
//! one, one syncs for all that have written until then.

use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use super::error::LogError;
use super::head::{self, Contents, Head};
use super::operation;
use super::record::{HEAD, RecordHead};
use super::recover::{self, Found};
use crate::disk::{Disk, Output};

/// Where the log of a folder is, and that which is about to take its place.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) disk: Arc<dyn Disk>,
    pub(super) folder: PathBuf,
}

impl Place {
    pub(super) fn log(&self) -> PathBuf {
        self.folder.join("log")
    }

    pub(super) fn new_log(&self) -> PathBuf {
        self.folder.join("log.new")
    }

    /// Writes a log beside the one that is in use, with the records that `fill` writes.
    fn write_beside<T>(
        &self,
        head: &Head,
        fill: impl FnOnce(&dyn Output) -> io::Result<T>,
    ) -> io::Result<(Box<dyn Output>, T)> {
        let path = self.new_log();
        match self.disk.remove(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let file = self.disk.create(&path)?;
        let written = || {
            file.write_all(&head.write())?;
            let filled = fill(&*file)?;
            file.sync()?;
            Ok(filled)
        };
        match written() {
            Ok(filled) => Ok((file, filled)),
            Err(error) => {
                // The next opening would remove it otherwise.
                let _ = self.disk.remove(&path);
                Err(error)
            }
        }
    }

    /// Lets it take the place of the one in use.
    fn put_in_place(&self) -> io::Result<()> {
        self.disk.rename(&self.new_log(), &self.log())?;
        self.disk.sync_folder(&self.folder)
    }
}

/// A log that is open for writing.
#[derive(Debug)]
pub(super) struct Log {
    place: Place,
    path: PathBuf,
    contents: Contents,
    state: Mutex<State>,
    /// Notified when a sync has ended.
    synced: Condvar,
}

/// Numbers are those of records.
#[derive(Debug)]
struct State {
    file: Arc<dyn Output>,
    seed: u64,
    /// Bytes of the file that are good.
    end: u64,
    /// The last record.
    written: u64,
    /// The operation that was written last, while it can still be taken back.
    pending: Option<Pending>,
    /// The last operation that will not be taken back, and how many there were.
    settled: u64,
    settled_operations: u64,
    /// What of these is synced.
    durable: u64,
    durable_operations: u64,
    is_syncing: bool,
    /// Whether what is synced is to be written down once no operation is pending.
    owes_mark: bool,
    /// Why nothing is written any more.
    failure: Option<Arc<io::Error>>,
}

#[derive(Clone, Copy, Debug)]
struct Pending {
    sequence: u64,
    /// Where its record begins.
    offset: u64,
}

impl Log {
    /// Begins a log behind the record with the number `start`.
    pub(super) fn create(place: Place, contents: Contents, start: u64) -> io::Result<Self> {
        let head = Head::new(contents, start);
        let (file, ()) = place.write_beside(&head, |_| Ok(()))?;
        place.put_in_place()?;
        Ok(Self::over(place, head, file, start, head::LEN as u64))
    }

    /// Goes on with a log that was read. Where it does not say that all of it was synced, its good
    /// records are copied: a process before this one may have seen a sync fail, after which a file reads
    /// as if it was written, no later sync writes it, and power loss takes it.
    pub(super) fn resume(place: Place, found: &Found) -> io::Result<Self> {
        if found.is_synced && found.cut.is_none() {
            let file = place.disk.append(&place.log())?;
            return Ok(Self::over(place, found.head, file, found.sequence, found.end));
        }
        let old = place.disk.open(&place.log())?;
        let head = Head::new(found.head.contents, found.head.start);
        let (file, end) =
            place.write_beside(&head, |file| recover::copy(old, found, &head, file))?;
        place.put_in_place()?;
        let log = Self::over(place, head, file, found.sequence, end);
        log.state().mark();
        Ok(log)
    }

    fn over(place: Place, head: Head, file: Box<dyn Output>, last: u64, end: u64) -> Self {
        let state = State {
            file: Arc::from(file),
            seed: head.seed(),
            end,
            written: last,
            pending: None,
            settled: last,
            settled_operations: 0,
            durable: last,
            durable_operations: 0,
            is_syncing: false,
            owes_mark: false,
            failure: None,
        };
        let path = place.log();
        let (state, synced) = (Mutex::new(state), Condvar::new());
        Self { place, path, contents: head.contents, state, synced }
    }

    /// No code that holds the lock leaves the state half changed.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The number of the last record.
    pub(super) fn written(&self) -> u64 {
        self.state().written
    }

    /// Writes a record, whose head is still to be filled in. The caller has the index's writer lock,
    /// and keeps it until it knows whether the operation succeeds.
    pub(super) fn append(&self, kind: u8, record: Vec<u8>) -> Result<Entry<'_>, LogError> {
        let mut state = self.state();
        self.check(&state)?;
        state.settle();
        let offset = state.end;
        state.append(kind, record).map_err(|error| self.unwritten(error))?;
        let sequence = state.written;
        state.pending = Some(Pending { sequence, offset });
        Ok(Entry { log: self, sequence, is_kept: false })
    }

    fn check(&self, state: &State) -> Result<(), LogError> {
        match &state.failure {
            None => Ok(()),
            Some(error) => {
                Err(LogError::Closed { path: self.path.clone(), error: Arc::clone(error) })
            }
        }
    }

    fn unwritten(&self, error: io::Error) -> LogError {
        LogError::Write { path: self.path.clone(), error }
    }

    /// Waits until the operation with this number is synced.
    pub(super) fn sync(&self, sequence: u64) -> Result<(), LogError> {
        self.sync_until(|state| state.durable >= sequence)
    }

    /// Waits until fewer than so many operations are not synced; 0 is as 1.
    pub(super) fn sync_all_but(&self, operations: u64) -> Result<(), LogError> {
        let operations = operations.max(1);
        self.sync_until(|state| state.settled_operations - state.durable_operations < operations)
    }

    /// Waits until all operations are synced that have returned, and fails where the log is closed.
    pub(super) fn flush(&self) -> Result<(), LogError> {
        let state = self.state();
        self.check(&state)?;
        let last = state.settled;
        drop(state);
        self.sync(last)
    }

    fn sync_until(&self, is_done: impl Fn(&State) -> bool) -> Result<(), LogError> {
        let mut state = self.state();
        while !is_done(&state) {
            if let Some(error) = &state.failure {
                let error = Arc::clone(error);
                return Err(LogError::Sync { path: self.path.clone(), error });
            }
            state = if state.is_syncing {
                self.synced.wait(state).unwrap_or_else(PoisonError::into_inner)
            } else {
                self.lead(state)
            };
        }
        Ok(())
    }

    /// Syncs for all that have written until now.
    fn lead<'a>(&'a self, mut state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        state.is_syncing = true;
        let (settled, operations) = (state.settled, state.settled_operations);
        let file = Arc::clone(&state.file);
        drop(state);
        let synced = file.sync();
        let mut state = self.state();
        state.is_syncing = false;
        match synced {
            Ok(()) => {
                (state.durable, state.durable_operations) = (settled, operations);
                state.mark();
            }
            Err(error) => state.fail(error),
        }
        self.synced.notify_all();
        state
    }

    /// Begins a new log behind the record with the number `start`: what was written until then is in a
    /// snapshot. No operation is under way.
    pub(super) fn renew(&self, start: u64) -> Result<(), LogError> {
        let mut state = self.state();
        while state.is_syncing {
            state = self.synced.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        self.check(&state)?;
        state.settle();
        let head = Head::new(self.contents, start);
        let beside = self.place.write_beside(&head, |_| Ok(()));
        let (file, ()) = beside.map_err(|error| self.unwritten(error))?;
        if let Err(error) = self.place.put_in_place() {
            // Which of the two is found after power loss is not known.
            state.fail(error);
            return self.check(&state);
        }
        state.file = Arc::from(file);
        (state.seed, state.end) = (head.seed(), head::LEN as u64);
        (state.written, state.settled, state.durable) = (start, start, start);
        state.durable_operations = state.settled_operations;
        self.synced.notify_all();
        Ok(())
    }
}

impl Drop for Log {
    /// What was written without a sync survives from here on, if the disk allows it.
    fn drop(&mut self) {
        let _ = self.flush();
    }
}

impl State {
    /// Fills in the head of a record, and writes it whole or not at all.
    fn append(&mut self, kind: u8, mut record: Vec<u8>) -> io::Result<()> {
        let sequence = self.written.checked_add(1).ok_or(io::ErrorKind::InvalidData)?;
        let (head, body) = record.split_at_mut(HEAD);
        let numbered = RecordHead::of(kind, sequence, self.durable, body, self.seed);
        head.copy_from_slice(&numbered.write(self.seed));
        if let Err(error) = self.file.write_all(&record) {
            if let Err(error) = self.file.cut(self.end) {
                self.fail(error);
            }
            return Err(error);
        }
        self.written = sequence;
        self.end += record.len() as u64;
        Ok(())
    }

    /// Writes down what is synced, so that a damaged record among it is not taken for a torn end.
    /// Nothing depends on its being there, so it may fail.
    fn mark(&mut self) {
        self.owes_mark = self.pending.is_some();
        if !self.owes_mark && self.failure.is_none() {
            let _ = self.append(operation::MARK, operation::mark());
        }
    }

    /// The pending operation will not be taken back.
    fn settle(&mut self) {
        if let Some(pending) = self.pending.take() {
            self.settled = pending.sequence;
            self.settled_operations += 1;
        }
    }

    /// Cuts the pending operation off again, for good.
    fn take_back(&mut self, pending: Pending) -> io::Result<()> {
        self.file.cut(pending.offset)?;
        self.end = pending.offset;
        self.written = pending.sequence - 1;
        self.file.sync()
    }

    fn fail(&mut self, error: io::Error) {
        self.failure.get_or_insert(Arc::new(error));
    }
}

/// An operation that was written to the log, and is taken back unless it is kept.
#[derive(Debug)]
#[must_use]
pub(super) struct Entry<'a> {
    log: &'a Log,
    sequence: u64,
    is_kept: bool,
}

impl Entry<'_> {
    /// The operation has been done; returns its number.
    pub(super) fn keep(mut self) -> u64 {
        self.is_kept = true;
        let mut state = self.log.state();
        if state.pending.is_some_and(|pending| pending.sequence == self.sequence) {
            state.settle();
            if state.owes_mark {
                state.mark();
            }
        }
        self.sequence
    }
}

impl Drop for Entry<'_> {
    fn drop(&mut self) {
        if self.is_kept {
            return;
        }
        let mut state = self.log.state();
        if let Some(pending) = state.pending.take_if(|pending| pending.sequence == self.sequence)
            && let Err(error) = state.take_back(pending)
        {
            state.fail(error);
        }
    }
}
