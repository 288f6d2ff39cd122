//! Rules for code.

use crate::tidy::files::SourceFile;

const MAX_LINES: usize = 600;

fn rust_in_crates(files: &[SourceFile]) -> impl Iterator<Item = &SourceFile> {
    files.iter().filter(|file| file.path.starts_with("crate/") && file.is_rust())
}

pub(super) fn module_docs(files: &[SourceFile]) -> Vec<String> {
    let undocumented = |file: &&SourceFile| !file.text().is_some_and(|text| text.starts_with("//!"));
    rust_in_crates(files).filter(undocumented).map(|file| file.path.clone()).collect()
}

pub(super) fn no_should_panic(files: &[SourceFile]) -> Vec<String> {
    places(rust_in_crates(files), |line| line.trim_start().starts_with("#[should_panic"))
}

/// Comments may speak of clocks and files; code may not.
pub(super) fn core_is_pure(files: &[SourceFile]) -> Vec<String> {
    let core = rust_in_crates(files).filter(|file| file.path.starts_with("crate/core/src/"));
    places(core, |line| {
        let code = line.split("//").next().unwrap_or_default();
        ["std::fs", "std::time", "println!", "print!"].iter().any(|word| code.contains(word)) || imports_impure(code)
    })
}

/// `use std::{fs, …}` hides the path that is looked for above.
fn imports_impure(code: &str) -> bool {
    let Some((_, group)) = code.split_once("std::{") else { return false };
    group.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == "fs" || word == "time")
}

pub(super) fn file_length(files: &[SourceFile]) -> Vec<String> {
    let is_source = |path: &str| path.starts_with("www/src/") || (path.starts_with("crate/") && path.contains("/src/"));
    let long = files.iter().filter(|file| is_source(&file.path)).filter_map(|file| {
        let lines = file.lines().count();
        (lines > MAX_LINES).then(|| format!("{} has {lines} lines: split it by concept", file.path))
    });
    long.collect()
}

/// Lock files hold checksums, which may spell anything.
pub(super) fn no_notes_to_self(files: &[SourceFile]) -> Vec<String> {
    let written = files.iter().filter(|file| !matches!(file.name(), "package-lock.json" | "Cargo.lock"));
    // In two parts, or this file would break its own rule.
    let notes = [concat!("TO", "DO"), concat!("FIX", "ME")];
    places(written, |line| line.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| notes.contains(&word)))
}

/// Packages of the web in the output of `cargo tree`.
pub(super) fn web_crates(tree: &str) -> Vec<String> {
    const WEB: [&str; 4] = ["web-sys", "js-sys", "wasm-bindgen", "plotters"];
    let mut found: Vec<String> = tree
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| WEB.contains(name))
        .map(|name| format!("ecqx-core depends on {name}: see `cargo tree -p ecqx-core --target all -i {name}`"))
        .collect();
    found.sort();
    found.dedup();
    found
}

fn places<'a>(files: impl Iterator<Item = &'a SourceFile>, is_bad: impl Fn(&str) -> bool) -> Vec<String> {
    let mut found = Vec::new();
    for file in files {
        let bad = file.lines().filter(|(_, line)| is_bad(line));
        found.extend(bad.map(|(number, line)| format!("{}:{number}: {}", file.path, line.trim())));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::files::file;

    #[test]
    fn rust_files_say_what_they_are_for() {
        let files =
            [file("crate/a/src/x.rs", "use a;\n//! late"), file("crate/a/src/y.rs", "//! y"), file("www/z.rs", "")];
        assert_eq!(module_docs(&files), ["crate/a/src/x.rs"]);
    }

    #[test]
    fn any_panic_is_no_expectation() {
        let files = [file("crate/a/src/x.rs", "//! x\n    #[should_panic(expected = \"x\")]\n// #[should_panic]")];
        assert_eq!(no_should_panic(&files), ["crate/a/src/x.rs:2: #[should_panic(expected = \"x\")]"]);
    }

    #[test]
    fn the_core_is_pure_and_others_need_not_be() {
        for (line, bad) in [
            ("let t = std::time::Instant::now();", true),
            ("use std::{fmt, fs};", true),
            ("use std::{fmt, time::Duration};", true),
            ("eprintln!(\"x\");", true),
            ("/// println!(\"{}\", x);", false),
            ("use std::{fmt, ops::Range};", false),
            ("let offset_fs = 1; // std::fs is for the command", false),
        ] {
            assert_eq!(!core_is_pure(&[file("crate/core/src/x.rs", line)]).is_empty(), bad, "{line}");
            assert!(core_is_pure(&[file("crate/cli/src/x.rs", line)]).is_empty());
        }
    }

    #[test]
    fn six_hundred_lines_are_enough() {
        let text = |lines: usize| "x\n".repeat(lines);
        for (path, lines, bad) in [
            ("crate/a/src/x.rs", 600, false),
            ("crate/a/src/x.rs", 601, true),
            ("www/src/App.svelte", 601, true),
            ("tests/vectors/x.json", 601, false),
        ] {
            assert_eq!(!file_length(&[file(path, &text(lines))]).is_empty(), bad, "{path} {lines}");
        }
    }

    #[test]
    fn notes_to_self_are_whole_words() {
        let note = concat!("TO", "DO");
        for (path, text, bad) in [
            ("README.md", format!("{note}: more"), true),
            ("www/src/x.ts", format!("// ({note})"), true),
            ("www/src/x.ts", format!("const {note}S = 1"), false),
            ("package-lock.json", format!("sha512-a/{note}/b"), false),
        ] {
            assert_eq!(!no_notes_to_self(&[file(path, &text)]).is_empty(), bad, "{path} {text}");
        }
    }

    #[test]
    fn the_web_is_found_by_whole_names() {
        let tree = "ecqx-core v0.1.0 (/x)\nlibm v0.2\njs-sys v0.3.1\njs-sys v0.3.1 (*)\nwasm-bindgen-shared v0.2\n";
        let found = web_crates(tree);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].starts_with("ecqx-core depends on js-sys"));
    }
}
