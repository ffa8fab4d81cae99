//! Rules about code that lints see only where it is compiled: what is cut out on this machine (another
//! architecture, a feature that is off) is checked here too.

use super::tree::{Token, Tree, Violation, flatten};

/// The files that may contain `unsafe`, each with the reason. Unsafe for speed needs at least 10 % in
/// a benchmark.
const UNSAFE: &[(&str, &str)] = &[
    ("bench-suite/src/mapped.rs", "promises that nobody writes to the files it measures"),
    ("bench-suite/src/peers/linked/cast.rs", "shows vectors to the peers as their own types"),
    ("fuzz/src/mapped.rs", "promises that nobody writes to the files of a target"),
    ("hnsw/examples/mapped_file.rs", "maps a file, of which one must promise that nobody writes"),
    ("hnsw/src/file/map.rs", "maps a file, of which one must promise that nobody changes it"),
    ("hnsw/src/file/mapped.rs", "hands that promise on to who opens an index by its map"),
    ("hnsw/src/store/plain.rs", "promises of types that any bytes are one"),
    ("hnsw/src/store/segment.rs", "owns memory that the system mapped, and lends it as slices"),
    ("hnsw/src/store/table.rs", "writes rows behind those that readers borrow"),
    ("hnsw/tests/stores.rs", "maps the files of the example, to which nobody writes"),
    ("hnsw/tests/support/mapped.rs", "promises that nobody writes to the files of a test"),
    ("bench-suite/index-peers/src/hannoy.rs", "opens an LMDB file, which maps it"),
    ("kernels/src/native/aarch64.rs", "the prefetch is one line of assembly; std's is unstable"),
    ("kernels/src/native/avx2.rs", "pulp lacks VPDPBUSD"),
    ("kernels/src/native/avx512.rs", "masked loads take raw pointers; pulp lacks VPDPBUSD"),
    ("kernels/src/native/neon.rs", "the dot product is one line of assembly; std's is unstable"),
    ("kernels/src/native/vpopcntdq.rs", "masked loads, and an instruction that pulp lacks"),
    ("kernels/src/native/narrow.rs", "masked loads take raw pointers"),
    ("kernels/src/native/x86.rs", "masked loads and prefetches take raw pointers"),
    ("kernels/src/table.rs", "calls code compiled for instructions that the CPU was seen to have"),
    ("kernels/src/table/integers.rs", "makes tokens of instructions that the CPU was seen to have"),
];

const NO_REASON: &str = "an ignored test says why: `#[ignore = \"…\"]`";

pub(crate) fn check(tree: &Tree, out: &mut Vec<Violation>) {
    check_with(tree, UNSAFE, out);
}

fn check_with(tree: &Tree, allowed: &[(&str, &str)], out: &mut Vec<Violation>) {
    for file in &tree.files {
        let Some(tokens) = &file.rust else { continue };
        let tokens = flatten(tokens);
        let listed = allowed.iter().any(|(path, _)| *path == file.path);
        match first_unsafe(&tokens) {
            Some(line) if !listed => {
                let message = "unsafe code in a file that is not on tidy's list";
                out.push(Violation::new(&file.path, line, message));
            }
            None if listed => {
                let message = "nothing here is unsafe any more: take the file off tidy's list";
                out.push(Violation::new(&file.path, 1, message));
            }
            _ => {}
        }
        unfinished(&file.path, &tokens, out);
    }
    for (path, _) in allowed {
        if !tree.paths.contains(*path) {
            let message = "tidy's list of unsafe files names a file that does not exist";
            out.push(Violation::new(path, 1, message));
        }
    }
}

/// The first line with the keyword, or with an attribute that would let it.
fn first_unsafe(tokens: &[Token]) -> Option<usize> {
    let found = tokens.iter().enumerate().find(|(index, token)| match token.text.as_str() {
        "unsafe" => true,
        "unsafe_code" => in_attribute(tokens, *index, &["allow", "expect", "warn"]),
        _ => false,
    });
    found.map(|(_, token)| token.line)
}

fn unfinished(path: &str, tokens: &[Token], out: &mut Vec<Violation>) {
    for (index, pair) in tokens.windows(2).enumerate() {
        let message = match [pair[0].text.as_str(), pair[1].text.as_str()] {
            [name @ ("todo" | "unimplemented"), "!"] => {
                format!("`{name}!`: finish it, or open an issue")
            }
            ["ignore", "]"] if index > 0 && tokens[index - 1].text == "[" => NO_REASON.to_owned(),
            ["ignore", "," | ")"] if in_attribute(tokens, index, &["cfg_attr"]) => {
                NO_REASON.to_owned()
            }
            _ => continue,
        };
        out.push(Violation::new(path, pair[0].line, message));
    }
}

/// Whether one of `names` stands between the last `[` and the token at `index`.
fn in_attribute(tokens: &[Token], index: usize, names: &[&str]) -> bool {
    let before = tokens[..index].iter().rev();
    before.take_while(|token| token.text != "[").any(|token| names.contains(&token.text.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str, allowed: &[(&str, &str)]) -> Vec<String> {
        let mut out = Vec::new();
        check_with(&Tree::of(&[("a.rs", text)]), allowed, &mut out);
        out.iter().map(ToString::to_string).collect()
    }

    const STRANGER: &str = "unsafe code in a file that is not on tidy's list";

    #[test]
    fn unsafe_only_in_listed_files() {
        let code = "fn f(p: *const u8) -> u8 {\n    unsafe { *p }\n}\n";
        assert_eq!(found(code, &[]), [format!("a.rs:2: {STRANGER}")]);
        assert_eq!(found(code, &[("a.rs", "reads a pointer")]), [""; 0]);
    }

    #[test]
    fn unsafe_hides_nowhere() {
        for hidden in [
            "m! { { unsafe fn f(); } }",
            "#[cfg(target_arch = \"s390x\")] unsafe impl Send for A {}",
            "#![allow(unsafe_code)]",
            "#[expect(unsafe_code, reason = \"speed\")] mod a {}",
            "#[cfg_attr(windows, allow(dead_code, unsafe_code))] mod a {}",
            "#[unsafe(no_mangle)] fn f() {}",
        ] {
            assert_eq!(found(hidden, &[]), [format!("a.rs:1: {STRANGER}")], "{hidden}");
        }
        for harmless in [
            "#![deny(unsafe_code)]",
            "// unsafe {}\nfn f() {}",
            "/// Is not `unsafe`.\nfn f() { \"unsafe\"; }",
            "#![warn(unsafe_op_in_unsafe_fn)]",
        ] {
            assert_eq!(found(harmless, &[]), [""; 0], "{harmless}");
        }
    }

    #[test]
    fn the_list_of_unsafe_files_is_kept_short() {
        assert_eq!(
            found("fn f() {}", &[("a.rs", "reads a pointer")]),
            ["a.rs:1: nothing here is unsafe any more: take the file off tidy's list"]
        );
        assert_eq!(
            found("fn f() {}", &[("b.rs", "reads a pointer")]),
            ["b.rs:1: tidy's list of unsafe files names a file that does not exist"]
        );
    }

    #[test]
    fn nothing_is_left_for_later() {
        assert_eq!(
            found("fn f() {\n    todo!()\n}", &[]),
            ["a.rs:2: `todo!`: finish it, or open an issue"]
        );
        assert_eq!(
            found("fn f() { unimplemented!(\"one day\") }", &[]),
            ["a.rs:1: `unimplemented!`: finish it, or open an issue"]
        );
        assert_eq!(found("fn todo() { todo(); }", &[]), [""; 0]);
    }

    #[test]
    fn an_ignored_test_says_why() {
        let message = [format!("a.rs:1: {NO_REASON}")];
        assert_eq!(found("#[ignore] fn f() {}", &[]), message);
        assert_eq!(found("#[cfg_attr(miri, ignore)] fn f() {}", &[]), message);
        assert_eq!(found("#[ignore = \"needs 4 GB\"] fn f() {}", &[]), [""; 0]);
        assert_eq!(found("fn f() { g(1, ignore); }", &[]), [""; 0]);
    }
}
