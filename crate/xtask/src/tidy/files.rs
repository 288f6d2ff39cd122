//! Reads the files of the repository that people write, as the rules want them.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

/// What tools write and nobody reads. Hidden folders are left out but for those with our own files.
const LEFT_OUT: [&str; 8] = [
    "target",
    "dist",
    "node_modules",
    "test-results",
    "playwright-report",
    "www/src/generated",
    "tests/browser/generated",
    ".git",
];

/// One file with its path from the root, with `/` on every system.
#[derive(Debug, Clone)]
pub(super) struct SourceFile {
    pub(super) path: String,
    pub(super) bytes: Vec<u8>,
}

impl SourceFile {
    /// Nothing for files that are no text.
    pub(super) fn text(&self) -> Option<&str> {
        std::str::from_utf8(&self.bytes).ok()
    }

    pub(super) fn is_rust(&self) -> bool {
        Path::new(&self.path).extension() == Some("rs".as_ref())
    }

    pub(super) fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }

    /// Lines of text with their numbers, as editors count.
    pub(super) fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text().unwrap_or_default().lines().enumerate().map(|(index, line)| (index + 1, line))
    }
}

pub(super) fn read(root: &Path) -> Result<Vec<SourceFile>> {
    let mut files = Vec::new();
    walk(root, "", &mut files)?;
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

fn walk(folder: &Path, prefix: &str, files: &mut Vec<SourceFile>) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let entry = entry?;
        let path = format!("{prefix}{}", entry.file_name().to_string_lossy());
        let kind = entry.file_type()?;
        if kind.is_dir() && !LEFT_OUT.contains(&path.as_str()) {
            walk(&entry.path(), &format!("{path}/"), files)?;
        } else if kind.is_file() {
            files.push(SourceFile { path, bytes: fs::read(entry.path())? });
        }
    }
    Ok(())
}

/// For the tests of rules.
#[cfg(test)]
pub(super) fn file(path: &str, text: &str) -> SourceFile {
    SourceFile { path: path.to_owned(), bytes: text.as_bytes().to_vec() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_people_write_and_leaves_out_what_tools_write() {
        let dir = tempfile::tempdir().unwrap();
        for path in ["b.md", "a/c.rs", "target/x.rs", "www/src/generated/engine/engine.js", "www/src/target/y.ts"] {
            let path = dir.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        let paths: Vec<String> = read(dir.path()).unwrap().into_iter().map(|file| file.path).collect();
        assert_eq!(paths, ["a/c.rs", "b.md", "www/src/target/y.ts"]);
    }
}
