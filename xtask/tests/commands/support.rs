//! Runs the commands as a user does.

use std::{path::Path, process::Command};

/// Runs `cargo xtask` with `arguments` in `dir` and returns its lines, or what it complained about.
pub(crate) fn xtask(dir: &Path, arguments: &str) -> Result<String, String> {
    let output = Command::new(env!("CARGO_BIN_EXE_xtask"))
        .args(arguments.split_whitespace())
        .current_dir(dir)
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    if output.status.success() { Ok(text(output.stdout)) } else { Err(text(output.stderr)) }
}
