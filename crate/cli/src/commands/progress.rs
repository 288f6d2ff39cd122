//! The bar on standard error while a net is trained.

use anyhow::Result;
use indicatif::{ProgressBar, ProgressState, ProgressStyle};

/// Steps so far, their rate, the time left, and a message.
pub(super) fn bar(steps: usize) -> Result<ProgressBar> {
    let rate = |state: &ProgressState, line: &mut dyn std::fmt::Write| {
        // A bar that cannot be written is drawn without it.
        write!(line, "{:.1} steps/s", state.per_sec()).unwrap_or_default();
    };
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} steps, {rate}, {eta} left, {msg}")?;
    let style = style.with_key("rate", rate);
    Ok(ProgressBar::new(steps as u64).with_style(style))
}
