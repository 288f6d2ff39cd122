//! Runs programs: quiet when they succeed, everything they said when they fail.

use std::fs::{self, File};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::project::Project;

/// Runs to the end and returns what was printed, both streams in their order. `what` names the step in messages.
pub(crate) fn quiet(project: &Project, what: &str, command: &mut Command) -> Result<String> {
    // One file for both streams: two pipes would lose the order of errors and output, and the file stays for later.
    let log = project.private("log").join(format!("{}.log", what.replace([' ', '/'], "-")));
    fs::create_dir_all(project.private("log")).context("cannot create the folder of logs")?;
    let file = File::create(&log).with_context(|| format!("cannot write {}", log.display()))?;
    command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file);
    let status = command.status().with_context(|| cannot_start(command))?;
    let text = String::from_utf8_lossy(&fs::read(&log)?).into_owned();
    if !status.success() {
        eprintln!("{}", text.trim_end());
        bail!("{what} failed ({status}): {}", line_of(command));
    }
    Ok(text)
}

/// Runs to the end with its output shown as it comes.
pub(crate) fn shown(what: &str, command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| cannot_start(command))?;
    if !status.success() {
        bail!("{what} failed ({status}): {}", line_of(command));
    }
    Ok(())
}

/// What a program prints on its standard output, or nothing when it is not there or fails.
pub(crate) fn answer(command: &mut Command) -> Option<String> {
    let output = command.stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn cannot_start(command: &Command) -> String {
    format!("cannot start `{}`: is it installed and on PATH?", command.get_program().to_string_lossy())
}

/// The command as one would type it.
fn line_of(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_program_answers_nothing_and_is_named() {
        let mut command = Command::new("no-such-program-here");
        assert_eq!(answer(&mut command), None);
        let error = shown("step", &mut command).unwrap_err();
        assert!(error.to_string().contains("no-such-program-here"), "{error}");
    }

    #[test]
    fn a_line_is_what_one_would_type() {
        assert_eq!(line_of(Command::new("npm").args(["run", "build"])), "npm run build");
    }
}
