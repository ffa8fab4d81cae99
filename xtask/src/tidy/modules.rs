//! The module tree of a crate: which names each module has, and which paths its code mentions.
//!
//! Test code is left out: a test may look at anything. So are doc comments, attributes and
//! visibilities, whose paths import nothing.

use std::collections::HashMap;

use proc_macro2::{Ident, TokenStream, TokenTree};
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Attribute, Item, Meta, UseTree, Visibility};

use super::tree::{Tree, Violation};

/// Index into [`Crate::modules`].
pub(crate) type ModuleId = usize;

/// The modules of one crate; the root is the first.
#[derive(Debug, Default)]
pub(crate) struct Crate {
    pub(crate) modules: Vec<Module>,
    pub(crate) violations: Vec<Violation>,
}

/// A module, in a file of its own or inside another one's.
#[derive(Debug)]
pub(crate) struct Module {
    /// The file in which it stands.
    pub(crate) file: String,
    pub(crate) parent: Option<ModuleId>,
    /// A name can have several meanings: one per namespace, or per `cfg`.
    pub(crate) names: HashMap<String, Vec<Name>>,
    /// The paths of `use …::*`.
    pub(crate) globs: Vec<Vec<String>>,
    pub(crate) mentions: Vec<Mention>,
}

/// What a name in a module stands for.
#[derive(Debug)]
pub(crate) enum Name {
    Module(ModuleId),
    Item,
    /// What `use` brought in, by its path.
    Import(Vec<String>),
}

/// A path in the code of a module.
#[derive(Debug)]
pub(crate) struct Mention {
    pub(crate) path: Vec<String>,
    pub(crate) line: usize,
    /// From a `use`, not from an expression or a type.
    pub(crate) import: bool,
}

impl Crate {
    /// Reads the crate whose root is the file `root`.
    pub(crate) fn read(tree: &Tree, root: &str) -> Self {
        let mut this = Self::default();
        let folder = root.rsplit_once('/').map_or("", |(folder, _)| folder);
        this.read_file(tree, root, folder, None);
        this
    }

    /// Adds the module at `path`, whose child modules lie in `folder`.
    fn read_file(
        &mut self,
        tree: &Tree,
        path: &str,
        folder: &str,
        parent: Option<ModuleId>,
    ) -> ModuleId {
        let tokens = tree.file(path).and_then(|file| file.rust.clone()).unwrap_or_default();
        let items = match syn::parse2::<syn::File>(tokens) {
            Ok(file) => file.items,
            Err(error) => {
                let line = error.span().start().line;
                self.violations.push(Violation::new(path, line, error.to_string()));
                Vec::new()
            }
        };
        self.read_items(tree, path, folder, parent, &items)
    }

    fn read_items(
        &mut self,
        tree: &Tree,
        file: &str,
        folder: &str,
        parent: Option<ModuleId>,
        items: &[Item],
    ) -> ModuleId {
        let id = self.modules.len();
        self.modules.push(Module {
            file: file.to_owned(),
            parent,
            names: HashMap::new(),
            globs: Vec::new(),
            mentions: Vec::new(),
        });
        for item in items {
            let Item::Mod(module) = item else {
                Reader { module: &mut self.modules[id] }.visit_item(item);
                continue;
            };
            if only_for_tests(&module.attrs) {
                continue;
            }
            let name = module.ident.to_string();
            let inside = format!("{folder}/{name}");
            let child = if let Some((_, items)) = &module.content {
                self.read_items(tree, file, &inside, Some(id), items)
            } else {
                if module.attrs.iter().any(|attribute| attribute.path().is_ident("path")) {
                    let message =
                        "tidy does not follow `#[path]`: let the file have the module's name";
                    self.violations.push(Violation::new(file, line_of(&module.ident), message));
                }
                let candidates = [format!("{inside}.rs"), format!("{inside}/mod.rs")];
                let found = candidates.iter().find(|path| tree.paths.contains(*path));
                let Some(path) = found else { continue };
                self.read_file(tree, path, &inside, Some(id))
            };
            self.modules[id].names.entry(name).or_default().push(Name::Module(child));
        }
        id
    }
}

/// Collects the names and mentions of one module, whose child modules it does not enter.
struct Reader<'a> {
    module: &'a mut Module,
}

impl Reader<'_> {
    fn define(&mut self, name: String, what: Name) {
        self.module.names.entry(name).or_default().push(what);
    }

    fn mention(&mut self, path: Vec<String>, line: usize, import: bool) {
        self.module.mentions.push(Mention { path, line, import });
    }

    /// One branch of a `use`. A re-export counts as an import only where the file uses the name: a
    /// module that just shows what its children have does not depend on them.
    fn import(&mut self, prefix: &[String], tree: &UseTree, reexport: bool) {
        let with = |ident: &Ident| {
            let mut path = prefix.to_vec();
            if ident != "self" || prefix.is_empty() {
                path.push(ident.to_string());
            }
            path
        };
        let (path, name) = match tree {
            UseTree::Path(tree) => return self.import(&with(&tree.ident), &tree.tree, reexport),
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.import(prefix, tree, reexport);
                }
                return;
            }
            UseTree::Glob(_) => {
                self.module.globs.push(prefix.to_vec());
                (prefix.to_vec(), None)
            }
            UseTree::Name(tree) => (with(&tree.ident), Some(tree.ident.clone())),
            UseTree::Rename(tree) => (with(&tree.ident), Some(tree.rename.clone())),
        };
        if let Some(name) = name {
            // `use a::b::{self}` is called `b`.
            let name = if name == "self" { path.last().cloned() } else { Some(name.to_string()) };
            self.define(name.unwrap_or_default(), Name::Import(path.clone()));
        }
        if !reexport {
            self.mention(path, line_of(tree), true);
        }
    }

    /// Paths among the tokens of a macro, where only those that begin at a module are recognised.
    fn tokens(&mut self, tokens: TokenStream) {
        let mut path: Vec<Ident> = Vec::new();
        let mut colons = 0;
        for token in tokens {
            match token {
                TokenTree::Ident(ident) => {
                    if colons != 2 {
                        self.end_of_path(&mut path);
                    }
                    path.push(ident);
                    colons = 0;
                }
                TokenTree::Punct(punct) if punct.as_char() == ':' => colons += 1,
                other => {
                    self.end_of_path(&mut path);
                    colons = 0;
                    if let TokenTree::Group(group) = other {
                        self.tokens(group.stream());
                    }
                }
            }
        }
        self.end_of_path(&mut path);
    }

    fn end_of_path(&mut self, path: &mut Vec<Ident>) {
        if let [first, _, ..] = path.as_slice() {
            let line = line_of(first);
            let path = path.iter().map(ToString::to_string).collect();
            self.mention(path, line, false);
        }
        path.clear();
    }
}

impl<'ast> Visit<'ast> for Reader<'_> {
    fn visit_item(&mut self, item: &'ast Item) {
        let (attributes, name) = match item {
            Item::Const(item) => (&item.attrs, Some(&item.ident)),
            Item::Enum(item) => (&item.attrs, Some(&item.ident)),
            Item::ExternCrate(item) => (&item.attrs, None),
            Item::Fn(item) => (&item.attrs, Some(&item.sig.ident)),
            Item::ForeignMod(item) => (&item.attrs, None),
            Item::Impl(item) => (&item.attrs, None),
            Item::Macro(item) => (&item.attrs, item.ident.as_ref()),
            Item::Mod(item) => (&item.attrs, None),
            Item::Static(item) => (&item.attrs, Some(&item.ident)),
            Item::Struct(item) => (&item.attrs, Some(&item.ident)),
            Item::Trait(item) => (&item.attrs, Some(&item.ident)),
            Item::TraitAlias(item) => (&item.attrs, Some(&item.ident)),
            Item::Type(item) => (&item.attrs, Some(&item.ident)),
            Item::Union(item) => (&item.attrs, Some(&item.ident)),
            Item::Use(item) => (&item.attrs, None),
            _ => return,
        };
        if only_for_tests(attributes) {
            return;
        }
        if let Some(name) = name {
            self.define(name.to_string(), Name::Item);
        }
        visit::visit_item(self, item);
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        if item.leading_colon.is_none() {
            let reexport = !matches!(item.vis, Visibility::Inherited);
            self.import(&[], &item.tree, reexport);
        }
    }

    fn visit_impl_item_fn(&mut self, function: &'ast syn::ImplItemFn) {
        if !only_for_tests(&function.attrs) {
            visit::visit_impl_item_fn(self, function);
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        if path.leading_colon.is_none() {
            let names = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
            self.mention(names, line_of(path), false);
        }
        visit::visit_path(self, path); // generic arguments have paths of their own
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        self.visit_path(&call.path);
        self.tokens(call.tokens.clone());
    }

    fn visit_attribute(&mut self, _: &'ast Attribute) {}

    fn visit_visibility(&mut self, _: &'ast Visibility) {}
}

fn line_of(node: &impl Spanned) -> usize {
    node.span().start().line
}

/// `#[test]`, `#[cfg(test)]`, `#[cfg(all(test, …))]`.
fn only_for_tests(attributes: &[Attribute]) -> bool {
    fn is_test(tokens: TokenStream) -> bool {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        match tokens.as_slice() {
            [TokenTree::Ident(name)] => name == "test",
            [TokenTree::Ident(name), TokenTree::Group(group)] if name == "all" => {
                let inner: Vec<TokenTree> = group.stream().into_iter().collect();
                let mut parts =
                    inner.split(|token| matches!(token, TokenTree::Punct(p) if p.as_char() == ','));
                parts.any(|part| is_test(part.iter().cloned().collect()))
            }
            _ => false,
        }
    }
    attributes.iter().any(|attribute| match &attribute.meta {
        Meta::Path(path) => path.is_ident("test"),
        Meta::List(list) => list.path.is_ident("cfg") && is_test(list.tokens.clone()),
        Meta::NameValue(_) => false,
    })
}
