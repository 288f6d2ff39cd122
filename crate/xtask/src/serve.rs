//! `serve`: builds what changed, then leaves dist/ to Vite's preview server until Ctrl-C.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result, bail};

use crate::flags::ServeOptions;
use crate::page;
use crate::project::Project;
use crate::report::say;

pub(crate) fn serve(project: &Project, options: &ServeOptions) -> Result<()> {
    page::build(project)?;
    let port = options.port.to_string();
    let mut server = project
        .command("node", &["crate/xtask/preview.mjs", &port])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot start `node` for the preview server")?;

    // The server ends when its standard input does (see preview.mjs): on Ctrl-C, and also when this process is killed.
    let lifeline = Mutex::new(server.stdin.take());
    let stopped = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&stopped);
    ctrlc::set_handler(move || {
        seen.store(true, Ordering::SeqCst);
        if let Ok(mut lifeline) = lifeline.lock() {
            lifeline.take();
        }
    })
    .context("cannot watch for Ctrl-C")?;

    let mut lines = BufReader::new(server.stdout.take().context("the preview server has no output")?).lines();
    if let Some(url) = lines.next().transpose()? {
        announce(&url, options);
    }
    for line in lines {
        say!("{}", line?);
    }
    let status = server.wait()?;
    if stopped.load(Ordering::SeqCst) {
        say!("stopped");
    } else {
        bail!("the preview server ended by itself ({status}); what it said is above");
    }
    Ok(())
}

fn announce(url: &str, options: &ServeOptions) {
    if !url.contains(&format!(":{}/", options.port)) {
        say!("port {} is taken, so the next free one", options.port);
    }
    say!("\nECQx Explorer is at {url}  (Ctrl-C stops)");
    if options.open
        && let Some(opener) = opener(cfg!(target_os = "macos"), |name| std::env::var_os(name).is_some())
    {
        // A service, not a duty: without a browser the address is still on the screen.
        let _ = Command::new(opener).arg(url).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    }
}

/// The program that shows an address, where there is a screen to show it on.
fn opener(macos: bool, has_variable: impl Fn(&str) -> bool) -> Option<&'static str> {
    if macos {
        Some("open")
    } else if has_variable("DISPLAY") || has_variable("WAYLAND_DISPLAY") {
        Some("xdg-open")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opens_only_where_there_is_a_screen() {
        assert_eq!(opener(true, |_| false), Some("open"));
        assert_eq!(opener(false, |_| false), None);
        assert_eq!(opener(false, |name| name == "WAYLAND_DISPLAY"), Some("xdg-open"));
    }
}
