//! A durable index under operations that are known beforehand, so that whoever finds it again, after
//! the process was killed, can tell whether anything was lost.
//!
//! Every thread of the process goes through a [`Course`] of its own, over keys of its own. Its
//! operations are a function of seed, thread and number. When *n* of them were acknowledged, the index
//! holds what *n* of them do, or *n* + 1: the one under way may have been done or not, but wholly.

use std::{borrow::Cow, collections::BTreeMap};

use nearfield_hnsw::{
    Build, Durable, InsertError, Vectors,
    durable::{Policy, WriteError},
};

use crate::random::Random;

/// Elements of a vector.
pub const DIM: usize = 8;

/// Keys that a thread inserts, moves and removes; batches have keys of their own.
const KEYS: u64 = 48;

/// The most points in a batch, unless memory is to be used up.
pub const BATCH: u64 = 6;

/// Where the keys of threads and batches begin.
const OF_THREAD: u64 = 1 << 32;
const OF_BATCHES: u64 = 1 << 16;

/// One of the threads that write.
#[derive(Clone, Copy, Debug)]
pub struct Course {
    /// Decides all operations.
    pub seed: u64,
    /// Its number.
    pub thread: u64,
    /// The most points in a batch.
    pub batch: u64,
}

/// What an operation does.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Operation {
    Insert(u64),
    Upsert(u64),
    Remove(u64),
    Batch(Vec<u64>),
}

/// The points of one thread: which operation each key has its vector from.
type Points = BTreeMap<u64, u64>;

impl Course {
    /// Operation `number` on any durable index. An insert whose key is there is refused, as it should be,
    /// and counts as done.
    ///
    /// # Errors
    /// When the index refuses anything else.
    pub fn apply<P: Policy>(
        &self,
        index: &Durable<u64, f32, P>,
        number: u64,
    ) -> Result<(), WriteError> {
        let vector = |key| self.vector(key, number);
        let done = match self.operation(number) {
            Operation::Insert(key) => index.insert(key, &vector(key)).map(drop),
            Operation::Upsert(key) => index.upsert(key, &vector(key)).map(drop),
            Operation::Remove(key) => index.remove(&key).map(drop),
            Operation::Batch(keys) => {
                let vectors: Vec<Vec<f32>> = keys.iter().map(|key| vector(*key)).collect();
                index.insert_batch(keys, &vectors, Build::default().threads(1)).map(drop)
            }
        };
        match done {
            Err(WriteError::Refused(InsertError::KeyExists { .. })) => Ok(()),
            done => done,
        }
    }

    /// How many of the operations the index holds, when `acknowledged` of them were; `None` when it holds
    /// anything else. `before` is what it held at the beginning of the process, and becomes what it
    /// holds now.
    pub fn held(
        &self,
        index: &[(u64, Vec<f32>)],
        before: &mut Held,
        acknowledged: u64,
    ) -> Option<u64> {
        let mut points = before.points.clone();
        for number in before.operations..acknowledged {
            self.follow(&mut points, number);
        }
        for operations in [acknowledged, acknowledged + 1] {
            if self.is_held(index, &points) {
                *before = Held { operations, points };
                return Some(operations);
            }
            self.follow(&mut points, operations);
        }
        None
    }

    fn is_held(&self, index: &[(u64, Vec<f32>)], points: &Points) -> bool {
        let mine = index.iter().filter(|(key, _)| key / OF_THREAD == self.thread);
        let expected = points.iter().map(|(key, number)| (*key, self.vector(*key, *number)));
        mine.cloned().eq(expected)
    }

    /// Does in `points` what an operation does in the index.
    fn follow(&self, points: &mut Points, number: u64) {
        match self.operation(number) {
            Operation::Insert(key) => _ = points.entry(key).or_insert(number),
            Operation::Upsert(key) => _ = points.insert(key, number),
            Operation::Remove(key) => _ = points.remove(&key),
            Operation::Batch(keys) => points.extend(keys.into_iter().map(|key| (key, number))),
        }
    }

    fn operation(&self, number: u64) -> Operation {
        let mut random = self.random(number);
        let key = self.thread * OF_THREAD + random.below(KEYS);
        match random.below(10) {
            0..=1 => Operation::Insert(key),
            2..=6 => Operation::Upsert(key),
            7..=8 => Operation::Remove(key),
            _ => {
                let first = self.thread * OF_THREAD + OF_BATCHES + number * self.batch;
                Operation::Batch((first..first + 1 + random.below(self.batch)).collect())
            }
        }
    }

    /// The vector that a key gets from an operation.
    fn vector(&self, key: u64, number: u64) -> Vec<f32> {
        let mut random = self.random(number ^ key.rotate_left(32));
        (0..DIM).map(|_| random.unit()).collect()
    }

    fn random(&self, number: u64) -> Random {
        Random::new(self.seed ^ self.thread << 56 ^ number.wrapping_mul(0x9E37_79B9_7F4A_7C15))
    }
}

/// What is known to be in the index of one thread's operations.
#[derive(Clone, Debug, Default)]
pub struct Held {
    /// How many were done.
    pub operations: u64,
    points: Points,
}

/// The keys and vectors of an index, by key.
pub fn contents(index: &Durable<u64, f32>) -> Vec<(u64, Vec<f32>)> {
    let vector = |key: &u64| index.get(key).map(Cow::into_owned);
    let mut contents: Vec<_> =
        index.iter().filter_map(|(key, _)| Some((*key, vector(key)?))).collect();
    contents.sort_unstable_by_key(|(key, _)| *key);
    contents
}

/// No vectors yet.
///
/// # Panics
/// When the backend that the environment forces is missing.
pub fn no_vectors() -> Vectors<f32> {
    Vectors::new(DIM, nearfield_hnsw::Metric::L2Squared).expect("the metric is there for f32")
}
