//! `bench`: native benches of the crates that have some, then the page and the core's nets in a browser. The benches in
//! the browser print the tables; those of the nets set the native times beside their own.

use std::fs;

use anyhow::{Context, Result};

use crate::project::{PROBE, Project};
use crate::report::say;
use crate::{chrome, page, run, tools, wasm};

/// Seconds that criterion runs a bench before it measures, and while it does: shorter than its own 3 and 5, so that the
/// whole command stays within a few minutes.
const SECONDS: [&str; 4] = ["--warm-up-time", "1", "--measurement-time", "2"];

pub(crate) fn bench(project: &Project) -> Result<()> {
    let crates = with_benches(project)?;
    if crates.is_empty() {
        say!("no crate has native benches (crate/*/benches/*.rs)");
    }
    for name in crates {
        say!("native benches of {name}");
        let mut command = project.cargo(&["bench", "--package", &name, "--bench", "*", "--"]);
        run::shown("cargo bench", command.args(SECONDS))?;
    }
    if !tools::has_script(project, "bench")? {
        say!("the page has no bench (script `bench` in package.json)");
        return Ok(());
    }
    let chrome = chrome::find_or_install(project)?;
    page::build(project)?;
    wasm::build(project, &[PROBE])?;
    let mut command = project.npm(&["run", "bench"]);
    command.env("ECQX_CHROME", chrome).env("ECQX_CRITERION", project.target.join("criterion"));
    run::shown("npm run bench", &mut command)
}

/// Names of the packages under crate/ that have a file in benches/.
fn with_benches(project: &Project) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(project.path("crate"))? {
        let dir = entry?.path();
        let has_bench = fs::read_dir(dir.join("benches")).is_ok_and(|mut files| {
            files.any(|file| file.is_ok_and(|file| file.path().extension() == Some("rs".as_ref())))
        });
        if has_bench {
            let manifest = fs::read_to_string(dir.join("Cargo.toml"))?;
            names.push(package_name(&manifest).with_context(|| format!("{} has no package name", dir.display()))?);
        }
    }
    names.sort();
    Ok(names)
}

fn package_name(manifest: &str) -> Option<String> {
    let line = manifest.lines().find_map(|line| line.strip_prefix("name = "))?;
    Some(line.trim().trim_matches('"').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_crates_with_benches_are_named() {
        let dir = tempfile::tempdir().unwrap();
        let project = Project { root: dir.path().to_path_buf(), target: dir.path().join("target") };
        for (folder, file) in [("a", "benches/assign.rs"), ("b", "benches/notes.txt"), ("c", "src.rs")] {
            let path = dir.path().join("crate").join(folder).join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
            let manifest = format!("[package]\nname = \"ecqx-{folder}\"\n");
            fs::write(dir.path().join("crate").join(folder).join("Cargo.toml"), manifest).unwrap();
        }
        assert_eq!(with_benches(&project).unwrap(), ["ecqx-a"]);
    }
}
