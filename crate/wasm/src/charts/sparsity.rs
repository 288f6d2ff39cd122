//! Sparsity per layer: one row each, name left, bar in the middle, value right.

use plotters::backend::DrawingBackend;
use plotters::coord::Shift;
use plotters::drawing::DrawingArea;
use serde::Deserialize;

use super::error::{ChartError, parallel};
use super::pen::{Align, Frame, Pen};
use super::scale::{share_label, text_width};
use super::theme::Theme;

/// `SparsityChart` of types.ts.
#[derive(Debug, Clone, Deserialize)]
pub struct Sparsity {
    /// Names of the layers, from input to output.
    pub layers: Vec<String>,
    /// Share of zeros per layer, 0 to 1.
    pub current: Vec<f64>,
    /// The same for nearest neighbour.
    pub nearest: Vec<f64>,
    /// The same for ECQ without relevance.
    pub ecq: Option<Vec<f64>>,
}

impl Sparsity {
    /// Checks lengths and numbers.
    ///
    /// # Errors
    /// [`ChartError::Empty`], [`ChartError::Length`] or [`ChartError::Range`].
    pub fn check(&self) -> Result<(), ChartError> {
        let layers = self.layers.len();
        if layers == 0 {
            return Err(ChartError::Empty { field: "layers" });
        }
        parallel("current", &self.current, layers)?;
        parallel("nearest", &self.nearest, layers)?;
        self.ecq.as_ref().map_or(Ok(()), |ecq| parallel("ecq", ecq, layers))
    }
}

/// Where rows and columns lie.
#[derive(Debug, Clone, Copy)]
struct Grid {
    /// The bars' span: 0 % and 100 %.
    x0: i32,
    x1: i32,
    /// Room for references that stick out of the first bar.
    top: i32,
    row: f64,
    /// Half the bar's thickness.
    half: i32,
    /// Height of all rows.
    bottom: i32,
}

impl Grid {
    fn new<B: DrawingBackend>(pen: &Pen<'_, B>, data: &Sparsity, values: &[String]) -> Self {
        let theme = pen.theme;
        let widest =
            |texts: &[String], bold| texts.iter().map(|text| text_width(text, theme.font(), bold)).max().unwrap_or(0);
        let gap = (theme.font() * 0.6) as i32;
        // Long names give way to the bars: they get at most two fifths.
        let names = widest(&data.layers, false).min(pen.width * 2 / 5);
        let x0 = names + gap;
        let x1 = pen.width - widest(values, true) - gap - theme.px(3.0);
        let (top, bottom) = (theme.px(2.0), pen.height - theme.line() - theme.px(6.0));
        // Few layers keep together at the top instead of floating apart.
        let row = (f64::from(bottom) / data.layers.len() as f64).min(f64::from(theme.line()) * 2.4);
        let half = ((row * 0.26).round() as i32).clamp(1, theme.px(8.0));
        let bottom = bottom.min((row * data.layers.len() as f64).round() as i32);
        Self { x0, x1, top, row, half, bottom: top + bottom }
    }

    fn x(self, share: f64) -> i32 {
        let length = share.clamp(0.0, 1.0) * f64::from(self.x1 - self.x0);
        self.x0 + if share > 0.0 { (length.round() as i32).max(1) } else { 0 }
    }

    fn y(self, row: usize) -> i32 {
        self.top + ((row as f64 + 0.5) * self.row).round() as i32
    }
}

/// Draws the chart. The result is one hover zone per layer: x0, y0, x1, y1 in CSS pixels.
///
/// # Errors
/// What [`Sparsity::check`] finds, or [`ChartError::Backend`].
pub fn draw<B: DrawingBackend>(
    area: &DrawingArea<B, Shift>,
    data: &Sparsity,
    theme: &Theme,
) -> Result<Vec<[f32; 4]>, ChartError> {
    data.check()?;
    let Some(mut pen) = Pen::start(area, theme)? else { return Ok(Vec::new()) };
    let values: Vec<String> = data.current.iter().map(|&share| share_label(share)).collect();
    let grid = Grid::new(&pen, data, &values);
    if grid.x1 - grid.x0 < theme.px(16.0) {
        return Ok(Vec::new());
    }
    axis(&mut pen, grid);
    for (row, &share) in data.current.iter().enumerate() {
        bar(&pen, data, grid, row, share);
    }
    // Rows lower than a line of text cannot all be named: every k-th is, by the smallest k that keeps them apart.
    let stride = (f64::from(theme.line()) * 0.96 / grid.row).ceil().max(1.0) as usize;
    let first = (0..data.layers.len()).find(|&row| grid.y(row) >= theme.line() / 2).unwrap_or(0);
    for (row, (name, value)) in data.layers.iter().zip(&values).enumerate().skip(first).step_by(stride) {
        let y = grid.y(row);
        let name = shortened(name, grid.x0 - (theme.font() * 0.6) as i32, theme.font());
        let mut label = pen.quiet(&name, 0, y, Align::Left);
        label.colour = theme.ink;
        pen.label(&label);
        pen.label(&pen.loud(value, pen.width - theme.px(1.0), y, Align::Right));
    }
    let edge = |row: usize| grid.top + (row as f64 * grid.row).round() as i32;
    let zones =
        (0..data.layers.len()).map(|row| pen.zone(Frame::new(0, edge(row), pen.width, edge(row + 1)))).collect();
    pen.finish(zones)
}

/// Hairlines at quarters, labels at as many of them as fit.
fn axis<B: DrawingBackend>(pen: &mut Pen<'_, B>, grid: Grid) {
    let theme = pen.theme;
    let thin = theme.px(1.0);
    let y = grid.bottom + theme.px(3.0) + theme.line() / 2;
    for quarter in [0, 2, 4, 1, 3] {
        let x = grid.x(f64::from(quarter) / 4.0);
        let colour = if quarter == 0 { theme.ink_muted } else { theme.grid };
        pen.rect(Frame::new(x, 0, x + thin, grid.bottom), colour);
        pen.label(&pen.quiet(&format!("{}\u{202f}%", quarter * 25), x, y, Align::Center));
    }
}

/// One bar with its two references: the marks of the occupancy chart, turned on their side.
fn bar<B: DrawingBackend>(pen: &Pen<'_, B>, data: &Sparsity, grid: Grid, row: usize, share: f64) {
    let theme = pen.theme;
    let (y, half, thin) = (grid.y(row), grid.half, theme.px(1.0));
    let x0 = grid.x0 + thin;
    pen.rect(Frame::new(x0, y - half, grid.x(share).max(x0), y + half), theme.zero);
    let over = half + theme.px(3.0).min((grid.row * 0.12) as i32);
    if let Some(&nearest) = data.nearest.get(row) {
        let x = grid.x(nearest);
        let arm = theme.px(2.0);
        let hollow = Frame::new(x - arm, y - over, x + arm + thin, y + over);
        pen.rect(hollow.grown(thin), theme.surface);
        pen.rect(hollow, theme.surface);
        pen.outline(hollow, thin, theme.ink_muted);
    }
    if let Some(&ecq) = data.ecq.as_ref().and_then(|ecq| ecq.get(row)) {
        let x = grid.x(ecq);
        let thick = theme.px(2.5);
        // Ends where a bar of that length ends.
        let dash = Frame::new(x - thick, y - over, x, y + over);
        pen.rect(dash.grown(thin), theme.surface);
        pen.rect(dash, theme.relevance);
    }
}

/// The text cut to `width` with an ellipsis.
fn shortened(text: &str, width: i32, size: f64) -> String {
    if text_width(text, size, false) <= width {
        return text.to_owned();
    }
    let mut kept: Vec<char> = text.chars().collect();
    while kept.pop().is_some() {
        let cut = kept.iter().collect::<String>() + "…";
        if text_width(&cut, size, false) <= width {
            return cut;
        }
    }
    String::new()
}
