//! `cargo xtask kernels` from the outside: the lines it prints, and what it says to bad arguments.

use std::path::Path;

use super::support::xtask;
use bench_suite::kernel_cells::Cell;

/// Runs the command and returns its lines, or what it complained about.
fn kernels(arguments: &str) -> Result<String, String> {
    xtask(Path::new("."), &format!("kernels {arguments}"))
}

#[test]
fn each_line_is_a_cell() {
    let options = "--json --passes 1 --shape pair,one_to_many --backend scalar --dim 128,100";
    let lines = kernels(&format!("{options} --element f32,bits --metric l2,hamming")).unwrap();
    let cells: Vec<Cell> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    // Two lengths of floats, one of bits.
    assert_eq!(cells.len(), 2 * (2 + 1));
    assert!(cells.iter().all(|cell| cell.backend == "scalar" && cell.peer.is_none()));
    assert!(
        lines.starts_with(
            r#"{"metric":"l2","element":"f32","dim":100,"shape":"pair","where":"l1","#
        )
    );
}

#[test]
fn bad_arguments_are_named() {
    let refused = |arguments: &str| kernels(arguments).unwrap_err();
    assert!(refused("--element f64").contains("possible values: f32, f16"));
    assert!(refused("--metric l3").contains("known are l2"));
    assert!(refused("--shape row").contains("known are pair, one_to_many, gather"));
    let none = refused("--element bits --metric hamming --dim 100 --shape pair");
    assert_eq!(none, "error: no kernel has any of these metrics, elements and dimensions\n");
}
