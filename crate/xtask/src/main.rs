//! `cargo xtask <command>`: everything that is done with this repository besides editing it.
//! `flags` lists the commands; `serve` needs `page`, which needs `wasm`, which needs `tools`; `stamp` decides what is up to date.

use std::process::ExitCode;

use anyhow::Result;

use crate::flags::Command;
use crate::project::Project;
use crate::report::say;

mod artifact;
mod bench;
mod chrome;
mod flags;
mod page;
mod project;
mod report;
mod run;
mod serve;
mod stamp;
mod test;
mod tidy;
mod tools;
mod wasm;

fn main() -> ExitCode {
    let command = match flags::parse(std::env::args().skip(1)) {
        Ok(command) => command,
        Err(message) => {
            eprintln!("xtask: {message}\n\n{}", flags::help());
            return ExitCode::from(2);
        }
    };
    match dispatch(&command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(command: &Command) -> Result<()> {
    let project = Project::find()?;
    match command {
        Command::Help => {
            say!("{}", flags::help());
            Ok(())
        }
        Command::Serve(options) => serve::serve(&project, options),
        Command::Build => page::build_and_list(&project),
        Command::Test(stages) => test::test(&project, stages),
        Command::Bench => bench::bench(&project),
        Command::Tidy => tidy::tidy(&project),
    }
}
