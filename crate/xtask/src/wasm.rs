//! `crate/wasm` -> `www/src/generated/{engine,charts}`, `tests/browser/generated/probe`: cargo, then wasm-bindgen, then
//! wasm-opt.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;

use anyhow::{Context, Result, bail};
use wasm_bindgen_cli_support::Bindgen;

use crate::project::Project;
use crate::report::{Step, grouped};
use crate::stamp::{Stamp, sha256};
use crate::{artifact, run};

pub(crate) const TARGET: &str = "wasm32-unknown-unknown";

/// What LLVM emits for this target, so that wasm-opt accepts it and may use it, and no more than that.
const OPT_FLAGS: [&str; 12] = [
    "-O3",
    "--enable-simd",
    "--enable-bulk-memory",
    "--enable-bulk-memory-opt",
    "--enable-nontrapping-float-to-int",
    "--enable-sign-ext",
    "--enable-mutable-globals",
    "--enable-reference-types",
    "--enable-multivalue",
    "--strip-debug",
    "--strip-producers",
    "--strip-target-features",
];

/// Bytes, uncompressed. A jump past these is a dependency that slipped in, not a feature.
fn size_limit(module: &str) -> usize {
    match module {
        "charts" => 400_000,
        "engine" => 600_000,
        _ => 1_000_000, // never shipped; the readers of foreign files are in it
    }
}

/// Brings modules up to date, side by side: at its end each build is one long link on one core.
pub(crate) fn build(project: &Project, modules: &[&str]) -> Result<()> {
    thread::scope(|scope| {
        let start = |&module| scope.spawn(move || build_reported(project, module));
        let builds: Vec<_> = modules.iter().map(start).collect();
        // Waits for all before it returns the first error.
        let results: Vec<_> = builds
            .into_iter()
            .map(|build| build.join().unwrap_or_else(|_| bail!("the build of a module panicked")))
            .collect();
        results.into_iter().collect()
    })
}

fn build_reported(project: &Project, module: &str) -> Result<()> {
    let step = Step::new(format!("wasm {module}"));
    let rebuilt = build_module(project, module)?;
    step.done(if rebuilt { "rebuilt" } else { "up to date" });
    Ok(())
}

fn build_module(project: &Project, module: &str) -> Result<bool> {
    let compiled = compile(project, module)?;
    let bytes = fs::read(&compiled).with_context(|| format!("cargo wrote no {}", compiled.display()))?;
    let optimizer = fs::read(project.path("node_modules/binaryen/package.json")).unwrap_or_default();
    let inputs = sha256(format!("{} {} {OPT_FLAGS:?}", sha256(&bytes), sha256(&optimizer)).as_bytes());
    let stamp = Stamp::new(project.private(&format!("wasm-{module}.stamp")), inputs, project.generated(module));
    if stamp.is_fresh()? {
        return Ok(false);
    }
    let staging = project.private("wasm").join(module);
    if staging.exists() {
        fs::remove_dir_all(&staging)?;
    }
    bind(&compiled, module, &staging)?;
    let wasm = staging.join(format!("{module}_bg.wasm"));
    let mut optimize = project.node_bin("wasm-opt");
    run::quiet(project, &format!("wasm-opt {module}"), optimize.args(OPT_FLAGS).arg(&wasm).arg("-o").arg(&wasm))?;
    check(module, &fs::read(&wasm)?)?;
    // Only now: the page never sees a half-made or refused module.
    replace_folder(&staging, &project.generated(module))?;
    stamp.write()?;
    Ok(true)
}

/// Cargo's module. Each feature set has a target directory of its own: in one they would evict each other.
fn compile(project: &Project, module: &str) -> Result<PathBuf> {
    let target_dir = project.target.join("wasm").join(module);
    let mut command = project.cargo(&["build", "--release", "--quiet", "--package", "ecqx-wasm", "--lib"]);
    command.args(["--target", TARGET, "--no-default-features", "--features", module]);
    command.arg("--target-dir").arg(&target_dir);
    command.args(["--config", &format!("target.{TARGET}.rustflags={:?}", shorter_paths(&cargo_home()))]);
    // Either would replace the flags of .cargo/config.toml, and simd128 with them.
    command.env_remove("RUSTFLAGS").env_remove("CARGO_ENCODED_RUSTFLAGS");
    run::quiet(project, &format!("cargo build of wasm {module}"), &mut command)?;
    Ok(target_dir.join(TARGET).join("release/ecqx_wasm.wasm"))
}

fn cargo_home() -> PathBuf {
    let home = || std::env::home_dir().unwrap_or_default().join(".cargo");
    std::env::var_os("CARGO_HOME").map_or_else(home, PathBuf::from)
}

/// Compiler flags that name dependencies as `dep/ndarray-0.17.2/src/…` in messages of panics: what is published says
/// nothing of the machine it was built on, and is the same from each.
fn shorter_paths(cargo_home: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(cargo_home.join("registry/src")) else { return Vec::new() };
    let mut folders: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    folders.sort();
    folders.iter().map(|folder| format!("--remap-path-prefix={}=dep", folder.display())).collect()
}

/// The library instead of the command: so Cargo.lock pins it to the release of the crate, and nothing is installed.
/// It leaves out the module's default address, so the page must name the file, and Vite sees each file once.
fn bind(compiled: &Path, module: &str, staging: &Path) -> Result<()> {
    Bindgen::new()
        .input_path(compiled)
        .web(true)
        .and_then(|bindgen| bindgen.typescript(true).out_name(module).generate(staging))
        .with_context(|| format!("wasm-bindgen refused wasm {module}"))
}

fn check(module: &str, wasm: &[u8]) -> Result<()> {
    let limit = size_limit(module);
    if wasm.len() > limit {
        bail!(
            "wasm {module} has {} bytes, the limit is {} (size_limit in crate/xtask/src/wasm.rs): find what grew, or raise it knowingly",
            grouped(wasm.len()),
            grouped(limit)
        );
    }
    if module != "charts" {
        artifact::check_simd(module, artifact::inspect(wasm)?)?;
    }
    Ok(())
}

fn replace_folder(from: &Path, to: &Path) -> Result<()> {
    if to.exists() {
        fs::remove_dir_all(to).with_context(|| format!("cannot replace {}", to.display()))?;
    }
    copy_folder(from, to)
}

fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &to.join(entry.file_name()))?;
        } else {
            fs::copy(entry.path(), to.join(entry.file_name()))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_over_its_limit_is_refused_with_both_numbers() {
        let error = check("charts", &vec![0; 400_001]).unwrap_err().to_string();
        assert!(error.contains("400 001") && error.contains("400 000"), "{error}");
    }

    #[test]
    fn each_folder_of_sources_gets_a_short_name() {
        let dir = tempfile::tempdir().unwrap();
        assert!(shorter_paths(dir.path()).is_empty());
        let folder = dir.path().join("registry/src/some-index");
        fs::create_dir_all(&folder).unwrap();
        assert_eq!(shorter_paths(dir.path()), [format!("--remap-path-prefix={}=dep", folder.display())]);
    }

    #[test]
    fn a_replaced_folder_keeps_nothing_old() {
        let dir = tempfile::tempdir().unwrap();
        let (from, to) = (dir.path().join("from"), dir.path().join("to"));
        fs::create_dir_all(from.join("deep")).unwrap();
        fs::write(from.join("deep/new"), "new").unwrap();
        fs::create_dir_all(&to).unwrap();
        fs::write(to.join("old"), "old").unwrap();
        replace_folder(&from, &to).unwrap();
        assert_eq!(fs::read_to_string(to.join("deep/new")).unwrap(), "new");
        assert!(!to.join("old").exists());
    }
}
