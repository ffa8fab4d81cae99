//! The direction of imports inside a crate: a file imports only what stands below it, so that a
//! reader can start at the bottom. A name counts where it is defined, whatever re-exports it went
//! through; only the crate's root, which shows everything, may be part of a circle.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::layers::LAYERS;
use super::modules::{Crate, ModuleId, Name};
use super::tree::{Tree, Violation};

/// Re-exports of re-exports are followed this far. It only has to stop those that never end.
const FARTHEST: usize = 12;

/// For each file the files it imports from, and the line of the first such mention.
type Imports<'a> = BTreeMap<&'a str, BTreeMap<&'a str, usize>>;

pub(crate) fn check(tree: &Tree, out: &mut Vec<Violation>) {
    for layer in LAYERS {
        let Some(root) = layer.root else { continue };
        let root = format!("{}{root}", layer.folder);
        let modules = Crate::read(tree, &root);
        let imports = imports(&modules);
        out.extend(circles(&imports).iter().map(|circle| describe(&imports, circle)));
        out.extend(modules.violations);
    }
}

fn imports(modules: &Crate) -> Imports<'_> {
    let root = modules.modules[0].file.as_str();
    let mut imports = Imports::new();
    for (id, module) in modules.modules.iter().enumerate() {
        let file = module.file.as_str();
        for mention in &module.mentions {
            for target in resolve(modules, id, &mention.path, FARTHEST) {
                // A single name outside of `use` may be a variable that is called like a module.
                let bare = mention.path.len() == 1 && !mention.import;
                let target = match target {
                    Target::Module(_) if bare => continue,
                    Target::Module(id) | Target::Item(id) => modules.modules[id].file.as_str(),
                };
                if target != file && target != root {
                    let line = imports.entry(file).or_default().entry(target);
                    line.and_modify(|line| *line = mention.line.min(*line)).or_insert(mention.line);
                }
            }
        }
    }
    imports
}

/// What a path means: a module, or something that is defined in one.
#[derive(Clone, Copy, Debug)]
enum Target {
    Module(ModuleId),
    Item(ModuleId),
}

/// Where the path, as code of the module `from` writes it, leads; nowhere if to another crate.
fn resolve(modules: &Crate, from: ModuleId, path: &[String], fuel: usize) -> Vec<Target> {
    let Some((first, mut rest)) = path.split_first() else { return Vec::new() };
    let parent = |id: ModuleId| modules.modules[id].parent;
    let mut targets = match first.as_str() {
        "crate" => vec![Target::Module(0)],
        "self" => vec![Target::Module(from)],
        "super" => parent(from).map(Target::Module).into_iter().collect(),
        name => lookup(modules, from, name, fuel),
    };
    while let Some((name, after)) = rest.split_first() {
        rest = after;
        targets = targets
            .into_iter()
            .flat_map(|target| match target {
                Target::Module(id) if name == "super" => {
                    parent(id).map(Target::Module).into_iter().collect()
                }
                Target::Module(id) => match lookup(modules, id, name, fuel) {
                    // A macro made it, or it came from another crate.
                    none if none.is_empty() => vec![Target::Item(id)],
                    found => found,
                },
                // A variant, an associated function: part of the item.
                Target::Item(id) => vec![Target::Item(id)],
            })
            .collect();
    }
    targets
}

/// What `name` stands for in a module.
fn lookup(modules: &Crate, id: ModuleId, name: &str, fuel: usize) -> Vec<Target> {
    let Some(fuel) = fuel.checked_sub(1) else { return Vec::new() };
    let module = &modules.modules[id];
    if let Some(meanings) = module.names.get(name) {
        let follow = |meaning: &Name| match meaning {
            Name::Module(id) => vec![Target::Module(*id)],
            Name::Item => vec![Target::Item(id)],
            Name::Import(path) => resolve(modules, id, path, fuel),
        };
        return meanings.iter().flat_map(follow).collect();
    }
    let globs = module.globs.iter().flat_map(|path| resolve(modules, id, path, fuel));
    globs
        .filter_map(|target| if let Target::Module(glob) = target { Some(glob) } else { None })
        .filter(|glob| *glob != id)
        .flat_map(|glob| lookup(modules, glob, name, fuel))
        .collect()
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

    const ROOT: (&str, &str) = ("lib.rs", "mod a; mod b; mod c; pub use a::A; pub use b::*;");
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

    #[test]
    fn what_tidy_cannot_follow_it_reports() {
        let files = [("lib.rs", "#[path = \"other.rs\"] mod a;")];
        let message =
            "lib.rs:1: tidy does not follow `#[path]`: let the file have the module's name";
        assert_eq!(found(&files), [message]);
        assert_eq!(
            found(&[("lib.rs", "fn fn")]),
            ["lib.rs:1: expected identifier, found keyword `fn`"]
        );
    }
}
