//! A map of pixels: an image in shades of ink, or signed relevance in the two hues of sign.

use plotters::backend::DrawingBackend;
use plotters::coord::Shift;
use plotters::drawing::DrawingArea;
use plotters::style::RGBColor;
use serde::Deserialize;

use super::error::{ChartError, finite};
use super::pen::{Frame, Pen};
use super::theme::Theme;

/// `Heatmap` of types.ts.
#[derive(Debug, Clone, Deserialize)]
pub struct Heatmap {
    /// Pixels across.
    pub width: usize,
    /// Row by row from the top.
    pub values: Vec<f64>,
    /// The value with the full colour; larger ones are cut. Maps that are compared share it.
    pub limit: f64,
    /// Whether values below zero have a hue of their own.
    pub signed: bool,
}

impl Heatmap {
    /// Checks that the numbers make a picture.
    ///
    /// # Errors
    /// [`ChartError::Empty`], [`ChartError::Length`] or [`ChartError::Range`].
    pub fn check(&self) -> Result<(), ChartError> {
        if self.values.is_empty() || self.width == 0 {
            return Err(ChartError::Empty { field: "values" });
        }
        let want = self.values.len().next_multiple_of(self.width);
        if want != self.values.len() {
            return Err(ChartError::Length { field: "values", got: self.values.len(), want });
        }
        finite("values", &self.values)?;
        finite("limit", &[self.limit])?;
        if self.limit < 0.0 {
            return Err(ChartError::Range { field: "limit", got: self.limit, range: "0 or more" });
        }
        Ok(())
    }

    fn colour(&self, value: f64, theme: &Theme) -> RGBColor {
        let strength = if self.limit > 0.0 { (value.abs() / self.limit).min(1.0) } else { 0.0 };
        let hue = match (self.signed, value < 0.0) {
            (true, true) => theme.negative,
            (true, false) => theme.positive,
            (false, _) => theme.ink,
        };
        theme.faint(hue, strength)
    }
}

/// Draws the map as large as its pixels stay square, in the middle, with a hairline around it. The result is one hover
/// zone per pixel, row by row: x0, y0, x1, y1 in CSS pixels.
///
/// # Errors
/// What [`Heatmap::check`] finds, or [`ChartError::Backend`].
pub fn draw<B: DrawingBackend>(
    area: &DrawingArea<B, Shift>,
    data: &Heatmap,
    theme: &Theme,
) -> Result<Vec<[f32; 4]>, ChartError> {
    data.check()?;
    let Some(pen) = Pen::start(area, theme)? else { return Ok(Vec::new()) };
    let (columns, rows) = (data.width, data.values.len() / data.width);
    let line = theme.px(1.0);
    let side =
        f64::min(f64::from(pen.width - 2 * line) / columns as f64, f64::from(pen.height - 2 * line) / rows as f64);
    let start = |room: i32, count: usize| ((f64::from(room) - side * count as f64) / 2.0).floor();
    let (left, top) = (start(pen.width, columns), start(pen.height, rows));
    // Rounded by edges, not by sizes: neighbours touch without a gap and without overlap.
    let edge = |start: f64, index: usize| (start + side * index as f64).round() as i32;
    let mut zones = Vec::with_capacity(data.values.len());
    for (index, &value) in data.values.iter().enumerate() {
        let (row, column) = (index / columns, index % columns);
        let frame = Frame::new(edge(left, column), edge(top, row), edge(left, column + 1), edge(top, row + 1));
        pen.rect(frame, data.colour(value, theme));
        zones.push(pen.zone(frame));
    }
    let whole = Frame::new(edge(left, 0), edge(top, 0), edge(left, columns), edge(top, rows));
    pen.outline(whole.grown(line), line, theme.grid);
    pen.finish(zones)
}
