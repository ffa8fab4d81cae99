//! Points by keys: insert, search, replace, remove.
//!
//! `cargo run --release -p nearfield-hnsw --example quick_start`

use std::error::Error;

use nearfield_hnsw::{Index, Metric, Params, Search, Vectors};

fn main() -> Result<(), Box<dyn Error>> {
    // An empty index of vectors with three elements, compared by their direction.
    let index = Index::new(Vectors::<f32>::new(3, Metric::Cosine)?, Params::default())?;
    index.insert("sparrow".to_string(), &[0.9, 0.1, 0.0])?;
    index.insert("salmon".to_string(), &[0.0, 0.9, 0.3])?;
    index.insert("oak".to_string(), &[0.1, 0.0, 1.0])?;

    // The two nearest. Smaller distances are closer.
    let hits = index.search(&[1.0, 0.2, 0.0], Search::new(2))?;
    for hit in &hits {
        println!("{} at {:.3}", hit.key, hit.distance);
    }
    assert_eq!(hits[0].key, "sparrow");

    // Replaced and removed points are found no more.
    index.upsert("salmon".to_string(), &[1.0, 0.2, 0.0])?;
    assert_eq!(index.search(&[1.0, 0.2, 0.0], Search::new(1))?[0].key, "salmon");
    assert!(index.remove("salmon")?);
    assert_eq!(index.search(&[1.0, 0.2, 0.0], Search::new(1))?[0].key, "sparrow");

    // The neighbours of a point that is there; it comes first itself.
    let near = index.search_near("sparrow", Search::new(2))?;
    assert_eq!(near[1].key, "oak");
    Ok(())
}
