//! Each weight of a layer as a mark: how large it is, how relevant, and what became of it.

use plotters::backend::DrawingBackend;
use plotters::coord::Shift;
use plotters::drawing::DrawingArea;
use plotters::style::RGBColor;

use super::accuracy::Axis;
use super::axis::{BentAxis, RootAxis};
use super::error::{ChartError, finite, parallel};
use super::pen::{Align, Frame, Pen};
use super::rulers;
use super::theme::Theme;

/// What `drawScatter` takes: parallel lists, one entry per weight.
#[derive(Debug, Clone)]
pub struct Scatter {
    /// In weight units; drawn by their magnitude.
    pub values: Vec<f64>,
    /// 0 to 1.
    pub relevances: Vec<f64>,
    /// 0 kept, 1 zeroed, 2 saved by relevance, 3 given up.
    pub fates: Vec<u8>,
}

/// From so many marks on, the common ones are as small as can be.
const CROWD: usize = 2000;
/// How many fates there are.
const FATES: u8 = 4;
const KEPT: u8 = 0;
const ZEROED: u8 = 1;
const SAVED: u8 = 2;

impl Scatter {
    /// Checks lengths and numbers.
    ///
    /// # Errors
    /// [`ChartError::Empty`], [`ChartError::Length`] or [`ChartError::Range`].
    pub fn check(&self) -> Result<(), ChartError> {
        let weights = self.values.len();
        if weights == 0 {
            return Err(ChartError::Empty { field: "values" });
        }
        finite("values", &self.values)?;
        parallel("relevances", &self.relevances, weights)?;
        if self.fates.len() != weights {
            return Err(ChartError::Length { field: "fates", got: self.fates.len(), want: weights });
        }
        match self.fates.iter().find(|fate| **fate >= FATES) {
            Some(&fate) => Err(ChartError::Range { field: "fates", got: fate.into(), range: "from 0 to 3" }),
            None => Ok(()),
        }
    }
}

/// Draws the chart. The result is one hover zone per weight: x0, y0, x1, y1 in CSS pixels. Relevance stands on a
/// square-root scale: most weights have little of it.
///
/// # Errors
/// What [`Scatter::check`] finds, or [`ChartError::Backend`].
pub fn draw<B: DrawingBackend>(
    area: &DrawingArea<B, Shift>,
    data: &Scatter,
    theme: &Theme,
) -> Result<Vec<[f32; 4]>, ChartError> {
    data.check()?;
    let Some(mut pen) = Pen::start(area, theme)? else { return Ok(Vec::new()) };
    let radius = theme.px(3.5);
    let named = pen.height > 8 * theme.line();
    let base = pen.height - theme.line() * if named { 2 } else { 1 } - theme.px(6.0);
    let y = RootAxis::new(1.0, (theme.line() + theme.px(6.0), base));
    let left = rulers::shares(&mut pen, y.ticks(theme.line() * 3 / 2).into_iter());
    let largest = data.values.iter().fold(0.0, |most: f64, w| most.max(w.abs()));
    let axis =
        Axis { label: "weight |w|".to_owned(), min: 0.0, max: if largest > 0.0 { largest } else { 1.0 }, power: 1.0 };
    let x = BentAxis::new(&axis, (left + radius, pen.width - radius - theme.px(2.0)));
    rulers::values(&mut pen, &axis.label, &x, base, named.then_some(left));
    let places = data.values.iter().zip(&data.relevances).map(|(&w, &r)| (x.at(w.abs()), y.y(r)));
    let zones = places.clone().map(|(x, y)| pen.zone(Frame::new(x, y, x, y).grown(radius))).collect();
    let mut marks: Vec<(u8, i32, i32)> =
        data.fates.iter().zip(places).map(|(&fate, (x, y))| (order(fate), x, y)).collect();
    // Marks on the same pixel look like one, and one is drawn. The rarer kinds come last, on top.
    marks.sort_unstable();
    marks.dedup();
    // Few marks may be larger.
    let small = theme.px(if data.fates.len() < CROWD { 1.5 } else { 1.0 });
    for (order, x, y) in marks {
        mark(&pen, order, (x, y), (small, radius));
    }
    for title in ["relevance, share of the layer's largest, square-root scale", "relevance, √ scale"] {
        if pen.label(&pen.quiet(title, left, theme.line() / 2, Align::Left)) {
            break;
        }
    }
    pen.finish(zones)
}

/// Zeroed first, then kept, given up, saved.
fn order(fate: u8) -> u8 {
    match fate {
        ZEROED => 0,
        KEPT => 1,
        SAVED => 3,
        _ => 2,
    }
}

/// Shape and colour both tell the fates apart.
fn mark<B: DrawingBackend>(pen: &Pen<'_, B>, order: u8, (x, y): (i32, i32), (small, radius): (i32, i32)) {
    let theme = pen.theme;
    let square = |half: i32, colour: RGBColor, opacity: f64| {
        pen.tint(
            Frame::new(x - half, y - half, x - half + 2 * half.max(1), y - half + 2 * half.max(1)),
            colour,
            opacity,
        );
    };
    match order {
        0 => square(small, theme.zero, 0.5),
        1 => square(small, theme.accent, 0.65),
        2 => {
            let arm = theme.px(1.0);
            pen.rect(Frame::new(x - radius, y - arm / 2, x + radius, y - arm / 2 + arm), theme.negative);
            pen.rect(Frame::new(x - arm / 2, y - radius, x - arm / 2 + arm, y + radius), theme.negative);
        }
        _ => {
            pen.dot((x, y), radius, theme.surface);
            pen.dot((x, y), radius - theme.px(1.0).min(radius - 1), theme.relevance);
        }
    }
}
