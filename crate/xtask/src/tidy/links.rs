//! The rule for documents: a link into the repository leads somewhere.

use crate::tidy::files::SourceFile;

const DOCUMENTS: [&str; 5] = ["README.md", "ARCHITECTURE.md", "CHANGELOG.md", "tests/README.md", "assets/README.md"];

pub(super) fn links_hold(files: &[SourceFile]) -> Vec<String> {
    let mut broken = Vec::new();
    for document in files.iter().filter(|file| DOCUMENTS.contains(&file.path.as_str())) {
        for link in targets(document.text().unwrap_or_default()) {
            let place = resolve(&document.path, link);
            let folder = format!("{place}/");
            let exists =
                place.is_empty() || files.iter().any(|file| file.path == place || file.path.starts_with(&folder));
            if !exists {
                broken.push(format!("{} links to {link}, which is not there", document.path));
            }
        }
    }
    broken
}

/// Relative targets of `[text](target)` outside code, without fragment and title.
fn targets(markdown: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut in_code = false;
    for line in markdown.lines() {
        if line.trim_start().starts_with("```") {
            in_code = !in_code;
        }
        if in_code {
            continue;
        }
        // Every second part stands between backquotes.
        for prose in line.split('`').step_by(2) {
            let ends = prose.split("](").skip(1).filter_map(|rest| rest.split_once(')'));
            found.extend(ends.map(|(target, _)| target.split([' ', '#']).next().unwrap_or_default()));
        }
    }
    found.retain(|target| !target.is_empty() && !target.contains("://") && !target.starts_with("mailto:"));
    found
}

/// A link's target as a path from the root.
fn resolve(document: &str, link: &str) -> String {
    let mut parts: Vec<&str> = document.split('/').collect();
    parts.pop();
    for part in link.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            name => parts.push(name),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::files::file;

    #[test]
    fn finds_relative_targets_outside_code() {
        let text = "[a](x.md#part) and [b](https://example.org) ![c](pic.png \"title\") [d](#here)\n`[e](no)`\n```\n[f](no)\n```";
        assert_eq!(targets(text), ["x.md", "pic.png"]);
    }

    #[test]
    fn a_link_with_code_in_its_text_counts() {
        assert_eq!(targets("see [`core`](crate/core) and `x`"), ["crate/core"]);
    }

    #[test]
    fn only_broken_links_are_named() {
        let files = [
            file("README.md", "[a](crate/core) [b](LICENSE) [c](./tests/README.md)"),
            file("tests/README.md", "[up](../README.md) [gone](vectors/none.json)"),
            file("crate/core/src/lib.rs", ""),
            file("notes.md", "[x](nowhere)"),
        ];
        assert_eq!(
            links_hold(&files),
            [
                "README.md links to LICENSE, which is not there",
                "tests/README.md links to vectors/none.json, which is not there"
            ]
        );
    }
}
