//! One command a file.

mod eval;
mod lrp;
mod quantize;
mod train;

use anyhow::Result;

use crate::args::{Args, Command};

pub(crate) fn run(args: Args) -> Result<()> {
    match args.command {
        Command::Train(command) => train::run(&command, args.json),
        Command::Eval(command) => eval::run(&command, args.json),
        Command::Lrp(command) => lrp::run(&command, args.json),
        Command::Quantize(command) => quantize::run(&command, args.json),
    }
}
