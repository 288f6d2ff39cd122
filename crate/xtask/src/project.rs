//! Where things are, and how cargo and npm are called so that they find the same things.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

/// All modules made from `crate/wasm`; also the names of its features and of the generated folders.
pub(crate) const MODULES: [&str; 3] = ["engine", "charts", PROBE];
/// Those that the page is made of.
pub(crate) const PAGE_MODULES: [&str; 2] = ["engine", "charts"];
/// The one that tests and benches in a browser call, and that never becomes part of the page.
pub(crate) const PROBE: &str = "probe";

/// Paths of one checkout.
#[derive(Debug, Clone)]
pub(crate) struct Project {
    pub(crate) root: PathBuf,
    /// Cargo's target directory, which also holds our stamps and logs.
    pub(crate) target: PathBuf,
}

impl Project {
    pub(crate) fn find() -> Result<Self> {
        // At run time first: a binary in a shared target directory may come from another checkout.
        let manifest = std::env::var_os("CARGO_MANIFEST_DIR")
            .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
        let root = manifest
            .ancestors()
            .nth(2)
            .map(Path::to_path_buf)
            .with_context(|| format!("{} is not crate/xtask of a checkout", manifest.display()))?;
        let target = match std::env::var_os("CARGO_TARGET_DIR") {
            // Cargo reads a relative one from where it was started, and that need not be the root.
            Some(dir) => std::env::current_dir().context("the current directory is gone")?.join(dir),
            None => root.join("target"),
        };
        Ok(Self { root, target })
    }

    pub(crate) fn path(&self, relative: &str) -> PathBuf {
        self.root.join(relative)
    }

    /// A file of ours in the target directory.
    pub(crate) fn private(&self, relative: &str) -> PathBuf {
        self.target.join("xtask").join(relative)
    }

    pub(crate) fn generated(&self, module: &str) -> PathBuf {
        // Apart, so that nothing of the page can import the probe by accident, nor be built anew because of it.
        let folder = if module == PROBE { "tests/browser/generated" } else { "www/src/generated" };
        self.root.join(folder).join(module)
    }

    pub(crate) fn dist(&self) -> PathBuf {
        self.root.join("dist")
    }

    pub(crate) fn cargo(&self, args: &[&str]) -> Command {
        let mut command = self.command("cargo", args);
        command.env("CARGO_TARGET_DIR", &self.target);
        command
    }

    pub(crate) fn npm(&self, args: &[&str]) -> Command {
        self.command("npm", args)
    }

    /// A program that `npm ci` put into the checkout.
    pub(crate) fn node_bin(&self, name: &str) -> Command {
        self.command(&self.root.join("node_modules/.bin").join(name).to_string_lossy(), &[])
    }

    pub(crate) fn command(&self, program: &str, args: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.args(args).current_dir(&self.root);
        command
    }
}
