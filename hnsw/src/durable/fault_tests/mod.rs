//! A durable index on a disk that fails and loses power: what was acknowledged is there again.

mod checkpoint;
mod reading;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use nearfield_kernels::Metric;

use super::error::{BadLog, CheckpointError, LogError, RecoverError, WriteError};
use super::head;
use super::index::Durable;
use super::policy::{Every, OnFlush, Policy, Synced};
use super::record::HEAD;
use super::replay::Recovery;
use crate::construct::Build;
use crate::file::disk::{Call, Simulated};
use crate::index::Index;
use crate::params::Params;
use crate::search::Search;
use crate::vectors::Vectors;

type Tried<P = Synced> = Durable<String, f32, P>;
type Contents = BTreeMap<String, Vec<f32>>;

fn folder() -> &'static Path {
    Path::new("index")
}

fn log() -> &'static Path {
    Path::new("index/log")
}

fn create(disk: &Simulated) -> Option<Tried> {
    let vectors = Vectors::new(2, Metric::L2Squared).unwrap();
    let index = Index::new(vectors, Params::default()).unwrap();
    Durable::create_on(Arc::new(disk.clone()), folder(), index).ok()
}

fn open(disk: &Simulated) -> Result<(Tried, Recovery), RecoverError> {
    Durable::open_on(Arc::new(disk.clone()), folder())
}

fn contents<P: Policy>(index: &Tried<P>) -> Contents {
    index.check().unwrap();
    let found = |key: &String| {
        let vector = index.get(key).unwrap().into_owned();
        let hits = index.search(&vector, Search::new(1)).unwrap();
        assert_eq!(hits[0].distance, 0.0, "a search finds {key}");
        (key.clone(), vector)
    };
    index.iter().map(|(key, _)| found(key)).collect()
}

/// What a step came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    /// It was done, as the policy says.
    Done,
    /// All until now survives.
    AllSafe,
    /// It was not done.
    Nothing,
}

/// A step of a script.
#[derive(Clone, Copy, Debug)]
enum Step {
    Insert(u8, f32),
    Upsert(u8, f32),
    Remove(u8),
    Batch(&'static [u8]),
    Flush,
    Checkpoint,
}

use Step::{Batch, Checkpoint, Flush, Insert, Remove, Upsert};

/// Everything that can be done, with a record of more than a sector.
const SCRIPT: [Step; 17] = [
    Insert(0, 1.0),
    Insert(1, 2.0),
    Upsert(0, 3.0),
    Batch(&[2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20]),
    Remove(1),
    Flush,
    Upsert(1, 4.0),
    Checkpoint,
    Insert(30, 5.0),
    Remove(30),
    Remove(99),
    Upsert(31, 6.0),
    Batch(&[40, 41]),
    Remove(40),
    Checkpoint,
    Upsert(1, 7.0),
    Remove(41),
];

fn key(number: u8) -> String {
    format!("key {number}")
}

impl Step {
    fn apply(self, contents: &mut Contents) {
        match self {
            Insert(number, x) | Upsert(number, x) => {
                contents.insert(key(number), vec![f32::from(number), x]);
            }
            Remove(number) => {
                contents.remove(&key(number));
            }
            Batch(numbers) => {
                numbers.iter().for_each(|number| Insert(*number, 0.5).apply(contents));
            }
            Flush | Checkpoint => {}
        }
    }

    fn run<P: Policy>(self, index: &Tried<P>) -> Result<Outcome, LogError> {
        let vector = |number: u8, x: f32| [f32::from(number), x];
        let done = match self {
            Insert(number, x) => index.insert(key(number), &vector(number, x)).map(|_| ()),
            Upsert(number, x) => index.upsert(key(number), &vector(number, x)).map(|_| ()),
            Remove(number) => index.remove(&key(number)).map(|_| ()),
            Batch(numbers) => {
                let keys = numbers.iter().copied().map(key).collect();
                let vectors: Vec<_> = numbers.iter().map(|number| vector(*number, 0.5)).collect();
                index.insert_batch(keys, &vectors, Build::default().threads(1)).map(|_| ())
            }
            Flush => return index.flush().map(|()| Outcome::AllSafe),
            Checkpoint => {
                return match index.checkpoint() {
                    Ok(()) => Ok(Outcome::AllSafe),
                    Err(CheckpointError::Log(error)) => Err(error),
                    Err(CheckpointError::Snapshot(_)) => Ok(Outcome::Nothing),
                };
            }
        };
        match done {
            Ok(()) => Ok(Outcome::Done),
            Err(WriteError::Log(error)) => Err(error),
            Err(WriteError::Refused(error)) => panic!("{self:?}: {error}"),
        }
    }
}

/// An index, all contents that it has had, and from which on one of them must be found again.
struct Trial<P: Policy> {
    index: Tried<P>,
    history: Vec<Contents>,
    acknowledged: usize,
    /// How many at the end of what has returned may be lost.
    loose: usize,
    is_closed: bool,
}

impl<P: Policy> Trial<P> {
    fn new(index: Tried<P>, loose: usize) -> Self {
        Self { index, history: vec![Contents::new()], acknowledged: 0, loose, is_closed: false }
    }

    fn run(&mut self, script: &[Step]) {
        for step in script {
            let mut after = self.history.last().unwrap().clone();
            step.apply(&mut after);
            let is_change = after != *self.history.last().unwrap();
            let result = step.run(&self.index);
            let is_opened = matches!(step, Checkpoint) && matches!(result, Ok(Outcome::AllSafe));
            self.is_closed &= !is_opened;
            assert!(!self.is_closed || result.is_err() || !is_change, "{step:?} of a closed log");
            match result {
                // To remove what is not there needs no log.
                Ok(_) if self.is_closed => {}
                Ok(Outcome::Nothing) => {}
                Ok(outcome) => {
                    if is_change {
                        self.history.push(after);
                    }
                    let loose = if outcome == Outcome::AllSafe { 0 } else { self.loose };
                    let last = self.history.len() - 1;
                    self.acknowledged = self.acknowledged.max(last.saturating_sub(loose));
                }
                Err(LogError::Sync { .. }) => {
                    self.is_closed = true;
                    if is_change {
                        self.history.push(after);
                    }
                }
                Err(LogError::Closed { .. }) => self.is_closed = true,
                Err(LogError::Write { .. }) => {
                    assert!(!self.is_closed || matches!(step, Checkpoint), "{step:?}");
                }
            }
            assert_eq!(contents(&self.index), *self.history.last().unwrap(), "after {step:?}");
        }
    }

    /// Opens what is left of the index, and goes on with it.
    fn survives_on(&self, disk: &Simulated, what: &str) {
        let (again, _) = open(disk).unwrap_or_else(|error| panic!("{what}: {error}"));
        let found = contents(&again);
        let is_possible = self.history[self.acknowledged..].contains(&found);
        assert!(
            is_possible,
            "{what}: {found:?} is none of {:?}",
            &self.history[self.acknowledged..]
        );
        again.upsert("and on".into(), &[7.0, 7.0]).unwrap();
        drop(again);
        let (again, recovery) = open(&disk.lose_power(1)).unwrap();
        let mut expected = found;
        expected.insert("and on".into(), vec![7.0, 7.0]);
        assert_eq!(contents(&again), expected, "{what}, again");
        assert!(recovery.operations > 0);
    }

    fn survives(&self, disk: &Simulated, seeds: u64, what: &str) {
        self.survives_on(&disk.killed(), &format!("{what}, killed"));
        for seed in 0..seeds {
            self.survives_on(&disk.lose_power(seed), &format!("{what}, power loss {seed}"));
        }
    }
}

/// Runs the script with a fault at each call in turn, once and for good.
fn every_fault<P: Policy + Copy>(policy: P, loose: usize, mouthful: Option<usize>) {
    for and_later in [false, true] {
        let mut number = 0;
        loop {
            let what = format!("{policy:?}, fault at call {number}, for good: {and_later}");
            let disk = Simulated::default();
            if let Some(bytes) = mouthful {
                disk.take_at_most(bytes);
            }
            disk.fail(number, and_later);
            let Some(index) = create(&disk) else {
                for disk in [disk.killed(), disk.lose_power(0), disk.lose_power(1)] {
                    let index = create(&disk).or_else(|| Some(open(&disk).ok()?.0));
                    assert!(index.is_some_and(|index| contents(&index).is_empty()), "{what}");
                }
                number += 1;
                continue;
            };
            let mut trial = Trial::new(index.relaxed(policy), loose);
            trial.run(&SCRIPT);
            trial.survives(&disk, 6, &what);
            if disk.calls().len() <= number {
                break;
            }
            number += 1;
        }
        assert!(number > 20, "{number} calls");
    }
}

#[test]
fn what_was_acknowledged_survives_every_fault() {
    every_fault(Synced, 0, None);
}

#[test]
fn what_was_acknowledged_survives_every_fault_of_short_writes() {
    // No record is taken in one bite.
    every_fault(Synced, 0, Some(60));
}

#[test]
fn what_relaxed_policies_promise_survives_every_fault() {
    every_fault(Every(3), 2, None);
    every_fault(OnFlush, usize::MAX, None);
}

#[test]
fn an_opening_that_fails_anywhere_loses_nothing() {
    let disk = Simulated::default();
    let mut trial = Trial::new(create(&disk).unwrap().relaxed(Every(4)), 3);
    trial.run(&SCRIPT);
    for seed in 0..10 {
        let (left, mut number) = (disk.lose_power(seed), 0);
        let expected = contents(&open(&left.killed()).unwrap().0);
        loop {
            let and_later = number % 2 == 0;
            let left = left.killed();
            left.fail(number, and_later);
            let opened = open(&left);
            let is_done = left.calls().len() <= number;
            assert!(!is_done || opened.is_ok());
            for left in [left.killed(), left.lose_power(0), left.lose_power(1)] {
                let what = format!("opened after a fault at call {number} of opening");
                assert_eq!(contents(&open(&left).unwrap().0), expected, "{what}");
                trial.survives_on(&left, &what);
            }
            number += 1;
            if is_done {
                break;
            }
        }
    }
}

#[test]
fn power_loss_at_any_moment_leaves_what_was_acknowledged() {
    for steps in 1..=SCRIPT.len() {
        let disk = Simulated::default();
        let mut strict = Trial::new(create(&disk).unwrap(), 0);
        strict.run(&SCRIPT[..steps]);
        strict.survives(&disk, 20, "synced");
        let disk = Simulated::default();
        let mut every = Trial::new(create(&disk).unwrap().relaxed(Every(3)), 2);
        every.run(&SCRIPT[..steps]);
        every.survives(&disk, 40, "every 3");
        let disk = Simulated::default();
        let mut lazy = Trial::new(create(&disk).unwrap().relaxed(OnFlush), usize::MAX);
        lazy.run(&SCRIPT[..steps]);
        lazy.survives(&disk, 40, "on flush");
    }
}

#[test]
fn a_full_disk_refuses_an_operation_whole() {
    for room in (0..3000).step_by(14) {
        let disk = Simulated::default();
        let mut trial = Trial::new(create(&disk).unwrap(), 0);
        disk.leave_room(room);
        trial.run(&SCRIPT);
        assert!(!trial.is_closed);
        trial.survives(&disk, 2, "full");
        disk.heal();
        trial.run(&[Upsert(50, 1.0), Checkpoint, Upsert(51, 1.0)]);
        assert!(trial.history.last().unwrap().contains_key("key 51"));
        trial.survives(&disk, 2, "with room again");
    }
}

#[test]
fn a_failed_sync_closes_the_log_and_searches_go_on() {
    let disk = Simulated::default();
    let index = create(&disk).unwrap();
    index.insert("a".into(), &[1.0, 1.0]).unwrap();
    disk.fail(disk.calls().len() + 1, false);
    let error = index.insert("b".into(), &[2.0, 2.0]).unwrap_err();
    assert!(matches!(error, WriteError::Log(LogError::Sync { .. })), "{error}");
    assert_eq!(disk.calls().last(), Some(&Call::Sync));
    for _ in 0..3 {
        let error = index.insert("c".into(), &[3.0, 3.0]).unwrap_err();
        assert!(matches!(error, WriteError::Log(LogError::Closed { .. })), "{error}");
    }
    assert!(matches!(index.remove("a"), Err(WriteError::Log(LogError::Closed { .. }))));
    assert!(matches!(index.flush(), Err(LogError::Closed { .. })));
    // What was done before the sync failed is seen, what came later is not there.
    assert_eq!(contents(&index).keys().collect::<Vec<_>>(), ["a", "b"]);
}

/// The log after the script, up to the checkpoint and without it, and the contents after each step.
fn script_log(disk: &Simulated) -> (Vec<u8>, Vec<(usize, Contents)>) {
    let index = create(disk).unwrap();
    let mut states = vec![(head::LEN, Contents::new())];
    for step in SCRIPT.iter().filter(|step| !matches!(step, Checkpoint | Flush)) {
        let mut after = states.last().unwrap().1.clone();
        step.apply(&mut after);
        let before = disk.read(log()).unwrap().len();
        step.run(&index).unwrap();
        if disk.read(log()).unwrap().len() > before {
            // Behind the record of the operation a mark has been written.
            states.push((disk.read(log()).unwrap().len() - HEAD, after));
        }
    }
    (disk.read(log()).unwrap(), states)
}

#[test]
fn a_log_cut_anywhere_has_what_came_before() {
    let disk = Simulated::default();
    let (bytes, states) = script_log(&disk);
    for len in 0..=bytes.len() {
        let disk = disk.killed();
        disk.plant(log(), &bytes[..len]);
        if len < head::LEN {
            let error = open(&disk).unwrap_err();
            assert!(
                matches!(error, RecoverError::Log { error: BadLog::Head, .. }),
                "{len}: {error}"
            );
            assert_eq!(disk.read(log()).unwrap(), bytes[..len], "nothing is changed");
            continue;
        }
        let (index, recovery) = open(&disk).unwrap();
        let (end, expected) = states.iter().rfind(|(end, _)| *end <= len).unwrap();
        assert_eq!(contents(&index), *expected, "{len}");
        // Of what is not an operation, whole marks are kept.
        let kept = if *end > head::LEN && len >= end + HEAD { end + HEAD } else { *end };
        assert_eq!(recovery.cut.map_or(0, |cut| cut.bytes), (len - kept) as u64, "{len}");
        if let Some(cut) = recovery.cut {
            assert_eq!(cut.offset, kept as u64);
            assert_eq!(cut.records, u64::from(len - kept >= HEAD), "{len}");
        }
        index.upsert("and on".into(), &[7.0, 7.0]).unwrap();
        drop(index);
        let (index, recovery) = open(&disk).unwrap();
        assert_eq!((contents(&index).len(), recovery.cut), (expected.len() + 1, None), "{len}");
    }
}

#[test]
fn a_damaged_byte_is_an_error_or_at_the_end_is_cut() {
    let disk = Simulated::default();
    let (bytes, states) = script_log(&disk);
    let last_mark = states[states.len() - 2].0;
    // As it is, and as when the process ends between a sync and its mark.
    for end in [bytes.len(), bytes.len() - HEAD] {
        let torn = if end == bytes.len() { end - HEAD } else { last_mark };
        for (place, change) in (0..end).flat_map(|place| [(place, 1), (place, 0x80), (place, 0xFF)])
        {
            let mut damaged = bytes[..end].to_vec();
            damaged[place] ^= change;
            let disk = disk.killed();
            disk.plant(log(), &damaged);
            match open(&disk) {
                Err(RecoverError::Log { error, .. }) if place < head::LEN => {
                    let is_head = matches!(
                        error,
                        BadLog::NoLog
                            | BadLog::Head
                            | BadLog::Version { .. }
                            | BadLog::Other { .. }
                    );
                    assert!(is_head, "byte {place}: {error}");
                }
                Err(RecoverError::Log { error: BadLog::Damaged { offset, later }, .. }) => {
                    assert!(place < torn, "byte {place}");
                    assert!(offset as usize <= place && place < later as usize, "byte {place}");
                    assert_eq!(disk.read(log()).unwrap(), damaged, "nothing is changed");
                }
                Err(error) => panic!("byte {place}: {error}"),
                Ok((index, recovery)) => {
                    assert!(place >= torn, "byte {place} was not noticed");
                    let states = &states[..states.len() - usize::from(end < bytes.len())];
                    assert_eq!(contents(&index), states.last().unwrap().1, "byte {place}");
                    let cut = recovery.cut.unwrap();
                    let bad = if place < torn + HEAD { torn } else { torn + HEAD };
                    assert_eq!((cut.offset, cut.bytes), (bad as u64, (end - bad) as u64));
                }
            }
        }
    }
}

#[test]
fn what_the_snapshot_has_is_not_done_again() {
    for (mark, done, skipped) in [(1, 1, 1), (2, 1, 1), (3, 0, 2)] {
        let disk = Simulated::default();
        let index = create(&disk).unwrap();
        index.insert("a".into(), &[1.0, 1.0]).unwrap(); // 1, and a mark
        index.insert("b".into(), &[2.0, 2.0]).unwrap(); // 3, and a mark
        drop(index);
        // A snapshot whose log was not replaced any more.
        let vectors = Vectors::new(2, Metric::L2Squared).unwrap();
        let index = Index::new(vectors, Params::default()).unwrap();
        index.insert("a".to_owned(), &[1.0, 1.0]).unwrap();
        if mark == 3 {
            index.insert("b".to_owned(), &[2.0, 2.0]).unwrap();
        }
        index.save_on(&disk, Path::new("index/snapshot"), || mark).unwrap();
        let (index, recovery) = open(&disk).unwrap();
        assert_eq!((recovery.operations, recovery.skipped), (done, skipped), "mark {mark}");
        assert_eq!(contents(&index).keys().collect::<Vec<_>>(), ["a", "b"]);
    }
}

#[test]
fn bytes_moved_about_give_earlier_contents_or_an_error() {
    let disk = Simulated::default();
    let (bytes, states) = script_log(&disk);
    let mut dice = 1u64;
    let mut roll = move |sides: usize| {
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (dice >> 33) as usize % sides
    };
    let mut opened = 0;
    for round in 0..2000 {
        let mut bytes = bytes.clone();
        for _ in 0..=roll(3) {
            let (from, to) = (roll(bytes.len()), roll(bytes.len()));
            let len = roll(bytes.len() - from.max(to)) + 1;
            match roll(4) {
                0 => bytes.copy_within(from..from + len, to),
                1 => bytes[from..from + len].fill(0),
                2 => drop(bytes.drain(from..from + len)),
                _ => bytes.truncate(from + 1),
            }
        }
        let disk = disk.killed();
        disk.plant(log(), &bytes);
        if let Ok((index, _)) = open(&disk) {
            let found = contents(&index);
            assert!(states.iter().any(|(_, state)| *state == found), "round {round}: {found:?}");
            opened += 1;
        }
    }
    assert!(opened > 200, "{opened}");
}
