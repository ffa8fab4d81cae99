//! A file system in memory for tests: it fails when told to, and loses what power loss may take.
//!
//! | of a file, or of names | after power loss |
//! |---|---|
//! | synced | there |
//! | written since, in pieces of 512 bytes | each piece kept, dropped, or in its place zeros |
//! | cut, made, renamed or removed since | kept or dropped, each on its own |
//! | covered by a sync that failed | the same; later syncs do not cover it again |
//!
//! It also lies when told to: it takes a write, and keeps other bytes.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Cursor};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use super::{Disk, Input, Lock, Output};

const SECTOR: u64 = 512;

/// What can be told to fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    Create,
    Write,
    Sync,
    Cut,
    Rename,
    Remove,
    SyncFolder,
}

/// What is done to the bytes of a file.
#[derive(Clone, Debug)]
enum Change {
    Write { at: u64, bytes: Vec<u8> },
    Cut { len: u64 },
}

#[derive(Clone, Debug, Default)]
struct File {
    /// What programs read.
    bytes: Vec<u8>,
    /// What survives whatever happens.
    safe: Vec<u8>,
    /// What lies between.
    changes: Vec<Change>,
}

/// What is done to the names in a folder.
#[derive(Clone, Debug)]
enum Naming {
    Make { path: PathBuf, file: usize },
    Rename { from: PathBuf, to: PathBuf, file: usize },
    Remove { path: PathBuf },
}

type Names = BTreeMap<PathBuf, usize>;

#[derive(Clone, Debug, Default)]
struct State {
    files: Vec<File>,
    names: Names,
    safe_names: Names,
    namings: Vec<Naming>,
    locks: BTreeSet<PathBuf>,
    dice: u64,
    /// Calls so far that change something.
    calls: Vec<Call>,
    /// The call that fails, counted from 0, and whether all after it do.
    fault: Option<(usize, bool)>,
    /// The write that keeps other bytes than it was given, counted as calls are, and which of its bits.
    lie: Option<(usize, usize)>,
    /// Whether the files were moved away from where they were locked.
    is_moved: bool,
    /// Bytes that can still be written.
    room: Option<u64>,
    /// How long a sync lasts.
    lasts: Duration,
    /// Bytes that a write takes at most.
    mouthful: Option<usize>,
}

/// The file system. Clones are the same one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Simulated(Arc<Mutex<State>>);

impl Simulated {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    fn of(state: State) -> Self {
        Self(Arc::new(Mutex::new(state)))
    }

    /// Lets the call with this number fail, counted from 0 over all calls that change something, or it
    /// and every later one.
    pub(crate) fn fail(&self, number: usize, and_later: bool) {
        self.state().fault = Some((number, and_later));
    }

    /// Lets the write with this number, counted as by [`fail`](Self::fail), turn a bit of what it takes.
    pub(crate) fn lie(&self, number: usize, bit: usize) {
        self.state().lie = Some((number, bit));
    }

    /// Lets paths lead elsewhere than to the files that are open, or no longer.
    pub(crate) fn move_away(&self, is_moved: bool) {
        self.state().is_moved = is_moved;
    }

    /// Lets nothing fail any more.
    pub(crate) fn heal(&self) {
        let mut state = self.state();
        (state.fault, state.lie, state.room) = (None, None, None);
    }

    /// Lets the disk be full after so many more bytes.
    pub(crate) fn leave_room(&self, bytes: u64) {
        self.state().room = Some(bytes);
    }

    /// Lets each write take so many bytes at most.
    pub(crate) fn take_at_most(&self, bytes: usize) {
        self.state().mouthful = Some(bytes);
    }

    /// Lets each sync last so long, while others write.
    pub(crate) fn sync_takes(&self, time: Duration) {
        self.state().lasts = time;
    }

    /// The calls so far that change something.
    pub(crate) fn calls(&self) -> Vec<Call> {
        self.state().calls.clone()
    }

    /// The bytes of a file as programs read them.
    pub(crate) fn read(&self, path: &Path) -> Option<Vec<u8>> {
        let state = self.state();
        state.names.get(path).map(|file| state.files[*file].bytes.clone())
    }

    /// Gives a file, made if it is not there, other bytes, which are safe.
    pub(crate) fn plant(&self, path: &Path, bytes: &[u8]) {
        let mut state = self.state();
        let new = state.files.len();
        state.files.push(File { bytes: bytes.into(), safe: bytes.into(), changes: Vec::new() });
        state.names.insert(path.into(), new);
        state.safe_names.insert(path.into(), new);
    }

    /// The disk as another process finds it after this one was killed.
    pub(crate) fn killed(&self) -> Self {
        let state = self.state().clone();
        let dice = state.dice;
        Self::of(State {
            files: state.files,
            names: state.names,
            safe_names: state.safe_names,
            namings: state.namings,
            dice,
            ..State::default()
        })
    }

    /// The disk after power loss: `seed` decides what is kept of what was not synced.
    pub(crate) fn lose_power(&self, seed: u64) -> Self {
        let mut state = self.state().clone();
        state.dice = seed;
        let mut names = state.safe_names.clone();
        for naming in std::mem::take(&mut state.namings) {
            if state.roll(2) == 0 {
                naming.apply(&mut names);
            }
        }
        for file in 0..state.files.len() {
            state.scatter(file);
            state.files[file].bytes = state.files[file].safe.clone();
        }
        let (files, dice) = (state.files, state.dice);
        Self::of(State { files, safe_names: names.clone(), names, dice, ..State::default() })
    }
}

impl State {
    /// A number below `sides` (SplitMix64).
    fn roll(&mut self, sides: u64) -> u64 {
        self.dice = self.dice.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.dice;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % sides
    }

    /// Counts a call, and fails where it is to.
    fn call(&mut self, call: Call) -> io::Result<()> {
        let number = self.calls.len();
        self.calls.push(call);
        match self.fault {
            Some((at, and_later)) if number == at || and_later && number > at => {
                Err(io::Error::other(format!("simulated failure of call {number}, {call:?}")))
            }
            _ => Ok(()),
        }
    }

    /// Brings some of the changes that were not synced to where they are safe, and forgets the others.
    fn scatter(&mut self, file: usize) {
        let mut safe = std::mem::take(&mut self.files[file].safe);
        for change in std::mem::take(&mut self.files[file].changes) {
            for piece in change.pieces() {
                match (self.roll(4), piece) {
                    (0 | 1, piece) => piece.apply(&mut safe),
                    (2, Change::Write { at, bytes }) => {
                        Change::Write { at, bytes: vec![0; bytes.len()] }.apply(&mut safe);
                    }
                    _ => {}
                }
            }
        }
        self.files[file].safe = safe;
    }
}

impl Change {
    fn apply(&self, file: &mut Vec<u8>) {
        match self {
            Self::Write { at, bytes } => {
                let end = *at as usize + bytes.len();
                file.resize(file.len().max(end), 0);
                file[*at as usize..end].copy_from_slice(bytes);
            }
            Self::Cut { len } => file.truncate(*len as usize),
        }
    }

    /// What is kept or dropped on its own.
    fn pieces(self) -> Vec<Self> {
        let Self::Write { mut at, bytes } = self else { return vec![self] };
        let mut pieces = Vec::new();
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            let room = (SECTOR - at % SECTOR) as usize;
            let (piece, behind) = rest.split_at(room.min(rest.len()));
            pieces.push(Self::Write { at, bytes: piece.into() });
            at += piece.len() as u64;
            rest = behind;
        }
        pieces
    }
}

impl Naming {
    fn apply(self, names: &mut Names) {
        match self {
            Self::Make { path, file } => {
                names.insert(path, file);
            }
            Self::Rename { from, to, file } => {
                if names.get(&from) == Some(&file) {
                    names.remove(&from);
                }
                names.insert(to, file);
            }
            Self::Remove { path } => {
                names.remove(&path);
            }
        }
    }

    /// The folder whose sync makes it safe.
    fn folder(&self) -> Option<&Path> {
        match self {
            Self::Make { path, .. } | Self::Remove { path } => path.parent(),
            Self::Rename { to, .. } => to.parent(),
        }
    }
}

fn missing(path: &Path) -> io::Error {
    io::Error::new(io::ErrorKind::NotFound, format!("no file {}", path.display()))
}

impl Disk for Simulated {
    fn create(&self, path: &Path) -> io::Result<Box<dyn Output>> {
        let mut state = self.state();
        state.call(Call::Create)?;
        if state.names.contains_key(path) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let file = state.files.len();
        state.files.push(File::default());
        state.names.insert(path.into(), file);
        state.namings.push(Naming::Make { path: path.into(), file });
        Ok(Box::new(Opened { disk: self.clone(), file }))
    }

    fn append(&self, path: &Path) -> io::Result<Box<dyn Output>> {
        let file = *self.state().names.get(path).ok_or_else(|| missing(path))?;
        Ok(Box::new(Opened { disk: self.clone(), file }))
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn Input>> {
        Ok(Box::new(Cursor::new(self.read(path).ok_or_else(|| missing(path))?)))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = self.state();
        state.call(Call::Rename)?;
        let file = state.names.remove(from).ok_or_else(|| missing(from))?;
        state.names.insert(to.into(), file);
        state.namings.push(Naming::Rename { from: from.into(), to: to.into(), file });
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut state = self.state();
        state.call(Call::Remove)?;
        state.names.remove(path).ok_or_else(|| missing(path))?;
        state.namings.push(Naming::Remove { path: path.into() });
        Ok(())
    }

    fn create_folder(&self, _path: &Path) -> io::Result<()> {
        Ok(())
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<PathBuf>> {
        let is_in = |path: &&PathBuf| path.parent() == Some(folder);
        Ok(self.state().names.keys().filter(is_in).cloned().collect())
    }

    fn resolve(&self, folder: &Path) -> io::Result<PathBuf> {
        Ok(folder.into())
    }

    fn permit(&self, _path: &Path, _as_of: &Path) -> io::Result<()> {
        Ok(())
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        let mut state = self.state();
        state.call(Call::SyncFolder)?;
        let mut safe = std::mem::take(&mut state.safe_names);
        let namings = std::mem::take(&mut state.namings);
        let (here, elsewhere): (Vec<_>, Vec<_>) =
            namings.into_iter().partition(|naming| naming.folder() == Some(folder));
        here.into_iter().for_each(|naming| naming.apply(&mut safe));
        (state.safe_names, state.namings) = (safe, elsewhere);
        Ok(())
    }

    fn lock(&self, path: &Path) -> io::Result<Option<Box<dyn Lock>>> {
        let is_free = self.state().locks.insert(path.into());
        Ok(is_free.then(|| Box::new(Held { disk: self.clone(), path: path.into() }) as _))
    }
}

#[derive(Debug)]
struct Opened {
    disk: Simulated,
    file: usize,
}

impl Output for Opened {
    fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        let mut state = self.disk.state();
        state.call(Call::Write)?;
        let taken = bytes.len().min(state.mouthful.unwrap_or(usize::MAX));
        let taken = taken.min(state.room.map_or(usize::MAX, |room| room as usize));
        if taken == 0 && !bytes.is_empty() {
            return Err(io::ErrorKind::StorageFull.into());
        }
        state.room = state.room.map(|room| room - taken as u64);
        let mut bytes = bytes[..taken].to_vec();
        if let Some((number, bit)) = state.lie
            && number + 1 == state.calls.len()
        {
            bytes[bit / 8 % taken] ^= 1 << (bit % 8);
        }
        let file = &mut state.files[self.file];
        let change = Change::Write { at: file.bytes.len() as u64, bytes };
        change.apply(&mut file.bytes);
        file.changes.push(change);
        Ok(taken)
    }

    fn sync(&self) -> io::Result<()> {
        // What is written meanwhile it need not cover.
        let (time, covered) = {
            let state = self.disk.state();
            (state.lasts, state.files[self.file].changes.len())
        };
        if !time.is_zero() {
            std::thread::sleep(time);
        }
        let mut state = self.disk.state();
        if let Err(error) = state.call(Call::Sync) {
            state.scatter(self.file);
            return Err(error);
        }
        let file = &mut state.files[self.file];
        let mut safe = std::mem::take(&mut file.safe);
        let covered = covered.min(file.changes.len());
        file.changes.drain(..covered).for_each(|change| change.apply(&mut safe));
        file.safe = safe;
        Ok(())
    }

    fn cut(&self, len: u64) -> io::Result<()> {
        let mut state = self.disk.state();
        state.call(Call::Cut)?;
        let file = &mut state.files[self.file];
        file.bytes.truncate(len as usize);
        file.changes.push(Change::Cut { len });
        Ok(())
    }
}

impl Input for Cursor<Vec<u8>> {
    fn len(&self) -> io::Result<u64> {
        Ok(self.get_ref().len() as u64)
    }
}

#[derive(Debug)]
struct Held {
    disk: Simulated,
    path: PathBuf,
}

impl Lock for Held {
    fn is_at(&self, path: &Path) -> io::Result<bool> {
        Ok(path == self.path && !self.disk.state().is_moved)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.disk.state().locks.remove(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn power_loss_takes_what_was_not_synced_and_nothing_else() {
        let disk = Simulated::default();
        let path = Path::new("folder/file");
        let file = disk.create(path).unwrap();
        file.write_all(&[1; 700]).unwrap();
        file.sync().unwrap();
        assert!((0..20).any(|seed| disk.lose_power(seed).read(path).is_none()));
        disk.sync_folder(Path::new("folder")).unwrap();
        file.write_all(&[2; 2000]).unwrap();
        let mut outcomes = BTreeSet::new();
        for seed in 0..100 {
            let bytes = disk.lose_power(seed).read(path).unwrap();
            assert!(bytes[..700] == [1; 700] && bytes.len() <= 2700);
            assert!(bytes[700..].iter().all(|byte| [0, 2].contains(byte)));
            outcomes.insert(bytes);
        }
        assert!(outcomes.len() > 20);
        assert_eq!(disk.killed().read(path).unwrap().len(), 2700);
    }

    #[test]
    fn what_a_failed_sync_covered_no_later_one_makes_safe() {
        let disk = Simulated::default();
        let path = Path::new("folder/file");
        let file = disk.create(path).unwrap();
        disk.sync_folder(Path::new("folder")).unwrap();
        file.write_all(&[1; 5000]).unwrap();
        disk.fail(disk.calls().len(), false);
        assert!(file.sync().is_err());
        file.sync().unwrap();
        assert_eq!(disk.read(path).unwrap(), [1; 5000]);
        assert_ne!(disk.lose_power(0).read(path).unwrap(), [1; 5000]);
    }

    #[test]
    fn a_full_disk_takes_what_fits() {
        let disk = Simulated::default();
        let file = disk.create(Path::new("folder/file")).unwrap();
        disk.leave_room(5);
        disk.take_at_most(3);
        assert!(file.write_all(&[1; 6]).is_err());
        assert_eq!(disk.read(Path::new("folder/file")).unwrap().len(), 5);
        file.cut(2).unwrap();
        disk.heal();
        file.write_all(&[2; 4]).unwrap();
        assert_eq!(disk.read(Path::new("folder/file")).unwrap(), [1, 1, 2, 2, 2, 2]);
    }
}
