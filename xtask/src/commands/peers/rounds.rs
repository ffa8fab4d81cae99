//! The libraries in turn, round after round: whoever fails is left out, and the others go on.

use std::io::{self, Write};
use std::process::Command;
use std::time::Duration;

use anyhow::Result;
use bench_suite::ann::Event;
use serde::Serialize;

use super::worker::{self, Failure, Measured};

/// What to run for a library.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) name: &'static str,
    pub(super) note: &'static str,
    /// What compilers and package managers do, before anything is timed.
    pub(super) prepare: Option<Command>,
    pub(super) measure: Command,
}

#[derive(Debug)]
pub(super) struct Plan {
    pub(super) jobs: Vec<Job>,
    pub(super) rounds: u32,
    /// For one process.
    pub(super) limit: Duration,
    /// Whether to print each event as it comes.
    pub(super) json: bool,
}

/// What came of a library: its figures of each round, or why there are none.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) name: &'static str,
    pub(super) note: &'static str,
    pub(super) rounds: Result<Vec<Measured>, Failure>,
}

/// Makes all libraries ready, then lets each build and search once a round.
///
/// # Errors
/// When a line cannot be printed. That a library fails is an outcome.
pub(super) fn measure(plan: Plan) -> Result<Vec<Outcome>> {
    let Plan { mut jobs, rounds, limit, json } = plan;
    let mut outcomes: Vec<Outcome> = jobs.iter_mut().map(|job| prepared(job, limit)).collect();
    for round in 0..rounds {
        eprintln!("round {} of {rounds}", round + 1);
        let mut order: Vec<usize> = (0..jobs.len()).collect();
        // Whoever ran first runs last: a machine that grows hot or busy harms each of them alike.
        if round % 2 == 1 {
            order.reverse();
        }
        for index in order {
            let (job, outcome) = (&mut jobs[index], &mut outcomes[index]);
            let Ok(measured) = &mut outcome.rounds else { continue };
            eprintln!("  {} …", job.name);
            match worker::measure(&mut job.measure, limit) {
                Ok(new) => {
                    if json {
                        print_lines(job.name, round + 1, &new)?;
                    }
                    measured.push(new);
                }
                Err(failure) => outcome.rounds = Err(failure),
            }
        }
    }
    if json {
        outcomes.iter().try_for_each(print_failure)?;
    }
    Ok(outcomes)
}

fn prepared(job: &mut Job, limit: Duration) -> Outcome {
    let rounds = match &mut job.prepare {
        Some(prepare) => {
            eprintln!("making {} ready …", job.name);
            worker::run(prepare, limit).map(|_| vec![])
        }
        None => Ok(vec![]),
    };
    Outcome { name: job.name, note: job.note, rounds }
}

/// An event as JSON, with the library and the round, from 1.
#[derive(Serialize)]
struct Line<'a> {
    library: &'a str,
    round: u32,
    #[serde(flatten)]
    event: Event,
}

/// That a library has no figures, as JSON.
#[derive(Serialize)]
struct FailureLine<'a> {
    library: &'a str,
    event: &'static str,
    reason: String,
}

fn print_lines(library: &str, round: u32, measured: &Measured) -> Result<()> {
    let searches = measured.searches.iter().cloned().map(Event::Search);
    for event in std::iter::once(Event::Build(measured.build.clone())).chain(searches) {
        print(&Line { library, round, event })?;
    }
    Ok(())
}

fn print_failure(outcome: &Outcome) -> Result<()> {
    let Err(failure) = &outcome.rounds else { return Ok(()) };
    print(&FailureLine { library: outcome.name, event: "failure", reason: failure.to_string() })
}

fn print(line: &impl Serialize) -> Result<()> {
    Ok(writeln!(io::stdout(), "{}", serde_json::to_string(line)?)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::command;

    const LINES: &str = r#"{"event":"build","n":2,"dim":3,"threads":4,"seconds":0.5,"distances":null,"bytes_per_vector":null,"graph_hash":null}
{"event":"search","ef":10,"recall":0.5,"qps":2.0,"p50_us":null,"p99_us":null,"distances_per_query":null}"#;

    fn shell(script: &str) -> Command {
        let mut shell = command("sh");
        shell.args(["-c", script]);
        shell
    }

    #[test]
    fn whoever_fails_is_left_out_and_the_others_go_on() {
        let job = |name, prepare: Option<&str>, measure: &str| Job {
            name,
            note: "",
            prepare: prepare.map(shell),
            measure: shell(measure),
        };
        let good = format!("echo '{LINES}'");
        let jobs = vec![
            job("not built", Some("echo error: no compiler >&2; exit 1"), &good),
            job("good", Some("true"), &good),
            job("crashing", None, "kill -11 $$"),
            job("good too", None, &good),
        ];
        let plan = Plan { jobs, rounds: 2, limit: Duration::from_secs(60), json: false };
        let outcomes = measure(plan).unwrap();
        let told = |outcome: &Outcome| match &outcome.rounds {
            Ok(rounds) => format!("{}: {} rounds", outcome.name, rounds.len()),
            Err(failure) => format!("{}: {failure}", outcome.name),
        };
        let told: Vec<String> = outcomes.iter().map(told).collect();
        assert_eq!(told[0], "not built: no compiler");
        assert_eq!(told[1], "good: 2 rounds");
        assert!(told[2].starts_with("crashing: signal: 11 (SIGSEGV)"), "{told:?}");
        assert_eq!(told[3], "good too: 2 rounds");
    }

    #[test]
    fn a_line_names_library_and_round() {
        let event = serde_json::from_str(LINES.lines().nth(1).unwrap()).unwrap();
        let line = serde_json::to_string(&Line { library: "it", round: 2, event }).unwrap();
        assert!(
            line.starts_with(r#"{"library":"it","round":2,"event":"search","ef":10,"#),
            "{line}"
        );
    }
}
