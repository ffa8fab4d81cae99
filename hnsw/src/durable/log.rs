//! The log while it is written: records in order, syncs gathered across threads.
//!
//! A record is written under the index's writer lock before the operation changes anything, so that a
//! full disk refuses it whole. The sync comes after that lock is released: of the threads that wait for
//! one, one syncs for all that have written until then.

use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use super::begin::{Beginning, Begun, NotBegun};
use super::error::LogError;
use super::folder::Folder;
use super::head::Contents;
use super::operation;
use super::record::{HEAD, RecordHead};
use crate::file::disk::Output;

/// A log that is written, or will be.
#[derive(Debug)]
pub(super) struct Log {
    folder: Arc<Folder>,
    path: PathBuf,
    contents: Contents,
    state: Mutex<State>,
    /// Notified when a sync has ended.
    synced: Condvar,
}

/// Numbers are those of records.
#[derive(Debug)]
struct State {
    target: Target,
    seed: u64,
    /// Bytes of the file that are good.
    end: u64,
    /// The last record.
    written: u64,
    /// The highest number that a record in the file may have, also one that was taken back.
    issued: u64,
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

/// Where records go.
#[derive(Debug)]
enum Target {
    File(Arc<dyn Output>),
    /// A file that is begun when the first record comes, or earlier.
    Owed(Beginning),
}

#[derive(Clone, Copy, Debug)]
struct Pending {
    sequence: u64,
    /// Where its record begins.
    offset: u64,
}

impl Log {
    /// A log that is begun when it is [made ready](Self::make_ready).
    pub(super) fn new(folder: Arc<Folder>, contents: Contents, beginning: Beginning) -> Self {
        let last = beginning.last();
        let state = State {
            target: Target::Owed(beginning),
            seed: 0,
            end: 0,
            written: last,
            issued: last,
            pending: None,
            settled: last,
            settled_operations: 0,
            durable: last,
            durable_operations: 0,
            is_syncing: false,
            owes_mark: false,
            failure: None,
        };
        let path = folder.files.log();
        let (state, synced) = (Mutex::new(state), Condvar::new());
        Self { folder, path, contents, state, synced }
    }

    /// No code that holds the lock leaves the state half changed.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where it is.
    pub(super) fn folder(&self) -> Arc<Folder> {
        Arc::clone(&self.folder)
    }

    /// A number that no record in the file exceeds, and every later one will.
    pub(super) fn last(&self) -> u64 {
        let state = self.state();
        // Where the log failed, a record that was taken back may still be there.
        if state.failure.is_some() { state.issued } else { state.written }
    }

    /// Begins the file, unless that was done. Until it succeeds nothing is written, and everything that
    /// needs the file tries it again.
    pub(super) fn make_ready(&self) -> Result<(), LogError> {
        self.ready(&mut self.state())
    }

    fn ready(&self, state: &mut State) -> Result<(), LogError> {
        if let Some(failure) = &state.failure {
            return Err(self.closed(failure));
        }
        let Target::Owed(beginning) = &state.target else { return Ok(()) };
        match beginning.begin(&self.folder, self.contents) {
            Ok(begun) => {
                state.go_on_with(begun);
                Ok(())
            }
            Err(NotBegun::AsBefore(error)) => Err(self.unwritten(error)),
            Err(NotBegun::InDoubt(error)) => Err(self.closed(&state.fail(error))),
        }
    }

    /// Writes a record, whose head is still to be filled in. The caller has the index's writer lock,
    /// and keeps it until it knows whether the operation succeeds.
    pub(super) fn append(&self, kind: u8, record: Vec<u8>) -> Result<Entry<'_>, LogError> {
        let mut state = self.state();
        self.ready(&mut state)?;
        state.settle();
        let offset = state.end;
        state.append(kind, record).map_err(|error| self.unwritten(error))?;
        let sequence = state.written;
        state.pending = Some(Pending { sequence, offset });
        Ok(Entry { log: self, sequence, is_kept: false })
    }

    fn closed(&self, failure: &Arc<io::Error>) -> LogError {
        LogError::Closed { path: self.path.clone(), error: Arc::clone(failure) }
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
        let mut state = self.state();
        self.ready(&mut state)?;
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
        let file = state.file();
        drop(state);
        let synced = file.and_then(|file| file.sync());
        let mut state = self.state();
        state.is_syncing = false;
        match synced {
            Ok(()) => {
                (state.durable, state.durable_operations) = (settled, operations);
                state.mark();
            }
            Err(error) => _ = state.fail(error),
        }
        self.synced.notify_all();
        state
    }

    /// Begins a new log behind the record with the number `start`: what was written until then is in a
    /// snapshot. A log that is closed is open again afterwards. No operation is under way.
    pub(super) fn renew(&self, start: u64) -> Result<(), LogError> {
        let mut state = self.state();
        while state.is_syncing {
            state = self.synced.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.settle();
        let begun = match (Beginning::Empty { start }).begin(&self.folder, self.contents) {
            Ok(begun) => begun,
            Err(NotBegun::AsBefore(error)) => return Err(self.unwritten(error)),
            Err(NotBegun::InDoubt(error)) => return Err(self.closed(&state.fail(error))),
        };
        state.failure = None;
        (state.written, state.issued, state.settled, state.durable) = (start, start, start, start);
        state.durable_operations = state.settled_operations;
        state.go_on_with(begun);
        self.synced.notify_all();
        Ok(())
    }
}

impl Drop for Log {
    /// What was written without a sync survives from here on, if the disk allows it.
    fn drop(&mut self) {
        // One that was never begun has nothing to keep, and others may have the folder by now.
        if self.state().file().is_ok() {
            let _ = self.flush();
        }
    }
}

impl State {
    fn file(&self) -> io::Result<Arc<dyn Output>> {
        match &self.target {
            Target::File(file) => Ok(Arc::clone(file)),
            Target::Owed(_) => Err(io::Error::other("the log is not begun")),
        }
    }

    fn go_on_with(&mut self, begun: Begun) {
        let Begun { file, seed, end, owes_mark } = begun;
        self.target = Target::File(Arc::from(file));
        (self.seed, self.end, self.owes_mark) = (seed, end, false);
        if owes_mark {
            self.mark();
        }
    }

    /// Fills in the head of a record, and writes it whole or not at all.
    fn append(&mut self, kind: u8, mut record: Vec<u8>) -> io::Result<()> {
        let file = self.file()?;
        let sequence = self.written.checked_add(1).ok_or(io::ErrorKind::InvalidData)?;
        self.issued = self.issued.max(sequence);
        let (head, body) = record.split_at_mut(HEAD);
        let numbered = RecordHead::of(kind, sequence, self.durable, body, self.seed);
        head.copy_from_slice(&numbered.write(self.seed));
        if let Err(error) = file.write_all(&record) {
            if let Err(error) = file.cut(self.end) {
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
        let file = self.file()?;
        file.cut(pending.offset)?;
        self.end = pending.offset;
        self.written = pending.sequence - 1;
        file.sync()
    }

    /// Closes the log; returns why it was closed first.
    fn fail(&mut self, error: io::Error) -> Arc<io::Error> {
        Arc::clone(self.failure.get_or_insert(Arc::new(error)))
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
