//! `tidy`: house rules as checks. A rule takes the repository's files and returns what breaks it;
//! `source` has the rules for code, `assets` for data, `links` for documents. A new rule is a function and a line in `RULES`.

use anyhow::{Context, Result, bail};

use crate::project::Project;
use crate::report::say;
use crate::run;
use crate::tidy::files::SourceFile;

mod assets;
mod files;
mod links;
mod source;

/// What the rule says, and the function that lists what breaks it.
type Rule = (&'static str, fn(&[SourceFile]) -> Vec<String>);

const RULES: [Rule; 7] = [
    ("each Rust file starts with a //! line that says what it is for", source::module_docs),
    ("tests name the error they expect instead of any panic", source::no_should_panic),
    ("the core reads no files and no clock, and prints nothing", source::core_is_pure),
    ("source files have at most 600 lines", source::file_length),
    ("what is left to do is not left in the files", source::no_notes_to_self),
    ("each data and model file is listed in assets/README.md with its checksum", assets::checksums),
    ("links between documents hold", links::links_hold),
];

pub(crate) fn tidy(project: &Project) -> Result<()> {
    say!("tidy: {}", check(project)?);
    Ok(())
}

/// Checks every rule and lists all that is broken, not only the first.
pub(crate) fn check(project: &Project) -> Result<String> {
    let files = files::read(&project.root)?;
    let mut broken: Vec<(&str, Vec<String>)> = RULES.iter().map(|(rule, check)| (*rule, check(&files))).collect();
    broken.push(("the core does not know the web", source::web_crates(&core_dependencies(project)?)));
    broken.retain(|(_, places)| !places.is_empty());
    for (rule, places) in &broken {
        eprintln!("{rule}; not so here:");
        for place in places {
            eprintln!("  {place}");
        }
    }
    if broken.is_empty() {
        return Ok(format!("{} rules, {} files", RULES.len() + 1, files.len()));
    }
    bail!("{} house rules are broken, see above", broken.len())
}

/// All packages that the core is built from, also those of its dependencies and of other systems, one per line.
fn core_dependencies(project: &Project) -> Result<String> {
    let args = ["tree", "--package", "ecqx-core", "--edges", "normal", "--target", "all", "--prefix", "none"];
    run::answer(&mut project.cargo(&args)).context("cargo tree failed: run `cargo tree -p ecqx-core` to see why")
}
