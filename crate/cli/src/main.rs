//! The command `ecqx`: the core, for scripts. Paths become bytes here, reports become text; no maths.

mod args;
mod commands;
mod files;
mod interrupt;
mod output;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let args = args::Args::parse(); // wrong usage ends here with exit code 2
    match commands::run(args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("ecqx: {error:#}");
            ExitCode::FAILURE
        }
    }
}
