//! Child processes, started as if there were no `cargo xtask` around them.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

use anyhow::{Context, Result, bail};

/// The workspace's root folder.
pub(crate) fn root() -> PathBuf {
    // Cargo says at run time where the crate lies; what it said at build time is for a binary that
    // is started by hand.
    let xtask = std::env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    xtask.parent().map(Path::to_path_buf).unwrap_or(xtask)
}

/// `program` in the workspace's root, with an empty standard input.
pub(crate) fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.current_dir(root()).stdin(Stdio::null());
    // What the outer `cargo run` tells about the package xtask. An inner cargo would hand it on to
    // build scripts, which would then run again whenever the way of calling changes.
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(describes_this_package) {
            command.env_remove(name);
        }
    }
    command
}

/// Cargo by its name on the PATH, not by `$CARGO`: that one is no rustup proxy, and would take
/// `+1.89` for a subcommand.
pub(crate) fn cargo<S: AsRef<OsStr>>(args: impl IntoIterator<Item = S>) -> Command {
    let mut cargo = command("cargo");
    cargo.args(args);
    cargo
}

/// Whether cargo sets the variable for the program it runs. What people set themselves
/// (`CARGO_TARGET_DIR`, `CARGO_TERM_COLOR`, …) is theirs and stays.
fn describes_this_package(variable: &str) -> bool {
    variable.starts_with("CARGO_PKG_")
        || matches!(
            variable,
            "CARGO"
                | "CARGO_BIN_NAME"
                | "CARGO_CRATE_NAME"
                | "CARGO_MANIFEST_DIR"
                | "CARGO_MANIFEST_PATH"
                | "CARGO_PRIMARY_PACKAGE"
                | "OUT_DIR"
        )
}

/// Shows the command, runs it, and fails unless it succeeds.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    println!("$ {}", shown(command));
    hand_over(command)
}

/// Runs a command that does this one's work: what it prints is all that is printed.
pub(crate) fn hand_over(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| cannot_start(command))?;
    expect_success(command, status)
}

/// Like [`run`], and hands each line of the standard output to `line` after printing it.
pub(crate) fn run_lines(command: &mut Command, mut line: impl FnMut(&str)) -> Result<()> {
    println!("$ {}", shown(command));
    let mut child =
        command.stdout(Stdio::piped()).spawn().with_context(|| cannot_start(command))?;
    let output = child.stdout.take().context("the child has no output")?;
    for text in BufReader::new(output).lines() {
        let text = text.with_context(|| format!("reading from `{}`", shown(command)))?;
        println!("{text}");
        line(&text);
    }
    let status = child.wait().with_context(|| format!("waiting for `{}`", shown(command)))?;
    expect_success(command, status)
}

/// What the command writes to its standard output.
pub(crate) fn read(command: &mut Command) -> Result<String> {
    let output =
        command.stderr(Stdio::inherit()).output().with_context(|| cannot_start(command))?;
    expect_success(command, output.status)?;
    String::from_utf8(output.stdout)
        .with_context(|| format!("the output of `{}` is not UTF-8", shown(command)))
}

/// What `cargo metadata` says about the workspace's own packages.
pub(crate) fn metadata() -> Result<serde_json::Value> {
    let text = read(&mut cargo(["metadata", "--no-deps", "--format-version=1"]))?;
    serde_json::from_str(&text).context("reading the output of cargo metadata")
}

/// Whether the command can be started and succeeds; what it says is thrown away.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

fn expect_success(command: &Command, status: ExitStatus) -> Result<()> {
    if !status.success() {
        bail!("`{}` failed ({status})", shown(command));
    }
    Ok(())
}

fn cannot_start(command: &Command) -> String {
    format!("cannot start `{}`", shown(command))
}

/// The command as one would type it, with the variables that were set for it.
fn shown(command: &Command) -> String {
    let variables = command
        .get_envs()
        .filter_map(|(name, value)| Some(format!("{}={}", name.to_string_lossy(), quoted(value?))));
    let words = std::iter::once(command.get_program()).chain(command.get_args()).map(quoted);
    variables.chain(words).collect::<Vec<_>>().join(" ")
}

fn quoted(word: &OsStr) -> String {
    let word = word.to_string_lossy();
    if word.contains(char::is_whitespace) { format!("'{word}'") } else { word.into_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_names_the_command_and_its_status() {
        let failure = run(command("false").env("WHY", "a b")).unwrap_err().to_string();
        assert!(failure.starts_with("`WHY='a b' false` failed (exit status: 1"), "{failure}");
        let missing = read(&mut command("no-such-program")).unwrap_err().to_string();
        assert_eq!(missing, "cannot start `no-such-program`");
    }

    #[test]
    fn what_cargo_says_about_xtask_stays_here() {
        assert!(describes_this_package("CARGO_MANIFEST_DIR"));
        assert!(describes_this_package("CARGO_PKG_NAME"));
        assert!(!describes_this_package("CARGO_TARGET_DIR"));
        // Tests run with these set, so the child must not see them.
        assert!(std::env::var_os("CARGO_MANIFEST_DIR").is_some());
        let variables = read(&mut command("env")).unwrap();
        assert!(!variables.contains("CARGO_MANIFEST_DIR"), "{variables}");
    }

    #[test]
    fn lines_are_handed_on() {
        let mut lines = Vec::new();
        run_lines(command("printf").arg(r"one\ntwo\n"), |line| lines.push(line.to_owned()))
            .unwrap();
        assert_eq!(lines, ["one", "two"]);
    }
}
