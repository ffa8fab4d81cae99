//! The direction of imports inside a crate: a file imports only what stands below it, so that a reader can start at the
//! bottom. A name counts where it is defined, whatever re-exports it went through; only the crate's root, which shows
//! everything, may be part of a circle. Test code may look at anything.
//!
//! It reads tokens and knows `use`, paths and modules in files. What a macro makes, and what comes through
//! `use …::*`, counts for the module that is named.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::tree::{Token, Tree, Violation, flatten};

/// The folder and the root of each crate that has more than one file.
const CRATES: [(&str, &str); 5] = [
    ("kernels/src/", "lib.rs"),
    ("files/src/", "lib.rs"),
    ("hnsw/src/", "lib.rs"),
    ("bench-suite/src/", "lib.rs"),
    ("xtask/src/", "main.rs"),
];

/// Re-exports of re-exports are followed this far. It only has to stop those that never end.
const FARTHEST: usize = 12;

/// For each file the files it imports from, and the line of the first such mention.
type Imports<'a> = BTreeMap<&'a str, BTreeMap<&'a str, usize>>;

/// A crate's modules that are files, by their path from the root; the root's is empty.
type Modules<'a> = BTreeMap<Vec<String>, Module<'a>>;

/// What a file says of names.
#[derive(Debug, Default)]
struct Module<'a> {
    file: &'a str,
    /// Paths in the code, and single names, each with its line.
    mentions: Vec<(Vec<String>, usize)>,
    /// What `use` brings in, by the name that it has here.
    names: BTreeMap<String, Vec<String>>,
}

pub(crate) fn check(tree: &Tree, out: &mut Vec<Violation>) {
    for (folder, root) in CRATES {
        let modules = modules(tree, folder, root);
        let imports = imports(&modules);
        out.extend(circles(&imports).iter().map(|circle| describe(&imports, circle)));
    }
}

fn modules<'a>(tree: &'a Tree, folder: &str, root: &str) -> Modules<'a> {
    let mut modules = Modules::new();
    for file in &tree.files {
        let (Some(tokens), Some(inside)) = (&file.rust, file.path.strip_prefix(folder)) else {
            continue;
        };
        let stem = inside.trim_end_matches(".rs").trim_end_matches("/mod");
        let path =
            if inside == root { vec![] } else { stem.split('/').map(str::to_owned).collect() };
        let mut module = Module { file: &file.path, ..Module::default() };
        module.read(&flatten(tokens), 0);
        modules.insert(path, module);
    }
    modules
}

impl Module<'_> {
    /// Reads code that stands `depth` modules below the file.
    fn read(&mut self, tokens: &[Token], depth: usize) {
        let text = |at: usize| tokens.get(at).map_or("", |token| &token.text);
        let mut at = 0;
        while at < tokens.len() {
            at = match text(at) {
                "#" if only_for_tests(&tokens[at + 1..]) => {
                    end_of_item(tokens, end(tokens, at + 1))
                }
                // Doc comments name what they like; so do visibilities.
                "#" if text(at + 2) == "doc" || text(at + 3) == "doc" => end(tokens, at + 1),
                "pub" if text(at + 1) == "(" => end(tokens, at + 1),
                "mod" if text(at + 2) == "{" => {
                    let end = end(tokens, at + 2);
                    self.read(&tokens[at + 3..end - 1], depth + 1);
                    end
                }
                "use" => {
                    let is_shown = at > 0 && matches!(text(at - 1), "pub" | ")");
                    self.read_use(tokens, at + 1, &[], depth, is_shown)
                }
                "." => at + 2,
                ":" if text(at + 1) == ":" => at + 3,
                word if is_name(word) => {
                    let line = tokens[at].line;
                    let (path, end) = path(tokens, at);
                    self.mentions.push((at_depth(path, depth), line));
                    end
                }
                _ => at + 1,
            }
        }
    }

    /// Reads one branch of a `use` behind `prefix`, and returns where it ends. What a file only shows to others it does
    /// not use by that.
    fn read_use(
        &mut self,
        tokens: &[Token],
        at: usize,
        prefix: &[String],
        depth: usize,
        is_shown: bool,
    ) -> usize {
        let text = |at: usize| tokens.get(at).map_or("", |token| &token.text);
        let (mut full, mut end_of_path) = (prefix.to_vec(), at);
        if is_name(text(at)) {
            let (path, end) = path(tokens, at);
            full.extend(path);
            end_of_path = end;
        }
        if text(end_of_path) == ":" {
            end_of_path += 2;
        }
        if text(end_of_path) == "{" {
            let end = end(tokens, end_of_path);
            let mut branch = end_of_path + 1;
            while branch < end - 1 {
                branch = self.read_use(tokens, branch, &full, depth, is_shown) + 1;
            }
            return end;
        }
        if full.last().is_some_and(|name| name == "self") && full.len() > 1 {
            full.pop();
        }
        let has_name = text(end_of_path) == "as";
        let name =
            if has_name { text(end_of_path + 1) } else { full.last().map_or("", |name| name) };
        let name = name.to_owned();
        let full = at_depth(full, depth);
        if !is_shown {
            self.mentions.push((full.clone(), tokens[at].line));
        }
        if text(end_of_path) != "*" {
            self.names.insert(name, full);
        }
        end_of_path + if has_name { 2 } else { usize::from(text(end_of_path) == "*") }
    }
}

/// The path that begins at a name, and where it ends.
fn path(tokens: &[Token], mut at: usize) -> (Vec<String>, usize) {
    let is = |at: usize, text: &str| tokens.get(at).is_some_and(|token| token.text == text);
    let mut path = vec![tokens[at].text.clone()];
    at += 1;
    while is(at, ":") && is(at + 1, ":") && tokens.get(at + 2).is_some_and(|t| is_name(&t.text)) {
        path.push(tokens[at + 2].text.clone());
        at += 3;
    }
    (path, at)
}

fn is_name(word: &str) -> bool {
    word.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

/// The path as the file would write it: inside a module of the file, `super` leads no farther than the file.
fn at_depth(path: Vec<String>, depth: usize) -> Vec<String> {
    let supers = path.iter().take(depth).take_while(|name| *name == "super").count();
    if supers == 0 { path } else { [vec!["self".to_owned()], path[supers..].to_vec()].concat() }
}

/// Whether the attribute whose bracket comes first compiles what follows for tests only.
fn only_for_tests(tokens: &[Token]) -> bool {
    let attribute = tokens[..end(tokens, 0)].iter().map(|token| token.text.as_str());
    let words: Vec<&str> = attribute.collect();
    matches!(words[..], ["[", "cfg", "(", "test", ..] | ["[", "cfg", "(", "all", "(", "test", ..])
}

/// Where the group ends that begins at `open`.
fn end(tokens: &[Token], open: usize) -> usize {
    let mut depth = 0;
    for (at, token) in tokens.iter().enumerate().skip(open) {
        match token.text.as_str() {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at + 1;
        }
    }
    tokens.len()
}

/// Where the item ends that begins at `at`: behind its semicolon or its braces.
fn end_of_item(tokens: &[Token], mut at: usize) -> usize {
    while let Some(token) = tokens.get(at) {
        match token.text.as_str() {
            ";" => return at + 1,
            "{" => return end(tokens, at),
            "(" | "[" => at = end(tokens, at),
            _ => at += 1,
        }
    }
    at
}

fn imports<'a>(modules: &Modules<'a>) -> Imports<'a> {
    let mut imports = Imports::new();
    for (path, module) in modules {
        for (mention, line) in &module.mentions {
            let Some(target) = resolve(modules, path, mention, FARTHEST) else { continue };
            // One name alone is a type, or may be a variable that is called like a module or a function.
            let is_variable = mention.len() == 1 && mention[0].starts_with(char::is_lowercase);
            if target != *path && !target.is_empty() && !is_variable {
                let lines = imports.entry(module.file).or_default();
                let first = lines.entry(modules[&target].file).or_insert(*line);
                *first = (*first).min(*line);
            }
        }
    }
    imports
}

/// The module in which that is defined which `path` names in the module `from`; none if in another crate.
fn resolve(
    modules: &Modules<'_>,
    from: &[String],
    path: &[String],
    fuel: usize,
) -> Option<Vec<String>> {
    let fuel = fuel.checked_sub(1)?;
    let (first, rest) = path.split_first()?;
    let child = |of: &[String], name: &String| [of, std::slice::from_ref(name)].concat();
    let follow = |module: &[String], name: &String| {
        let import = modules.get(module)?.names.get(name)?;
        // A name that is brought in from another crate may be like one here.
        (import.first() != Some(name)).then(|| resolve(modules, module, import, fuel))?
    };
    let mut module = match first.as_str() {
        "crate" => vec![],
        "self" => from.to_vec(),
        "super" => from.split_last()?.1.to_vec(),
        _ if modules.contains_key(&child(from, first)) => child(from, first),
        _ => follow(from, first)?,
    };
    for name in rest {
        if name == "super" {
            module.pop();
        } else if modules.contains_key(&child(&module, name)) {
            module.push(name.clone());
        } else {
            return Some(follow(&module, name).unwrap_or(module));
        }
    }
    Some(module)
}

/// For each file that is part of circles the shortest of them, each circle once, first name first.
fn circles<'a>(imports: &Imports<'a>) -> BTreeSet<Vec<&'a str>> {
    let mut circles = BTreeSet::new();
    for start in imports.keys() {
        if let Some(mut circle) = shortest_circle(imports, start) {
            let first = (0..circle.len()).min_by_key(|&i| circle[i]).unwrap_or(0);
            circle.rotate_left(first);
            circles.insert(circle);
        }
    }
    circles
}

/// Breadth first from `start` until it comes back there.
fn shortest_circle<'a>(imports: &Imports<'a>, start: &'a str) -> Option<Vec<&'a str>> {
    let mut came_from: BTreeMap<&str, &str> = BTreeMap::new();
    let mut queue = VecDeque::from([start]);
    while let Some(file) = queue.pop_front() {
        for &next in imports.get(file).into_iter().flat_map(BTreeMap::keys) {
            if next == start {
                let steps = std::iter::successors(Some(file), |file| came_from.get(file).copied());
                let mut circle: Vec<&str> = steps.collect();
                circle.reverse();
                return Some(circle);
            }
            if !came_from.contains_key(next) {
                came_from.insert(next, file);
                queue.push_back(next);
            }
        }
    }
    None
}

fn describe(imports: &Imports<'_>, circle: &[&str]) -> Violation {
    let line = |from: usize| imports[circle[from]][circle[(from + 1) % circle.len()]];
    let mut message = String::from("import circle: ");
    for (index, file) in circle.iter().enumerate() {
        message.push_str(&format!("{file}:{} → ", line(index)));
    }
    message.push_str(circle[0]);
    Violation::new(circle[0], line(0), message)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Files of the crate hnsw, as (path inside `src`, text).
    fn found(files: &[(&str, &str)]) -> Vec<String> {
        let files: Vec<(String, &str)> =
            files.iter().map(|(path, text)| (format!("hnsw/src/{path}"), *text)).collect();
        let files: Vec<(&str, &str)> =
            files.iter().map(|(path, text)| (path.as_str(), *text)).collect();
        let mut out = Vec::new();
        check(&Tree::of(&files), &mut out);
        out.iter().map(|violation| violation.to_string().replace("hnsw/src/", "")).collect()
    }

    const ROOT: (&str, &str) = ("lib.rs", "mod a; mod b; mod c; pub use a::A; pub use b::B;");
    const CIRCLE: [&str; 1] = ["a.rs:1: import circle: a.rs:1 → b.rs:1 → a.rs"];

    #[test]
    fn a_row_of_imports_is_fine() {
        let files = [
            ROOT,
            ("a.rs", "use crate::b::B; pub struct A(B, crate::C);"),
            ("b.rs", "use crate::c::C; pub struct B(C, std::vec::Vec<rayon::Scope>);"),
            ("c.rs", "pub struct C;"),
        ];
        assert_eq!(found(&files), [""; 0]);
    }

    #[test]
    fn a_circle_is_shown_with_its_lines() {
        let files = [
            ROOT,
            ("a.rs", "\nuse crate::b::B;\npub struct A(B);"),
            ("b.rs", "\n\nuse crate::c::{self, C};\npub struct B(C);"),
            ("c.rs", "pub struct C;\n\n\n\nfn f() -> super::a::A { loop {} }"),
        ];
        assert_eq!(found(&files), ["a.rs:2: import circle: a.rs:2 → b.rs:3 → c.rs:5 → a.rs"]);
    }

    #[test]
    fn every_way_to_write_an_import_counts() {
        for back in [
            "use crate::a::A;",
            "use crate::A;",
            "use super::A as Other;",
            "use crate::{c::*, a::{A}};",
            "use crate::a;",
            "use crate::a::*;",
            "fn f(x: &mut [crate::A]) {}",
            "fn f(x: Vec<crate::A>) {}",
            "#[error(\"{a}\", a = crate::a::LIST)] struct E;",
            "impl Clone for super::a::A {}",
            "fn f() { crate::a::f::<u8>() }",
            "fn f() { use crate::a::A; }",
            "fn f() { assert_eq!(1, crate::a::f(2)); }",
            "macro_rules! m { () => { $crate::a::A } }",
            "mod inner { use super::super::a; }",
            "#[cfg(windows)] use crate::a::A;",
            "#[cfg(not(test))] use crate::a::A;",
            "use crate::c::Seen;",
        ] {
            let b = format!("{back} pub struct B;");
            let files = [
                ROOT,
                ("a.rs", "use crate::B; pub struct A; pub fn f() {}"),
                ("b.rs", &b),
                ("c.rs", "pub use crate::a::A as Seen;"),
            ];
            assert_eq!(found(&files), CIRCLE, "{back}");
        }
    }

    #[test]
    fn what_is_no_import_does_not_count() {
        for harmless in [
            "/// See [`crate::a::A`].\nfn f() {}",
            "#[cfg(test)] mod tests { use crate::a::A; }",
            "#[cfg(all(test, unix))] use crate::a::A;",
            "#[cfg(test)] fn f() -> crate::A {}",
            "struct S; impl S { #[cfg(test)] fn f() -> crate::A {} }",
            "pub(in crate::a) fn f() {}",
            "fn f() { let a = 1; g(a); }",
            "use a::A; // another crate",
            "fn f() -> ::a::A {}",
            "use crate::ROOT_ITEM;",
            "use std::{fmt::{self, Debug}, io as other};",
        ] {
            let b = format!("{harmless}\npub struct B;");
            let files = [ROOT, ("a.rs", "use crate::B; pub struct A;"), ("b.rs", &b)];
            assert_eq!(found(&files), [""; 0], "{harmless}");
        }
    }

    #[test]
    fn a_parent_may_show_its_children_but_not_use_what_uses_it() {
        let root = ("lib.rs", "mod store;");
        let segment = ("store/segment.rs", "use super::Row;\npub struct Segment(Row);");
        let shows = "mod segment; pub use segment::Segment; pub struct Row;";
        assert_eq!(found(&[root, segment, ("store.rs", shows)]), [""; 0]);
        let uses = format!("{shows} pub struct Store(Segment);");
        let circle = ["store.rs:1: import circle: store.rs:1 → store/segment.rs:1 → store.rs"];
        assert_eq!(found(&[root, segment, ("store.rs", &uses)]), circle);
        let calls = format!("{shows} fn f() {{ segment::f() }}");
        assert_eq!(found(&[root, segment, ("store.rs", &calls)]), circle);
        let variable = format!("{shows} fn f(segment: u8) {{ drop(segment) }}");
        assert_eq!(found(&[root, segment, ("store.rs", &variable)]), [""; 0]);
    }

    #[test]
    fn a_folder_with_mod_rs_is_found_too() {
        let files = [
            ("lib.rs", "mod a;"),
            ("a/mod.rs", "mod b; use self::b::B; pub struct A;"),
            ("a/b.rs", "use super::A; pub struct B;"),
        ];
        assert_eq!(found(&files), ["a/b.rs:1: import circle: a/b.rs:1 → a/mod.rs:1 → a/b.rs"]);
    }

    #[test]
    fn two_circles_are_both_shown() {
        let files = [
            ROOT,
            ("a.rs", "use crate::b;"),
            ("b.rs", "use crate::a; use crate::c;"),
            ("c.rs", "use crate::b;"),
        ];
        assert_eq!(found(&files), [CIRCLE[0], "b.rs:1: import circle: b.rs:1 → c.rs:1 → b.rs"]);
    }

    #[test]
    fn imports_that_never_end_are_given_up() {
        let files =
            [ROOT, ("a.rs", "pub use crate::b::X;"), ("b.rs", "use crate::a::X; use X::X;")];
        assert_eq!(found(&files), [""; 0]);
    }
}
