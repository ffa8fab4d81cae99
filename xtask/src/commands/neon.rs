//! `cargo xtask neon`: the tests of the kernels, and of the index what depends on them, on emulated
//! AArch64.
//!
//! Three things are needed: a compiler that has the target's standard library, a linker for it, and
//! the emulator. What is missing is installed on Debian as root; elsewhere the error says what to
//! install. Once all is there, the network is not touched.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::process::{self, cargo, command};

const TARGET: &str = "aarch64-unknown-linux-gnu";
const LINKER: &str = "aarch64-linux-gnu-gcc";
const EMULATORS: [&str; 2] = ["qemu-aarch64-static", "qemu-aarch64"];

/// Debian's own compiler, whose standard library comes for other architectures too.
const DEBIAN_RUSTC: &str = "/usr/bin/rustc";

/// The test file of the index that says something about a CPU, and which of its tests: those that compare graphs with
/// what is written down. Where distances and graphs are equal to the bit, what is found is, too. The emulator takes
/// minutes for the others.
const HNSW_TESTS: (&str, [&str; 2]) = ("determinism", ["golden_graph", "the_same_operations"]);

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Options that are passed on to `cargo test`.
    #[arg(last = true)]
    rest: Vec<String>,
}

pub(crate) fn run(args: Args) -> Result<()> {
    if cfg!(target_arch = "aarch64") {
        println!("This is an AArch64 machine: `cargo xtask test` has run everything on NEON.");
        return Ok(());
    }
    let mut tools = Tools::find();
    // Rustup's compiler is the one that the other checks use; Debian's is another, and a large download.
    if tools.rustc.is_none() && process::succeeds(command("rustup").args(["target", "add", TARGET]))
    {
        tools = Tools::find();
    }
    if let Some(packages) = tools.missing_packages() {
        install(&packages)?;
        tools = Tools::find();
    }
    let Tools { rustc: Some(rustc), linker: true, emulator: Some(emulator) } = tools else {
        bail!("the packages are installed, but something is still missing: {tools:?}");
    };

    let mut passed = 0;
    for (targets, names) in targets()? {
        // No doc tests: Debian's standard library is not the one that rustdoc belongs to. A folder of
        // their own: what one compiler built is of no use to the other.
        let mut tests = cargo(["test", "--locked", "--no-fail-fast", "--target", TARGET]);
        tests.args(["--target-dir", "target/neon", "--all-features"]).args(targets);
        tests.args(&args.rest).arg("--").args(names);
        tests.env("RUSTC", rustc);
        tests.env(for_target("LINKER"), LINKER);
        tests.env(for_target("RUNNER"), emulator);
        // Dynamically linked programs hang in thread creation under the emulator of Debian 12.
        tests.env(for_target("RUSTFLAGS"), "-C target-feature=+crt-static");
        process::run_lines(&mut tests, |line| passed += passed_tests(line))?;
    }
    println!("\nneon: {passed} tests passed on emulated AArch64");
    if passed == 0 {
        bail!("no test ran");
    }
    Ok(())
}

/// Which targets to test, by command, and the names of the tests where not all of a target are run. The integration
/// tests of both crates name both packages, so that the kernels are compiled once for them; the kernels' own tests
/// are another compile in any case.
fn targets() -> Result<[(Vec<String>, Vec<String>); 3]> {
    let packages =
        || ["--package=nearfield-kernels", "--package=nearfield-hnsw"].map(str::to_owned);
    let mut kernels = Vec::from(packages());
    for file in process::root().join("kernels/tests").read_dir()? {
        let path = file?.path();
        if path.extension().is_some_and(|extension| extension == "rs") {
            let name = path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
            kernels.extend(name.map(|name| format!("--test={name}")));
        }
    }
    let (file, names) = HNSW_TESTS;
    let mut hnsw = Vec::from(packages());
    hnsw.push(format!("--test={file}"));
    let own = ["--package=nearfield-kernels", "--lib"].map(str::to_owned).into();
    Ok([(kernels, vec![]), (hnsw, names.map(str::to_owned).into()), (own, vec![])])
}

/// What was found on this machine.
#[derive(Debug)]
struct Tools {
    rustc: Option<&'static str>,
    linker: bool,
    emulator: Option<&'static str>,
}

impl Tools {
    fn find() -> Self {
        let starts = |program: &str| process::succeeds(command(program).arg("--version"));
        Self {
            // The compiler in use comes first: rustup's, say, with the target added.
            rustc: ["rustc", DEBIAN_RUSTC].into_iter().find(|rustc| has_target(rustc)),
            linker: starts(LINKER),
            emulator: EMULATORS.into_iter().find(|emulator| starts(emulator)),
        }
    }

    /// Debian's packages for what is missing; none if nothing is.
    fn missing_packages(&self) -> Option<Vec<&'static str>> {
        let mut packages = Vec::new();
        if self.rustc.is_none() {
            packages.extend(["rustc-web", "libstd-rust-web-dev:arm64"]);
        }
        if !self.linker {
            packages.extend(["gcc-aarch64-linux-gnu", "libc6-dev-arm64-cross"]);
        }
        if self.emulator.is_none() {
            packages.push("qemu-user-static");
        }
        (!packages.is_empty()).then_some(packages)
    }
}

/// Whether the compiler has a standard library for the target. It names the folder in any case.
fn has_target(rustc: &str) -> bool {
    let folder =
        process::read(command(rustc).args(["--print", "target-libdir", "--target", TARGET]));
    let files = folder.ok().and_then(|folder| Path::new(folder.trim()).read_dir().ok());
    files.is_some_and(|files| {
        files.flatten().any(|file| file.file_name().to_string_lossy().starts_with("libstd-"))
    })
}

fn install(packages: &[&str]) -> Result<()> {
    let root = process::read(command("id").arg("-u")).is_ok_and(|id| id.trim() == "0");
    if !root || !Path::new("/etc/debian_version").exists() {
        bail!(
            "the emulated tests need three things:\n\
             - Rust's standard library for AArch64: `rustup target add {TARGET}`\n\
             - a linker for it, `{LINKER}`, with a static libc (Debian: gcc-aarch64-linux-gnu)\n\
             - QEMU's user emulation, `{}` (Debian: qemu-user-static)\n\
             As root on Debian this command installs what is missing; here that would be: {}",
            EMULATORS[0],
            packages.join(" "),
        );
    }
    if packages.iter().any(|package| package.ends_with(":arm64")) {
        process::run(command("dpkg").args(["--add-architecture", "arm64"]))?;
    }
    process::run(&mut apt(&["update"])).context("apt-get could not read its sources")?;
    process::run(apt(&["install", "--yes", "--no-install-recommends"]).args(packages))
        .context("apt-get could not install what the emulated tests need")
}

fn apt(args: &[&str]) -> Command {
    let mut apt = command("apt-get");
    apt.arg("--quiet").args(args).env("DEBIAN_FRONTEND", "noninteractive");
    apt
}

/// The name of the variable by which cargo takes a setting of the target.
fn for_target(setting: &str) -> String {
    format!("CARGO_TARGET_{}_{setting}", TARGET.to_uppercase().replace('-', "_"))
}

/// The number of tests that passed, if the line is the last one of a test binary.
fn passed_tests(line: &str) -> usize {
    line.strip_prefix("test result: ")
        .and_then(|result| result.split_once(". ")?.1.split_once(" passed;")?.0.parse().ok())
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_test_of_the_kernels_is_run() {
        let [(kernels, all), _, (own, all_own)] = targets().unwrap();
        for target in ["--test=bits", "--test=golden"] {
            assert!(kernels.iter().any(|word| word == target), "{kernels:?}");
        }
        assert_eq!(own, ["--package=nearfield-kernels", "--lib"]);
        assert_eq!([all, all_own], [[""; 0]; 2]);
    }

    #[test]
    fn the_tests_of_the_index_are_there() {
        let (file, names) = HNSW_TESTS;
        let path = process::root().join(format!("hnsw/tests/{file}.rs"));
        let text = std::fs::read_to_string(path).unwrap();
        let tests: Vec<&str> = text.lines().filter(|line| line.starts_with("fn ")).collect();
        for name in names {
            assert!(tests.iter().any(|line| line.contains(name)), "{name}: {tests:?}");
        }
    }

    #[test]
    fn counts_what_passed() {
        let line = "test result: ok. 17 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out";
        assert_eq!(passed_tests(line), 17);
        let line = "test result: FAILED. 3 passed; 1 failed; 0 ignored; 0 measured";
        assert_eq!(passed_tests(line), 3);
        assert_eq!(passed_tests("running 17 tests"), 0);
        assert_eq!(passed_tests("test result: 17 passed"), 0);
    }

    #[test]
    fn asks_only_for_what_is_missing() {
        let all = Tools { rustc: Some("rustc"), linker: true, emulator: Some(EMULATORS[1]) };
        assert_eq!(all.missing_packages(), None);
        let some = Tools { emulator: None, ..all };
        assert_eq!(some.missing_packages(), Some(vec!["qemu-user-static"]));
        let none = Tools { rustc: None, linker: false, emulator: None };
        let packages = none.missing_packages().unwrap();
        assert_eq!(packages.len(), 5);
        assert!(packages.contains(&"libstd-rust-web-dev:arm64"));
    }

    #[test]
    fn settings_of_the_target_have_cargos_names() {
        assert_eq!(for_target("LINKER"), "CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER");
    }
}
