//! What people read: a JSON object, or a few lines of text.

use std::io::{ErrorKind, Write};

use anyhow::{Context, Result};
use ecqx_core::nn::Evaluation;
use ecqx_core::quant::QuantizeReport;
use serde::Serialize;

/// Prints the report as one JSON object, or as the text.
pub(crate) fn print(json: bool, report: &impl Serialize, text: impl FnOnce() -> String) -> Result<()> {
    let printed = if json { serde_json::to_string(report)? } else { text() };
    match writeln!(std::io::stdout().lock(), "{printed}") {
        // Whoever read has read enough (`ecqx … | head`).
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        result => result.context("cannot write to standard output"),
    }
}

/// Text from a file, for a terminal: line ends, escape sequences and other control characters are spelled out.
pub(crate) fn printable(text: &str) -> String {
    let spell = |c: char| if c.is_control() { c.escape_default().to_string() } else { c.to_string() };
    text.chars().map(spell).collect()
}

pub(crate) fn evaluation(name: &str, evaluation: &Evaluation) -> String {
    let Evaluation { samples, correct, accuracy, loss } = evaluation;
    let name = printable(name);
    format!("{name}: {correct} of {samples} correct ({:.2} %), loss {loss:.4} nats", accuracy * 100.0)
}

/// A table with one row per layer and one for all.
pub(crate) fn quantized(report: &QuantizeReport) -> String {
    let row = |name: &str, weights: usize, sparsity: f64, nearest: f64, entropy: f64, beta: String| {
        let (sparsity, nearest) = (sparsity * 100.0, nearest * 100.0);
        format!("{name:<16} {weights:>9} {sparsity:>8.2} % {nearest:>8.2} % {entropy:>9.3} {beta:>8}")
    };
    let mut lines = vec![format!(
        "{:<16} {:>9} {:>10} {:>10} {:>9} {:>8}",
        "layer", "weights", "zeros", "(nearest)", "bits/w", "beta"
    )];
    for layer in &report.layers {
        let beta = layer.beta.map_or_else(|| "-".into(), |beta| format!("{beta:.4}"));
        let entropy = layer.entropy_bits_per_weight;
        lines.push(row(&printable(&layer.name), layer.weights, layer.sparsity, layer.sparsity_nearest, entropy, beta));
        lines.extend(layer.notice.as_ref().map(|notice| format!("  {}", printable(notice))));
        if layer.beta_feasible == Some(false) {
            lines.push("  No beta keeps the sparsity in the range that p allows; this is the nearest.".into());
        }
    }
    let entropy = report.entropy_bits_per_weight;
    lines.push(row("all", report.weights, report.sparsity, report.sparsity_nearest, entropy, String::new()));
    lines.join("\n")
}
