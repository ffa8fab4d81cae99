//! A caller's code may panic at any call: afterwards everything is as before or as after, and nothing hangs.

mod support;

use std::cell::Cell;
use std::convert::Infallible;
use std::hash::{Hash, Hasher};
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::Once;

use nearfield_hnsw::{
    Build, Index, InsertError, Params, Search, Unwritable,
    inspect::InvariantViolation,
    space::{PointMetric, Points},
};

thread_local! {
    /// Calls of a caller's code that this thread may still make before one panics.
    static LEFT: Cell<Option<usize>> = const { Cell::new(None) };
}

/// Called by all code here that an index calls.
fn may_panic() {
    let left = LEFT.get();
    LEFT.set(left.map(|left| left.saturating_sub(1)));
    assert!(left != Some(1), "as the test wants");
}

/// Runs `work`, in which the `nth` call of a caller's code panics. `None` if there were not as many.
fn with_panic<T>(nth: usize, work: impl FnOnce() -> T) -> Option<T> {
    static QUIET: Once = Once::new();
    QUIET.call_once(|| {
        let usual = take_hook();
        set_hook(Box::new(move |panic| {
            if panic.payload().downcast_ref() != Some(&"as the test wants") {
                usual(panic);
            }
        }));
    });
    LEFT.set(Some(nth));
    let done = catch_unwind(AssertUnwindSafe(work));
    let is_over = LEFT.take().is_some_and(|left| left > 0);
    assert_eq!(done.is_ok(), is_over, "a panic is handed on to the caller");
    done.ok()
}

#[derive(Clone, Debug, Eq)]
struct Key(u32);

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        may_panic();
        self.0 == other.0
    }
}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        may_panic();
        // Few hashes, so that keys are compared.
        (self.0 % 4).hash(state);
    }
}

#[derive(Debug, PartialEq)]
struct Point(i32, i32);

impl Clone for Point {
    fn clone(&self) -> Self {
        may_panic();
        Self(self.0, self.1)
    }
}

impl Eq for Point {}

impl Hash for Point {
    fn hash<H: Hasher>(&self, state: &mut H) {
        may_panic();
        (self.0, self.1).hash(state);
    }
}

struct Steps;

impl PointMetric for Steps {
    type Point = Point;
    type Error = Infallible;

    fn distance(&self, a: &Point, b: &Point) -> f32 {
        may_panic();
        ((a.0 - b.0).abs() + (a.1 - b.1).abs()) as f32
    }
}

type Tested = Index<Key, Points<Steps>>;

fn point(key: u32) -> Point {
    // Each place twice: copies are part of it.
    let place = (key / 2) as i32;
    Point(place * 7 % 31, place * 11 % 29)
}

/// An index of 60 points, of which some were removed.
fn index() -> Tested {
    let params = Params::default().m(2).ef_construction(8);
    let index = Index::new(Points::new(Steps).with_equality(), params).unwrap();
    (0..60).for_each(|key| _ = index.insert(Key(key), &point(key)).unwrap());
    (0..60).step_by(5).for_each(|key| assert!(index.remove(&Key(key)).unwrap()));
    index
}

/// What an index holds, seen in every way that there is to look.
fn contents(index: &Tested) -> Vec<(u32, i32, i32)> {
    index.check().unwrap();
    let mut all: Vec<_> = index.iter().map(|(key, _)| key.0).collect();
    all.sort_unstable();
    assert_eq!(all.len(), index.len());
    let hits = index.search(&Point(0, 0), Search::new(1000)).unwrap();
    let mut found: Vec<_> = hits.iter().map(|hit| hit.key.0).collect();
    found.sort_unstable();
    assert_eq!(found, all);
    let place = |key| {
        let Point(x, y) = *index.get(&Key(key)).unwrap();
        assert!(index.contains(&Key(key)));
        (key, x, y)
    };
    all.into_iter().map(place).collect()
}

/// Lets each call of a caller's code that `change` makes panic in turn, each time on a new index.
fn try_all(what: &str, change: impl Fn(&Tested)) {
    let before = contents(&index());
    let after = {
        let index = index();
        change(&index);
        contents(&index)
    };
    for nth in 1.. {
        let index = index();
        let done = with_panic(nth, || change(&index));
        assert!(!index.contains(&Key(1000)), "it spins");
        let now = contents(&index);
        assert!(now == before || now == after, "{what}, {nth}: {now:?}");
        // It goes on, and the change can be made if it was not.
        if now == before && done.is_none() {
            change(&index);
            assert_eq!(contents(&index), after, "{what}, {nth}, again");
        }
        index.insert(Key(77), &Point(3, 3)).unwrap();
        assert!(index.remove(&Key(77)).unwrap());
        contents(&index);
        if done.is_some() {
            assert!(nth > 1, "{what} calls nobody");
            return;
        }
    }
}

#[test]
fn a_point_is_inserted_or_not() {
    try_all("a new place", |index| _ = index.insert(Key(100), &Point(8, 9)));
    try_all("a copy", |index| _ = index.insert(Key(100), &point(33)));
}

#[test]
fn a_point_is_replaced_or_not() {
    try_all("another place", |index| _ = index.upsert(Key(33), &Point(8, 9)));
    try_all("the same place", |index| _ = index.upsert(Key(33), &point(33)));
    try_all("away from its copy", |index| _ = index.upsert(Key(32), &Point(8, 9)));
}

#[test]
fn a_point_is_removed_or_not() {
    for key in [1, 2, 3, 32, 33, 59] {
        try_all("removal", |index| _ = index.remove(&Key(key)));
    }
}

/// The threads of a batch are not this one, so all calls panic from the n-th on, on any thread.
#[test]
fn a_batch_is_inserted_or_not() {
    use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

    static CALLS: AtomicUsize = AtomicUsize::new(0);
    static MOST: AtomicUsize = AtomicUsize::new(usize::MAX);

    struct Counted;

    impl PointMetric for Counted {
        type Point = [i32];
        type Error = Infallible;

        fn distance(&self, a: &[i32], b: &[i32]) -> f32 {
            assert!(CALLS.fetch_add(1, Relaxed) < MOST.load(Relaxed), "as the test wants");
            a.iter().zip(b).map(|(a, b)| (a - b).abs()).sum::<i32>() as f32
        }
    }

    with_panic(usize::MAX, || ());
    let row = |key: i32| [key / 2 * 7 % 31, key / 2 * 11 % 29];
    let params = Params::default().m(2).ef_construction(8).keep_pruned(true);
    let index = || {
        let index = Index::new(Points::new(Counted).with_equality(), params.clone()).unwrap();
        (0..30).for_each(|key| _ = index.insert(key, &row(key)).unwrap());
        index.remove(&3).unwrap();
        index
    };
    let (keys, rows): (Vec<i32>, Vec<_>) =
        (24..70).filter(|key| *key >= 30).map(|key| (key, row(key - 4))).unzip();
    let batch = |index: &Index<i32, Points<Counted>>| {
        index.insert_batch(keys.clone(), &rows, Build::default().threads(2)).unwrap();
    };
    let all = |index: &Index<i32, Points<Counted>>| {
        index.check().unwrap();
        let hits = index.search(&[0, 0], Search::new(1000)).unwrap();
        let mut keys: Vec<_> = hits.iter().map(|hit| *hit.key).collect();
        keys.sort_unstable();
        assert_eq!(keys.len(), index.len());
        keys
    };
    let whole = index();
    let before = all(&whole);
    let begun = CALLS.load(Relaxed);
    batch(&whole);
    let calls = CALLS.load(Relaxed) - begun;
    let after = all(&whole);
    assert!(calls > 100 && after.len() == before.len() + 40);
    for nth in 0..calls {
        let index = index();
        MOST.store(CALLS.load(Relaxed) + nth, Relaxed);
        let done = catch_unwind(AssertUnwindSafe(|| batch(&index)));
        MOST.store(usize::MAX, Relaxed);
        assert!(done.is_err(), "{nth} of {calls}");
        assert_eq!(all(&index), before, "{nth} of {calls}");
        batch(&index);
        assert_eq!(all(&index), after, "{nth} of {calls}, again");
        index.remove(&40).unwrap();
        index.insert(40, &row(2)).unwrap();
        assert_eq!(all(&index), after);
    }
}

#[test]
fn progress_may_panic_and_call_the_index() {
    with_panic(usize::MAX, || ());
    let rows: Vec<Point> = (100..140).map(point).collect();
    for nth in 1.. {
        let index = index();
        let calls = std::sync::atomic::AtomicUsize::new(0);
        let progress = |_: usize, _: usize| {
            assert!(!index.contains(&Key(100)), "a batch is seen whole or not at all");
            index.search(&Point(0, 0), Search::new(3)).unwrap();
            assert_eq!(index.stats().live, index.len() + 40);
            let refused = index.insert(Key(777), &Point(1, 1)).unwrap_err();
            assert!(matches!(refused, InsertError::Unwritable(Unwritable::Reporting)), "{refused}");
            assert_eq!(index.remove(&Key(2)), Err(Unwritable::Reporting));
            assert_eq!(index.check(), Err(InvariantViolation::Reporting));
            let before = calls.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            assert!(before + 1 != nth, "as the test wants");
        };
        let keys = (100..140).map(Key).collect();
        let build = Build::default().threads(2).progress(&progress);
        let done = catch_unwind(AssertUnwindSafe(|| index.insert_batch(keys, &rows, build)));
        assert_eq!(index.len(), 48 + 40, "the points are there, with and without a panic");
        contents(&index);
        index.insert(Key(777), &Point(1, 1)).unwrap();
        if let Ok(done) = done {
            done.unwrap();
            assert!(nth > 3);
            return;
        }
        assert_eq!(calls.load(std::sync::atomic::Ordering::Relaxed), nth, "not called again");
    }
}
