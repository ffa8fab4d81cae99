//! Several threads on one durable index, and what reaches its log in which order.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::Duration;

use nearfield_kernels::Metric;

use super::begin::Beginning;
use super::error::{BadLog, LogError, WriteError};
use super::folder::Folder;
use super::head::{self, Contents, Head};
use super::index::Durable;
use super::log::Log;
use super::operation::{self, BATCH, INSERT, MARK, REMOVE};
use super::policy::{Every, OnFlush, Policy};
use super::record::{HEAD, MAGIC, RecordHead};
use super::recover::{self, Cut, Found, ReadError};
use crate::file::disk::{Call, Disk, Simulated};
use crate::index::Index;
use crate::params::Params;
use crate::search::Search;
use crate::vectors::Vectors;

type Tried = Durable<u64, f32>;

fn path() -> &'static Path {
    Path::new("index/log")
}

fn create(disk: &Simulated) -> Tried {
    let vectors = Vectors::new(2, Metric::L2Squared).unwrap();
    let index = Index::new(vectors, Params::default()).unwrap();
    Durable::create_on(Arc::new(disk.clone()), Path::new("index"), index).unwrap()
}

fn keys(disk: &Simulated) -> Vec<u64> {
    let (index, _) = Tried::open_on(Arc::new(disk.clone()), Path::new("index")).unwrap();
    index.check().unwrap();
    let mut keys: Vec<u64> = index.iter().map(|(key, _)| *key).collect();
    keys.sort_unstable();
    keys
}

const THREADS: u64 = 8;
const EACH: u64 = 25;

/// Lets several threads insert, and returns what each of them was acknowledged.
fn insert_from_threads<P: Policy>(index: &Durable<u64, f32, P>) -> Vec<u64> {
    thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|thread| {
                scope.spawn(move || {
                    let keys = thread * EACH..(thread + 1) * EACH;
                    let put = |key: &u64| index.insert(*key, &[*key as f32, 0.0]).is_ok();
                    keys.filter(put).collect::<Vec<_>>()
                })
            })
            .collect();
        let acknowledged = threads.into_iter().flat_map(|thread| thread.join().unwrap());
        let mut acknowledged: Vec<u64> = acknowledged.collect();
        acknowledged.sort_unstable();
        acknowledged
    })
}

fn put<P: Policy>(index: &Durable<u64, f32, P>, key: u64) {
    index.insert(key, &[key as f32, 0.0]).unwrap();
}

#[test]
fn threads_share_syncs() {
    let disk = Simulated::default();
    let index = create(&disk);
    disk.sync_takes(Duration::from_millis(2));
    let before = disk.calls().len();
    let acknowledged = insert_from_threads(&index);
    assert_eq!(acknowledged.len() as u64, THREADS * EACH);
    let syncs = disk.calls()[before..].iter().filter(|call| **call == Call::Sync).count() as u64;
    assert!(syncs <= THREADS * EACH / 2, "{syncs} syncs");
    for seed in 0..10 {
        assert_eq!(keys(&disk.lose_power(seed)), acknowledged);
    }
}

#[test]
fn what_any_thread_was_acknowledged_survives_a_failing_sync() {
    for number in (5..200).step_by(13) {
        let disk = Simulated::default();
        let index = create(&disk);
        disk.sync_takes(Duration::from_micros(100));
        disk.fail(disk.calls().len() + number, number % 2 == 0);
        let acknowledged = insert_from_threads(&index);
        for seed in 0..10 {
            let found = keys(&disk.lose_power(seed));
            let is_lost = |key: &&u64| found.binary_search(key).is_err();
            assert_eq!(acknowledged.iter().find(is_lost), None, "fault {number}, seed {seed}");
        }
        let hits = index.search(&[0.0, 0.0], Search::new(5)).unwrap();
        assert_eq!(hits.len(), index.len().min(5));
    }
}

#[test]
fn checkpoints_and_flushes_lose_nothing_of_what_threads_write_meanwhile() {
    let disk = Simulated::default();
    let index = create(&disk).relaxed(Every(7));
    disk.sync_takes(Duration::from_micros(50));
    let is_done = AtomicBool::new(false);
    let acknowledged = thread::scope(|scope| {
        let checkpoints = scope.spawn(|| {
            let mut checkpoints = 0;
            while !is_done.load(Relaxed) || checkpoints == 0 {
                index.checkpoint().unwrap();
                index.flush().unwrap();
                let hits = index.search(&[0.0, 0.0], Search::new(1)).unwrap();
                assert!(hits.len() <= 1);
                checkpoints += 1;
            }
        });
        let acknowledged = insert_from_threads(&index);
        is_done.store(true, Relaxed);
        checkpoints.join().unwrap();
        acknowledged
    });
    assert_eq!(acknowledged.len() as u64, THREADS * EACH);
    for seed in 0..20 {
        assert!(keys(&disk.lose_power(seed)).len() as u64 > THREADS * EACH - 7);
    }
    index.flush().unwrap();
    for seed in 0..20 {
        assert_eq!(keys(&disk.lose_power(seed)), acknowledged);
    }
}

#[test]
fn nothing_is_written_between_a_snapshot_and_its_log() {
    let disk = Simulated::default();
    let index = create(&disk).relaxed(OnFlush);
    let is_done = AtomicBool::new(false);
    thread::scope(|scope| {
        let checkpoints = scope.spawn(|| {
            while !is_done.load(Relaxed) {
                index.checkpoint().unwrap();
            }
        });
        let writers = [0, 1, 2].map(|writer| {
            let index = &index;
            scope.spawn(move || (0..400).for_each(|round| put(index, 3 * round + writer)))
        });
        writers.into_iter().for_each(|writer| writer.join().unwrap());
        is_done.store(true, Relaxed);
        checkpoints.join().unwrap();
    });
    assert_eq!(keys(&disk.killed()), (0..1200).collect::<Vec<_>>());
}

#[test]
fn relaxed_policies_sync_when_they_say() {
    let disk = Simulated::default();
    let syncs = |disk: &Simulated| disk.calls().iter().filter(|call| **call == Call::Sync).count();
    let index = create(&disk).relaxed(Every(10));
    let before = syncs(&disk);
    (0..95).for_each(|key| put(&index, key));
    assert_eq!(syncs(&disk) - before, 9);
    drop(index);
    assert_eq!(syncs(&disk) - before, 10, "an index that is dropped is flushed");
    let (index, recovery) = Tried::open_on(Arc::new(disk.clone()), Path::new("index")).unwrap();
    assert_eq!((recovery.operations, recovery.cut), (95, None));
    let index = index.relaxed(OnFlush);
    let before = syncs(&disk);
    (95..200).for_each(|key| put(&index, key));
    assert_eq!(syncs(&disk), before);
    index.flush().unwrap();
    index.flush().unwrap();
    assert_eq!(syncs(&disk), before + 1, "what is synced is not synced again");
    assert_eq!(keys(&disk.lose_power(0)).len(), 200);
}

// The log on its own.

fn contents() -> Contents {
    Contents::of::<Vec<u8>, f32>(1, Metric::L2Squared)
}

fn begin(disk: &Simulated) -> Log {
    let folder = Folder::lock(Arc::new(disk.clone()), Path::new("index")).unwrap().unwrap();
    let log = Log::new(Arc::new(folder), contents(), Beginning::Empty { start: 0 });
    log.make_ready().unwrap();
    log
}

fn record(number: u8) -> Vec<u8> {
    operation::one(&vec![number], &[f32::from(number)])
}

/// What a log holds: its records that are operations, by number, with their bodies.
fn read(disk: &Simulated) -> (Result<Found, ReadError>, BTreeMap<u64, Vec<u8>>) {
    let mut records = BTreeMap::new();
    let found = recover::read(disk.open(path()).unwrap(), &contents(), 0, |record| {
        if record.kind != MARK {
            records.insert(record.sequence, record.body.to_vec());
        }
        Ok(())
    });
    (found, records)
}

#[test]
fn an_operation_that_fails_after_all_is_taken_back() {
    let disk = Simulated::default();
    let log = begin(&disk);
    log.append(INSERT, record(1)).unwrap().keep();
    drop(log.append(INSERT, record(2)).unwrap());
    let third = log.append(INSERT, record(3)).unwrap();
    // Another thread has the turn before the third one's is told that it stays.
    let fourth = log.append(INSERT, record(4)).unwrap();
    drop(third);
    log.sync(fourth.keep()).unwrap();
    for seed in 0..10 {
        let (found, records) = read(&disk.lose_power(seed));
        assert!(matches!(found.unwrap().cut, None | Some(Cut { records: 0, .. })));
        let expected = [(1, record(1)), (2, record(3)), (3, record(4))];
        let expected = expected.map(|(number, record)| (number, record[HEAD..].to_vec()));
        assert_eq!(records, BTreeMap::from(expected));
    }

    // What is cut off again after a failed write begins where the operation did that was taken back.
    drop(log.append(INSERT, record(5)).unwrap());
    disk.leave_room(20);
    assert!(matches!(log.append(INSERT, record(5)), Err(LogError::Write { .. })));
    disk.heal();
    log.append(INSERT, record(5)).unwrap().keep();
    let (found, records) = read(&disk.killed());
    assert_eq!((found.unwrap().cut, records.len()), (None, 4));

    // Without a way to take it back, nobody knows what is there.
    let entry = log.append(INSERT, record(6)).unwrap();
    disk.fail(disk.calls().len(), true);
    drop(entry);
    disk.heal();
    assert!(matches!(log.append(INSERT, record(7)), Err(LogError::Closed { .. })));
    assert!(matches!(log.flush(), Err(LogError::Closed { .. })));
}

#[test]
fn a_new_log_begins_behind_what_may_not_have_been_taken_back() {
    let disk = Simulated::default();
    let log = begin(&disk);
    let first = log.append(INSERT, record(1)).unwrap().keep();
    let second = log.append(INSERT, record(2)).unwrap();
    log.sync(first).unwrap(); // covers the second as well
    disk.fail(disk.calls().len() + 1, false); // the sync of the cut
    drop(second);
    assert_eq!(log.last(), 2, "it may come back: a snapshot without it must outnumber it");
    disk.heal();
    assert!(matches!(log.append(INSERT, record(3)), Err(LogError::Closed { .. })));
    log.renew(log.last()).unwrap();
    assert_eq!(log.append(INSERT, record(3)).unwrap().keep(), 3);
}

#[test]
fn a_sync_does_not_vouch_for_what_is_taken_back_meanwhile() {
    let disk = Simulated::default();
    let log = begin(&disk);
    let first = log.append(INSERT, record(1)).unwrap().keep();
    let second = log.append(INSERT, record(2)).unwrap();
    log.sync(first).unwrap(); // covers the second as well
    drop(second);
    for seed in 0..10 {
        let (_, records) = read(&disk.lose_power(seed));
        assert_eq!(records.into_keys().collect::<Vec<_>>(), [1], "what was refused stays away");
    }
    let third = log.append(INSERT, record(3)).unwrap().keep();
    log.sync(third).unwrap();
    for seed in 0..10 {
        let (_, records) = read(&disk.lose_power(seed));
        assert_eq!(records.into_values().last().unwrap(), record(3)[HEAD..]);
    }
}

#[test]
fn a_write_that_cannot_be_cut_off_again_closes_the_log() {
    let disk = Simulated::default();
    let log = begin(&disk);
    disk.take_at_most(10);
    disk.fail(disk.calls().len() + 2, true);
    assert!(matches!(log.append(INSERT, record(1)), Err(LogError::Write { .. })));
    disk.heal();
    assert!(matches!(log.append(INSERT, record(1)), Err(LogError::Closed { .. })));
    let (found, records) = read(&disk.killed());
    let cut = Cut { offset: head::LEN as u64, bytes: 20, records: 0 };
    assert_eq!((found.unwrap().cut, records.len()), (Some(cut), 0));
}

/// A log with one operation that is synced, and behind it these bytes.
fn log_with(tail: impl FnOnce(u64) -> Vec<u8>) -> Simulated {
    let disk = Simulated::default();
    let head = Head::new(contents(), 0);
    let mut bytes = head.write().to_vec();
    let one = &record(1)[HEAD..];
    bytes.extend(RecordHead::of(INSERT, 1, 0, one, head.seed()).write(head.seed()));
    bytes.extend(one);
    bytes.extend(tail(head.seed()));
    disk.plant(path(), &bytes);
    disk
}

#[test]
fn a_log_within_a_key_is_none() {
    let other = log_with(|seed| RecordHead::of(MARK, 2, 1, &[], seed).write(seed).to_vec());
    let within = other.read(path()).unwrap();
    let body = &operation::one(&within, &[1.0])[HEAD..];
    let disk = log_with(|seed| {
        let mut record = RecordHead::of(INSERT, 2, 1, body, seed).write(seed).to_vec();
        record.extend(body);
        record[0] ^= 1;
        record
    });
    let (found, records) = read(&disk);
    assert_eq!((found.unwrap().cut.unwrap().records, records.len()), (0, 1));
}

#[test]
fn lengths_that_nothing_stands_behind_are_not_believed() {
    for len in [1, u64::MAX, u64::MAX - 47, u64::MAX / 2, 1 << 40] {
        let disk = log_with(|seed| {
            let head = RecordHead::of(INSERT, 2, 1, &[], seed);
            RecordHead { len, ..head }.write(seed).to_vec()
        });
        let (found, records) = read(&disk);
        let cut = found.unwrap().cut.unwrap();
        assert_eq!((cut.bytes, cut.records, records.len()), (HEAD as u64, 1, 1), "length {len}");
    }
}

#[test]
fn a_file_full_of_beginnings_is_looked_through_once() {
    // Each would have the whole rest of the file as its body.
    let disk = log_with(|seed| {
        let mut bytes = vec![0; 8];
        while bytes.len() < 8 << 20 {
            bytes.extend(MAGIC);
            let head = RecordHead::of(INSERT, 9, 0, &[], seed);
            bytes.extend(RecordHead { len: (8 << 20) - bytes.len() as u64, ..head }.write(seed));
        }
        bytes
    });
    let (found, records) = read(&disk);
    assert!(found.unwrap().cut.unwrap().records > 100_000);
    assert_eq!(records.len(), 1);
}

#[test]
fn a_later_record_is_found_wherever_it_begins() {
    for gap in (0..300).chain((1 << 16) - 60..(1 << 16) + 60) {
        let tail = |durable: u64| {
            move |seed: u64| {
                let mut bytes = vec![0xAF; gap];
                bytes.extend(RecordHead::of(MARK, 9, durable, &[], seed).write(seed));
                bytes
            }
        };
        let (found, _) = read(&log_with(tail(1)));
        assert_eq!(found.unwrap().cut.unwrap().records, 1, "gap {gap}");
        let (found, _) = read(&log_with(tail(2)));
        let start = (head::LEN + record(1).len()) as u64;
        let is_found = matches!(
            found,
            Err(ReadError::Bad(BadLog::Damaged { offset, later }))
                if (offset, later) == (start, start + gap as u64)
        );
        assert!(is_found, "gap {gap}");
    }
}

/// Opens an index whose log has this record behind a good one.
fn opened_with(kind: u8, body: &[u8]) -> String {
    let disk = Simulated::default();
    let index = create(&disk);
    index.insert(1, &[1.0, 1.0]).unwrap();
    drop(index);
    let mut bytes = disk.read(path()).unwrap();
    let seed = Head::read(bytes.first_chunk().unwrap()).unwrap().seed();
    bytes.extend(RecordHead::of(kind, 3, 1, body, seed).write(seed));
    bytes.extend(body);
    disk.plant(path(), &bytes);
    let opened = Tried::open_on(Arc::new(disk.clone()), Path::new("index"));
    assert_eq!(disk.read(path()).unwrap(), bytes, "nothing is changed");
    opened.unwrap_err().to_string()
}

#[test]
fn a_record_that_tells_nonsense_is_an_error_that_says_where() {
    let at = |what: &str| format!("the log index/log: the {what}");
    assert_eq!(
        opened_with(77, &[]),
        at("record at byte 216 tells no operation: its kind 77 is unknown")
    );
    let remove = &operation::one::<u64, f32>(&8, &[])[HEAD..];
    assert_eq!(
        opened_with(REMOVE, remove),
        at("operation at byte 216 removes a key that is not there")
    );
    let insert = &operation::one::<u64, f32>(&1, &[0.0, 0.0])[HEAD..];
    assert_eq!(
        opened_with(INSERT, insert),
        at(
            "operation at byte 216 is refused: the key at place 0 of the call has a point already; \
            `upsert` replaces it"
        )
    );
    let nan = &operation::one::<u64, f32>(&2, &[0.0, f32::NAN])[HEAD..];
    assert_eq!(
        opened_with(INSERT, nan),
        at(
            "operation at byte 216 is refused: the index refuses the point at place 0 of the call: \
            element 1 is NaN, where a finite number is needed"
        )
    );
    assert_eq!(
        opened_with(BATCH, &[0xFF; 40]),
        at("record at byte 216 tells no operation: it ends too early")
    );
}

#[test]
fn a_key_that_is_there_is_refused_before_anything_is_written() {
    let disk = Simulated::default();
    let index = create(&disk);
    index.insert(1, &[1.0, 1.0]).unwrap();
    let before = disk.calls().len();
    assert!(matches!(index.insert(1, &[2.0, 2.0]), Err(WriteError::Refused(_))));
    assert!(matches!(index.insert(2, &[2.0, f32::NAN]), Err(WriteError::Refused(_))));
    assert!(matches!(index.insert(2, &[2.0]), Err(WriteError::Refused(_))));
    assert!(!index.remove(&2).unwrap());
    assert_eq!(disk.calls().len(), before);
}
