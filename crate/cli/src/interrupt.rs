//! Ctrl-C: asked between steps, so that work in progress ends in a whole file or in none.

use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result};

static ASKED: AtomicBool = AtomicBool::new(false);

/// From now on the first Ctrl-C (or termination signal) is remembered, and a second one ends the program at once.
pub(crate) fn listen() -> Result<()> {
    /// What shells report for a program that Ctrl-C ended.
    const INTERRUPTED: i32 = 130;
    let handler = || {
        if ASKED.swap(true, Ordering::Relaxed) {
            std::process::exit(INTERRUPTED);
        }
    };
    ctrlc::set_handler(handler).context("cannot listen for Ctrl-C")
}

/// Whether Ctrl-C was pressed.
pub(crate) fn asked() -> bool {
    ASKED.load(Ordering::Relaxed)
}
