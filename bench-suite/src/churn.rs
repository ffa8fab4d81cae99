//! Replaces points of an index, round after round, and measures what that has done to it.
//!
//! Of the base, some rows live in the index and the others are spare. A round exchanges a share of
//! them, chosen at random: half of the points are replaced under their key, half are removed and their
//! key is inserted anew. Then the index is compared with one freshly built over the same points.

use std::time::Instant;

use anyhow::{Context as _, bail, ensure};
use nearfield_hnsw::{
    Build, Index, Params, Search, SearchError, Vectors,
    search::Searcher,
    space::{VectorElement, VectorError},
};
use nearfield_kernels::Backend;
use serde::{Deserialize, Serialize};

use crate::{
    passes::Passes, random::Random, recall::Marker, table::Table, truth::Truth, workload::Workload,
};

/// What to do to the index, and how to look at it.
#[derive(Clone, Debug)]
pub struct Churn {
    /// Times that points are exchanged.
    pub rounds: usize,
    /// The share of the living points that a round exchanges, above 0 and at most 1.
    pub share: f64,
    /// Whether every round is compared with a fresh build; else the last one is.
    pub always_fresh: bool,
    /// The graph. Its seed also chooses the points.
    pub params: Params,
    /// Threads of builds; points are exchanged by one.
    pub threads: usize,
    /// Neighbours to search for.
    pub k: usize,
    /// The width of the beam, also of the searches of each point for itself.
    pub ef: usize,
    /// Passes over all queries; the best one counts.
    pub passes: usize,
}

/// An index after a round; round 0 is the first build.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Round {
    /// Which.
    pub round: usize,
    /// Points that live.
    pub live: usize,
    /// Points removed so far.
    pub removed: usize,
    /// Seconds that the exchange took.
    pub seconds: f64,
    /// Points that a search for their own row does not find; an equal row counts.
    pub self_misses: usize,
    /// Links that still lead to removed points.
    pub stale_links: usize,
    /// What searches find and cost.
    #[serde(flatten)]
    pub searched: Searched,
    /// The same of a fresh build over the same points.
    pub fresh: Option<Searched>,
}

/// What searches on one thread find and cost.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Searched {
    /// Recall at k.
    pub recall: f64,
    /// Queries per second in the best pass.
    pub qps: f64,
    /// Distances computed for a query, on average.
    pub distances_per_query: f64,
}

/// Builds an index over a part of the base and exchanges points, telling `report` of each round.
///
/// # Errors
/// What the index refused, or which invariant does not hold; all settings are checked before the work begins.
pub fn run<E: VectorElement>(
    workload: &Workload<E>,
    churn: &Churn,
    mut report: impl FnMut(&Round) -> std::io::Result<()>,
) -> anyhow::Result<()> {
    let share = churn.share;
    ensure!(
        share > 0.0 && share <= 1.0,
        "the share to replace is {share}; it must be above 0 and at most 1"
    );
    let rows = workload.base.len();
    let live = (rows as f64 / (1.0 + churn.share)) as usize;
    if live == 0 || live == rows {
        bail!("{rows} rows are too few to replace some by others");
    }
    let mut course = Course::new(workload, churn, live)?;
    report(&course.look(0, 0.0)?)?;
    for round in 1..=churn.rounds {
        let start = Instant::now();
        course.exchange()?;
        report(&course.look(round, start.elapsed().as_secs_f64())?)?;
    }
    Ok(())
}

type Tested<E> = Index<u32, Vectors<E>>;

/// An index whose keys are the places in `live`, and the rows of the base that they have now.
struct Course<'a, E: VectorElement> {
    workload: &'a Workload<E>,
    churn: &'a Churn,
    index: Tested<E>,
    live: Vec<u32>,
    spare: Vec<u32>,
    random: Random,
}

impl<'a, E: VectorElement> Course<'a, E> {
    fn new(workload: &'a Workload<E>, churn: &'a Churn, live: usize) -> anyhow::Result<Self> {
        let mut random = Random::new(churn.params.seed);
        let mut rows: Vec<u32> = (0..workload.base.len() as u32).collect();
        shuffle(&mut rows, &mut random);
        let spare = rows.split_off(live);
        let index = build(workload, churn, &rows)?;
        Ok(Self { workload, churn, index, live: rows, spare, random })
    }

    /// Gives a share of the keys rows from the spare ones.
    fn exchange(&mut self) -> anyhow::Result<()> {
        let count = (self.live.len() as f64 * self.churn.share) as usize;
        let mut keys: Vec<u32> = (0..self.live.len() as u32).collect();
        shuffle(&mut keys, &mut self.random);
        shuffle(&mut self.spare, &mut self.random);
        for (key, spare) in keys.iter().zip(&mut self.spare).take(count) {
            let row = self.workload.base.row(*spare as usize);
            if key % 2 == 0 {
                self.index.upsert(*key, row)?;
            } else {
                self.index.remove(key)?;
                self.index.insert(*key, row)?;
            }
            std::mem::swap(&mut self.live[*key as usize], spare);
        }
        Ok(())
    }

    /// Measures the index, and a fresh one beside it.
    fn look(&self, round: usize, seconds: f64) -> anyhow::Result<Round> {
        self.index.check().with_context(|| format!("after round {round}"))?;
        let (workload, churn) = (self.workload, self.churn);
        let base = self.living();
        let kernel = workload.kernel(None)?;
        let truth = Truth::exact(kernel, &base, &workload.queries, churn.k);
        let marker = Marker::new(kernel, &base, &workload.queries, &truth, churn.k);
        let wants_fresh = churn.always_fresh || round == churn.rounds;
        let fresh = wants_fresh.then(|| build(workload, churn, &self.live)).transpose()?;
        let stats = self.index.stats();
        Ok(Round {
            round,
            live: stats.live,
            removed: stats.removed,
            seconds,
            self_misses: self.self_misses(&base)?,
            stale_links: stats.stale_links,
            searched: self.search(&self.index, &marker)?,
            fresh: fresh.map(|fresh| self.search(&fresh, &marker)).transpose()?,
        })
    }

    fn living(&self) -> Table<E> {
        let rows = self.live.iter().flat_map(|row| self.workload.base.row(*row as usize));
        Table::new(self.workload.base.dim(), rows.copied().collect())
    }

    fn self_misses(&self, base: &Table<E>) -> anyhow::Result<usize> {
        let mut searcher = self.index.searcher();
        let mut misses = 0;
        for place in 0..base.len() {
            let row = base.row(place);
            let hits = searcher.search(row, Search::new(1).ef(self.churn.ef))?;
            let found = hits.first().and_then(|hit| self.index.key(hit.id));
            let is_self = |key: &u32| base.row(*key as usize) == row;
            misses += usize::from(!found.is_some_and(is_self));
        }
        Ok(misses)
    }

    fn search(&self, index: &Tested<E>, marker: &Marker<'_, E>) -> anyhow::Result<Searched> {
        let churn = self.churn;
        let queries = &self.workload.queries;
        let mut searcher: Searcher<'_, _> = index.searcher();
        let request = Search::new(churn.k).ef(churn.ef);
        let passes = Passes::run(queries, churn.k, churn.passes, |query, out| {
            let hits = searcher.search(query, request)?;
            for (out, hit) in out.iter_mut().zip(hits) {
                *out = index.key(hit.id).copied().unwrap_or(u32::MAX);
            }
            Ok(hits.len())
        });
        let passes = passes.map_err(|(_, error): (_, SearchError<VectorError>)| error)?;
        let searches = (queries.len() * churn.passes) as f64;
        Ok(Searched {
            recall: marker.recall(passes.answers()),
            qps: passes.qps(),
            distances_per_query: searcher.distances() as f64 / searches,
        })
    }
}

/// An index over some rows of the base, whose keys are their places.
fn build<E: VectorElement>(
    workload: &Workload<E>,
    churn: &Churn,
    rows: &[u32],
) -> anyhow::Result<Tested<E>> {
    let mut vectors = Vectors::on(Backend::best()?, workload.base.dim(), workload.metric)?;
    let values = rows.iter().flat_map(|row| workload.base.row(*row as usize)).copied();
    vectors.extend(&values.collect::<Vec<E>>())?;
    let keys = (0..rows.len() as u32).collect();
    let build = Build::default().threads(churn.threads);
    Ok(Index::build(vectors, keys, churn.params.clone(), build)?)
}

fn shuffle(items: &mut [u32], random: &mut Random) {
    for last in (1..items.len()).rev() {
        items.swap(last, random.below(last as u64 + 1) as usize);
    }
}

#[cfg(test)]
mod tests {
    use nearfield_kernels::Metric;

    use super::*;

    fn workload(rows: usize) -> Workload<f32> {
        let mut random = Random::new(5);
        let mut table = |rows| Table::new(8, (0..8 * rows).map(|_| random.unit()).collect());
        let (base, queries) = (table(rows), table(50));
        Workload { metric: Metric::L2Squared, dim: 8, base, queries, truth: None }
    }

    fn churn() -> Churn {
        let params = Params::default().ef_construction(60);
        let always_fresh = false;
        Churn { rounds: 3, share: 0.25, always_fresh, params, threads: 2, k: 10, ef: 64, passes: 1 }
    }

    #[test]
    fn rounds_exchange_a_share_and_lose_nothing() {
        let mut rounds = Vec::new();
        run(&workload(1000), &churn(), |round| {
            rounds.push(round.clone());
            Ok(())
        })
        .unwrap();
        let removed: Vec<usize> = rounds.iter().map(|round| round.removed).collect();
        assert_eq!(removed, [0, 200, 400, 600]);
        assert!(rounds.iter().all(|round| round.live == 800 && round.self_misses == 0));
        assert!(rounds.iter().all(|round| round.searched.recall > 0.97), "{rounds:?}");
        let fresh: Vec<bool> = rounds.iter().map(|round| round.fresh.is_some()).collect();
        assert_eq!(fresh, [false, false, false, true]);
    }

    #[test]
    fn what_cannot_be_exchanged_is_refused() {
        let attempt = |rows, share| {
            run(&workload(rows), &Churn { share, ..churn() }, |_| Ok(())).unwrap_err().to_string()
        };
        assert_eq!(attempt(9, 0.0), "the share to replace is 0; it must be above 0 and at most 1");
        assert_eq!(attempt(1, 0.5), "1 rows are too few to replace some by others");
    }
}
