//! How progress and numbers are printed.

use std::time::{Duration, Instant};

/// `println!` that survives a reader who has read enough, as in `cargo xtask serve | head -1`.
macro_rules! say {
    ($($text:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!(std::io::stdout(), $($text)*);
    }};
}
pub(crate) use say;

/// One step that is being worked on; prints one line when it ends.
#[derive(Debug)]
pub(crate) struct Step {
    name: String,
    start: Instant,
}

impl Step {
    pub(crate) fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), start: Instant::now() }
    }

    pub(crate) fn done(&self, what: &str) {
        say!("{:<14} {what:<10} {:>7}", self.name, seconds(self.start.elapsed()));
    }
}

pub(crate) fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}

/// Bytes with a thin grouping, since sizes are compared digit by digit: `1 234 567`.
pub(crate) fn grouped(bytes: usize) -> String {
    let digits = bytes.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_of_three_from_the_right() {
        for (bytes, text) in [(0, "0"), (999, "999"), (1000, "1 000"), (1_234_567, "1 234 567")] {
            assert_eq!(grouped(bytes), text);
        }
    }

    #[test]
    fn seconds_have_one_decimal() {
        assert_eq!(seconds(Duration::from_millis(12_340)), "12.3 s");
    }
}
