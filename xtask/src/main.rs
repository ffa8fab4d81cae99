//! Nearfield's chores: `cargo xtask bench | ann | scaling | churn | convert | crash | durability | inspect | interop | kernels | mixed | rates | stalls | peers | test | tidy | neon`.

mod ann;
mod bench;
mod churn;
mod convert;
mod crash;
mod durability;
mod inspect;
mod interop;
mod kernels;
mod mixed;
mod neon;
mod peers;
mod process;
mod rates;
mod report;
mod scaling;
mod stalls;
mod test;
mod tidy;
mod workload;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Measures and checks Nearfield.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Measure this machine and write the hardware report.
    Bench(bench::Args),
    /// Build and search an index over any files; print JSON lines.
    Ann(ann::Args),
    /// Show how the cost of a search grows with the number of points.
    Scaling(scaling::Args),
    /// Replace points of an index, round after round, and compare it with a fresh one.
    Churn(churn::Args),
    /// Turn an index or vectors into another format.
    Convert(convert::Args),
    /// Kill a process that writes to a durable index, again and again, and look for what it acknowledged.
    Crash(crash::Args),
    /// Show what it takes to save and open an index, and to log what is inserted.
    Durability(durability::Args),
    /// Show what is in a saved index, and verify it.
    Inspect(inspect::Args),
    /// Time every kernel, beside other libraries if asked; print a table or JSON lines.
    Kernels(kernels::Args),
    /// Let many threads change and search one index, and check each other.
    Mixed(mixed::Args),
    /// Show how much inserting and searching get in each other's way.
    Rates(rates::Args),
    /// Show the longest that one insert, removal or search takes on the way to a million points.
    Stalls(stalls::Args),
    /// Let other libraries and ours read each other's indexes and compare what they find.
    Interop(interop::Args),
    /// Measure other index libraries beside ours, in one run, at equal recall.
    Peers(peers::Args),
    /// Run every check: tidy, format, lints, tests, documentation, oldest Rust, packages.
    Test(test::Args),
    /// Check what lints cannot: the unsafe allow-list, module docs, file length, import direction.
    Tidy(tidy::Args),
    /// Run the kernels and hnsw tests on emulated AArch64.
    Neon(neon::Args),
}

fn main() -> ExitCode {
    let result = match Cli::parse().task {
        Task::Bench(args) => bench::run(args),
        Task::Ann(args) => ann::run(args),
        Task::Scaling(args) => scaling::run(args),
        Task::Churn(args) => churn::run(args),
        Task::Convert(args) => convert::run(args),
        Task::Crash(args) => crash::run(args),
        Task::Durability(args) => durability::run(args),
        Task::Inspect(args) => inspect::run(args),
        Task::Kernels(args) => kernels::run(args),
        Task::Mixed(args) => mixed::run(args),
        Task::Rates(args) => rates::run(args),
        Task::Stalls(args) => stalls::run(args),
        Task::Interop(args) => interop::run(args),
        Task::Peers(args) => peers::run(args),
        Task::Test(args) => test::run(args),
        Task::Tidy(args) => tidy::run(args),
        Task::Neon(args) => neon::run(args),
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
