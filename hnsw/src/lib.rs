//! Approximate nearest neighbours on a flat-array HNSW graph: **the same graph for any number of
//! threads**, every point reachable.
//!
//! An index holds points by keys of yours. It is searched and changed from any number of threads, through `&self`.
//! Smaller distances are closer, for every [`Metric`].
//!
//! ```
//! use nearfield_hnsw::{Metric, Search, VectorIndex};
//!
//! let index = VectorIndex::with_dim(2, Metric::Cosine)?;
//! index.insert("east", &[1.0, 0.0])?;
//! index.extend([("north", [0.0, 1.0]), ("west", [-1.0, 0.0])])?;
//!
//! let hits = index.search(&[0.9, 0.2], Search::new(2).ef(64))?;
//! assert_eq!((*hits[0].key, *hits[1].key), ("east", "north"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! | | |
//! |---|---|
//! | [`Index`], [`VectorIndex`] | points by keys: what applications use |
//! | [`Durable`] | the same in a folder, with a log |
//! | [`Hnsw`] | points by ids, counted from 0 |
//! | [`Flat`] | exact search, with the interface of [`Hnsw`] |
//! | [`search`], [`mod@file`], [`durable`], [`import`], [`inspect`], [`space`] | what a part of the crate needs beside them |
//!
//! # Choosing parameters
//!
//! | | smaller | larger |
//! |---|---|---|
//! | [`Search::ef`] | faster queries | higher recall; the one to tune first, per query |
//! | [`Params::m`](field@Params::m) | less memory (8·M bytes per point and more) | higher recall in many dimensions |
//! | [`Params::ef_construction`](field@Params::ef_construction) | faster build | better graph; beyond 200 little is gained |
//! | [`Params::keep_pruned`](field@Params::keep_pruned) | `false`: fewer distances per query | `true`: higher recall per `ef` where points are about equally far |
//!
//! [`Flat`] answers exactly, with the same interface: measure recall with it, or use it for a few
//! thousand points.
//!
//! # Many searches
//!
//! An index is shared by reference; any number of threads may search it. [`Hnsw::search`] takes
//! scratch memory from a pool; [`Hnsw::searcher`] keeps it from one search to the next and allocates
//! nothing; [`Hnsw::search_batch`] spreads many queries over threads.
//!
//! ```
//! # use nearfield_hnsw::{Build, Hnsw, Metric, Params, Search, Threads, Vectors};
//! # let mut vectors = Vectors::<f32>::new(1, Metric::L2Squared)?;
//! # vectors.extend(&[5.0, 1.0, 3.0])?;
//! # let index = Hnsw::build(vectors, Params::default(), Build::default())?;
//! let mut searcher = index.searcher();
//! for query in [[0.0], [9.0]] {
//!     let hits = searcher.search(&query, Search::new(1))?;
//!     println!("{} at {}", hits[0].id, hits[0].distance);
//! }
//! println!("{} distances", searcher.distances());
//!
//! let answers = index.search_batch(&[[0.0], [9.0]], Search::new(1), Threads::Count(2))?;
//! assert_eq!((answers[0][0].id, answers[1][0].id), (1, 0));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Vectors that are stored in `f16`, `bf16`, `i8` or `u8` can be searched with queries of `f32`, which are not
//! rounded: [`Index::search_f32`].
//!
//! # Keys, and points that come and go
//!
//! Points are [inserted](Index::insert),
//! [replaced](Index::upsert) and [removed](Index::remove) from any number of threads while others search.
//!
//! ```
//! use nearfield_hnsw::{Index, Metric, Params, Search, Vectors};
//!
//! let index = Index::new(Vectors::<f32>::new(2, Metric::Cosine)?, Params::default())?;
//! for (key, row) in [("east", [1.0, 0.0]), ("north", [0.0, 1.0]), ("west", [-1.0, 0.0])] {
//!     index.insert(key, &row)?;
//! }
//! // What a request can ask for: how many, which, how near, how hard to look.
//! let request = Search::new(10).filter(&|key: &&str| *key != "west").within(0.5).ef(100);
//! let hits = index.search(&[0.9, 0.2], request)?;
//! assert_eq!(hits.iter().map(|hit| *hit.key).collect::<Vec<_>>(), ["east"]);
//!
//! assert!(index.remove("east")?);
//! assert_eq!(index.search_near("north", Search::new(2))?[1].key, &"west");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Files
//!
//! [`Index::save`] writes one file, [`Index::load`] reads and verifies it. [`Index::open`] maps it: a search
//! can begin at once, whatever the size; it is `unsafe`, since nobody may write to the file meanwhile.
//! [`Durable`] is an index that lives in a folder, with a log: what a call has done survives power loss
//! when the call returns. The graph alone can be saved as well, for points that are kept elsewhere
//! ([`Index::save_graph`]).
//!
//! ```
//! use nearfield_hnsw::{Durable, Index, Metric, Params, Search, Vectors};
//!
//! # let temporary = tempfile::tempdir()?;
//! # let folder = temporary.path().join("places");
//! let empty = Index::new(Vectors::<f32>::new(2, Metric::Cosine)?, Params::default())?;
//! let places = Durable::create(&folder, empty)?;
//! places.insert("harbour".to_string(), &[1.0, 0.0])?; // on the disk when it returns
//! # drop(places);
//!
//! // After a crash, or the next day:
//! let (places, recovery) = Durable::<String, f32>::open(&folder)?;
//! assert_eq!(recovery.operations, 1);
//! assert_eq!(places.search(&[2.0, 1.0], Search::new(1))?[0].key, "harbour");
//! places.checkpoint()?; // the log is short again
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What is promised
//!
//! - The same points, parameters and operations in the same order give the same graph
//!   ([`Hnsw::graph_hash`]) on any number of threads, any backend and any CPU. (Several threads that
//!   write at the same time make their order by timing.)
//! - A search returns exactly min(k, points) hits, ordered by (distance, id), without repeats; with a
//!   filter, of the points that it allows.
//! - Searches wait for nobody, and see one moment: what every call that had returned before has done, and
//!   of a point that is being replaced the old one or the new one. A search for a point that is there
//!   finds it.
//! - Every point can be reached from every other ([`Hnsw::check`] verifies it), and equal rows
//!   (equal bytes of what is stored, see [`Vectors`]) are all found, in ascending order of ids.
//! - A saved index is the same bytes on every machine. Of a file no byte is trusted: damage is a typed
//!   error, or where a file was opened unverified a wrong answer; never a panic, never a read out of range.
//! - NaN, infinity, norms whose distances would overflow, vectors without a direction, wrong dimensions
//!   and parameters out of range are typed errors, and leave the index as it was.
//!
//! # Points of your own
//!
//! Anything that has a distance can be indexed: strings, point clouds, sets, vectors under a distance
//! that was learned. Write a [`PointMetric`](space::PointMetric); [`Points`](space::Points) hold the points.
//!
//! ```
//! use std::convert::Infallible;
//!
//! use nearfield_hnsw::{space::{PointMetric, Points}, Index, Params, Search};
//!
//! /// How many tags only one of two lists has; the lists are sorted.
//! struct Tags;
//!
//! impl PointMetric for Tags {
//!     type Point = [String];
//!     type Error = Infallible; // every list will do
//!
//!     fn distance(&self, a: &[String], b: &[String]) -> f32 {
//!         let common = a.iter().filter(|tag| b.binary_search(tag).is_ok()).count();
//!         (a.len() + b.len() - 2 * common) as f32
//!     }
//! }
//!
//! let tags = |tags: &str| tags.split(' ').map(String::from).collect::<Vec<_>>();
//! let index = Index::new(Points::new(Tags).with_equality(), Params::default())?;
//! index.insert("heron", &tags("bird grey river"))?;
//! index.insert("otter", &tags("mammal river"))?;
//! index.upsert("otter", &tags("brown mammal river"))?;
//!
//! let hits = index.search(&tags("brown mammal"), Search::new(1))?;
//! assert_eq!((*hits[0].key, hits[0].distance), ("otter", 1.0));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Where the points are elsewhere (in a file, in a map of the application) they can stay there: the
//! graph holds ids only, and all that it asks of points is the trait [`Space`](space::Space), which names two models;
//! to add some while others search, [`Store`](space::Store).
//!
//! # Features
//! - `serde`: keys of any type that serde can serialise, in files (`SerdeKey`).

#![cfg_attr(docsrs, feature(doc_cfg))]

mod construct;
pub mod durable;
pub mod file;
mod fingerprint;
mod foreign;
mod graph;
mod id;
mod index;
pub mod inspect;
mod params;
mod progress;
pub mod search;
pub mod space;
mod store;
mod threads;
mod vectors;

pub use nearfield_kernels::{Metric, bf16, f16};

pub use construct::{Build, BuildError};
pub use durable::Durable;
pub use id::{Hit, Id};
#[cfg(feature = "serde")]
pub use index::SerdeKey;
pub use index::{
    CompactError, Flat, Hnsw, Index, InsertError, Key, KeyHit, SavedKey, Unwritable, VectorIndex,
};
pub use params::{Params, ParamsError};
pub use search::{Filter, Search, SearchError};
pub use threads::Threads;
pub use vectors::Vectors;

/// Indexes of other libraries: read from their files, and written for them.
pub mod import {
    pub use crate::foreign::{ExportError, Foreign, ImportError, Library};
}

/// The examples of the two READMEs, run as tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
