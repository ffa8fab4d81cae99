//! The index of hashes against a map, beside readers, while it grows, and with hashes that crowd.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;

use super::*;
use crate::graph::mix;

/// Under Miri everything takes a thousand times as long.
const fn scaled(count: u32) -> u32 {
    if cfg!(miri) { count / 20 } else { count }
}

/// Few hashes, so that many ids share their place, and their tag.
fn hash(id: Id) -> u64 {
    mix(u64::from(id) % 100) & 0xC000_0000_0000_00FF
}

fn add(index: &HashIndex, hash: u64, id: Id) -> bool {
    index.reserve(1).unwrap();
    index.insert(hash, id)
}

fn holds(index: &HashIndex, hash: u64, id: Id) -> bool {
    index.find(hash, |other| other == id) == Some(id)
}

/// With how many ids one is compared that is not there.
fn asked(index: &HashIndex, hash: u64) -> usize {
    let mut asked = 0;
    let ask = |_| {
        asked += 1;
        false
    };
    assert_eq!(index.find(hash, ask), None);
    asked
}

/// What is in the table, once all is handed over.
fn contents(index: &HashIndex) -> Vec<Option<(u8, Id)>> {
    index.hand_over(usize::MAX);
    index.tables(index.in_use()).table.contents()
}

#[test]
fn does_what_a_map_does() {
    let index = HashIndex::default();
    let mut map = HashMap::new();
    for step in 0..scaled(5000) {
        let id = (mix(u64::from(step)) % 500) as Id;
        match map.remove(&id) {
            Some(stored) => index.remove(hash(id), stored),
            None => {
                add(&index, hash(id), id);
                map.insert(id, id);
            }
        }
        if let (true, Some(stored)) = (step.is_multiple_of(3), map.get_mut(&id)) {
            index.replace(hash(id), *stored, *stored + 1000);
            *stored += 1000;
        }
        for id in 0..500 {
            let found = index.find(hash(id), |other| other % 500 == id);
            assert_eq!(found, map.get(&id).copied(), "after {step}");
        }
    }
}

#[test]
fn growth_in_steps_gives_the_table_that_growth_at_once_gives() {
    for hash in [hash, |id: Id| mix(u64::from(id)), |id: Id| u64::from(id)] {
        let (steps, once) = (HashIndex::default(), HashIndex::default());
        let mut present = Vec::new();
        let mut states = 0;
        for step in 0..scaled(4000) {
            let random = mix(u64::from(step)) as usize;
            let remove = random.is_multiple_of(4) && !present.is_empty();
            for index in [&steps, &once] {
                match remove {
                    true => {
                        let id: Id = present[random % present.len()];
                        index.remove(hash(id), id);
                    }
                    false => _ = add(index, hash(step), step),
                }
            }
            if remove {
                present.swap_remove(random % present.len());
            } else {
                present.push(step);
            }
            once.hand_over(usize::MAX);
            states += usize::from(steps.in_use().old.is_some());
            if let Some(id) = present.get(random / 7 % present.len().max(1)) {
                assert!(holds(&steps, hash(*id), *id), "{id} after {step}");
            }
        }
        assert!(states > 10, "a table was handed over in {states} steps");
        assert_eq!(contents(&steps), contents(&once));
    }
}

#[test]
fn no_insertion_hands_over_more_than_a_step_and_its_runs() {
    let index = HashIndex::default();
    let mut before = 0;
    for id in 0..scaled(10_000) {
        add(&index, mix(u64::from(id)), id);
        let now = index.handed_over.load(Relaxed);
        assert!(now <= before + STEP || now == STEP, "from {before} to {now}");
        before = now;
    }
}

#[test]
fn room_that_is_reserved_is_not_to_be_seen() {
    let index = HashIndex::default();
    (0..100).for_each(|id| _ = add(&index, hash(id), id));
    let (bytes, before) = (index.bytes(), contents(&index));
    let expected = index.bytes_for(1000);
    index.reserve(1000).unwrap();
    assert_eq!((index.bytes(), contents(&index)), (bytes, before));
    index.grow(1000);
    assert_eq!(index.bytes(), bytes + expected);
}

#[test]
fn an_impossible_size_is_an_error_and_changes_nothing() {
    let index = HashIndex::default();
    (0..100).for_each(|id| _ = add(&index, hash(id), id));
    let before = contents(&index);
    for additional in [1 << 40, usize::MAX / 16] {
        index.reserve(additional).unwrap_err();
    }
    assert_eq!(contents(&index), before);
}

/// The most places in a row that are filled.
fn longest_run(index: &HashIndex) -> usize {
    let contents = contents(index);
    let runs = contents.split(Option::is_none).map(<[_]>::len);
    let around = contents.iter().take_while(|place| place.is_some()).count()
        + contents.iter().rev().take_while(|place| place.is_some()).count();
    runs.max().unwrap_or(0).max(around)
}

#[test]
fn a_bounded_index_takes_few_that_look_alike() {
    let index = HashIndex::bounded();
    let taken: Vec<Id> = (0..1000).filter(|id| add(&index, 7, *id)).collect();
    assert_eq!(taken, (0..MOST as Id).collect::<Vec<_>>());
    assert_eq!(asked(&index, 7), MOST);
    assert!(taken.iter().all(|id| holds(&index, 7, *id)));
    // What was refused is not there, and its removal removes nothing else.
    index.remove(7, 999);
    index.remove(7, 3);
    assert!(taken.iter().all(|id| holds(&index, 7, *id) == (*id != 3)));
    assert!(add(&index, 7, 2000));
}

#[test]
#[cfg_attr(miri, ignore = "takes many ids")]
fn a_bounded_index_has_no_long_runs() {
    let all_lead_to_one_place = |id: Id| mix(u64::from(id)) & (0xFF << 56);
    let each_leads_to_the_next = |id: Id| mix(u64::from(id)) & (0xFF << 56) | u64::from(id);
    let places_before_the_end =
        |id: Id| mix(u64::from(id)) & (0xFF << 56) | u64::from(!(id / 2) | 0xFFFF_0000);
    let hashes: [fn(Id) -> u64; 3] =
        [all_lead_to_one_place, each_leads_to_the_next, places_before_the_end];
    for hash in hashes {
        let index = HashIndex::bounded();
        let taken: Vec<Id> = (0..10_000).filter(|id| add(&index, hash(*id), *id)).collect();
        assert!(taken.len() > LONGEST / 2 && taken.len() < 10_000, "{} taken", taken.len());
        assert!(longest_run(&index) <= LONGEST);
        assert!(asked(&index, hash(0)) <= MOST);
        assert!(taken.iter().all(|id| holds(&index, hash(*id), *id)));
        // Whoever takes one out of the middle moves up no more than a run.
        taken.iter().step_by(3).for_each(|id| index.remove(hash(*id), *id));
        let stays = |place: usize| !place.is_multiple_of(3);
        assert!(
            (0..taken.len())
                .all(|place| { holds(&index, hash(taken[place]), taken[place]) == stays(place) })
        );
    }
}

#[test]
#[cfg_attr(miri, ignore = "takes many ids")]
fn a_bounded_index_takes_all_whose_hashes_are_good() {
    let index = HashIndex::bounded();
    // As full as a table becomes.
    let most = (1 << 17) / 8 * 7;
    assert!((0..most).all(|id| add(&index, mix(u64::from(id)), id)));
}

#[test]
fn readers_find_what_stays_while_others_come_and_go() {
    let index = HashIndex::default();
    let ids = 0..scaled(200);
    ids.clone().for_each(|id| _ = add(&index, hash(id), id));
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for round in 0..scaled(200) {
                let others = 1000..1000 + round * 5;
                others.clone().for_each(|id| _ = add(&index, hash(id), id));
                others.for_each(|id| index.remove(hash(id), id));
            }
        });
        while !writer.is_finished() {
            for id in ids.clone() {
                assert!(holds(&index, hash(id), id));
                assert!(!holds(&index, hash(id), id + 500));
            }
        }
    });
}

#[test]
fn readers_find_what_was_added_while_tables_are_handed_over() {
    let index = HashIndex::default();
    let added = AtomicU32::new(0);
    let last = scaled(3000);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while added.load(Acquire) < last {
                    let until = added.load(Acquire);
                    let ids = (0..until).rev().filter(|id| id % 3 != 1).take(300);
                    ids.for_each(|id| assert!(holds(&index, hash(id), id), "{id} of {until}"));
                }
            });
        }
        for id in 0..last {
            add(&index, hash(id), id);
            added.store(id + 1, Release);
            if id % 3 == 1 {
                index.remove(hash(id), id);
            }
        }
    });
}

/// Two writers, one after the other, and a reader, who knows of neither.
fn after_two_writers(
    first: impl FnOnce() + Send,
    second: impl FnOnce() + Send,
    reader: impl FnOnce() + Send,
) {
    let (writer, done) = (Mutex::new(false), AtomicBool::new(false));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut was_first = writer.lock().unwrap();
            first();
            *was_first = true;
        });
        scope.spawn(|| {
            loop {
                let was_first = writer.lock().unwrap();
                if *was_first {
                    break second();
                }
                drop(was_first);
                std::thread::yield_now();
            }
            done.store(true, Relaxed);
        });
        while !done.load(Relaxed) {
            std::thread::yield_now();
        }
        reader();
    });
}

// The following are to be run by Miri with many seeds: only its weak memory shows what goes wrong where
// something is published to the next writer alone.

#[test]
fn litmus_what_a_later_writer_wrote_tells_of_the_move() {
    let index = HashIndex::default();
    // One place, one tag: in a row.
    (1..4).for_each(|id| _ = add(&index, 0, id));
    after_two_writers(
        || index.remove(0, 1),     // the others move up
        || _ = index.insert(0, 4), // where 3 was
        || assert!(holds(&index, 0, 2) && holds(&index, 0, 3)),
    );
}

#[test]
fn litmus_what_a_later_writer_wrote_tells_of_the_larger_table() {
    let index = HashIndex::default();
    (0..14).for_each(|id| _ = add(&index, 0, id));
    index.reserve(1).unwrap();
    after_two_writers(
        || _ = index.insert(0, 14), // all of them are handed over
        || (0..12).for_each(|id| index.remove(0, id)), // those behind move up
        || assert!(holds(&index, 0, 12) && holds(&index, 0, 13)),
    );
}

#[test]
fn litmus_what_a_later_writer_replaced_tells_of_the_larger_table() {
    let index = HashIndex::default();
    (0..14).for_each(|id| _ = add(&index, 0, id));
    index.reserve(1).unwrap();
    after_two_writers(
        || index.replace(0, 13, 113),
        || _ = index.insert(0, 14),
        || assert!(index.find(0, |id| id % 100 == 13).is_some()),
    );
}
