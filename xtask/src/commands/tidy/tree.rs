//! What tidy looks at: the files of the repository, and the violations found in them.

use std::collections::BTreeSet;
use std::fmt;

use anyhow::{Context, Result};
use proc_macro2::{Delimiter, TokenStream, TokenTree};

use crate::process;

/// One broken rule, shown as `file:line: message`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Violation {
    pub(crate) path: String,
    pub(crate) line: usize,
    pub(crate) message: String,
}

impl Violation {
    pub(crate) fn new(path: &str, line: usize, message: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line, message: message.into() }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.message)
    }
}

/// A text file, by its path from the root with `/` between the parts.
#[derive(Debug)]
pub(crate) struct File {
    pub(crate) path: String,
    pub(crate) text: String,
    /// Its tokens, when it is a Rust file that can be read.
    pub(crate) rust: Option<TokenStream>,
}

/// The files that are, or could be, committed.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    /// Text files.
    pub(crate) files: Vec<File>,
    /// All files, those that are no text too.
    pub(crate) paths: BTreeSet<String>,
    /// Rust files that could not be read.
    pub(crate) unreadable: Vec<Violation>,
}

impl Tree {
    /// The working tree: tracked files, and untracked ones that git does not ignore.
    pub(crate) fn read() -> Result<Self> {
        let root = process::root();
        let listed = process::read(process::command("git").args([
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
            "--deduplicate",
        ]))
        .context("tidy asks git which files belong to the repository")?;
        let mut tree = Self::default();
        for path in listed.split_terminator('\0') {
            let on_disk = root.join(path);
            if !on_disk.is_file() {
                continue; // deleted, and not yet staged
            }
            let bytes = std::fs::read(&on_disk).with_context(|| format!("reading {path}"))?;
            tree.add(path, bytes);
        }
        Ok(tree)
    }

    pub(crate) fn add(&mut self, path: &str, bytes: Vec<u8>) {
        self.paths.insert(path.to_owned());
        if bytes.contains(&0) {
            return;
        }
        let Ok(text) = String::from_utf8(bytes) else { return };
        let mut rust = None;
        if path.ends_with(".rs") {
            match text.parse::<TokenStream>() {
                Ok(tokens) => rust = Some(tokens),
                Err(error) => {
                    let line = error.span().start().line;
                    self.unreadable.push(Violation::new(path, line, format!("{error}")));
                }
            }
        }
        self.files.push(File { path: path.to_owned(), text, rust });
    }

    pub(crate) fn file(&self, path: &str) -> Option<&File> {
        self.files.iter().find(|file| file.path == path)
    }

    #[cfg(test)]
    pub(crate) fn of(files: &[(&str, &str)]) -> Self {
        let mut tree = Self::default();
        for (path, text) in files {
            tree.add(path, text.as_bytes().to_vec());
        }
        tree
    }
}

/// A token and where it stands; a group is its two delimiters with its tokens between them.
#[derive(Debug)]
pub(crate) struct Token {
    pub(crate) text: String,
    pub(crate) line: usize,
}

/// The tokens in one row. Comments are not among them, and a doc comment is one string.
pub(crate) fn flatten(tokens: &TokenStream) -> Vec<Token> {
    fn walk(tokens: TokenStream, out: &mut Vec<Token>) {
        for token in tokens {
            let TokenTree::Group(group) = token else {
                out.push(Token { line: token.span().start().line, text: token.to_string() });
                continue;
            };
            let (open, close) = match group.delimiter() {
                Delimiter::Parenthesis => ("(", ")"),
                Delimiter::Brace => ("{", "}"),
                Delimiter::Bracket => ("[", "]"),
                Delimiter::None => ("", ""),
            };
            out.push(Token { text: open.to_owned(), line: group.span_open().start().line });
            walk(group.stream(), out);
            out.push(Token { text: close.to_owned(), line: group.span_close().start().line });
        }
    }
    let mut out = Vec::new();
    walk(tokens.clone(), &mut out);
    out
}
