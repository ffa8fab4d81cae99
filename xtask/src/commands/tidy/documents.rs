//! Rules about the Markdown documents: their links lead somewhere, and the change log is open.

use std::collections::BTreeSet;

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use super::tree::{Tree, Violation};

const CHANGELOG: &str = "CHANGELOG.md";

pub(crate) fn check(tree: &Tree, out: &mut Vec<Violation>) {
    for file in tree.files.iter().filter(|file| file.path.ends_with(".md")) {
        links(tree, &file.path, &file.text, out);
    }
    match tree.file(CHANGELOG) {
        None => out.push(Violation::new(CHANGELOG, 1, "there is no change log")),
        Some(log) if anchors(&log.text).contains("unreleased") => {}
        Some(_) => out.push(Violation::new(CHANGELOG, 1, "there is no section `Unreleased`")),
    }
}

fn links(tree: &Tree, path: &str, text: &str, out: &mut Vec<Violation>) {
    for (event, range) in Parser::new_ext(text, Options::ENABLE_TABLES).into_offset_iter() {
        let (Event::Start(Tag::Link { dest_url, .. }) | Event::Start(Tag::Image { dest_url, .. })) =
            event
        else {
            continue;
        };
        if dest_url.contains("://") || dest_url.starts_with("mailto:") {
            continue;
        }
        if let Some(message) = broken(tree, path, &dest_url) {
            let line = text[..range.start].matches('\n').count() + 1;
            out.push(Violation::new(path, line, message));
        }
    }
}

/// What is wrong with a relative link of the document at `path`.
fn broken(tree: &Tree, path: &str, link: &str) -> Option<String> {
    let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
    let target = if file.is_empty() { Some(path.to_owned()) } else { join(path, file) };
    let Some(target) = target else {
        return Some(format!("the link `{link}` leads out of the repository"));
    };
    let folder = format!("{target}/");
    let exists = target.is_empty()
        || tree.paths.contains(&target)
        || tree.paths.iter().any(|path| path.starts_with(&folder));
    if !exists {
        return Some(format!("the link `{link}` leads to nothing"));
    }
    let document = tree.file(&target).filter(|_| target.ends_with(".md") && !anchor.is_empty())?;
    (!anchors(&document.text).contains(anchor))
        .then(|| format!("the link `{link}` leads to no heading of {target}"))
}

/// The path that a link in the document at `from` names, without `.` and `..`; none when it climbs
/// above the root.
fn join(from: &str, link: &str) -> Option<String> {
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in link.trim_end_matches('/').split('/') {
        match part {
            "." => {}
            ".." => drop(parts.pop()?),
            _ => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// The headings of a document as GitHub makes anchors of them.
fn anchors(text: &str) -> BTreeSet<String> {
    let mut anchors = BTreeSet::new();
    let mut heading: Option<String> = None;
    for event in Parser::new_ext(text, Options::ENABLE_TABLES) {
        match event {
            Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
            Event::End(TagEnd::Heading(_)) => anchors.extend(heading.take().map(|h| slug(&h))),
            Event::Text(text) | Event::Code(text) => {
                if let Some(heading) = &mut heading {
                    heading.push_str(&text);
                }
            }
            _ => {}
        }
    }
    anchors
}

fn slug(heading: &str) -> String {
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: (&str, &str) = (CHANGELOG, "## [Unreleased]\n");

    fn found(files: &[(&str, &str)]) -> Vec<String> {
        let mut out = Vec::new();
        check(&Tree::of(files), &mut out);
        out.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn links_lead_somewhere() {
        let readme = "[map](ARCHITECTURE.md), [why](docs/adr/), [it](docs/adr/0001.md#the-why-1),\n\
                      [web](https://example.com/none), [here](#top), `[no](link)`\n\n# Top\n";
        let adr = ("docs/adr/0001.md", "# The `why`, 1\n[up](../../README.md) [self](./0001.md)\n");
        let map = ("ARCHITECTURE.md", "");
        assert_eq!(found(&[LOG, ("README.md", readme), adr, map]), [""; 0]);
        assert_eq!(
            found(&[LOG, ("README.md", readme)]),
            [
                "README.md:1: the link `ARCHITECTURE.md` leads to nothing",
                "README.md:1: the link `docs/adr/` leads to nothing",
                "README.md:1: the link `docs/adr/0001.md#the-why-1` leads to nothing",
            ]
        );
    }

    #[test]
    fn images_reference_links_and_headings_count() {
        let text = "text\n\n![plot](plot.svg)\n\n[a]\n\n[b](#nowhere)\n\n[c](../../c.md)\n\n[a]: gone.md\n";
        assert_eq!(
            found(&[LOG, ("docs/a.md", text)]),
            [
                "docs/a.md:3: the link `plot.svg` leads to nothing",
                "docs/a.md:5: the link `gone.md` leads to nothing",
                "docs/a.md:7: the link `#nowhere` leads to no heading of docs/a.md",
                "docs/a.md:9: the link `../../c.md` leads out of the repository",
            ]
        );
    }

    #[test]
    fn the_change_log_is_open() {
        assert_eq!(found(&[]), ["CHANGELOG.md:1: there is no change log"]);
        assert_eq!(
            found(&[(CHANGELOG, "## [0.1.0]\n\nUnreleased\n")]),
            ["CHANGELOG.md:1: there is no section `Unreleased`"]
        );
        assert_eq!(found(&[(CHANGELOG, "## Unreleased\n")]), [""; 0]);
    }
}
