//! Any operations in any order, each of which may be refused memory or meet a panic, beside readers: the index
//! holds what a map holds.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};

use crate::construct::Build;
use crate::graph::mix;
use crate::index::Index;
use crate::params::Params;
use crate::search::Search;
use crate::space::{PointMetric, Points};
use crate::store::with_refusal;

thread_local! {
    /// Distances that this thread still computes before one panics.
    static LEFT: Cell<Option<usize>> = const { Cell::new(None) };
}

const PANIC: &str = "as the model wants";

struct Line;

impl PointMetric for Line {
    type Point = i32;
    type Error = Infallible;

    fn distance(&self, a: &i32, b: &i32) -> f32 {
        let left = LEFT.get();
        LEFT.set(left.map(|left| left.saturating_sub(1)));
        assert!(left != Some(1), "{PANIC}");
        (a - b).unsigned_abs() as f32
    }
}

type Tested = Index<u64, Points<Line>>;
type Model = BTreeMap<u64, i32>;

/// One operation, on the index and on the map.
#[derive(Debug)]
enum Operation {
    Insert(u64, i32),
    Upsert(u64, i32),
    Remove(u64),
    Batch(Vec<u64>, Vec<i32>),
    Compact,
}

impl Operation {
    fn random(mut random: impl FnMut(u64) -> u64) -> Self {
        let (key, place) = (random(60), random(40) as i32);
        match random(12) {
            0..3 => Self::Insert(key, place),
            3..6 => Self::Upsert(key, place),
            6..10 => Self::Remove(key),
            10 => {
                let keys: Vec<u64> = (0..random(30)).map(|more| key + more).collect();
                let places = keys.iter().map(|_| random(40) as i32).collect();
                Self::Batch(keys, places)
            }
            _ => Self::Compact,
        }
    }

    /// Whether it was done.
    fn run(&self, index: &mut Tested, before: &Model, panics: bool) -> bool {
        match self {
            Self::Insert(key, place) => index.insert(*key, place).is_ok(),
            Self::Upsert(key, place) => index.upsert(*key, place).is_ok(),
            Self::Remove(key) => index.remove(key).unwrap(),
            Self::Batch(keys, places) => {
                let progress = |done, total| {
                    assert_eq!(&contents(index), before, "a reader beside the batch");
                    assert!(!panics || done < total, "{PANIC}");
                };
                let build = Build::default().threads(2).progress(&progress);
                index.insert_batch(keys.clone(), places, build).is_ok()
            }
            Self::Compact => match index.compact(Build::default().threads(1)) {
                Ok(compact) => {
                    *index = compact;
                    true
                }
                Err(_) => false,
            },
        }
    }

    fn apply(&self, model: &mut Model) {
        match self {
            Self::Insert(key, place) => _ = model.entry(*key).or_insert(*place),
            Self::Upsert(key, place) => _ = model.insert(*key, *place),
            Self::Remove(key) => _ = model.remove(key),
            Self::Batch(keys, places) => {
                if keys.iter().all(|key| !model.contains_key(key)) {
                    model.extend(keys.iter().copied().zip(places.iter().copied()));
                }
            }
            Self::Compact => {}
        }
    }
}

/// What a search finds, with the places of the points.
fn contents(index: &Tested) -> Model {
    let hits = index.search(&20, Search::new(1000)).unwrap();
    let found = hits.iter().map(|hit| (*hit.key, *index.space().get(hit.id).unwrap()));
    let found: Model = found.collect();
    assert_eq!(found.len(), hits.len());
    found
}

#[test]
fn the_index_holds_what_a_map_holds() {
    let usual = take_hook();
    set_hook(Box::new(move |panic| {
        if panic.payload().downcast_ref::<String>().is_none_or(|text| text != PANIC) {
            usual(panic);
        }
    }));
    let (mut refusals, mut panics) = (0, 0);
    for seed in 0..12u64 {
        let params = Params::default().m(2).ef_construction(8).seed(seed);
        let mut index = Tested::new(Points::new(Line).with_equality(), params).unwrap();
        let mut model = Model::new();
        let mut steps = 0;
        let mut random = |bound: u64| {
            steps += 1;
            mix(seed << 32 | steps) % bound
        };
        for step in 0..150 {
            let operation = Operation::random(&mut random);
            let (trouble, nth) = (random(4), 1 + random(40) as usize);
            let mut after = model.clone();
            operation.apply(&mut after);
            LEFT.set((trouble == 1).then_some(nth));
            let work = || operation.run(&mut index, &model, trouble == 1);
            let refused = if trouble == 2 { 1 + nth % 6 } else { usize::MAX };
            let (done, was_refused) =
                with_refusal(refused, || catch_unwind(AssertUnwindSafe(work)));
            LEFT.set(None);
            index.check().unwrap();
            let (now, what) = (contents(&index), format!("{seed}, {step}: {operation:?}"));
            match done {
                Ok(true) => assert_eq!(now, after, "{what}"),
                Ok(false) => assert_eq!(now, model, "{what}, refused {was_refused}"),
                Err(panic) if panic.downcast_ref::<String>().is_some_and(|text| text == PANIC) => {
                    assert!(now == model || now == after, "{what}, panicked");
                    panics += 1;
                }
                Err(panic) => std::panic::resume_unwind(panic),
            }
            refusals += usize::from(was_refused);
            assert_eq!(index.len(), now.len(), "{what}");
            model = now;
        }
    }
    assert!(refusals > 20 && panics > 50, "{refusals} refusals and {panics} panics are too few");
}
