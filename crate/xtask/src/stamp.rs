//! Decides what is up to date: by the contents of what goes in and what came out, never by times of files.
//! So a switch of branches, a deleted output or an output of somebody else's build is always noticed.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

/// Lowercase hex of SHA-256.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

/// One hash over names and contents of files and whole folders. What is missing counts as empty.
pub(crate) fn hash_paths(paths: &[PathBuf]) -> Result<String> {
    let mut files = Vec::new();
    for path in paths {
        collect(path, &mut files)?;
    }
    let mut all = Sha256::new();
    for file in files {
        let bytes = fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
        all.update(format!("{}\n{}\n", file.display(), sha256(&bytes)));
    }
    Ok(hex(&all.finalize()))
}

/// Every file under a path, in a stable order.
pub(crate) fn collect(path: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    if path.is_file() {
        files.push(path.to_path_buf());
    } else if path.is_dir() {
        let entries = fs::read_dir(path).with_context(|| format!("cannot read {}", path.display()))?;
        let mut children = entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>()?;
        children.sort();
        for child in children {
            collect(&child, files)?;
        }
    }
    Ok(())
}

/// Remembers from which inputs an output was made, and what that output was.
#[derive(Debug)]
pub(crate) struct Stamp {
    file: PathBuf,
    inputs: String,
    output: PathBuf,
}

impl Stamp {
    pub(crate) fn new(file: PathBuf, inputs: String, output: PathBuf) -> Self {
        Self { file, inputs, output }
    }

    pub(crate) fn is_fresh(&self) -> Result<bool> {
        match fs::read_to_string(&self.file) {
            Ok(seen) => Ok(self.output.exists() && seen == self.text()?),
            Err(_) => Ok(false),
        }
    }

    pub(crate) fn write(&self) -> Result<()> {
        if let Some(parent) = self.file.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(&self.file, self.text()?).with_context(|| format!("cannot write {}", self.file.display()))
    }

    fn text(&self) -> Result<String> {
        Ok(format!("{} {}\n", self.inputs, hash_paths(std::slice::from_ref(&self.output))?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sha256_of_nothing_is_the_known_one() {
        assert_eq!(sha256(b""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    }

    #[test]
    fn fresh_until_input_or_output_changes() {
        let dir = tempfile::tempdir().unwrap();
        let output = dir.path().join("out");
        let stamp = |inputs: &str| Stamp::new(dir.path().join("s/stamp"), inputs.into(), output.clone());
        assert!(!stamp("a").is_fresh().unwrap(), "nothing built yet");
        fs::create_dir(&output).unwrap();
        fs::write(output.join("x"), "1").unwrap();
        stamp("a").write().unwrap();
        assert!(stamp("a").is_fresh().unwrap());
        assert!(!stamp("b").is_fresh().unwrap(), "other inputs");
        fs::write(output.join("x"), "2").unwrap();
        assert!(!stamp("a").is_fresh().unwrap(), "output was changed by somebody else");
        fs::remove_dir_all(&output).unwrap();
        assert!(!stamp("a").is_fresh().unwrap(), "output was deleted");
    }

    #[test]
    fn a_renamed_file_changes_the_hash() {
        let dir = tempfile::tempdir().unwrap();
        let hash = || hash_paths(&[dir.path().to_path_buf(), dir.path().join("missing")]).unwrap();
        fs::write(dir.path().join("a"), "x").unwrap();
        let before = hash();
        fs::rename(dir.path().join("a"), dir.path().join("b")).unwrap();
        assert_ne!(before, hash());
    }
}
