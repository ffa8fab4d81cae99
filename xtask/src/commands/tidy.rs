//! `cargo xtask tidy`: what lints cannot check.
//!
//! | file | rule |
//! |---|---|
//! | [`text`] | how lines and files end, how long a Rust file is, that it begins with what it is for |
//! | [`tokens`] | `unsafe` in the listed files only; nothing left for later |
//! | [`imports`] | the files of a crate build on each other in one direction; of the crates `deny.toml` says it |
//! | [`documents`] | links lead somewhere; the change log is open |

mod documents;
mod imports;
mod text;
mod tokens;
mod tree;

use anyhow::{Result, bail};

use tree::Tree;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

pub(crate) fn run(_args: Args) -> Result<()> {
    check()
}

/// Prints every violation as `file:line: message`; one is enough to fail.
pub(crate) fn check() -> Result<()> {
    let tree = Tree::read()?;
    let mut violations = tree.unreadable.clone();
    text::check(&tree, &mut violations);
    tokens::check(&tree, &mut violations);
    imports::check(&tree, &mut violations);
    documents::check(&tree, &mut violations);
    violations.sort();
    for violation in &violations {
        println!("{violation}");
    }
    match violations.len() {
        0 => println!("tidy: {} files, nothing to report", tree.paths.len()),
        1 => bail!("tidy: one violation"),
        count => bail!("tidy: {count} violations"),
    }
    Ok(())
}
