//! `test`: every check in one order, cheap ones first; stops at the first that fails and says how to repeat it.
//! What a stage does is in `stages`.

use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};

use crate::project::Project;
use crate::report::{say, seconds};

mod stages;

/// One part of `test`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    Fmt,
    Tidy,
    Clippy,
    Rust,
    Docs,
    Check,
    Browser,
}

impl Stage {
    /// In the order in which they run.
    pub(crate) const ALL: [Self; 7] =
        [Self::Fmt, Self::Tidy, Self::Clippy, Self::Rust, Self::Docs, Self::Check, Self::Browser];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Fmt => "fmt",
            Self::Tidy => "tidy",
            Self::Clippy => "clippy",
            Self::Rust => "rust",
            Self::Docs => "docs",
            Self::Check => "check",
            Self::Browser => "browser",
        }
    }

    pub(crate) fn about(self) -> &'static str {
        match self {
            Self::Fmt => "format of the Rust code",
            Self::Tidy => "house rules: module docs, file sizes, checksums, links",
            Self::Clippy => "lints: the whole workspace natively, each module for wasm32",
            Self::Rust => "unit, property, conformance and doc tests",
            Self::Docs => "the documentation builds without warnings, its links hold",
            Self::Check => "the page's types, lints and unit tests",
            Self::Browser => "the built page and the core as wasm in Chromium, compared with the command ecqx",
        }
    }

    fn run(self, project: &Project) -> Result<String> {
        match self {
            Self::Fmt => stages::fmt(project),
            Self::Tidy => stages::tidy(project),
            Self::Clippy => stages::clippy(project),
            Self::Rust => stages::rust(project),
            Self::Docs => stages::docs(project),
            Self::Check => stages::check(project),
            Self::Browser => stages::browser(project),
        }
    }
}

/// One finished stage: its name, how long it took, what it counted.
type Row = (&'static str, Duration, String);

pub(crate) fn test(project: &Project, stages: &[Stage]) -> Result<()> {
    say!("What will run; only what fails shows its output, all logs are in {}:", project.private("log").display());
    for stage in stages {
        say!("  {:<8} {}", stage.name(), stage.about());
    }
    say!();
    let mut rows: Vec<Row> = Vec::new();
    for stage in stages {
        say!("{} …", stage.name());
        let start = Instant::now();
        let note = stage.run(project).map_err(|error| {
            // The cause first and the way on last, where the eye ends up.
            let (name, time) = (stage.name(), seconds(start.elapsed()));
            anyhow!("{error:#}\nstage {name} failed after {time}; `cargo xtask test {name}` runs only this one")
        })?;
        say!("{} ok, {} {note}", stage.name(), seconds(start.elapsed()));
        rows.push((stage.name(), start.elapsed(), note));
    }
    say!("\n{}", table(&rows));
    Ok(())
}

fn table(rows: &[Row]) -> String {
    let total: Duration = rows.iter().map(|row| row.1).sum();
    let mut text = String::new();
    for (name, time, note) in rows {
        text += format!("{name:<8} {:>9}  {note}", seconds(*time)).trim_end();
        text.push('\n');
    }
    text + &format!("{:<8} {:>9}  all passed", "together", seconds(total))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_a_line_per_stage_and_the_sum() {
        let rows = [
            ("fmt", Duration::from_millis(500), String::new()),
            ("rust", Duration::from_secs(12), "57 passed".to_owned()),
        ];
        assert_eq!(table(&rows), "fmt          0.5 s\nrust        12.0 s  57 passed\ntogether    12.5 s  all passed");
    }
}
