//! What each stage runs. Each returns a few words of what it counted, for the table at the end.

use anyhow::{Result, bail};

use crate::project::{MODULES, PROBE, Project};
use crate::{chrome, page, run, tools, wasm};

pub(super) fn fmt(project: &Project) -> Result<String> {
    run::quiet(project, "cargo fmt", &mut project.cargo(&["fmt", "--all", "--check"]))?;
    Ok(String::new())
}

pub(super) fn tidy(project: &Project) -> Result<String> {
    crate::tidy::check(project)
}

pub(super) fn clippy(project: &Project) -> Result<String> {
    let mut native = project.cargo(&["clippy", "--quiet", "--workspace", "--all-targets", "--", "-D", "warnings"]);
    run::quiet(project, "clippy", &mut native)?;
    tools::ensure_wasm_target(project)?;
    for module in MODULES {
        // Alone, as it is built: code that only another feature uses would be dead here.
        let mut command = project.cargo(&["clippy", "--quiet", "--package", "ecqx-wasm", "--lib"]);
        command.args(["--target", wasm::TARGET, "--no-default-features", "--features", module]);
        run::quiet(project, &format!("clippy of wasm {module}"), command.args(["--", "-D", "warnings"]))?;
    }
    Ok(String::new())
}

pub(super) fn rust(project: &Project) -> Result<String> {
    let text = run::quiet(project, "cargo test", &mut project.cargo(&["test", "--workspace"]))?;
    let (passed, ignored) = (count(&text, "passed"), count(&text, "ignored"));
    if passed == 0 {
        bail!("cargo test ran no test at all");
    }
    Ok(tally(passed, ignored, "ignored"))
}

pub(super) fn docs(project: &Project) -> Result<String> {
    let mut command = project.cargo(&["doc", "--quiet", "--no-deps", "--workspace"]);
    run::quiet(project, "cargo doc", command.env("RUSTDOCFLAGS", "-D warnings"))?;
    Ok(String::new())
}

pub(super) fn check(project: &Project) -> Result<String> {
    tools::ensure(project)?;
    // The types of the page and of its tests come out of the modules.
    wasm::build(project, &MODULES)?;
    run::quiet(project, "npm run check", &mut project.npm(&["run", "check"]))?;
    if tools::has_script(project, "test:unit")? {
        run::quiet(project, "npm run test:unit", &mut project.npm(&["run", "test:unit"]))?;
        return Ok(String::new());
    }
    Ok("the page has no unit tests (script test:unit)".to_owned())
}

pub(super) fn browser(project: &Project) -> Result<String> {
    let chrome = chrome::find_or_install(project)?;
    page::build(project)?;
    wasm::build(project, &[PROBE])?;
    let mut cli = project.cargo(&["build", "--quiet", "--release", "--package", "ecqx-cli"]);
    run::quiet(project, "build of the command ecqx", &mut cli)?;
    let ecqx = project.target.join("release").join(format!("ecqx{}", std::env::consts::EXE_SUFFIX));
    let mut command = project.npm(&["run", "test:browser"]);
    command.env("ECQX_CHROME", &chrome).env("ECQX_CLI", &ecqx);
    let text = run::quiet(project, "npm run test:browser", &mut command)?;
    Ok(tally(count(&text, "passed"), count(&text, "skipped"), "skipped"))
}

/// The sum of all `N word` in a log.
fn count(text: &str, word: &str) -> usize {
    let words: Vec<&str> = text.split_whitespace().collect();
    let is_word = |text: &str| text.trim_end_matches([';', ',', '.']) == word;
    words.windows(2).filter(|pair| is_word(pair[1])).filter_map(|pair| pair[0].parse::<usize>().ok()).sum()
}

fn tally(passed: usize, left_out: usize, how: &str) -> String {
    if left_out == 0 { format!("{passed} passed") } else { format!("{passed} passed, {left_out} {how}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_summed_over_test_binaries() {
        let log = "test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured\nwe passed on\ntest result: ok. 3 passed; 0 failed; 0 ignored;";
        assert_eq!((count(log, "passed"), count(log, "ignored")), (15, 1));
        assert_eq!(tally(15, 1, "ignored"), "15 passed, 1 ignored");
        assert_eq!(tally(count("  4 passed (2.1s)", "passed"), 0, "skipped"), "4 passed");
    }
}
