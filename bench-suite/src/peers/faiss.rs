//! faiss, in a process of its own: one Python script, asked for one sample at a time over a pipe.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use nearfield_kernels::Metric;

use crate::machine::{NotAvailable, Probed};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/peers/faiss_kernels.py");

/// The running script. It ends when this is dropped, since that closes its standard input.
#[derive(Debug)]
pub struct Faiss {
    child: Child,
    /// `None` only while it is dropped.
    requests: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Faiss {
    /// Starts the script, which on its first run fetches the package faiss-cpu.
    ///
    /// # Errors
    /// When there is no Python, or no faiss for it.
    pub fn start() -> Probed<Self> {
        let unavailable = |reason: String| NotAvailable::because(format_args!("faiss: {reason}"));
        let mut child = Command::new("python3")
            .arg(SCRIPT)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|e| unavailable(format!("python3: {e}")))?;
        let (requests, answers) = (child.stdin.take(), child.stdout.take());
        let answers = answers.ok_or_else(|| unavailable("no pipe".to_owned()))?;
        let mut this = Self { child, requests, answers: BufReader::new(answers) };
        match this.answer().as_deref() {
            Some("ready") => Ok(this),
            _ => Err(unavailable(format!("python3 {SCRIPT} cannot start"))),
        }
    }

    /// One query against `rows` rows in order; `None` where faiss has no function for that.
    pub fn laps(
        &mut self,
        metric: Metric,
        element: &str,
        dim: usize,
        rows: usize,
        sample: Duration,
    ) -> Option<Laps<'_>> {
        let course = format!("{metric} {element} {dim} {rows}");
        let mut laps = Laps { faiss: self, course, calls: 1 };
        // Twice: the first call of all makes the rows and touches the code.
        for _ in 0..2 {
            let ns = laps.sample() * rows as f64;
            laps.calls = ((sample.as_nanos() as f64 / ns) as u64).max(1);
            if !ns.is_finite() {
                return None;
            }
        }
        Some(laps)
    }

    /// The next line from the script; `None` when it has ended.
    fn answer(&mut self) -> Option<String> {
        let mut line = String::new();
        let read = self.answers.read_line(&mut line).ok()?;
        (read > 0).then(|| line.trim_end().to_owned())
    }
}

impl Drop for Faiss {
    fn drop(&mut self) {
        self.requests = None;
        // It has nothing to lose; how it ends is all the same.
        let _ = self.child.wait();
    }
}

/// What faiss is timed on, and how many laps over the rows make a sample.
#[derive(Debug)]
pub struct Laps<'a> {
    faiss: &'a mut Faiss,
    course: String,
    calls: u64,
}

impl Laps<'_> {
    /// Nanoseconds per distance in one sample, by the script's own clock and without what a call
    /// from Python costs; infinite where faiss has no such function.
    pub fn sample(&mut self) -> f64 {
        let request = format!("{} {}\n", self.course, self.calls);
        let requests = self.faiss.requests.as_mut();
        if requests.and_then(|pipe| pipe.write_all(request.as_bytes()).ok()).is_none() {
            return f64::INFINITY;
        }
        let ns = self.faiss.answer().and_then(|answer| answer.parse().ok());
        ns.unwrap_or(f64::INFINITY)
    }
}
