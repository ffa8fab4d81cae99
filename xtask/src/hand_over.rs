//! Hands a command over to a build of this program that has all commands.

/// The commands that only a build with the feature `all-commands` has.
pub(crate) const COMMANDS: [&str; 17] = [
    "benchmarks",
    "ann",
    "scaling",
    "churn",
    "convert",
    "crash",
    "durability",
    "inspect",
    "kernels",
    "mixed",
    "rates",
    "stalls",
    "interop",
    "peers",
    "test",
    "tidy",
    "neon",
];

#[cfg(not(feature = "all-commands"))]
pub(crate) use without_all_commands::{others, to_a_build_with_all_commands};

#[cfg(not(feature = "all-commands"))]
mod without_all_commands {
    use std::ffi::OsString;
    use std::process::Command;

    use anyhow::{Context as _, Result, ensure};

    use super::COMMANDS;

    /// What the help says about the commands that are not here.
    pub(crate) fn others() -> String {
        format!(
            "Other commands: {}.\nThey are compiled when one of them is first asked for; \
             `cargo xtask help` compiles them and lists what each does.",
            COMMANDS.join(", ")
        )
    }

    /// Runs the command by `cargo run`, which compiles what is missing and says so.
    pub(crate) fn to_a_build_with_all_commands(words: &[OsString]) -> Result<()> {
        let name = words.first().map(|name| name.to_string_lossy()).unwrap_or_default();
        ensure!(
            name == "help" || COMMANDS.contains(&&*name),
            "there is no command `{name}`; `cargo xtask --help` lists those that there are"
        );
        let mut cargo = Command::new("cargo");
        cargo.args(["run", "--package=xtask", "--features=all-commands"]);
        if !cfg!(debug_assertions) {
            cargo.arg("--release");
        }
        let status = cargo.arg("--").args(words).status().context("cannot start `cargo`")?;
        // Cargo and the command have said what was wrong.
        std::process::exit(status.code().unwrap_or(1));
    }
}
