//! What the builds need from outside: the wasm target of the toolchain, Node, the page's packages.
//! What is missing is installed, with one line that says so, or named with what to do.

use std::fs;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::project::Project;
use crate::report::{Step, say};
use crate::run;
use crate::stamp::sha256;
use crate::wasm::TARGET;

/// Everything that wasm and page need.
pub(crate) fn ensure(project: &Project) -> Result<()> {
    ensure_wasm_target(project)?;
    check_node(project)?;
    ensure_packages(project)
}

/// The standard library for wasm32, for the toolchain that compiles this checkout.
pub(crate) fn ensure_wasm_target(project: &Project) -> Result<()> {
    // Asked from rustc and not from rustup: a toolchain of a distribution has no rustup and may well have the target.
    let libdir = run::answer(&mut project.command("rustc", &["--print", "target-libdir", "--target", TARGET]));
    let present = libdir.is_some_and(|dir| fs::read_dir(dir).is_ok_and(|mut files| files.next().is_some()));
    if present {
        return Ok(());
    }
    if run::answer(&mut project.command("rustup", &["--version"])).is_none() {
        bail!(
            "the Rust target {TARGET} is missing and so is rustup, which would install it: \
             get rustup from https://rustup.rs, or install the {TARGET} standard library that belongs to your rustc"
        );
    }
    say!("installing the Rust target {TARGET}: the page runs the core as wasm");
    run::quiet(project, "rustup target add", &mut project.command("rustup", &["target", "add", TARGET]))
        .map(drop)
        .context("rustup could not install it: is there a network?")
}

fn check_node(project: &Project) -> Result<()> {
    const NEED: &str = "the page is built with Node 20.19 or newer (22.12 or newer of Node 22), see https://nodejs.org";
    match run::answer(&mut project.command("node", &["--version"])) {
        None => bail!("`node` is not on PATH: {NEED}"),
        Some(version) if !node_is_recent(&version) => bail!("`node` is {version}: {NEED}"),
        Some(_) => Ok(()),
    }
}

/// The range that Vite supports: in 21 and in early 22 Node could not yet `require` the modules it is made of.
fn node_is_recent(version: &str) -> bool {
    let mut numbers = version.trim_start_matches('v').split('.').map(|part| part.parse().unwrap_or(0_u32));
    let (major, minor) = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    match major {
        20 => minor >= 19,
        22 => minor >= 12,
        _ => major > 22,
    }
}

/// `node_modules` as package-lock.json wants it.
pub(crate) fn ensure_packages(project: &Project) -> Result<()> {
    if !project.path("package.json").is_file() {
        bail!("package.json is missing in {}: this is not a whole checkout", project.root.display());
    }
    let lock = project.path("package-lock.json");
    let stamp = project.path("node_modules/.xtask-stamp");
    let wanted = fs::read(&lock).unwrap_or_default();
    if !wanted.is_empty() {
        let hash = sha256(&wanted);
        if fs::read_to_string(&stamp).is_ok_and(|seen| seen == hash) {
            return Ok(());
        }
        let installed = fs::read(project.path("node_modules/.package-lock.json")).unwrap_or_default();
        if same_packages(&wanted, &installed) {
            return fs::write(&stamp, hash).context("cannot write into node_modules");
        }
    }
    let step = Step::new("npm packages");
    let verb = if wanted.is_empty() { "install" } else { "ci" };
    say!("installing the page's packages (npm {verb}): they build and test it, none is shipped but Svelte's runtime");
    let mut command = project.npm(&[verb, "--no-audit", "--no-fund"]);
    run::quiet(project, &format!("npm {verb}"), &mut command).context("the page's packages could not be installed")?;
    fs::write(&stamp, sha256(&fs::read(&lock)?)).context("cannot write into node_modules")?;
    step.done("installed");
    Ok(())
}

/// Whether npm itself installed exactly what the lock file lists, so that its folder need not be deleted and filled again.
/// `installed` is npm's own record in `node_modules`; it leaves out packages of other systems and leftovers.
fn same_packages(wanted: &[u8], installed: &[u8]) -> bool {
    let read = |bytes| serde_json::from_slice::<Value>(bytes).ok()?.get("packages")?.as_object().cloned();
    let (Some(wanted), Some(installed)) = (read(wanted), read(installed)) else { return false };
    let same =
        |path: &String| wanted.get(path).map(|package| &package["integrity"]) == Some(&installed[path]["integrity"]);
    let optional = |package: &Value| package["optional"] == true || package["extraneous"] == true;
    installed.keys().all(same)
        && wanted.iter().all(|(path, package)| path.is_empty() || optional(package) || installed.contains_key(path))
}

/// Whether package.json has this script.
pub(crate) fn has_script(project: &Project, name: &str) -> Result<bool> {
    let text = fs::read(project.path("package.json")).context("cannot read package.json")?;
    let package: Value = serde_json::from_slice(&text).context("package.json is not JSON")?;
    Ok(package["scripts"].get(name).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn node_versions() {
        for (version, recent) in [
            ("v18.20.0", false),
            ("v20.18.3", false),
            ("v20.19.0", true),
            ("v21.7.0", false),
            ("v22.11.0", false),
            ("v22.12.0", true),
            ("v24.0.0", true),
            ("what", false),
        ] {
            assert_eq!(node_is_recent(version), recent, "{version}");
        }
    }

    #[test]
    fn packages_are_the_same_up_to_other_systems() {
        let lock = |packages: &str| format!(r#"{{"packages": {{{packages}}}}}"#).into_bytes();
        let wanted = lock(
            r#""": {}, "a": {"integrity": "1"}, "mac": {"integrity": "2", "optional": true}, "left": {"extraneous": true}"#,
        );
        for (installed, same) in [
            (lock(r#""a": {"integrity": "1"}"#), true),
            (lock(r#""a": {"integrity": "1"}, "mac": {"integrity": "2"}"#), true),
            (lock(r#""a": {"integrity": "9"}"#), false),
            (lock(r#""a": {"integrity": "1"}, "old": {"integrity": "3"}"#), false),
            (lock(""), false),
            (Vec::new(), false),
        ] {
            assert_eq!(same_packages(&wanted, &installed), same, "{}", String::from_utf8_lossy(&installed));
        }
    }
}
