//! Many threads change and search one index at the same time, and check each other's traces.
//!
//! Each thread owns a part of the keys and knows what it did to them, so of these it can tell whether
//! a search may return them. One more thread looks at what must hold whoever does what; among it a
//! key that a thread of its own moves to and fro: a search sees it in one place, always.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::bail;
use nearfield_hnsw::{Build, Index, KeyHit, Params, Search, Vectors, space::VectorElement};
use serde::{Deserialize, Serialize};

use crate::{random::Random, table::Table, workload::Workload};

/// What to do, and for how long.
#[derive(Clone, Debug)]
pub struct Mixed {
    /// Threads that insert, replace, remove and search; two more check.
    pub threads: usize,
    /// For how long.
    pub seconds: usize,
    /// The graph. Its seed also chooses the operations.
    pub params: Params,
    /// Neighbours to search for.
    pub k: usize,
    /// The width of the beam.
    pub ef: usize,
}

/// What happened within a second, or in all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Searches, those of the checker among them.
    pub searches: usize,
    /// New keys.
    pub inserts: usize,
    /// Keys whose point was replaced.
    pub upserts: usize,
    /// Keys removed.
    pub removes: usize,
    /// Keys that are there and not found, or found with another point than their last.
    pub lost_keys: usize,
    /// Hits that had been removed or replaced when the search began.
    pub dead_hits: usize,
    /// Keys that came twice in an answer, or in the pages of one.
    pub repeats: usize,
    /// Answers with fewer hits than asked for.
    pub short_answers: usize,
    /// Points just written that a search for their own row does not find; an equal row counts.
    pub self_misses: usize,
}

/// A line of the report: a second, or with `second` 0 the whole, looked at when all was quiet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Seconds since the beginning.
    pub second: usize,
    /// Points that live.
    pub live: usize,
    /// What happened.
    #[serde(flatten)]
    pub counts: Counts,
}

type Tested<E> = Index<u64, Vectors<E>>;

/// The key that moves to and fro; beyond all others.
const PENDULUM: u64 = u64::MAX;

/// Rows that each thread needs.
const LEAST: usize = 100;

/// Builds an index over half of the base and lets the threads work on it, telling `report` of each
/// second, and of the whole in the end.
///
/// # Errors
/// What the index refused, or which invariant does not hold: of the threads' errors the first.
///
/// # Panics
/// When a thread does: the index has a bug then.
pub fn run<E: VectorElement>(
    workload: &Workload<E>,
    mixed: &Mixed,
    mut report: impl FnMut(&Line) -> std::io::Result<()>,
) -> anyhow::Result<()> {
    let (rows, threads) = (workload.base.len(), mixed.threads);
    if threads == 0 || rows < LEAST * threads {
        let needed = LEAST * threads.max(1);
        bail!("{rows} rows are too few for {threads} threads; at least {needed} are needed");
    }
    let index = build(workload, mixed)?;
    let is_over = AtomicBool::new(false);
    let tallies: Vec<Tally> = (0..threads + 2).map(|_| Tally::default()).collect();
    let base = &workload.base;
    let (owned, last) = thread::scope(|scope| {
        let worker = |thread: usize| {
            let (index, is_over, tally) = (&index, &is_over, &tallies[thread]);
            scope.spawn(move || {
                let mut worker = Worker::new(index, base, mixed, thread, tally);
                while !is_over.load(Relaxed) {
                    worker.step()?;
                }
                anyhow::Ok(worker.owned)
            })
        };
        let workers: Vec<_> = (0..threads).map(worker).collect();
        let pendulum = scope.spawn(|| swing(&index, base, &is_over, &tallies[threads]));
        let checker = scope.spawn(|| check(&index, base, mixed, &is_over, &tallies[threads + 1]));
        let reported = watch(&index, mixed, &tallies, &mut report);
        is_over.store(true, Relaxed);
        let owned: Result<Vec<_>, _> =
            workers.into_iter().map(|worker| worker.join().expect("a worker panicked")).collect();
        pendulum.join().expect("the pendulum panicked")?;
        checker.join().expect("the checker panicked")?;
        anyhow::Ok((owned?, reported?))
    })?;
    index.check()?;
    let mut counts = last;
    settle(&index, mixed, owned, &mut counts)?;
    report(&Line { second: 0, live: index.len(), counts })?;
    Ok(())
}

fn build<E: VectorElement>(workload: &Workload<E>, mixed: &Mixed) -> anyhow::Result<Tested<E>> {
    let base = &workload.base;
    let half = base.len() / 2;
    let mut vectors = Vectors::new(base.dim(), workload.metric)?;
    vectors.extend(&base.values()[..half * base.dim()])?;
    let keys = (0..half as u64).collect();
    let build = Build::default().threads(mixed.threads);
    let index = Index::build(vectors, keys, mixed.params.clone(), build)?;
    index.insert(PENDULUM, base.row(0))?;
    Ok(index)
}

/// Reports every second, until the time is over; returns what happened in all.
fn watch<E: VectorElement>(
    index: &Tested<E>,
    mixed: &Mixed,
    tallies: &[Tally],
    report: &mut impl FnMut(&Line) -> std::io::Result<()>,
) -> Result<Counts, std::io::Error> {
    let start = Instant::now();
    let mut before = Counts::default();
    for second in 1..=mixed.seconds {
        let next = start + Duration::from_secs(second as u64);
        thread::sleep(next.saturating_duration_since(Instant::now()));
        let total = Tally::total(tallies);
        report(&Line { second, live: index.len(), counts: total.since(&before) })?;
        before = total;
    }
    Ok(before)
}

/// Looks for every key once more, when nobody writes.
fn settle<E: VectorElement>(
    index: &Tested<E>,
    mixed: &Mixed,
    owned: Vec<HashMap<u64, u32>>,
    counts: &mut Counts,
) -> anyhow::Result<()> {
    let owned: HashMap<u64, u32> = owned.into_iter().flatten().collect();
    counts.lost_keys += index.len().abs_diff(owned.len() + 1);
    for (key, id) in owned {
        counts.lost_keys += usize::from(index.id(&key) != Some(id));
        let row = index.space().get(id).expect("an id of the index");
        let hits = index.search(&row, Search::new(1).ef(mixed.ef))?;
        let is_self = |hit: &KeyHit<'_, u64>| index.space().get(hit.id).as_ref() == Some(&row);
        counts.self_misses += usize::from(!hits.first().is_some_and(is_self));
    }
    Ok(())
}

/// What one thread counts, for others to read.
#[derive(Default)]
struct Tally {
    searches: AtomicUsize,
    inserts: AtomicUsize,
    upserts: AtomicUsize,
    removes: AtomicUsize,
    lost_keys: AtomicUsize,
    dead_hits: AtomicUsize,
    repeats: AtomicUsize,
    short_answers: AtomicUsize,
    self_misses: AtomicUsize,
}

fn count(counter: &AtomicUsize, is_so: bool) {
    counter.fetch_add(usize::from(is_so), Relaxed);
}

impl Tally {
    fn total(tallies: &[Self]) -> Counts {
        let sum = |of: fn(&Self) -> &AtomicUsize| {
            tallies.iter().map(|tally| of(tally).load(Relaxed)).sum::<usize>()
        };
        Counts {
            searches: sum(|tally| &tally.searches),
            inserts: sum(|tally| &tally.inserts),
            upserts: sum(|tally| &tally.upserts),
            removes: sum(|tally| &tally.removes),
            lost_keys: sum(|tally| &tally.lost_keys),
            dead_hits: sum(|tally| &tally.dead_hits),
            repeats: sum(|tally| &tally.repeats),
            short_answers: sum(|tally| &tally.short_answers),
            self_misses: sum(|tally| &tally.self_misses),
        }
    }

    /// Counts what is wrong with an answer whoever gets it.
    fn mark(&self, hits: &[KeyHit<'_, u64>], k: usize) {
        count(&self.searches, true);
        count(&self.short_answers, hits.len() < k);
        let twice = |place: usize| hits[..place].iter().any(|hit| hit.key == hits[place].key);
        self.repeats.fetch_add((0..hits.len()).filter(|place| twice(*place)).count(), Relaxed);
    }
}

impl Counts {
    fn since(&self, before: &Self) -> Self {
        Self {
            searches: self.searches - before.searches,
            inserts: self.inserts - before.inserts,
            upserts: self.upserts - before.upserts,
            removes: self.removes - before.removes,
            lost_keys: self.lost_keys - before.lost_keys,
            dead_hits: self.dead_hits - before.dead_hits,
            repeats: self.repeats - before.repeats,
            short_answers: self.short_answers - before.short_answers,
            self_misses: self.self_misses - before.self_misses,
        }
    }

    /// Whether nothing was wrong.
    pub fn is_clean(&self) -> bool {
        let wrong = [self.lost_keys, self.dead_hits, self.repeats, self.short_answers];
        wrong.iter().sum::<usize>() + self.self_misses == 0
    }
}

/// A thread that owns the keys that leave its number as remainder by the number of threads.
struct Worker<'a, E: VectorElement> {
    index: &'a Tested<E>,
    base: &'a Table<E>,
    mixed: &'a Mixed,
    tally: &'a Tally,
    thread: u64,
    random: Random,
    next: u64,
    /// Its keys and the ids of their points, and the keys once more, to choose from.
    owned: HashMap<u64, u32>,
    keys: Vec<u64>,
}

impl<'a, E: VectorElement> Worker<'a, E> {
    fn new(
        index: &'a Tested<E>,
        base: &'a Table<E>,
        mixed: &'a Mixed,
        thread: usize,
        tally: &'a Tally,
    ) -> Self {
        let half = base.len() as u64 / 2;
        let (thread, threads) = (thread as u64, mixed.threads as u64);
        let keys: Vec<u64> = (thread..half).step_by(mixed.threads).collect();
        Self {
            index,
            base,
            mixed,
            tally,
            thread,
            random: Random::new(mixed.params.seed ^ (thread + 1) << 32),
            next: half.next_multiple_of(threads) + thread,
            // Of the first build ids and keys are the same.
            owned: keys.iter().map(|key| (*key, *key as u32)).collect(),
            keys,
        }
    }

    fn step(&mut self) -> anyhow::Result<()> {
        // About as many come as go.
        match self.random.below(20) {
            0..10 => self.search(),
            10..13 => self.insert(),
            13..16 => self.upsert(),
            16..19 => self.remove(),
            _ => {
                self.look_up();
                Ok(())
            }
        }
    }

    fn row(&mut self) -> &'a [E] {
        self.base.row(self.random.below(self.base.len() as u64) as usize)
    }

    /// One of its keys, and its place among them.
    fn pick(&mut self) -> Option<(usize, u64)> {
        if self.keys.is_empty() {
            return None;
        }
        let place = self.random.below(self.keys.len() as u64) as usize;
        Some((place, self.keys[place]))
    }

    fn search(&mut self) -> anyhow::Result<()> {
        let row = self.row();
        let request = Search::new(self.mixed.k).ef(self.mixed.ef);
        let hits = self.index.search(row, request)?;
        self.tally.mark(&hits, self.mixed.k);
        self.mark_own(&hits);
        Ok(())
    }

    /// Of its own keys it knows which point each has.
    fn mark_own(&self, hits: &[KeyHit<'_, u64>]) {
        let is_own = |hit: &&KeyHit<'_, u64>| {
            *hit.key != PENDULUM && hit.key % self.mixed.threads as u64 == self.thread
        };
        for hit in hits.iter().filter(is_own) {
            count(&self.tally.dead_hits, self.owned.get(hit.key) != Some(&hit.id));
        }
    }

    fn insert(&mut self) -> anyhow::Result<()> {
        let (key, row) = (self.next, self.row());
        self.next += self.mixed.threads as u64;
        let id = self.index.insert(key, row)?;
        self.keys.push(key);
        count(&self.tally.inserts, true);
        self.written(key, id, row)
    }

    fn upsert(&mut self) -> anyhow::Result<()> {
        let Some((_, key)) = self.pick() else { return Ok(()) };
        let row = self.row();
        let id = self.index.upsert(key, row)?;
        count(&self.tally.upserts, true);
        self.written(key, id, row)
    }

    /// What was acknowledged must be found.
    fn written(&mut self, key: u64, id: u32, row: &[E]) -> anyhow::Result<()> {
        self.owned.insert(key, id);
        count(&self.tally.lost_keys, self.index.id(&key) != Some(id));
        let hits = self.index.search(row, Search::new(self.mixed.k).ef(self.mixed.ef))?;
        self.tally.mark(&hits, self.mixed.k);
        self.mark_own(&hits);
        let space = self.index.space();
        let is_self = |hit: &KeyHit<'_, u64>| space.get(hit.id) == space.get(id);
        count(&self.tally.self_misses, !hits.first().is_some_and(is_self));
        Ok(())
    }

    fn remove(&mut self) -> anyhow::Result<()> {
        let Some((place, key)) = self.pick() else { return Ok(()) };
        self.keys.swap_remove(place);
        self.owned.remove(&key);
        let was_there = self.index.remove(&key)?;
        count(&self.tally.removes, true);
        count(&self.tally.lost_keys, !was_there);
        count(&self.tally.dead_hits, self.index.contains(&key));
        Ok(())
    }

    fn look_up(&mut self) {
        let Some((_, key)) = self.pick() else { return };
        let id = self.owned.get(&key).copied();
        count(&self.tally.lost_keys, self.index.id(&key) != id);
    }
}

/// Moves one key between two places.
fn swing<E: VectorElement>(
    index: &Tested<E>,
    base: &Table<E>,
    is_over: &AtomicBool,
    tally: &Tally,
) -> anyhow::Result<()> {
    let places = [base.row(base.len() - 1), base.row(0)];
    for place in places.into_iter().cycle() {
        if is_over.load(Relaxed) {
            break;
        }
        let id = index.upsert(PENDULUM, place)?;
        count(&tally.upserts, true);
        count(&tally.lost_keys, index.id(&PENDULUM) != Some(id));
    }
    Ok(())
}

/// Looks at what must hold whatever the others do.
fn check<E: VectorElement>(
    index: &Tested<E>,
    base: &Table<E>,
    mixed: &Mixed,
    is_over: &AtomicBool,
    tally: &Tally,
) -> anyhow::Result<()> {
    let mut random = Random::new(mixed.params.seed);
    let only_pendulum = |key: &u64| *key == PENDULUM;
    while !is_over.load(Relaxed) {
        let query = base.row(random.below(base.len() as u64) as usize);
        let hits = index.search(query, Search::new(2).filter(&only_pendulum))?;
        tally.mark(&hits, 1);
        count(&tally.repeats, hits.len() > 1);
        count(&tally.lost_keys, !index.contains(&PENDULUM));
        let pages = index.pages(query, Search::new(mixed.k).ef(mixed.ef))?;
        let hits: Vec<_> = pages.take(3).flatten().collect();
        tally.mark(&hits, 3 * mixed.k);
        let mut keys: Vec<u64> = index.iter().map(|(key, _)| *key).collect();
        let count = keys.len();
        keys.sort_unstable();
        keys.dedup();
        tally.repeats.fetch_add(count - keys.len(), Relaxed);
        count_missing(tally, &keys);
    }
    Ok(())
}

/// In every snapshot the key that moves is there.
fn count_missing(tally: &Tally, keys: &[u64]) {
    count(&tally.lost_keys, keys.last() != Some(&PENDULUM));
}

#[cfg(test)]
mod tests {
    use nearfield_kernels::Metric;

    use super::*;

    #[test]
    fn a_second_of_everything_is_clean() {
        let mut random = Random::new(3);
        let base = Table::new(8, (0..8 * 2000).map(|_| random.unit()).collect());
        let queries = base.clone();
        let workload = Workload { metric: Metric::L2Squared, dim: 8, base, queries, truth: None };
        let params = Params::default().ef_construction(60);
        let mixed = Mixed { threads: 3, seconds: 1, params, k: 10, ef: 64 };
        let mut lines = Vec::new();
        let report = |line: &Line| {
            lines.push(line.clone());
            Ok(())
        };
        run(&workload, &mixed, report).unwrap();
        assert_eq!(lines.iter().map(|line| line.second).collect::<Vec<_>>(), [1, 0]);
        let total = &lines[1].counts;
        assert!(total.is_clean(), "{total:?}");
        assert!(total.searches > 0 && total.inserts > 0 && total.upserts > 0, "{total:?}");
    }
}
