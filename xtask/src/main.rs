//! Nearfield's chores: `cargo xtask bench`, and the commands that `cargo xtask help` lists.
//!
//! Without features this program is `bench` and nothing else, so that who asks for a report of a machine compiles
//! only that. Any other command is handed over to a build with the feature `all-commands`.

mod bench;
#[cfg(feature = "all-commands")]
mod commands;
#[cfg(any(test, not(feature = "all-commands")))]
mod hand_over;
#[cfg(feature = "all-commands")]
mod process;
mod report;

#[cfg(not(feature = "all-commands"))]
use std::ffi::OsString;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Measures and checks Nearfield.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", disable_help_subcommand = !cfg!(feature = "all-commands"))]
#[cfg_attr(not(feature = "all-commands"), command(after_help = hand_over::others()))]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Measure this machine and write the hardware report.
    Bench(bench::Args),
    #[cfg(feature = "all-commands")]
    #[command(flatten)]
    Other(commands::Command),
    #[cfg(not(feature = "all-commands"))]
    #[command(external_subcommand)]
    Other(Vec<OsString>),
}

fn main() -> ExitCode {
    let result = match Cli::parse().task {
        Task::Bench(args) => bench::run(args),
        #[cfg(feature = "all-commands")]
        Task::Other(command) => commands::run(command),
        #[cfg(not(feature = "all-commands"))]
        Task::Other(words) => hand_over::to_a_build_with_all_commands(&words),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Not anyhow's way: with RUST_BACKTRACE=1 it adds a page that tells the user nothing.
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
