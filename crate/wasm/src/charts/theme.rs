//! Colours and sizes of a chart, checked, and in device pixels: the only place that knows of `dpr`.

use plotters::style::RGBColor;
use serde::Deserialize;

use super::error::ChartError;

/// `ChartTheme` of types.ts as it arrives.
#[derive(Debug, Clone, Deserialize)]
#[allow(missing_docs)] // the fields are documented in types.ts
pub struct ThemeInput {
    pub dpr: f64,
    pub font_family: String,
    pub font_size: f64,
    pub ink: String,
    pub ink_muted: String,
    pub grid: String,
    pub surface: String,
    pub negative: String,
    pub zero: String,
    pub positive: String,
    pub relevance: String,
    pub accent: String,
}

/// A theme that can draw. The context of the canvas stays unscaled, so every length is multiplied by `dpr` here.
#[derive(Debug, Clone)]
pub struct Theme {
    dpr: f64,
    font_family: String,
    font_size: f64,
    pub(crate) ink: RGBColor,
    pub(crate) ink_muted: RGBColor,
    pub(crate) grid: RGBColor,
    pub(crate) surface: RGBColor,
    pub(crate) negative: RGBColor,
    pub(crate) zero: RGBColor,
    pub(crate) positive: RGBColor,
    pub(crate) relevance: RGBColor,
    pub(crate) accent: RGBColor,
}

impl Theme {
    /// Checks the numbers and reads the colours.
    ///
    /// # Errors
    /// [`ChartError::Range`] for `dpr` outside 0.2 to 10 or `font_size` outside 4 to 100, [`ChartError::Colour`].
    pub fn new(input: &ThemeInput) -> Result<Self, ChartError> {
        // Browsers zoom from 25 % to 500 % on screens of 1 to 4 device pixels per CSS pixel.
        if !(0.2..=10.0).contains(&input.dpr) {
            return Err(ChartError::Range { field: "theme.dpr", got: input.dpr, range: "from 0.2 to 10" });
        }
        if !(4.0..=100.0).contains(&input.font_size) {
            return Err(ChartError::Range { field: "theme.font_size", got: input.font_size, range: "from 4 to 100" });
        }
        Ok(Self {
            dpr: input.dpr,
            font_family: input.font_family.clone(),
            font_size: input.font_size,
            ink: colour("ink", &input.ink)?,
            ink_muted: colour("ink_muted", &input.ink_muted)?,
            grid: colour("grid", &input.grid)?,
            surface: colour("surface", &input.surface)?,
            negative: colour("negative", &input.negative)?,
            zero: colour("zero", &input.zero)?,
            positive: colour("positive", &input.positive)?,
            relevance: colour("relevance", &input.relevance)?,
            accent: colour("accent", &input.accent)?,
        })
    }

    /// A length in CSS pixels as device pixels, at least one.
    pub(crate) fn px(&self, css: f64) -> i32 {
        ((css * self.dpr).round() as i32).max(1)
    }

    /// A device length in CSS pixels.
    pub(crate) fn css(&self, device: i32) -> f32 {
        (f64::from(device) / self.dpr) as f32
    }

    /// Font size in device pixels.
    pub(crate) fn font(&self) -> f64 {
        self.font_size * self.dpr
    }

    /// Height of one line of text in device pixels.
    pub(crate) fn line(&self) -> i32 {
        (self.font() * 1.25).ceil() as i32
    }

    /// A colour laid over the surface with opacity; overlapping marks then do not darken each other.
    pub(crate) fn faint(&self, colour: RGBColor, opacity: f64) -> RGBColor {
        let mix = |over: u8, under: u8| (f64::from(over) * opacity + f64::from(under) * (1.0 - opacity)).round() as u8;
        let (over, under) = (colour, self.surface);
        RGBColor(mix(over.0, under.0), mix(over.1, under.1), mix(over.2, under.2))
    }

    /// The font's name, as CSS writes it.
    pub(crate) fn family(&self) -> &str {
        &self.font_family
    }
}

/// Reads `#rrggbb`.
fn colour(field: &'static str, text: &str) -> Result<RGBColor, ChartError> {
    let wrong = || ChartError::Colour { field, got: text.to_owned() };
    let digits = text.strip_prefix('#').filter(|d| d.len() == 6 && d.bytes().all(|b| b.is_ascii_hexdigit()));
    let value = digits.and_then(|d| u32::from_str_radix(d, 16).ok()).ok_or_else(wrong)?;
    let [_, red, green, blue] = value.to_be_bytes();
    Ok(RGBColor(red, green, blue))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_colours() {
        assert_eq!(colour("ink", "#1b1F24").unwrap(), RGBColor(0x1b, 0x1f, 0x24));
        for wrong in ["", "#", "1b1f24", "#1b1f2", "#1b1f24ff", "#+b1f24", "red", "#ééé"] {
            assert_eq!(colour("ink", wrong).unwrap_err().code(), "chart/colour", "{wrong}");
        }
    }
}
