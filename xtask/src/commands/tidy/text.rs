//! Rules about lines: how they end, how many there are, how a Rust file begins, and that a crate has the lints.

use super::tree::{File, Tree, Violation};

/// More is a sign that a file does two things.
const LONGEST: usize = 600;

/// Words that promise work instead of doing it (put together here, so as not to find themselves).
const UNFINISHED: [&str; 2] = [concat!("FIX", "ME"), concat!("XX", "X")];

pub(crate) fn check(tree: &Tree, out: &mut Vec<Violation>) {
    for file in &tree.files {
        lines(file, out);
        if file.path.ends_with(".rs") {
            rust(file, out);
        }
        if file.path.ends_with("Cargo.toml") {
            manifest(file, out);
        }
    }
}

fn lines(file: &File, out: &mut Vec<Violation>) {
    let mut report = |line, message| out.push(Violation::new(&file.path, line, message));
    for (index, line) in file.text.split('\n').enumerate() {
        if line.ends_with('\r') {
            report(index + 1, "the line ends with a carriage return");
        } else if line.ends_with([' ', '\t']) {
            report(index + 1, "the line ends with blanks");
        }
    }
    let last = file.text.lines().count();
    if !file.text.is_empty() && !file.text.ends_with('\n') {
        report(last, "the last line does not end with a newline");
    } else if file.text.ends_with("\n\n") {
        report(last, "the file ends with an empty line");
    }
}

/// A package of this workspace has its lints.
fn manifest(file: &File, out: &mut Vec<Violation>) {
    let has = |line: &str| file.text.lines().any(|other| other == line);
    if has("[package]") && !has("[workspace]") && !file.text.contains("[lints]\nworkspace = true\n")
    {
        let message = "the crate does not take over the workspace's lints";
        out.push(Violation::new(&file.path, 1, message));
    }
}

fn rust(file: &File, out: &mut Vec<Violation>) {
    let mut report = |line, message| out.push(Violation::new(&file.path, line, message));
    if !file.text.starts_with("//!") {
        report(1, "the file does not begin with `//!` and what it is for".to_owned());
    }
    let count = file.text.lines().count();
    if count > LONGEST {
        report(LONGEST + 1, format!("the file has {count} lines, more than {LONGEST}"));
    }
    for (index, line) in file.text.lines().enumerate() {
        // By whole words: a hexadecimal mask may well be called `0xXXX…` in a comment.
        for word in line.split(|c: char| !(c.is_alphanumeric() || c == '_')) {
            if UNFINISHED.contains(&word) {
                report(index + 1, format!("`{word}`: finish it, or open an issue"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, text: &str) -> Vec<String> {
        let mut out = Vec::new();
        check(&Tree::of(&[(path, text)]), &mut out);
        out.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn lines_end_with_a_newline_and_nothing_else() {
        assert_eq!(found("a.md", "one\ntwo\n"), [""; 0]);
        assert_eq!(found("a.md", ""), [""; 0]);
        assert_eq!(found("a.md", "one \ntwo\n"), ["a.md:1: the line ends with blanks"]);
        assert_eq!(found("a.md", "one\n\t\ntwo\n"), ["a.md:2: the line ends with blanks"]);
        assert_eq!(found("a.md", "one\r\n"), ["a.md:1: the line ends with a carriage return"]);
        assert_eq!(found("a.md", "a\nb"), ["a.md:2: the last line does not end with a newline"]);
        assert_eq!(found("a.md", "a\n\n"), ["a.md:2: the file ends with an empty line"]);
    }

    #[test]
    fn every_crate_has_the_lints() {
        let none = "[package]\nname = \"a\"\n";
        let lints = format!("{none}\n[lints]\nworkspace = true\n");
        let message = ["a/Cargo.toml:1: the crate does not take over the workspace's lints"];
        assert_eq!(found("a/Cargo.toml", none), message);
        assert_eq!(found("a/Cargo.toml", &lints), [""; 0]);
        assert_eq!(found("a/Cargo.toml", &format!("{none}\n[workspace]\n")), [""; 0]);
    }

    #[test]
    fn what_is_no_text_is_left_alone() {
        let mut tree = Tree::default();
        tree.add("golden.bin", vec![b' ', b'\n', 0]);
        tree.add("golden.zst", vec![0x28, 0xb5, 0x2f, 0xfd, b' ', b'\n']);
        let mut out = Vec::new();
        check(&tree, &mut out);
        assert_eq!(out, []);
    }

    #[test]
    fn a_rust_file_says_what_it_is_for() {
        assert_eq!(found("a.rs", "//! Sums.\n"), [""; 0]);
        let missing = ["a.rs:1: the file does not begin with `//!` and what it is for"];
        assert_eq!(found("a.rs", "// Sums.\n"), missing);
        assert_eq!(
            found("tests/a.rs", "fn main() {}\n"),
            [missing[0].replace("a.rs", "tests/a.rs")]
        );
    }

    #[test]
    fn a_rust_file_is_short() {
        let lines = |count: usize| format!("//! Long.\n{}", "//\n".repeat(count - 1));
        assert_eq!(found("a.rs", &lines(LONGEST)), [""; 0]);
        assert_eq!(
            found("a.rs", &lines(LONGEST + 1)),
            ["a.rs:601: the file has 601 lines, more than 600"]
        );
    }

    #[test]
    fn a_rust_file_is_finished() {
        for word in UNFINISHED {
            let text = format!("//! Sums.\n// {word}: overflow\n");
            let message = format!("a.rs:2: `{word}`: finish it, or open an issue");
            assert_eq!(found("a.rs", &text), [message]);
            assert_eq!(found("a.rs", &format!("//! Sums.\n// 0x{word}0\n")), [""; 0]);
        }
    }
}
