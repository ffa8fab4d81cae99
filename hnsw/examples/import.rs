//! Reads indexes that hnswlib and faiss have written, and makes one of them that can be changed.
//!
//! `cargo run --release -p nearfield-hnsw --example import`

use std::error::Error;
use std::path::Path;

use nearfield_hnsw::{
    Build, Index, Metric, Search, Vectors,
    import::{Foreign, Library},
};

fn main() -> Result<(), Box<dyn Error>> {
    // Small files that the libraries made; see make.py beside them.
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/foreign");
    for name in ["hnswlib-l2.index", "faiss-flat-l2.index"] {
        let path = folder.join(name);
        // Which library, which elements, how many points: the first bytes of the file say so.
        let found = Foreign::detect(&path)?;
        println!("{name}: {} points of {} {}", found.points, found.dim, found.element);
        let index: Index<u64, Vectors<f32>> = match found.library {
            Library::Hnswlib => Index::from_hnswlib(&path, Metric::L2Squared)?,
            Library::Faiss => Index::from_faiss(&path)?,
            other => return Err(format!("{other} is not shown here").into()),
        };

        // It is searched as it is, with the answers of its library.
        let query = vec![0.5; found.dim];
        let before = index.search(&query, Search::new(5).ef(64))?;
        assert_eq!(before.len(), 5);
        assert!(index.upsert(1_000_000, &query).is_err());

        // A new graph over the same points can be changed.
        let index = index.compact(Build::default())?;
        index.upsert(1_000_000, &query)?;
        assert_eq!(*index.search(&query, Search::new(1))?[0].key, 1_000_000);
    }
    Ok(())
}
