//! The direction of dependencies between the crates: each builds only on those below it.

use anyhow::{Context, Result};
use serde_json::Value;

use super::tree::{Tree, Violation, flatten};

/// A crate of the workspace.
#[derive(Debug)]
pub(crate) struct Layer {
    pub(crate) package: &'static str,
    /// Its folder, with a slash at the end.
    pub(crate) folder: &'static str,
    /// The root of its module tree, inside the folder; none where every file is a program.
    pub(crate) root: Option<&'static str>,
}

/// From the bottom up.
pub(crate) const LAYERS: [Layer; 6] = [
    Layer { package: "nearfield-kernels", folder: "kernels/", root: Some("src/lib.rs") },
    Layer { package: "nearfield-files", folder: "files/", root: Some("src/lib.rs") },
    Layer { package: "nearfield-hnsw", folder: "hnsw/", root: Some("src/lib.rs") },
    Layer { package: "bench-suite", folder: "bench-suite/", root: Some("src/lib.rs") },
    Layer { package: "index-peers", folder: "index-peers/", root: None },
    Layer { package: "xtask", folder: "xtask/", root: Some("src/main.rs") },
];

/// `metadata` is what `cargo metadata --no-deps` says.
pub(crate) fn check(tree: &Tree, metadata: &Value, out: &mut Vec<Violation>) -> Result<()> {
    manifests(tree, metadata, out)?;
    paths(tree, out);
    Ok(())
}

/// What the manifests say: dependencies of every kind, for every target, optional ones too.
fn manifests(tree: &Tree, metadata: &Value, out: &mut Vec<Violation>) -> Result<()> {
    let packages = metadata["packages"].as_array().context("cargo metadata lists no packages")?;
    for package in packages {
        let name = package["name"].as_str().context("a package without a name")?;
        let Some(height) = LAYERS.iter().position(|layer| layer.package == name) else {
            let message = format!("tidy's layers have no place for the crate `{name}`");
            out.push(Violation::new("Cargo.toml", 1, message));
            continue;
        };
        let manifest = format!("{}Cargo.toml", LAYERS[height].folder);
        let text = tree.file(&manifest).map_or("", |file| &file.text);
        let dependencies = package["dependencies"].as_array().map_or(&[][..], Vec::as_slice);
        for dependency in dependencies.iter().filter_map(|dependency| dependency["name"].as_str()) {
            let Some(depth) = LAYERS.iter().position(|layer| layer.package == dependency) else {
                continue;
            };
            if depth >= height {
                let line = text.lines().position(|line| line.starts_with(dependency));
                let message = format!("`{name}` stands below `{dependency}`, so must not need it");
                out.push(Violation::new(&manifest, line.map_or(1, |index| index + 1), message));
            }
        }
        if !text.contains("[lints]\nworkspace = true\n") {
            let message = "the crate does not take over the workspace's lints";
            out.push(Violation::new(&manifest, 1, message));
        }
    }
    Ok(())
}

/// What the code says, also where it is not compiled on this machine.
fn paths(tree: &Tree, out: &mut Vec<Violation>) {
    for (height, layer) in LAYERS.iter().enumerate() {
        let above: Vec<String> =
            LAYERS[height + 1..].iter().map(|layer| layer.package.replace('-', "_")).collect();
        for file in tree.files.iter().filter(|file| file.path.starts_with(layer.folder)) {
            let Some(tokens) = &file.rust else { continue };
            for token in flatten(tokens) {
                if above.contains(&token.text) {
                    let message = format!("`{}` stands above `{}`", token.text, layer.package);
                    out.push(Violation::new(&file.path, token.line, message));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn found(files: &[(&str, &str)], metadata: &Value) -> Vec<String> {
        let mut out = Vec::new();
        check(&Tree::of(files), metadata, &mut out).unwrap();
        out.iter().map(ToString::to_string).collect()
    }

    const LINTS: &str = "[lints]\nworkspace = true\n";

    #[test]
    fn manifests_point_downwards() {
        let manifest = format!("[dependencies]\nnearfield-hnsw.workspace = true\n{LINTS}");
        let metadata = |package: &str| {
            json!({ "packages": [{ "name": package, "dependencies": [
                { "name": "rayon", "kind": null },
                { "name": "nearfield-hnsw", "kind": "dev", "optional": true },
            ] }] })
        };
        let bench = [("bench-suite/Cargo.toml", manifest.as_str())];
        assert_eq!(found(&bench, &metadata("bench-suite")), [""; 0]);
        assert_eq!(
            found(&[("kernels/Cargo.toml", &manifest)], &metadata("nearfield-kernels")),
            ["kernels/Cargo.toml:2: `nearfield-kernels` stands below `nearfield-hnsw`, \
              so must not need it"]
        );
    }

    #[test]
    fn every_crate_has_a_place_and_the_lints() {
        let metadata = |name: &str| json!({ "packages": [{ "name": name, "dependencies": [] }] });
        assert_eq!(
            found(&[], &metadata("python")),
            ["Cargo.toml:1: tidy's layers have no place for the crate `python`"]
        );
        assert_eq!(
            found(&[("hnsw/Cargo.toml", "[package]\n")], &metadata("nearfield-hnsw")),
            ["hnsw/Cargo.toml:1: the crate does not take over the workspace's lints"]
        );
        assert_eq!(found(&[("hnsw/Cargo.toml", LINTS)], &metadata("nearfield-hnsw")), [""; 0]);
        check(&Tree::default(), &json!({}), &mut Vec::new()).unwrap_err();
    }

    #[test]
    fn paths_point_downwards() {
        let none = json!({ "packages": [] });
        let code = "#[cfg(windows)]\nuse nearfield_hnsw::Hnsw;\n";
        assert_eq!(found(&[("xtask/src/main.rs", code)], &none), [""; 0]);
        assert_eq!(
            found(&[("kernels/src/rows.rs", code)], &none),
            ["kernels/src/rows.rs:2: `nearfield_hnsw` stands above `nearfield-kernels`"]
        );
        assert_eq!(
            found(&[("kernels/src/rows.rs", "// nearfield_hnsw uses it\n")], &none),
            [""; 0]
        );
    }
}
