//! Numbers to text and to ticks, and the width of text, without asking any backend.

/// Width of `text` in ems times `size`, rather too wide than too narrow.
///
/// Plotters can measure only on the canvas, where it inserts an element into the page for each question. A table of
/// classes is enough to keep labels apart, and gives the same picture in every backend.
pub fn text_width(text: &str, size: f64, bold: bool) -> i32 {
    let ems: f64 = text
        .chars()
        .map(|c| match c {
            'i' | 'j' | 'l' | '.' | ',' | ':' | '\'' | '|' | '\u{202f}' => 0.3,
            ' ' | 'f' | 't' | 'r' | '-' | '(' | ')' | '/' | 'I' => 0.4,
            'm' | 'w' | 'M' | 'W' | '%' | '@' | '√' => 0.92,
            'A'..='Z' | '+' | '−' | '=' | '<' | '…' => 0.72,
            c if c.is_ascii() => 0.6,
            c if (c as u32) < 0x2e80 => 0.68,
            _ => 1.05,
        })
        .sum();
    (ems * size * if bold { 1.07 } else { 1.0 }).ceil() as i32
}

/// `value` with at most nine decimals and a true minus sign; never "−0".
///
/// By hand, because the standard library's exact float formatting alone would be a tenth of the module.
pub(crate) fn fixed(value: f64, decimals: usize) -> String {
    let unit = 10u64.pow(decimals.min(9) as u32);
    let scaled = (value.abs() * unit as f64).round() as u64;
    let sign = if value < 0.0 && scaled > 0 { "−" } else { "" };
    let (whole, part) = (scaled / unit, scaled % unit);
    if unit == 1 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{part:0width$}", width = decimals.min(9)) }
}

/// `value` as text with `decimals`, or in powers of ten where it would be unreadably long.
pub(crate) fn short(value: f64, decimals: usize) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    if decimals <= 5 && value.abs() < 1e6 {
        return fixed(value, decimals);
    }
    let power = value.abs().log10().floor() as i32;
    let sign = if power < 0 { "−" } else { "" };
    // In two steps, since the smallest numbers have a power whose inverse is infinite.
    let mantissa = value / 10f64.powi(power / 2) / 10f64.powi(power - power / 2);
    format!("{}e{sign}{}", fixed(mantissa, 1), power.unsigned_abs())
}

/// Decimals that show `digits` significant digits of a number as large as `magnitude`.
pub(crate) fn decimals(magnitude: f64, digits: i32) -> usize {
    if magnitude > 0.0 && magnitude.is_finite() {
        // The small offset keeps 0.1, whose logarithm may come out a hair below −1, from asking for one more.
        (digits - 1 - (magnitude.log10() + 1e-9).floor() as i32).max(0) as usize
    } else {
        0
    }
}

/// A share in percent with a fixed number of decimals.
pub(crate) fn percent(share: f64, decimals: usize) -> String {
    fixed(share * 100.0, decimals) + "\u{202f}%"
}

/// A share as a direct label: whole percents, finer only near 0 and 1 where a whole percent would tell a lie.
pub(crate) fn share_label(share: f64) -> String {
    let share = share.clamp(0.0, 1.0);
    if share == 0.0 || share == 1.0 {
        percent(share, 0)
    } else if share < 0.0005 {
        "<0.1\u{202f}%".to_owned()
    } else if share > 0.9995 {
        ">99.9\u{202f}%".to_owned()
    } else {
        percent(share, usize::from(!(0.0995..0.99).contains(&share)))
    }
}

/// A share as a tick label: as many decimals as the tick needs, at most three.
pub(crate) fn percent_tick(share: f64) -> String {
    let needed = (0..3).find(|&places| {
        let scaled = share * 10f64.powi(places + 2);
        (scaled - scaled.round()).abs() < 1e-6
    });
    percent(share, needed.unwrap_or(3) as usize)
}

/// The smallest 1, 2 or 5 times a power of ten that is at least `rough`; `rough` must be positive and finite.
pub(crate) fn nice_step(rough: f64) -> f64 {
    let power = 10f64.powi(rough.log10().floor() as i32);
    let factor = [1.0, 2.0, 5.0].into_iter().find(|f| f * power >= rough * (1.0 - 1e-9));
    factor.unwrap_or(10.0) * power
}

/// Multiples of `step` from `low` to `high`, both included where they are multiples; at most 1000.
pub(crate) fn multiples(low: f64, high: f64, step: f64) -> Vec<f64> {
    let slack = step * 1e-6;
    let first = ((low - slack) / step).ceil();
    (0..1000).map(|k| (first + f64::from(k)) * step).take_while(|v| *v <= high + slack).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_numbers() {
        for (value, places, want) in
            [(-0.21, 2, "−0.21"), (-0.001, 2, "0.00"), (3.0, 0, "3"), (2e7, 0, "2.0e7"), (1e-8, 9, "1.0e−8")]
        {
            assert_eq!(short(value, places), want);
        }
        for (magnitude, want) in [(0.1, 2), (0.0999, 3), (1.0, 1), (9.9, 1), (10.0, 0), (0.0, 0), (f64::NAN, 0)] {
            assert_eq!(decimals(magnitude, 2), want, "{magnitude}");
        }
        for (share, want) in [
            (0.0, "0 %"),
            (1e-9, "<0.1 %"),
            (0.0123, "1.2 %"),
            (0.0996, "10 %"),
            (0.81, "81 %"),
            (0.994, "99.4 %"),
            (0.99999, ">99.9 %"),
            (1.0, "100 %"),
        ] {
            assert_eq!(share_label(share).replace('\u{202f}', " "), want);
        }
        for (share, want) in [(0.5, "50 %"), (0.025, "2.5 %"), (0.0005, "0.05 %"), (0.965, "96.5 %")] {
            assert_eq!(percent_tick(share).replace('\u{202f}', " "), want);
        }
    }

    #[test]
    fn finds_nice_steps() {
        for (rough, want) in [(0.011, 0.02), (0.02, 0.02), (0.3, 0.5), (6.0, 10.0), (1.0, 1.0)] {
            assert!((nice_step(rough) - want).abs() < 1e-12, "{rough}");
        }
        assert_eq!(multiples(0.0, 1.0, 0.2).len(), 6);
        assert_eq!(multiples(2.0, 8.0, 1.0).len(), 7);
    }
}
