//! Searches among a part of the points: by a closure, by a set, within a radius, page by page.
//!
//! `cargo run --release -p nearfield-hnsw --example filters`

use std::collections::HashSet;
use std::error::Error;

use nearfield_hnsw::{Filter, Index, Metric, Params, Search, Vectors};

/// The documents that a user may read. It knows how many they are, so that a search of few points does
/// not walk through the others.
struct Readable(HashSet<u64>);

impl Filter<u64> for Readable {
    fn allows(&self, key: &u64) -> bool {
        self.0.contains(key)
    }

    fn count(&self) -> Option<usize> {
        Some(self.0.len())
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let index = Index::new(Vectors::<f32>::new(1, Metric::L2Squared)?, Params::default())?;
    for key in 0..1_000u64 {
        index.insert(key, &[key as f32])?;
    }
    let query = [500.2];

    // A closure over keys.
    let even = |key: &u64| key.is_multiple_of(2);
    let hits = index.search(&query, Search::new(3).filter(&even))?;
    assert_eq!(hits.iter().map(|hit| *hit.key).collect::<Vec<_>>(), [500, 502, 498]);

    // A set that was made before the search.
    let readable = Readable(HashSet::from([3, 700, 999]));
    let hits = index.search(&query, Search::new(10).filter(&readable))?;
    assert_eq!(hits.iter().map(|hit| *hit.key).collect::<Vec<_>>(), [700, 3, 999]);

    // Everything within a distance (squared here), 100 at most.
    let hits = index.search(&query, Search::new(100).within(4.0))?;
    assert_eq!(hits.len(), 4);

    // Ten hits a page, without repeats.
    let mut keys = HashSet::new();
    for page in index.pages(&query, Search::new(10).filter(&even))?.take(3) {
        keys.extend(page.iter().map(|hit| *hit.key));
    }
    assert_eq!(keys.len(), 30);
    println!("30 different hits on three pages");
    Ok(())
}
