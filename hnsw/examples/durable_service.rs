//! An index that survives: every write is on the disk when its call returns.
//!
//! `cargo run --release -p nearfield-hnsw --example durable_service`

use std::error::Error;
use std::path::Path;
use std::thread;

use nearfield_hnsw::{Durable, Index, Metric, Params, Search, Vectors};

/// Opens the index of the service, or makes one at the first start.
fn start(folder: &Path) -> Result<Durable<String, f32>, Box<dyn Error>> {
    if !folder.exists() {
        let empty = Index::new(Vectors::new(2, Metric::Cosine)?, Params::default())?;
        return Ok(Durable::create(folder, empty)?);
    }
    let (index, recovery) = Durable::open(folder)?;
    println!("{} points, {} operations from the log", index.len(), recovery.operations);
    if let Some(cut) = recovery.cut {
        println!("the log ended within a record: {cut:?}");
    }
    Ok(index)
}

fn main() -> Result<(), Box<dyn Error>> {
    let temporary = tempfile::tempdir()?;
    let folder = temporary.path().join("places");

    let index = start(&folder)?;
    index.insert("harbour".to_string(), &[1.0, 0.1])?; // acknowledged: it will survive power loss
    thread::scope(|scope| {
        // Writers that wait at the same time share a write to the disk.
        for name in ["bridge", "tower"] {
            let index = &index;
            scope.spawn(move || index.insert(name.to_string(), &[0.2, 1.0]).map(drop));
        }
    });
    drop(index); // or the process is killed

    let index = start(&folder)?;
    assert_eq!(index.len(), 3);
    assert_eq!(index.search(&[2.0, 0.0], Search::new(1))?[0].key, "harbour");
    index.checkpoint()?; // the next start reads a snapshot and a short log

    // Another process may read beside this one.
    let (reader, _) = Durable::<String, f32>::open_read_only(&folder)?;
    assert!(reader.contains("tower"));
    Ok(())
}
