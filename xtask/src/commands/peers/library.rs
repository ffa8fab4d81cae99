//! The libraries: how each is made ready and measured, and what to know about its figures.

use std::ffi::OsString;
use std::process::Command;

use anyhow::{Context, Result};

use super::rounds::Job;
use crate::process::{cargo, command};

/// A library that can be measured.
#[derive(Debug)]
pub(super) struct Library {
    pub(super) name: &'static str,
    kind: Kind,
    /// How it differs from what was asked for; empty where it does not.
    note: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Ours,
    /// A feature and a binary of the package `index-peers`, in `bench-suite/index-peers`, which chooses its instructions at run time.
    Crate,
    /// The same, but it chooses some of its instructions when it is compiled.
    NativeCrate,
    /// A script in `bench-suite/peers`, which makes an environment of its own.
    Script(&'static str),
}

pub(super) const LIBRARIES: [Library; 8] = [
    Library { name: "nearfield", kind: Kind::Ours, note: "" },
    Library { name: "hnswlib", kind: Kind::Script("hnswlib_peer.py"), note: "" },
    Library { name: "faiss", kind: Kind::Script("faiss_peer.py"), note: "IndexHNSWFlat" },
    Library { name: "usearch", kind: Kind::Crate, note: "" },
    Library { name: "hnsw_rs", kind: Kind::Crate, note: "" },
    Library {
        name: "instant-distance",
        kind: Kind::Crate,
        note: "has 32 links, 64 on the lowest level, whatever M is; our kernels compute its distances",
    },
    Library { name: "hannoy", kind: Kind::Crate, note: "is a file, in the page cache" },
    Library {
        name: "diskann",
        kind: Kind::NativeCrate,
        note: "is one level of degree 2·M (Vamana, in memory, α 1.2)",
    },
];

/// The names of all, for the command line.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    LIBRARIES.iter().map(|library| library.name)
}

impl Library {
    pub(super) fn is_ours(&self) -> bool {
        self.kind == Kind::Ours
    }

    /// What to run for it; `words` say what to measure.
    ///
    /// # Errors
    /// When this program does not know where it lies.
    pub(super) fn job(&self, words: &[OsString]) -> Result<Job> {
        let (prepare, mut measure) = match self.kind {
            Kind::Ours => {
                let this = std::env::current_exe().context("finding this program")?;
                let mut ann = command(this);
                ann.args(["ann", "--json"]);
                (None, ann)
            }
            Kind::Crate | Kind::NativeCrate => {
                let mut run = self.cargo("run");
                run.arg("--");
                (Some(self.cargo("build")), run)
            }
            Kind::Script(script) => {
                let python = || {
                    let mut python = command("python3");
                    python.arg(format!("bench-suite/peers/{script}"));
                    python
                };
                let mut prepare = python();
                prepare.arg("--prepare");
                (Some(prepare), python())
            }
        };
        measure.args(words);
        Ok(Job { name: self.name, note: self.note, prepare, measure })
    }

    /// One library at a time: cargo would refuse all of them for one that does not compile.
    fn cargo(&self, subcommand: &str) -> Command {
        let mut cargo = cargo([subcommand, "--quiet", "--release", "--package=index-peers"]);
        cargo.arg(format!("--features={}", self.name)).arg(format!("--bin=peer-{}", self.name));
        if self.kind == Kind::NativeCrate {
            cargo.env("RUSTFLAGS", "-Ctarget-cpu=native");
        }
        cargo
    }
}
