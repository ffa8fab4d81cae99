//! Checkpoints of an index whose disk lies, whose log is closed, or that is broken itself; and full disks.

use std::path::Path;

use super::*;
use crate::durable::error::SnapshotError;

fn snapshot() -> &'static Path {
    Path::new("index/snapshot")
}

/// An index with the script done, whose log holds what came after its last checkpoint.
fn scripted(disk: &Simulated) -> Trial<Synced> {
    let mut trial = Trial::new(create(disk).unwrap(), 0);
    trial.run(&SCRIPT);
    trial
}

/// The writes from call `from` on of what was put in the place of something else.
fn writes(disk: &Simulated, from: usize) -> Vec<usize> {
    let calls = disk.calls();
    let end = calls.iter().rposition(|call| *call == Call::Rename).unwrap();
    (from..end).filter(|number| calls[*number] == Call::Write).collect()
}

/// Runs `work` on a disk that was prepared, once for each of its writes and some of the bits that it
/// writes, one of which is turned.
fn every_lie(prepare: impl Fn() -> Simulated, work: impl Fn(&Simulated, &str)) {
    let honest = prepare();
    let from = honest.calls().len();
    work(&honest, "honest");
    let writes = writes(&honest, from);
    assert!(!writes.is_empty());
    for (write, bit) in writes.iter().flat_map(|write| [(write, 3), (write, 8 * 999 + 7)]) {
        let disk = prepare();
        disk.lie(*write, bit);
        work(&disk, &format!("bit {bit} of write {}", write - from));
    }
}

#[test]
fn a_snapshot_that_does_not_read_back_takes_the_place_of_none() {
    let disk = Simulated::default();
    let trial = scripted(&disk);
    let from = disk.calls().len();
    trial.index.checkpoint().unwrap();
    let written = writes(&disk, from);
    assert!(written.len() >= 2, "a snapshot and a log");
    let (mut refused, mut padding) = (0, 0);
    for write in written {
        // Bits of every part of the file.
        for bit in (0..disk.read(snapshot()).unwrap().len() * 8).step_by(611) {
            let disk = Simulated::default();
            let mut trial = scripted(&disk);
            let before = [disk.read(snapshot()), disk.read(log())];
            disk.lie(write, bit);
            let result = trial.index.checkpoint();
            let what = format!("bit {bit} of write {}: {result:?}", write - from);
            refused += usize::from(result.is_err());
            match result {
                Err(CheckpointError::Snapshot(SnapshotError::ReadBack(_))) => {
                    assert_eq!([disk.read(snapshot()), disk.read(log())], before, "{what}");
                }
                Err(CheckpointError::Log(LogError::Write { .. })) => {
                    assert_eq!(disk.read(log()), before[1], "{what}");
                }
                // Between the sections nothing is read.
                Ok(()) => padding += 1,
                Err(_) => panic!("{what}"),
            }
            trial.survives(&disk, 2, &what);
            trial.run(&[Upsert(77, 1.0), Remove(0)]);
            trial.survives(&disk, 2, &what);
            disk.heal();
            trial.run(&[Checkpoint, Upsert(78, 1.0)]);
            trial.survives(&disk, 2, &what);
        }
    }
    assert!(refused > 20 && padding < refused / 4, "{refused} refused, {padding} in the padding");
}

#[test]
fn an_index_that_is_not_made_whole_is_an_error() {
    every_lie(Simulated::default, |disk, what| match create(disk) {
        Some(index) => {
            index.insert("a".into(), &[1.0, 1.0]).unwrap();
            drop(index);
            assert_eq!(contents(&open(&disk.lose_power(0)).unwrap().0).len(), 1, "{what}");
        }
        None => assert!(create(&disk.killed()).is_some(), "{what}"),
    });
}

#[test]
fn a_copied_log_that_does_not_read_back_takes_the_place_of_none() {
    let disk = Simulated::default();
    let trial = scripted(&disk);
    let expected = trial.history.last().unwrap();
    // Torn, so that it must be copied.
    let mut torn = disk.read(log()).unwrap();
    torn.extend([7; 30]);
    let prepare = || {
        let disk = disk.killed();
        disk.plant(log(), &torn);
        disk
    };
    every_lie(prepare, |disk, what| {
        let (index, recovery) = open(disk).unwrap();
        disk.heal();
        assert_eq!(contents(&index), *expected, "{what}");
        if !recovery.is_writable {
            assert_eq!(disk.read(log()).unwrap(), torn, "{what}");
        }
        assert_eq!(recovery.is_writable, what == "honest");
        index.insert("b".into(), &[1.0, 1.0]).unwrap();
        for disk in [disk.killed(), disk.lose_power(0), disk.lose_power(1)] {
            let found = contents(&open(&disk).unwrap().0);
            assert_eq!(found.len(), expected.len() + 1, "{what}");
        }
    });
}

#[test]
fn an_index_that_is_broken_in_memory_gets_no_snapshot() {
    let disk = Simulated::default();
    let index = create(&disk).unwrap();
    for number in 0..5 {
        index.insert(key(number), &[f32::from(number), 0.0]).unwrap();
    }
    let before = [disk.read(snapshot()), disk.read(log())];
    // On purpose: two points that have no keys.
    index.index.hnsw.insert(&[6.0, 0.0]).unwrap();
    index.index.hnsw.insert(&[7.0, 0.0]).unwrap();
    let error = index.checkpoint().unwrap_err();
    assert!(matches!(error, CheckpointError::Snapshot(SnapshotError::ReadBack(_))), "{error}");
    assert_eq!([disk.read(snapshot()), disk.read(log())], before);
    index.insert(key(9), &[9.0, 0.0]).unwrap();
    for disk in [disk.killed(), disk.lose_power(0), disk.lose_power(1)] {
        let found = contents(&open(&disk).unwrap().0);
        assert_eq!(found.into_keys().collect::<Vec<_>>(), [0, 1, 2, 3, 4, 9].map(key));
    }
    // What is on the disk is whole, and so is the index again.
    let mut index = index;
    let recovery = index.reopen().unwrap();
    assert_eq!((recovery.operations, index.check()), (6, Ok(())));
    index.checkpoint().unwrap();
    index.insert(key(10), &[10.0, 0.0]).unwrap();
    drop(index);
    assert_eq!(contents(&open(&disk).unwrap().0).len(), 7);
}

/// An index whose log a failing sync, or cut, has closed.
fn closed(disk: &Simulated, is_cut: bool) -> Trial<Synced> {
    let mut trial = scripted(disk);
    if is_cut {
        disk.take_at_most(60);
        disk.fail(disk.calls().len() + 1, true);
    } else {
        disk.fail(disk.calls().len() + 1, false);
    }
    trial.run(&[Upsert(60, 1.0)]);
    disk.heal();
    disk.take_at_most(usize::MAX);
    trial.run(&[Upsert(61, 1.0)]);
    assert!(trial.is_closed);
    trial
}

#[test]
fn a_checkpoint_opens_a_closed_log_and_loses_nothing_wherever_it_fails() {
    for (is_cut, and_later) in [(false, false), (false, true), (true, false), (true, true)] {
        let mut number = 0;
        loop {
            let what = format!("cut: {is_cut}, call {number}, for good: {and_later}");
            let disk = Simulated::default();
            let mut trial = closed(&disk, is_cut);
            let from = disk.calls().len();
            disk.fail(from + number, and_later);
            trial.run(&[Checkpoint]);
            trial.survives(&disk, 6, &what);
            let is_through = disk.calls().len() <= from + number;
            disk.heal();
            trial.run(&[Checkpoint]);
            assert!(!trial.is_closed, "{what}");
            let last = trial.history.len() - 1;
            assert_eq!(trial.acknowledged, last, "{what}: what was not acknowledged is there too");
            trial.run(&[Upsert(62, 1.0), Remove(0), Insert(63, 1.0)]);
            trial.survives(&disk, 6, &what);
            if is_through {
                break;
            }
            number += 1;
        }
        assert!(number > 8, "{number} calls");
    }
}

#[test]
fn an_index_is_reopened_with_what_was_acknowledged() {
    for is_cut in [false, true] {
        let mut number = 0;
        loop {
            let disk = Simulated::default();
            let mut trial = closed(&disk, is_cut);
            let from = disk.calls().len();
            disk.fail(from + number, number % 2 == 0);
            let what = format!("cut: {is_cut}, call {number}");
            let before = contents(&trial.index);
            match trial.index.reopen() {
                Ok(_) => {
                    let found = contents(&trial.index);
                    assert!(trial.history[trial.acknowledged..].contains(&found), "{what}");
                    trial.history.push(found);
                    assert!(open(&disk).is_err(), "{what}: the folder stays locked");
                }
                Err(_) => assert_eq!(contents(&trial.index), before, "{what}"),
            }
            let is_through = disk.calls().len() <= from + number;
            trial.survives(&disk, 4, &what);
            disk.heal();
            trial.run(&[Checkpoint, Upsert(62, 1.0), Remove(0)]);
            trial.survives(&disk, 4, &what);
            if is_through {
                break;
            }
            number += 1;
        }
        assert!(number > 3, "{number} calls");
    }
}

#[test]
fn a_sync_that_fails_in_a_checkpoint_leaves_what_a_relaxed_index_promised() {
    for number in 0..40 {
        let disk = Simulated::default();
        let mut trial = Trial::new(create(&disk).unwrap().relaxed(Every(4)), 3);
        trial.run(&SCRIPT[..7]);
        disk.fail(disk.calls().len() + number, false);
        trial.run(&[Checkpoint, Upsert(3, 9.0), Remove(4), Checkpoint, Upsert(5, 9.0)]);
        trial.survives(&disk, 6, &format!("call {number}"));
    }
}

#[test]
fn a_full_disk_lets_an_index_be_opened_and_searched() {
    let disk = Simulated::default();
    let trial = scripted(&disk);
    let expected = trial.history.last().unwrap();
    let clean = disk.read(log()).unwrap();
    let torn = [&clean[..], &[7; 30]].concat();
    let unmarked = clean[..clean.len() - HEAD].to_vec();
    // In the last case the snapshot has more than the log, as after an interrupted checkpoint.
    for (bytes, is_older) in [(clean, false), (torn, false), (unmarked, false), (vec![], true)] {
        let full = disk.killed();
        if is_older {
            open(&full).unwrap().0.checkpoint().unwrap();
            full.plant(log(), &disk.read(log()).unwrap());
        } else {
            full.plant(log(), &bytes);
        }
        for room in [0, 50, 200, 400] {
            let disk = full.killed();
            let left = disk.read(log()).unwrap();
            disk.leave_room(room);
            let (index, recovery) = open(&disk).unwrap();
            let mut index =
                Trial { index, ..Trial::new(create(&Simulated::default()).unwrap(), 0) };
            index.history = vec![expected.clone()];
            assert_eq!(contents(&index.index), *expected);
            if room == 0 && !recovery.is_writable {
                assert_eq!(disk.read(log()).unwrap(), left);
                let error = index.index.flush().unwrap_err();
                assert!(matches!(error, LogError::Write { .. }), "{error}");
            }
            disk.leave_room(0);
            index.run(&[Upsert(50, 1.0), Remove(0)]);
            assert_eq!(index.history.len(), 1, "nothing is acknowledged");
            index.survives(&disk, 3, "full");
            disk.heal();
            // Either brings the log to where it can be written.
            let first = if room % 100 == 0 { Checkpoint } else { Flush };
            index.run(&[first, Upsert(50, 1.0), Remove(0)]);
            assert_eq!(index.history.len(), 3, "there is room");
            index.survives(&disk, 3, "with room again");
        }
    }
}

#[test]
fn a_log_is_not_begun_in_another_folder() {
    let disk = Simulated::default();
    let mut trial = scripted(&disk);
    let calls = disk.calls().len();
    disk.move_away(true);
    let error = trial.index.checkpoint().unwrap_err();
    let is_named = matches!(
        &error,
        CheckpointError::Snapshot(SnapshotError::Moved { folder }) if folder == Path::new("index")
    );
    assert!(is_named, "{error}");
    assert_eq!(disk.calls().len(), calls, "nothing is written");
    // The log is open wherever it is.
    trial.run(&[Upsert(80, 1.0)]);
    disk.move_away(false);
    trial.survives(&disk, 3, "moved");
    trial.run(&[Checkpoint, Upsert(81, 1.0)]);
    trial.survives(&disk, 3, "and back");

    // A log that is yet to be begun is not either.
    let torn = [&disk.read(log()).unwrap()[..], &[7; 30]].concat();
    let disk = disk.killed();
    disk.plant(log(), &torn);
    disk.leave_room(0);
    let (index, recovery) = open(&disk).unwrap();
    assert!(!recovery.is_writable);
    disk.heal();
    disk.move_away(true);
    let error = index.insert("x".into(), &[1.0, 1.0]).unwrap_err();
    assert!(matches!(error, WriteError::Log(LogError::Write { .. })), "{error}");
    disk.move_away(false);
    index.insert("x".into(), &[1.0, 1.0]).unwrap();
}
