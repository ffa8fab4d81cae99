//! Every command but `bench`: those that measure an index or a kernel, and those that check the repository.

mod ann;
mod benchmarks;
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
mod rates;
mod scaling;
mod stalls;
mod test;
mod tidy;
mod workload;

use anyhow::Result;
use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Render BENCHMARKS.md and its chart from the measurements in `benchmarks/`.
    Benchmarks(benchmarks::Args),
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

pub(crate) fn run(command: Command) -> Result<()> {
    match command {
        Command::Benchmarks(args) => benchmarks::run(args),
        Command::Ann(args) => ann::run(args),
        Command::Scaling(args) => scaling::run(args),
        Command::Churn(args) => churn::run(args),
        Command::Convert(args) => convert::run(args),
        Command::Crash(args) => crash::run(args),
        Command::Durability(args) => durability::run(args),
        Command::Inspect(args) => inspect::run(args),
        Command::Kernels(args) => kernels::run(args),
        Command::Mixed(args) => mixed::run(args),
        Command::Rates(args) => rates::run(args),
        Command::Stalls(args) => stalls::run(args),
        Command::Interop(args) => interop::run(args),
        Command::Peers(args) => peers::run(args),
        Command::Test(args) => test::run(args),
        Command::Tidy(args) => tidy::run(args),
        Command::Neon(args) => neon::run(args),
    }
}

#[cfg(test)]
mod tests {
    use clap::Subcommand as _;

    use super::Command;
    use crate::hand_over::COMMANDS;

    #[test]
    fn a_build_without_these_commands_knows_their_names() {
        let commands = Command::augment_subcommands(clap::Command::new("xtask"));
        let names: Vec<&str> = commands.get_subcommands().map(clap::Command::get_name).collect();
        assert_eq!(names, COMMANDS);
    }
}
