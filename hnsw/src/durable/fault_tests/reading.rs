//! Reading an index beside the process that writes it.

use std::io;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::thread;

use super::*;
use crate::file::disk::{Disk, Input, Lock, Output};

fn read(disk: &dyn Disk) -> Result<(Contents, Recovery), RecoverError> {
    let (index, recovery) = Tried::<Synced>::open_read_only_on(disk, folder())?;
    index.check().unwrap();
    let vector = |key: &String| (key.clone(), index.get(key).unwrap().into_owned());
    let contents = index.iter().map(|(key, _)| vector(key)).collect();
    Ok((contents, recovery))
}

#[test]
fn a_reader_finds_what_an_opening_would_and_changes_nothing() {
    for and_later in [false, true] {
        for number in 0.. {
            let disk = Simulated::default();
            disk.fail(number, and_later);
            let Some(index) = create(&disk) else { continue };
            let mut trial = Trial::new(index, 0);
            trial.run(&SCRIPT);
            let is_through = disk.calls().len() <= number;
            // The writer has the lock, its last step may have failed anywhere.
            for left in [disk.clone(), disk.killed(), disk.lose_power(0), disk.lose_power(1)] {
                let calls = left.calls().len();
                let files = [left.read(log()), left.read(Path::new("index/snapshot"))];
                let (found, recovery) = read(&left).unwrap();
                assert!(trial.history[trial.acknowledged..].contains(&found), "call {number}");
                assert!(!recovery.is_writable);
                assert_eq!(left.calls().len(), calls, "call {number}: the reader wrote");
                assert_eq!([left.read(log()), left.read(Path::new("index/snapshot"))], files);
                if let Ok((opened, opening)) = open(&left) {
                    assert_eq!(contents(&opened), found, "call {number}");
                    assert_eq!(opening.last, recovery.last);
                }
            }
            if is_through {
                break;
            }
        }
    }
}

#[test]
fn what_is_damaged_is_damaged_for_readers_too() {
    let disk = Simulated::default();
    assert!(matches!(read(&disk), Err(RecoverError::NoIndex { .. })));
    let (bytes, _) = script_log(&disk);
    let mut damaged = bytes.clone();
    damaged[head::LEN + HEAD] ^= 1;
    disk.plant(log(), &damaged);
    let error = read(&disk).unwrap_err();
    assert!(matches!(error, RecoverError::Log { error: BadLog::Damaged { .. }, .. }), "{error}");
    disk.plant(log(), &bytes[..40]);
    let error = read(&disk).unwrap_err();
    assert!(matches!(error, RecoverError::Log { error: BadLog::Head, .. }), "{error}");
}

/// A disk where something happens whenever a file is about to be opened.
struct Meddled<F>(Simulated, Mutex<F>);

impl<F> std::fmt::Debug for Meddled<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl<F: FnMut(&Path) + Send> Disk for Meddled<F> {
    fn open(&self, path: &Path) -> io::Result<Box<dyn Input>> {
        (self.1.lock().unwrap())(path);
        self.0.open(path)
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<PathBuf>> {
        self.0.list(folder)
    }

    fn resolve(&self, folder: &Path) -> io::Result<PathBuf> {
        self.0.resolve(folder)
    }

    fn create(&self, _: &Path) -> io::Result<Box<dyn Output>> {
        panic!("a reader makes no file")
    }

    fn append(&self, _: &Path) -> io::Result<Box<dyn Output>> {
        panic!("a reader appends to no file")
    }

    fn rename(&self, _: &Path, _: &Path) -> io::Result<()> {
        panic!("a reader renames no file")
    }

    fn remove(&self, _: &Path) -> io::Result<()> {
        panic!("a reader removes no file")
    }

    fn create_folder(&self, _: &Path) -> io::Result<()> {
        panic!("a reader makes no folder")
    }

    fn permit(&self, _: &Path, _: &Path) -> io::Result<()> {
        panic!("a reader gives no permissions")
    }

    fn sync_folder(&self, _: &Path) -> io::Result<()> {
        panic!("a reader syncs nothing")
    }

    fn lock(&self, _: &Path) -> io::Result<Option<Box<dyn Lock>>> {
        panic!("a reader locks nothing")
    }
}

#[test]
fn what_a_writer_does_between_the_steps_of_a_reader_is_no_harm() {
    // Before any of the files that a reader opens is opened, the writer goes on by some steps.
    for steps in 1..6 {
        for from in 0..SCRIPT.len() {
            let disk = Simulated::default();
            let mut trial = Trial::new(create(&disk).unwrap(), 0);
            trial.run(&SCRIPT[..from]);
            let earliest = trial.history.len() - 1;
            let (mut done, mut opened) = (from, 0);
            let trial = Mutex::new(trial);
            let meddle = |_: &Path| {
                opened += 1;
                let end = (done + steps).min(SCRIPT.len());
                trial.lock().unwrap().run(&SCRIPT[done..end]);
                done = end;
            };
            let meddled = Meddled(disk, Mutex::new(meddle));
            let (found, _) = read(&meddled).unwrap();
            drop(meddled);
            let trial = trial.into_inner().unwrap();
            let what = format!("{steps} steps from {from} on");
            assert_eq!(opened, 4, "{what}: log and snapshot are looked at and read, once");
            assert!(trial.history[earliest..].contains(&found), "{what}: {found:?}");
        }
    }
}

#[test]
fn a_reader_that_finds_half_of_a_change_looks_again() {
    let disk = Simulated::default();
    let (bytes, states) = script_log(&disk);
    let mut damaged = bytes.clone();
    damaged[head::LEN + HEAD] ^= 1;
    let mut opened = 0;
    let meddle = |path: &Path| {
        if path == log() {
            opened += 1;
            // The reader opens it twice in each try, the first time to see whether it changes.
            disk.plant(log(), if opened <= 4 { &damaged } else { &bytes });
            if opened == 3 {
                disk.plant(log(), &damaged[..damaged.len() - 1]);
            }
        }
    };
    let (found, _) = read(&Meddled(disk.clone(), Mutex::new(meddle))).unwrap();
    assert_eq!(found, states.last().unwrap().1);
}

#[test]
fn readers_beside_writers_and_checkpoints_see_one_moment() {
    let disk = Simulated::default();
    let index = create(&disk).unwrap();
    let (acknowledged, is_done) = (AtomicU64::new(0), AtomicBool::new(false));
    let name = |number: u64| format!("{number:04}");
    thread::scope(|scope| {
        let checkpoints = scope.spawn(|| {
            while !is_done.load(SeqCst) {
                index.checkpoint().unwrap();
            }
        });
        let readers = [0, 1].map(|_| {
            scope.spawn(|| {
                let (mut reads, mut last) = (0, 0);
                while !is_done.load(SeqCst) || reads == 0 {
                    let at_least = acknowledged.load(SeqCst);
                    let (found, recovery) = read(&disk).unwrap();
                    let count = found.len() as u64;
                    assert!(found.keys().cloned().eq((0..count).map(name)), "{found:?}");
                    assert!(count >= at_least, "{count} of {at_least}");
                    assert!(recovery.last >= last, "a reader went back");
                    last = recovery.last;
                    reads += 1;
                }
            })
        });
        for number in 0..300 {
            index.insert(name(number), &[number as f32, 0.0]).unwrap();
            acknowledged.store(number + 1, SeqCst);
        }
        is_done.store(true, SeqCst);
        checkpoints.join().unwrap();
        readers.into_iter().for_each(|reader| reader.join().unwrap());
    });
    assert_eq!(read(&disk).unwrap().0.len(), 300);
}
