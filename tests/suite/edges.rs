//! Modules and crates depend on each other in one direction only.
//!
//! The allowed order is the list in the doc comment of a crate's `lib.rs`: a module may use the
//! modules in the items below its own. An edge is any path that starts with `crate::` or climbs out
//! of its module with `super::`; comments and strings do not count.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// A crate's sources, as a path from the root of the repository.
const CRATES: [&str; 2] = ["src", "crates/modelens-core/src"];

/// The dependencies that the packages of this workspace may have on each other.
const PACKAGES: [(&str, &[&str]); 6] = [
    ("modelens-web", &["modelens", "modelens-jobs"]),
    ("modelens", &["egui-svg", "modelens-core", "modelens-jobs"]),
    (
        "modelens-jobs",
        &["egui-svg", "modelens-core", "modelens-kernels"],
    ),
    ("modelens-core", &["modelens-kernels"]),
    ("modelens-kernels", &[]),
    ("egui-svg", &[]),
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All Rust files below a folder, in order.
pub fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut waiting = vec![folder.to_owned()];
    while let Some(folder) = waiting.pop() {
        for entry in std::fs::read_dir(&folder).expect("a source folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                waiting.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

/// The module path of a file: `views/centre.rs` is `[views, centre]`, `app/mod.rs` is `[app]`.
fn module_of(file: &Path) -> Vec<String> {
    let mut parts: Vec<String> = file
        .with_extension("")
        .iter()
        .map(|part| part.to_string_lossy().into_owned())
        .collect();
    if parts
        .last()
        .is_some_and(|last| last == "mod" || (parts.len() == 1 && last == "lib"))
    {
        parts.pop();
    }
    parts
}

/// The source without comments, strings and character literals.
fn code(source: &str) -> String {
    let mut out = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(first) = rest.chars().next() {
        let skipped = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if let Some(hashes) = raw_string(rest) {
            let end = format!("\"{}", "#".repeat(hashes));
            let start = hashes + 2;
            rest[start..]
                .find(&end)
                .map_or(rest.len(), |at| start + at + end.len())
        } else if first == '"' {
            quoted(rest, '"')
        } else if first == '\'' && is_character(rest) {
            quoted(rest, '\'')
        } else {
            0
        };
        if skipped == 0 {
            // An identifier is copied whole: the `r` of `for "x"` starts no raw string.
            let word = rest.find(|c: char| !c.is_alphanumeric() && c != '_');
            let length = word.unwrap_or(rest.len()).max(first.len_utf8());
            out.push_str(&rest[..length]);
            rest = &rest[length..];
        } else {
            out.push(' ');
            rest = &rest[skipped..];
        }
    }
    out
}

/// The number of `#` of a raw string that starts here.
fn raw_string(text: &str) -> Option<usize> {
    let rest = text.strip_prefix('r')?;
    let hashes = rest.len() - rest.trim_start_matches('#').len();
    rest[hashes..].starts_with('"').then_some(hashes)
}

/// Whether this quote starts a character literal, not a lifetime.
fn is_character(text: &str) -> bool {
    let mut chars = text.chars().skip(1);
    chars.next() == Some('\\') || chars.next() == Some('\'')
}

/// The length of a literal between two of these quotes.
fn quoted(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return at + c.len_utf8(),
            _ => {}
        }
    }
    text.len()
}

/// The first names of a path's rest: one, or those of a group in braces.
fn heads(rest: &str) -> Vec<&str> {
    let rest = rest.trim_start();
    let Some(group) = rest.strip_prefix('{') else {
        let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_');
        return vec![&rest[..end.unwrap_or(rest.len())]];
    };
    let mut depth = 0;
    let mut start = 0;
    let mut items = Vec::new();
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => {
                items.push(&group[start..at]);
                break;
            }
            '}' => depth -= 1,
            ',' if depth == 0 => {
                items.push(&group[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    items.into_iter().flat_map(heads).collect()
}

/// The names right below the root of the crate that this file's paths start with.
fn used(code: &str, module: &[String]) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for (at, _) in code.match_indices("crate::") {
        let before = code[..at].chars().next_back();
        // `$crate::` of a macro is this crate too; `my_crate::` is another one.
        if before.is_none_or(|c| !c.is_alphanumeric() && c != '_') {
            names.extend(heads(&code[at + 7..]).into_iter().map(str::to_owned));
        }
    }
    let climb = "super::".repeat(module.len().max(1));
    for (at, _) in code.match_indices(&climb) {
        names.extend(
            heads(&code[at + climb.len()..])
                .into_iter()
                .map(str::to_owned),
        );
    }
    names
}

/// The order in the doc comment of `lib.rs`: list items that start with names in links or backticks.
fn order(lib: &str) -> Vec<Vec<String>> {
    let docs = lib.lines().filter_map(|line| line.strip_prefix("//! "));
    let items = docs.filter_map(|line| {
        let (mark, item) = line.split_once(' ')?;
        let listed = mark == "-" || mark == "*" || mark.ends_with('.');
        let names = item.split_once(':').map_or(item, |(names, _)| names);
        let names: Vec<String> = names
            .split('`')
            .skip(1)
            .step_by(2)
            .map(str::to_owned)
            .collect();
        (listed && !names.is_empty() && item.starts_with(['`', '['])).then_some(names)
    });
    items.collect()
}

/// The modules that `lib.rs` declares, without those of tests.
fn modules(lib: &str) -> BTreeSet<String> {
    let code = code(lib);
    let mut modules = BTreeSet::new();
    let mut before = "";
    for line in code.lines() {
        let module = line
            .split_once("mod ")
            .and_then(|(_, rest)| rest.strip_suffix(';'));
        if let Some(module) = module.filter(|_| before.trim() != "#[cfg(test)]") {
            modules.insert(module.to_owned());
        }
        before = line;
    }
    modules
}

/// Every edge between two modules right below the root of a crate, with the files that have it.
fn edges(folder: &Path, modules: &BTreeSet<String>) -> BTreeMap<(String, String), Vec<String>> {
    let mut edges: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
    for file in rust_files(folder) {
        let inside = file.strip_prefix(folder).expect("a file of the folder");
        let module = module_of(inside);
        let Some(from) = module.first().filter(|from| modules.contains(*from)) else {
            // `main.rs` and `lib.rs` may use everything.
            continue;
        };
        let source = std::fs::read_to_string(&file).expect("a source file");
        for to in used(&code(&source), &module) {
            if modules.contains(&to) && to != *from {
                let edge = edges.entry((from.clone(), to)).or_default();
                edge.push(inside.display().to_string());
            }
        }
    }
    edges
}

#[test]
fn modules_use_only_modules_below_them() {
    let mut wrong = Vec::new();
    for source in CRATES {
        let folder = root().join(source);
        let lib = std::fs::read_to_string(folder.join("lib.rs")).expect("lib.rs");
        let order = order(&lib);
        let place = |module: &str| {
            order
                .iter()
                .position(|names| names.iter().any(|n| n == module))
        };
        let modules = modules(&lib);
        assert!(modules.len() > 3, "{source}: {modules:?}");
        for module in &modules {
            if place(module).is_none() {
                wrong.push(format!("{source}/lib.rs: its list has no `{module}`"));
            }
        }
        let edges = edges(&folder, &modules);
        assert!(edges.len() > 3, "{source}: {edges:?}");
        for ((from, to), files) in &edges {
            if let (Some(above), Some(below)) = (place(from), place(to))
                && above >= below
            {
                wrong.push(format!("{source}: {from} uses {to}: {}", files.join(", ")));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn packages_depend_in_one_direction() {
    let folders = std::fs::read_dir(root().join("crates")).expect("the crates");
    let folders = folders.map(|entry| entry.expect("an entry").path());
    let mut seen = BTreeSet::new();
    for folder in folders.chain([root().to_owned(), root().join("web")]) {
        let text = std::fs::read_to_string(folder.join("Cargo.toml")).expect("Cargo.toml");
        let manifest: toml::Table = text.parse().expect("TOML");
        let name = manifest["package"]["name"].as_str().expect("a name");
        let (_, allowed) = PACKAGES
            .iter()
            .find(|(package, _)| *package == name)
            .unwrap_or_else(|| panic!("{name} is not in the list of packages"));
        let targets = manifest.get("target").and_then(toml::Value::as_table);
        let targets = targets.into_iter().flat_map(toml::Table::values);
        for table in [toml::Value::Table(manifest.clone())].iter().chain(targets) {
            let sections = ["dependencies", "build-dependencies"].map(|name| table.get(name));
            let dependencies = sections
                .into_iter()
                .flatten()
                .filter_map(toml::Value::as_table);
            for dependency in dependencies.flat_map(toml::Table::keys) {
                let own = PACKAGES.iter().any(|(package, _)| package == dependency);
                assert!(
                    !own || allowed.contains(&dependency.as_str()),
                    "{name} must not depend on {dependency}"
                );
            }
        }
        seen.insert(name.to_owned());
    }
    assert_eq!(seen.len(), PACKAGES.len(), "{seen:?}");
}

#[test]
fn the_scanner_finds_paths_and_skips_comments_and_strings() {
    let source = r##"
        // crate::comment
        use crate::{views::{self, centre}, state, words::Text};
        fn f<'a>() -> &'a str { r#"crate::raw"#; "crate::text \" crate::more"; '"'; $crate::theme::X }
        use super::super::lesson; use super::near; my_crate::other
    "##;
    let module = ["app".to_owned(), "commands".to_owned()];
    let found = used(&code(source), &module);
    let expected = ["lesson", "state", "theme", "views", "words"];
    assert_eq!(found.into_iter().collect::<Vec<_>>(), expected);
    let docs = "//! 1. [`app`]: the window\n//! 2. [`cli`], [`views`]\n//! Not `this`.\n";
    assert_eq!(order(docs), [vec!["app"], vec!["cli", "views"]]);
}
