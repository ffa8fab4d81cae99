//! `cargo xtask scaling` from the outside: the lines it prints, and what it says to bad input.

use std::path::Path;

use super::support::xtask;
use bench_suite::scaling::Size;

fn scaling(arguments: &str) -> Result<String, String> {
    xtask(Path::new("."), &format!("scaling {arguments}"))
}

#[test]
fn prints_a_line_for_each_size_from_the_smallest() {
    let common = "--points 3000,1000 --dim 16 --queries 50";
    let lines = scaling(&format!("{common} --json --threads 2")).unwrap();
    let sizes: Vec<Size> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(sizes.iter().map(|size| size.build.n).collect::<Vec<_>>(), [1000, 3000]);
    assert!(sizes.iter().all(|size| size.build.dim == 16 && size.build.threads == 2));
    let table = scaling(common).unwrap();
    let rows: Vec<&str> = table.lines().collect();
    assert!(rows[0].ends_with("ratio"), "{table}");
    assert!(rows[1].trim_start().starts_with("1000 ") && rows[1].ends_with(" 1.00"), "{table}");
    assert_eq!(rows.len(), 3);
}

#[test]
fn bad_input_is_named() {
    for (arguments, complaint) in [
        ("--points 1000,0", "0"),
        ("--dim 0", "dim"),
        ("--clusters 0", "clusters"),
        ("--queries 0", "queries"),
        ("--threads 0", "threads"),
        ("--recall 1.5", "0…1"),
        ("--points x", "points"),
    ] {
        let error = scaling(arguments).unwrap_err();
        assert!(error.contains("invalid value") && error.contains(complaint), "{error}");
    }
}
