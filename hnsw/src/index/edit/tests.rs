//! What a turn leaves when something stands in its way.

use std::convert::Infallible;
use std::sync::OnceLock;

use nearfield_kernels::Metric;

use crate::construct::Build;
use crate::id::Id;
use crate::index::Index;
use crate::index::hnsw::Hnsw;
use crate::index::insert_error::InsertError;
use crate::params::Params;
use crate::search::Search;
use crate::space::{Scorer, Space, Store};
use crate::store::with_refusal;
use crate::vectors::Vectors;

type Tested = Index<u64, Vectors<f32>>;

const DIM: usize = 4;

fn row(key: u64) -> [f32; DIM] {
    let number = |at: u64| (crate::graph::mix(key * 8 + at) >> 40) as f32 / (1 << 24) as f32;
    std::array::from_fn(|at| number(at as u64))
}

/// An index of `points` points, each inserted alone.
fn index(points: u64) -> Tested {
    let params = Params::default().m(4).ef_construction(16);
    let index = Index::new(Vectors::new(DIM, Metric::L2Squared).unwrap(), params).unwrap();
    (0..points).for_each(|key| _ = index.insert(key, &row(key)).unwrap());
    index
}

/// All of an index that a file has, and that the file can be read again.
fn saved(index: &Tested) -> Vec<u8> {
    index.check().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("index");
    index.save(&path).unwrap();
    assert_eq!(Tested::load(&path).unwrap().len(), index.len());
    std::fs::read(path).unwrap()
}

/// Refuses each piece of memory in turn that `change` asks for.
fn refuse_all(what: &str, points: u64, change: impl Fn(&Tested) -> Result<(), String>) {
    let before = saved(&index(points));
    let after = {
        let index = index(points);
        change(&index).unwrap();
        saved(&index)
    };
    for nth in 1.. {
        let index = index(points);
        let (done, was_refused) = with_refusal(nth, || change(&index));
        if !was_refused {
            assert!(nth > 1, "{what} takes no memory");
            return done.unwrap();
        }
        done.unwrap_err();
        assert!(saved(&index) == before, "{what}, refusal {nth}: something has changed");
        change(&index).unwrap();
        assert!(saved(&index) == after, "{what}, refusal {nth}: not as after");
    }
}

#[test]
fn refused_memory_changes_nothing() {
    let text = |error: InsertError<_>| error.to_string();
    // 64 rows fill the first segment, and the first piece of keys.
    refuse_all("a first point", 0, |index| index.insert(900, &row(900)).map(|_| ()).map_err(text));
    refuse_all("a point", 64, |index| index.insert(900, &row(900)).map(|_| ()).map_err(text));
    refuse_all("another vector", 64, |index| index.upsert(9, &row(900)).map(|_| ()).map_err(text));
    for points in [0, 64, 100] {
        refuse_all("a batch", points, |index| {
            let keys: Vec<u64> = (1000..1300).collect();
            let rows: Vec<_> = keys.iter().map(|key| row(*key)).collect();
            index.insert_batch(keys, &rows, Build::default().threads(2)).map_err(text)
        });
    }
}

#[test]
fn a_refused_batch_does_not_make_the_first_segments_larger() {
    let index = index(0);
    let rows: Vec<_> = (0..5000).map(row).collect();
    // The rows' own memory is granted, and that of the links is not.
    let refused = with_refusal(2, || index.hnsw.insert_batch(&rows, Build::default()));
    assert!(refused.0.is_err() && refused.1);
    index.insert(0, &row(0)).unwrap();
    assert_eq!(index.hnsw.graph.capacity_of_links(), 64);
}

/// The links of a point that is planned when `linked` points of a batch are linked, and added after it.
fn links_if_planned_at(linked: usize) -> Vec<Id> {
    let (index, late, plan) = (index(100), row(7777), OnceLock::new());
    let make = |done: usize| {
        if done >= linked {
            plan.get_or_init(|| index.hnsw.plan(&late).unwrap());
        }
    };
    let keys: Vec<u64> = (1000..3000).collect();
    let rows: Vec<_> = keys.iter().map(|key| row(*key)).collect();
    make(0);
    let progress = |done: usize, _: usize| make(done);
    index.insert_batch(keys, &rows, Build::default().progress(&progress)).unwrap();
    make(usize::MAX);
    let mut edit = index.hnsw.edit().unwrap();
    let id = edit.insert(&late, plan.into_inner().unwrap()).unwrap();
    edit.commit(|| ());
    index.hnsw.graph.links(id, 0).collect()
}

#[test]
fn a_plan_that_knows_little_of_a_batch_is_made_anew() {
    let informed = links_if_planned_at(usize::MAX);
    assert_eq!(links_if_planned_at(0), informed, "before the batch");
    assert_eq!(links_if_planned_at(1), informed, "beside it");
}

/// Rows whose space computes another distance for a point to be added than for one that is there.
struct Uneven(Vectors<f32>);

struct Off<S>(S, bool);

impl<S: Scorer> Scorer for Off<S> {
    fn set_target(&mut self, id: Id) {
        self.1 = false;
        self.0.set_target(id);
    }

    fn score(&mut self, id: Id) -> f32 {
        let score = self.0.score(id);
        if self.1 { score.next_up() } else { score }
    }

    fn score_all(&mut self, ids: &[Id], out: &mut [f32]) {
        ids.iter().zip(out).for_each(|(id, out)| *out = self.score(*id));
    }
}

impl Space for Uneven {
    type Query = [f32];
    type QueryError = crate::vectors::VectorError;
    type Scratch = <Vectors<f32> as Space>::Scratch;
    type Scorer<'a> = Off<<Vectors<f32> as Space>::Scorer<'a>>;

    fn len(&self) -> usize {
        self.0.len()
    }

    fn scorer<'a>(
        &'a self,
        query: &'a [f32],
        scratch: &'a mut Self::Scratch,
    ) -> Result<Self::Scorer<'a>, Self::QueryError> {
        Ok(Off(self.0.scorer(query, scratch)?, false))
    }

    fn member(&self, id: Id) -> Self::Scorer<'_> {
        Off(self.0.member(id), false)
    }

    fn equal(&self, a: Id, b: Id) -> bool {
        a == b
    }

    fn fingerprint(&self, id: Id) -> u64 {
        id.into()
    }

    fn bytes(&self) -> usize {
        self.0.bytes()
    }
}

impl Store for Uneven {
    type Point = [f32];
    type PointError = crate::vectors::VectorError;

    fn insert_scorer<'a>(
        &'a self,
        point: &'a [f32],
        scratch: &'a mut Self::Scratch,
    ) -> Result<Self::Scorer<'a>, Self::PointError> {
        Ok(Off(self.0.insert_scorer(point, scratch)?, true))
    }

    fn push(&self, point: &[f32]) -> Result<Id, Self::PointError> {
        // Somebody else pushes a point right after the fifth, without the index.
        if self.0.len() == 305 {
            self.0.push(point)?;
        }
        self.0.push(point)
    }

    fn subset(&self, ids: &[Id]) -> Result<Self, Self::PointError> {
        self.0.subset(ids).map(Self)
    }
}

#[test]
fn an_uneven_space_gets_no_link_twice() {
    let params = Params::default().m(2).ef_construction(8);
    let space = Uneven(Vectors::new(DIM, Metric::L2Squared).unwrap());
    let index = Hnsw::build(space, params, Build::default()).unwrap();
    for key in 0..300 {
        // Many parents are full in a line, so that a point's parent is not among those planned.
        index.insert(&[key as f32, 0.0, 0.0, 0.0]).unwrap();
        index.check().unwrap();
    }
}

#[test]
fn a_push_beside_the_index_is_an_error() {
    let space = Uneven(Vectors::new(DIM, Metric::L2Squared).unwrap());
    let index = Index::new(space, Params::default()).unwrap();
    (0..300).for_each(|key| _ = index.insert(key, &row(key)).unwrap());
    let keys: Vec<u64> = (300..320).collect();
    let rows: Vec<_> = keys.iter().map(|key| row(*key)).collect();
    let refused = index.insert_batch(keys.clone(), &rows, Build::default()).unwrap_err();
    let expected = InsertError::<Infallible>::OutOfTurn { place: 5, id: 306, expected: 305 };
    assert_eq!(refused.to_string(), expected.to_string());
    assert_eq!(index.len(), 300);
    index.insert_batch(keys, &rows, Build::default()).unwrap();
    index.check().unwrap();
    for key in 0..320 {
        let hits = index.search(&row(key), Search::new(1)).unwrap();
        assert_eq!((*hits[0].key, hits[0].distance), (key, 0.0));
    }
}

#[test]
fn lists_are_repaired_within_a_sixteenth_of_the_points() {
    let index = index(2000);
    (0..1000).for_each(|key| assert!(index.remove(&key).unwrap()));
    let stale: Vec<Id> = stale(&index);
    // A removal repairs far more than one list: those that were stale have all had their turn by now.
    (1000..1064).for_each(|key| assert!(index.remove(&key).unwrap()));
    let dead = |id: &Id| index.hnsw.graph.is_dead(*id);
    let earlier = |from: Id| index.hnsw.graph.links(from, 0).filter(dead).any(|to| to < 1000);
    assert!(!stale.is_empty());
    assert!(stale.iter().all(|id| dead(id) || !earlier(*id)));
}

/// The living points whose lists lead to removed points.
fn stale(index: &Tested) -> Vec<Id> {
    let graph = &index.hnsw.graph;
    let is_stale = |id: &Id| graph.links(*id, 0).any(|link| graph.is_dead(link));
    graph.living().filter(is_stale).collect()
}
