//! Says on stderr what is being done: a line that changes on a terminal, lines elsewhere.

use std::borrow::Cow;
use std::io::IsTerminal as _;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// The progress of a run through its steps.
pub(super) struct Progress {
    bar: ProgressBar,
    terminal: bool,
    start: Instant,
    step: String,
}

impl Progress {
    pub(super) fn new(steps: usize) -> Self {
        let terminal = std::io::stderr().is_terminal();
        let bar = if terminal { ProgressBar::new(steps as u64) } else { ProgressBar::hidden() };
        let style =
            ProgressStyle::with_template("{spinner} [{pos}/{len}] {prefix} {msg:.dim} ({elapsed})");
        bar.set_style(style.expect("a constant template"));
        // No steady tick: a second thread would wake in the middle of what is measured.
        Self { bar, terminal, start: Instant::now(), step: String::new() }
    }

    /// A new step begins.
    pub(super) fn step(&mut self, name: &str) {
        self.bar.inc(1);
        self.bar.set_prefix(name.to_owned());
        self.bar.set_message("");
        name.clone_into(&mut self.step);
        if !self.terminal {
            eprintln!("[{:>4} s] {name}", self.start.elapsed().as_secs());
        }
    }

    /// What the step does now. Between samples only, as drawing takes time.
    pub(super) fn detail(&self, text: impl Into<Cow<'static, str>>) {
        self.bar.set_message(text);
        self.bar.tick();
    }

    /// Ends, and says how long it took.
    pub(super) fn finish(self) -> Duration {
        self.bar.finish_and_clear();
        self.start.elapsed()
    }
}
