//! `cargo xtask crash`, `durability` and `inspect` from the outside.

use std::fs;

use super::support::xtask;
use bench_suite::{
    crash::{DIM, no_vectors},
    durability::Event,
    random::Random,
};
use nearfield_files::{Matrix, Values, write};
use nearfield_hnsw::{Durable, Index, Params};
use serde_json::Value;

fn folder_with_vectors() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut random = Random::new(1);
    for (name, rows) in [("base.fbin", 300), ("query.fbin", 5)] {
        let values = (0..rows * 8).map(|_| random.unit()).collect();
        write(folder.path().join(name), &Matrix::new(8, Values::F32(values))).unwrap();
    }
    folder
}

const FILES: &str = "--base base.fbin --query query.fbin --metric l2";

#[test]
fn a_process_that_is_killed_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let line = xtask(folder.path(), "crash --kills 30 --memory-rounds 4 --longest 100 --json");
    let line = line.unwrap();
    let summary: Value = serde_json::from_str(&line).unwrap();
    let of = |what: &str| summary[what].as_u64().unwrap();
    assert_eq!(of("kills") - of("memory_rounds"), 30);
    assert_eq!(of("memory_rounds"), if cfg!(target_os = "linux") { 4 } else { 0 });
    assert!(of("acknowledged") > 0, "{line}");
    let words =
        xtask(folder.path(), "crash --kills 2 --memory-rounds 0 --threads 1 --seed 5").unwrap();
    assert!(words.starts_with("2 kills, "), "{words}");
    let error = xtask(folder.path(), "crash --kills 0").unwrap_err();
    assert!(error.contains("--kills"), "{error}");
}

#[test]
fn saving_opening_and_logging_have_their_figures() {
    let folder = folder_with_vectors();
    let arguments = format!("durability {FILES} --inserts 40 --writers 1,3 --passes 1");
    let lines = xtask(folder.path(), &format!("{arguments} --json")).unwrap();
    let events: Vec<Event> =
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let opened = events.iter().filter_map(|event| match event {
        Event::Open { way, ms, .. } if *ms > 0.0 => Some(way.as_str()),
        _ => None,
    });
    assert_eq!(opened.collect::<Vec<_>>(), ["open", "open_verified", "load"]);
    let logged = events.iter().filter_map(|event| match event {
        Event::Log { policy, writers, .. } => Some((policy.as_str(), *writers)),
        _ => None,
    });
    let policies = ["no log", "on flush", "every 1000", "synced"];
    let expected = [1, 3].map(|writers| policies.map(|policy| (policy, writers)));
    assert_eq!(logged.collect::<Vec<_>>(), expected.concat());
    assert_eq!(xtask(folder.path(), &arguments).unwrap().lines().count(), events.len());
}

#[test]
fn inspect_shows_a_file_and_finds_damage() {
    let folder = folder_with_vectors();
    let run = |arguments: &str| xtask(folder.path(), arguments);
    run(&format!("ann {FILES} --m 5 --passes 1 --ef 10 --save index")).unwrap();
    let report: Value = serde_json::from_str(&run("inspect index --json").unwrap()).unwrap();
    assert_eq!(
        (&report["points"], &report["dim"], &report["m"]),
        (&300.into(), &8.into(), &5.into())
    );
    assert_eq!(report["damage"], Value::Null);
    let table = run("inspect index").unwrap();
    assert!(table.contains("whole: checksums, ids, tree, keys"), "{table}");

    let links =
        report["sections"].as_array().unwrap().iter().find(|s| s["name"] == "links").unwrap();
    let path = folder.path().join("index");
    let mut bytes = fs::read(&path).unwrap();
    bytes[links["offset"].as_u64().unwrap() as usize + 5] ^= 1;
    fs::write(&path, &bytes).unwrap();
    let error = run("inspect index").unwrap_err();
    assert!(
        error.contains("damaged: index: the section `links` does not have its checksum"),
        "{error}"
    );
    fs::write(&path, &bytes[..1000]).unwrap();
    let error = run("inspect index").unwrap_err();
    assert!(error.contains(&format!("1000 bytes instead of {}", bytes.len())), "{error}");
    let error = run("inspect base.fbin").unwrap_err();
    assert!(error.contains("base.fbin: not a saved index"), "{error}");

    // A durable index: its folder, and its log alone.
    let empty = Index::<u64, _>::new(no_vectors(), Params::default()).unwrap();
    let durable = Durable::create(folder.path().join("durable"), empty).unwrap();
    durable.insert(7, &[0.5; DIM]).unwrap();
    durable.remove(&7).unwrap();
    let both = run("inspect durable").unwrap();
    assert!(both.contains("whole: checksums") && both.contains("inserts          1"), "{both}");
    let log: Value = serde_json::from_str(&run("inspect durable/log --json").unwrap()).unwrap();
    assert_eq!((&log["removals"], &log["torn_off_its_end"]), (&"1".into(), &"nothing".into()));
}
