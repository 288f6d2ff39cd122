//! One command a file.

mod codec;
mod data;
mod eval;
mod info;
mod lrp;
mod nnc;
mod progress;
mod qat;
mod quantize;
mod sizes;
mod train;

use anyhow::Result;

use crate::args::{Args, Command};

pub(crate) fn run(args: Args) -> Result<()> {
    match args.command {
        Command::Train(command) => train::run(&command, args.json),
        Command::Eval(command) => eval::run(&command, args.json),
        Command::Lrp(command) => lrp::run(&command, args.json),
        Command::Qat(command) => qat::run(&command, args.json),
        Command::Quantize(command) => quantize::run(&command, args.json),
        Command::Encode(command) => codec::encode(&command, args.json),
        Command::Decode(command) => codec::decode(&command, args.json),
        Command::Info(command) => info::run(&command, args.json),
        Command::Data(command) => data::run(&command, args.json),
    }
}
