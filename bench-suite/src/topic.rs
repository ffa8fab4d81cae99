//! What searches about a new topic cost while a batch of its points is being linked, and whether points
//! that came beside it are found.
//!
//! Points that may not be returned yet stand in the way of a search, and an insert that was planned before
//! the batch is linked to what was near then. Distances are counted, so that a busy machine says the same.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;

use nearfield_hnsw::{Build, Index, Params, Search, Vectors};
use nearfield_kernels::Metric;
use serde::{Deserialize, Serialize};

use crate::random::Random;

/// What to do.
#[derive(Clone, Debug)]
pub struct Topic {
    /// Points of the index, and of the new topic as well.
    pub points: u32,
    /// The graph.
    pub params: Params,
    /// Neighbours to search for.
    pub k: usize,
    /// The width of the beam.
    pub ef: usize,
}

/// Distances that searches took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cost {
    /// Searches.
    pub searches: u64,
    /// Distances, on the average.
    pub mean: u64,
    /// Of the most expensive search.
    pub most: u64,
}

impl Cost {
    fn of(distances: &[u64]) -> Self {
        let searches = distances.len() as u64;
        let mean = distances.iter().sum::<u64>() / searches.max(1);
        Self { searches, mean, most: distances.iter().copied().max().unwrap_or(0) }
    }
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// Before the batch.
    pub before: Cost,
    /// While it was linked.
    pub beside: Cost,
    /// When it was there.
    pub after: Cost,
    /// Points that other threads inserted meanwhile.
    pub late: usize,
    /// Those of them that a search for their own row does not find.
    pub lost: usize,
}

impl Outcome {
    /// The cost beside the batch by the cost alone, before or after, whichever is more.
    pub fn ratio(&self) -> f64 {
        self.beside.mean as f64 / self.before.mean.max(self.after.mean) as f64
    }
}

/// What went wrong.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

const DIM: usize = 16;

type Row = [f32; DIM];
type Tested = Index<u32, Vectors<f32>>;

/// Queries before the batch, and after it.
const QUERIES: usize = 200;

/// A point anywhere, about normally distributed.
fn anywhere(random: &mut Random) -> Row {
    std::array::from_fn(|_| (0..6).map(|_| random.unit()).sum())
}

/// A point of the topic: in a small part of the whole.
fn about_the_topic(random: &mut Random) -> Row {
    anywhere(random).map(|x| 0.3 * x + 1.0)
}

/// Builds an index, inserts the batch, and searches and inserts beside it.
///
/// # Errors
/// When the index refuses something.
///
/// # Panics
/// When a thread does: the index has a bug then.
pub fn run(topic: &Topic) -> Result<Outcome, Failure> {
    let mut random = Random::new(topic.params.seed);
    let mut vectors = Vectors::<f32>::new(DIM, Metric::L2Squared)?;
    for _ in 0..topic.points {
        vectors.extend(&anywhere(&mut random))?;
    }
    let keys = (0..topic.points).collect();
    let index = Index::build(vectors, keys, topic.params.clone(), Build::default())?;
    let search = Search::new(topic.k).ef(topic.ef);
    let before = alone(&index, search)?;
    let (beside, late) = link(&index, topic, search)?;
    let after = alone(&index, search)?;
    index.check()?;
    let mut lost = 0;
    for (key, row) in &late {
        let hits = index.search(row, search)?;
        lost += usize::from(!hits.iter().any(|hit| hit.key == key));
    }
    Ok(Outcome { before, beside, after, late: late.len(), lost })
}

fn alone(index: &Tested, search: Search<'_, u32>) -> Result<Cost, Failure> {
    let mut random = Random::new(11);
    let mut distances = vec![];
    for _ in 0..QUERIES {
        distances.push(cost(index, &mut random, search)?);
    }
    Ok(Cost::of(&distances))
}

/// Distances of a search about the topic.
fn cost(index: &Tested, random: &mut Random, search: Search<'_, u32>) -> Result<u64, Failure> {
    let mut searcher = index.searcher();
    searcher.search(&about_the_topic(random), search)?;
    Ok(searcher.distances())
}

/// Inserts the topic as one batch. One thread searches meanwhile and another inserts, each at least once;
/// returns what the searches cost, and what was inserted.
fn link(
    index: &Tested,
    topic: &Topic,
    search: Search<'_, u32>,
) -> Result<(Cost, Vec<(u32, Row)>), Failure> {
    let keys: Vec<u32> = (topic.points..2 * topic.points).collect();
    let mut random = Random::new(topic.params.seed ^ 1);
    let rows: Vec<Row> = keys.iter().map(|_| about_the_topic(&mut random)).collect();
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        let searcher = scope.spawn(|| {
            let (mut random, mut distances) = (Random::new(12), vec![]);
            while distances.is_empty() || !is_over.load(Relaxed) {
                distances.push(cost(index, &mut random, search)?);
            }
            Ok::<_, Failure>(Cost::of(&distances))
        });
        let inserter = scope.spawn(|| {
            let (mut random, mut late) = (Random::new(13), vec![]);
            while late.is_empty() || !is_over.load(Relaxed) {
                let (key, row) =
                    (2 * topic.points + late.len() as u32, about_the_topic(&mut random));
                index.insert(key, &row)?;
                late.push((key, row));
            }
            Ok::<_, Failure>(late)
        });
        let linked = index.insert_batch(keys, &rows, Build::default());
        is_over.store(true, Relaxed);
        let cost = searcher.join().expect("the searcher panicked")?;
        let late = inserter.join().expect("the inserter panicked")?;
        linked?;
        Ok((cost, late))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn costs_are_counted_before_beside_and_after() {
        let params = Params::default().m(8).ef_construction(20);
        let outcome = run(&Topic { points: 500, params, k: 5, ef: 20 }).unwrap();
        assert_eq!(outcome.before.searches, QUERIES as u64);
        assert!(outcome.beside.searches > 0 && outcome.late > 0);
        assert!(outcome.before.mean > 0 && outcome.after.most >= outcome.after.mean);
    }

    #[test]
    fn the_ratio_is_by_the_dearer_of_the_two() {
        let cost = |mean| Cost { searches: 1, mean, most: mean };
        let (before, beside, after) = (cost(100), cost(300), cost(200));
        let outcome = Outcome { before, beside, after, late: 1, lost: 0 };
        assert_eq!(outcome.ratio(), 1.5);
    }
}
