//! One run of one library's process: its lines, or why there are none.

use std::fs::File;
use std::io::{self, Read, Seek};
use std::process::{Command, ExitStatus};
use std::thread;
use std::time::{Duration, Instant};

use bench_suite::ann::{BuildEvent, Event, SearchEvent};

/// How often a process is looked at; rarely, so that looking costs it nothing.
const LOOK: Duration = Duration::from_millis(100);

/// What one process measured.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Measured {
    pub(super) build: BuildEvent,
    pub(super) searches: Vec<SearchEvent>,
}

/// Why a library has no figures.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error("cannot be started: {0}")]
    Start(io::Error),
    #[error("its output cannot be read: {0}")]
    Output(#[from] io::Error),
    #[error("took longer than {} s", .0.as_secs())]
    TimeOut(Duration),
    #[error("{0}")]
    Ended(String),
    #[error("printed `{0}`, which is no result")]
    Line(String),
    #[error("printed no results")]
    Nothing,
    #[error("told no recall")]
    NoRecall,
}

/// Runs the command to its end and reads what it measured.
pub(super) fn measure(command: &mut Command, limit: Duration) -> Result<Measured, Failure> {
    parse(&run(command, limit)?)
}

/// Runs the command to its end, or to the limit, and returns its standard output.
pub(super) fn run(command: &mut Command, limit: Duration) -> Result<String, Failure> {
    // Files take whatever it writes; a pipe that nobody reads would stop it.
    let (mut output, mut errors) = (tempfile::tempfile()?, tempfile::tempfile()?);
    command.stdout(output.try_clone()?).stderr(errors.try_clone()?);
    let mut child = command.spawn().map_err(Failure::Start)?;
    let start = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if start.elapsed() >= limit {
            child.kill()?;
            child.wait()?;
            return Err(Failure::TimeOut(limit));
        }
        thread::sleep(LOOK);
    };
    if !status.success() {
        let errors = whole(&mut errors)?;
        eprint!("{errors}");
        return Err(Failure::Ended(reason(&errors, status)));
    }
    Ok(whole(&mut output)?)
}

fn whole(file: &mut File) -> io::Result<String> {
    let mut bytes = vec![];
    file.rewind()?;
    file.read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The line that says most: compilers begin with it, interpreters end with it.
fn reason(errors: &str, status: ExitStatus) -> String {
    let mut lines = errors.lines().map(str::trim_end).filter(|line| !line.is_empty());
    let is_error = |line: &&str| line.get(..5).is_some_and(|s| s.eq_ignore_ascii_case("error"));
    let advice = |line: &&str| line.starts_with("note:");
    let line = lines.clone().find(is_error).or_else(|| lines.rfind(|line| !advice(line)));
    match (line, status.code()) {
        (Some(line), Some(_)) => line.strip_prefix("error: ").unwrap_or(line).to_owned(),
        // A signal ended it: what it said before is not why.
        _ => status.to_string(),
    }
}

/// The lines as `cargo xtask ann --json` prints them: one for the build, then one for each ef.
fn parse(lines: &str) -> Result<Measured, Failure> {
    let mut build = None;
    let mut searches = vec![];
    for line in lines.lines() {
        let event = serde_json::from_str(line).map_err(|_| Failure::Line(line.to_owned()))?;
        match event {
            Event::Build(event) => build = Some(event),
            Event::Search(event) if event.recall.is_none() => return Err(Failure::NoRecall),
            Event::Search(event) => searches.push(event),
            // Peers neither save nor load.
            Event::Save(_) | Event::Load(_) => return Err(Failure::Line(line.to_owned())),
        }
    }
    let build = build.filter(|_| !searches.is_empty()).ok_or(Failure::Nothing)?;
    Ok(Measured { build, searches })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::command;

    const BUILD: &str = r#"{"event":"build","n":2,"dim":3,"threads":4,"seconds":0.5,"distances":null,"bytes_per_vector":null,"graph_hash":null}"#;
    const SEARCH: &str = r#"{"event":"search","ef":10,"recall":0.5,"qps":2.0,"p50_us":null,"p99_us":null,"distances_per_query":null}"#;

    fn shell(script: &str, limit: Duration) -> Result<Measured, String> {
        let mut shell = command("sh");
        measure(shell.args(["-c", script]), limit).map_err(|failure| failure.to_string())
    }

    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn lines_become_figures() {
        let measured = shell(&format!("echo '{BUILD}'; echo '{SEARCH}'"), LONG).unwrap();
        assert_eq!((measured.build.seconds, measured.build.bytes_per_vector), (0.5, None));
        assert_eq!((measured.searches.len(), measured.searches[0].recall), (1, Some(0.5)));
    }

    #[test]
    fn a_library_that_says_too_little_is_none() {
        let refused = |lines: &str| shell(&format!("printf '%s\\n' {lines}"), LONG).unwrap_err();
        assert_eq!(refused("hello"), "printed `hello`, which is no result");
        assert_eq!(refused(&format!("'{BUILD}'")), "printed no results");
        assert_eq!(refused(&format!("'{SEARCH}'")), "printed no results");
        let unmarked = SEARCH.replace("0.5", "null");
        assert_eq!(refused(&format!("'{BUILD}' '{unmarked}'")), "told no recall");
    }

    #[test]
    fn the_reason_is_the_line_that_says_most() {
        let refused = |script: &str| shell(&format!("{script}; exit 1"), LONG).unwrap_err();
        let compiler = "echo warning: a >&2; echo 'error[E1]: b' >&2; echo error: c >&2";
        assert_eq!(refused(compiler), "error[E1]: b");
        assert_eq!(refused("echo error: no inner product >&2"), "no inner product");
        assert_eq!(refused("echo File x >&2; echo Oops: y >&2"), "Oops: y");
        assert_eq!(refused("echo panicked >&2; echo note: run with >&2"), "panicked");
        assert_eq!(refused("true"), "exit status: 1");
        assert_eq!(refused("echo hello >&2; kill -9 $$"), "signal: 9 (SIGKILL)");
    }

    #[test]
    fn what_does_not_end_is_ended_and_what_is_missing_is_named() {
        assert_eq!(shell("sleep 600", Duration::ZERO).unwrap_err(), "took longer than 0 s");
        let missing = measure(&mut command("no-such-program"), LONG).unwrap_err().to_string();
        assert!(missing.starts_with("cannot be started: "), "{missing}");
    }
}
