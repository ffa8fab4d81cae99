//! Points of any type under a metric of your own: words by their edit distance.
//!
//! `cargo run --release -p nearfield-hnsw --example custom_metric`

use std::convert::Infallible;
use std::error::Error;

use nearfield_hnsw::{
    Index, Params, Search,
    space::{PointMetric, Points},
};

/// How many letters must be inserted, removed or replaced to make one word of the other.
struct Edits;

impl PointMetric for Edits {
    type Point = str;
    type Error = Infallible; // every word will do

    fn distance(&self, a: &str, b: &str) -> f32 {
        let b: Vec<char> = b.chars().collect();
        let mut row: Vec<usize> = (0..=b.len()).collect();
        for (i, letter) in a.chars().enumerate() {
            let mut diagonal = row[0];
            row[0] = i + 1;
            for (j, other) in b.iter().enumerate() {
                let replaced = diagonal + usize::from(letter != *other);
                diagonal = row[j + 1];
                row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
            }
        }
        row[b.len()] as f32
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let index = Index::new(Points::new(Edits), Params::default())?;
    for (line, word) in ["heron", "otter", "kestrel", "badger", "beaver"].iter().enumerate() {
        index.insert(line, word)?;
    }
    let hits = index.search("bever", Search::new(2))?;
    assert_eq!((*hits[0].key, hits[0].distance), (4, 1.0));
    println!("did you mean {}?", index.get(hits[0].key).ok_or("the word is gone")?);
    Ok(())
}
