//! Accuracy along the control that was moved last: a trail of visits, the float net's accuracy, and now.

use plotters::backend::DrawingBackend;
use plotters::coord::Shift;
use plotters::drawing::DrawingArea;
use serde::Deserialize;

use super::axis::{BentAxis, ShareAxis};
use super::error::{ChartError, finite, shares};
use super::pen::{Align, Frame, Label, Pen};
use super::rulers;
use super::scale::percent;
use super::theme::Theme;

/// `AccuracyChart.axis` of types.ts.
#[derive(Debug, Clone, Deserialize)]
pub struct Axis {
    /// The control's name.
    pub label: String,
    /// Its smallest value.
    pub min: f64,
    /// Its largest value.
    pub max: f64,
    /// How strongly the slider is bent: position = ((x − min)/(max − min))^(1/power).
    pub power: f64,
}

/// A visited setting and its accuracy, 0 to 1.
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct Visit {
    /// The control's value.
    pub x: f64,
    /// Share of correct answers.
    pub accuracy: f64,
}

/// `AccuracyChart` of types.ts.
#[derive(Debug, Clone, Deserialize)]
pub struct Accuracy {
    /// The control.
    pub axis: Axis,
    /// Visited points, in order of visit.
    pub trail: Vec<Visit>,
    /// The point that is set now.
    pub current: Visit,
    /// Accuracy of the net before quantization, 0 to 1.
    pub float_accuracy: f64,
    /// 95 % confidence interval of the current accuracy.
    pub interval: [f64; 2],
}

impl Accuracy {
    /// Checks the numbers. Values of x outside the axis are fine: they are drawn at its end.
    ///
    /// # Errors
    /// [`ChartError::Range`].
    pub fn check(&self) -> Result<(), ChartError> {
        finite("axis.min", &[self.axis.min])?;
        finite("axis.max", &[self.axis.max])?;
        if self.axis.max < self.axis.min {
            return Err(ChartError::Range { field: "axis.max", got: self.axis.max, range: "at least axis.min" });
        }
        if !(0.01..=100.0).contains(&self.axis.power) {
            return Err(ChartError::Range { field: "axis.power", got: self.axis.power, range: "from 0.01 to 100" });
        }
        for visit in &self.trail {
            finite("trail.x", &[visit.x])?;
            shares("trail.accuracy", &[visit.accuracy])?;
        }
        finite("current.x", &[self.current.x])?;
        shares("current.accuracy", &[self.current.accuracy])?;
        shares("float_accuracy", &[self.float_accuracy])?;
        shares("interval", &self.interval)?;
        let [low, high] = self.interval;
        if high < low {
            return Err(ChartError::Range { field: "interval", got: high, range: "at least its lower end" });
        }
        Ok(())
    }

    /// Lowest and highest accuracy that must be visible.
    fn extent(&self) -> (f64, f64) {
        let fixed = [self.float_accuracy, self.current.accuracy, self.interval[0], self.interval[1]];
        let all = self.trail.iter().map(|visit| visit.accuracy).chain(fixed);
        all.fold((1.0, 0.0), |(low, high): (f64, f64), y| (low.min(y), high.max(y)))
    }
}

/// Draws the chart. The result is one hover zone per trail point and a last one for the current point: x0, y0, x1, y1
/// in CSS pixels.
///
/// # Errors
/// What [`Accuracy::check`] finds, or [`ChartError::Backend`].
pub fn draw<B: DrawingBackend>(
    area: &DrawingArea<B, Shift>,
    data: &Accuracy,
    theme: &Theme,
) -> Result<Vec<[f32; 4]>, ChartError> {
    data.check()?;
    let Some(mut pen) = Pen::start(area, theme)? else { return Ok(Vec::new()) };
    // Two lines under the plot, ticks and the control's name; where height is short the name goes.
    let named = pen.height > 8 * theme.line();
    let (y0, y1) =
        (theme.line() / 2 + theme.px(2.0), pen.height - theme.line() * if named { 2 } else { 1 } - theme.px(6.0));
    let y = ShareAxis::new(data.extent(), (y0, y1), f64::from(theme.line()) * 1.7);
    let left = rulers::shares(&mut pen, y.ticks());
    let radius = theme.px(5.0);
    let x = BentAxis::new(&data.axis, (left + radius, pen.width - radius - theme.px(2.0)));
    rulers::values(&mut pen, &data.axis.label, &x, y1, named.then_some(left));
    let at = |visit: &Visit| (x.at(visit.x), y.at(visit.accuracy));
    float_line(&pen, left, y.at(data.float_accuracy));
    let mut visited: Vec<(i32, i32)> = data.trail.iter().chain([&data.current]).map(at).collect();
    visited.sort_unstable();
    visited.dedup();
    trail(&pen, &visited);
    let now = at(&data.current);
    whisker(&mut pen, now, (y.at(data.interval[0]), y.at(data.interval[1])), radius);
    let float = y.at(data.float_accuracy);
    let (right, near) = (pen.width - theme.px(2.0), theme.px(3.0));
    // The two names first look for a place clear of the trail and of the float line, then for any place.
    pen.avoid(Frame::new(left, float - 1, pen.width, float + 2));
    pen.avoid_line(&visited, near);
    let texts = (percent(data.current.accuracy.clamp(0.0, 1.0), 1), percent(data.float_accuracy.clamp(0.0, 1.0), 1));
    pen.insist(|pen| name_current(pen, now, &texts.0));
    pen.insist(|pen| name_float(pen, (left, right), (now.0, float), &format!("float {}", texts.1)));
    let reach = theme.px(6.0);
    let zone = |(x, y): (i32, i32)| pen.zone(Frame::new(x, y, x, y).grown(reach));
    let zones = data.trail.iter().chain([&data.current]).map(|visit| zone(at(visit))).collect();
    pen.finish(zones)
}

/// The float net's accuracy as a dashed line over the whole width.
fn float_line<B: DrawingBackend>(pen: &Pen<'_, B>, left: i32, y: i32) {
    let (dash, thin) = (pen.theme.px(4.0), pen.theme.px(1.5));
    let mut x = left;
    while x < pen.width {
        pen.rect(Frame::new(x, y - thin / 2, x + dash, y - thin / 2 + thin), pen.theme.ink_muted);
        x += dash + pen.theme.px(3.0);
    }
}

/// Visits as faint dots on a thin line.
///
/// The line goes through the points in order of x, not of visit: it then reads as the curve that was explored, while a
/// line through time would scribble over itself with every drag back and forth.
fn trail<B: DrawingBackend>(pen: &Pen<'_, B>, points: &[(i32, i32)]) {
    let theme = pen.theme;
    if points.len() < 2 {
        return;
    }
    pen.path(points.to_vec(), theme.px(1.0), theme.faint(theme.accent, 0.4));
    for &point in points {
        pen.dot(point, theme.px(2.0), theme.faint(theme.accent, 0.55));
    }
}

/// The current point with its interval.
fn whisker<B: DrawingBackend>(pen: &mut Pen<'_, B>, (x, y): (i32, i32), (low, high): (i32, i32), radius: i32) {
    let theme = pen.theme;
    let thick = theme.px(2.0);
    let (x0, arm) = (x - thick / 2, theme.px(4.0));
    pen.rect(Frame::new(x0, high, x0 + thick, low + 1), theme.accent);
    for end in [low, high] {
        pen.rect(Frame::new(x0 - arm, end - thick / 2, x0 + thick + arm, end - thick / 2 + thick), theme.accent);
    }
    pen.dot((x, y), radius + thick / 2, theme.surface);
    pen.dot((x, y), radius, theme.accent);
    pen.reserve(Frame::new(x - radius, high.min(y - radius), x + radius, low.max(y + radius)));
}

/// The current accuracy beside its point, on the side with room.
fn name_current<B: DrawingBackend>(pen: &mut Pen<'_, B>, (x, y): (i32, i32), text: &str) -> bool {
    let theme = pen.theme;
    let side = theme.px(11.0) + (theme.font() * 0.3) as i32;
    let line = theme.line();
    for shift in [0, line * 2 / 3, -line * 2 / 3, line * 4 / 3, -line * 4 / 3, 2 * line, -2 * line] {
        for (x, align) in [(x + side, Align::Left), (x - side, Align::Right)] {
            let label = Label { colour: theme.accent, patch: true, ..pen.loud(text, x, y + shift, align) };
            if pen.label(&label) {
                return true;
            }
        }
    }
    false
}

/// The float line's name, at the end away from the current point, above the line if there is room.
fn name_float<B: DrawingBackend>(
    pen: &mut Pen<'_, B>,
    (left, right): (i32, i32),
    (now, y): (i32, i32),
    text: &str,
) -> bool {
    let theme = pen.theme;
    let mut ends = [(right, Align::Right), (left + theme.px(3.0), Align::Left)];
    if now > i32::midpoint(left, right) {
        ends.reverse();
    }
    let off = theme.line() / 2 + theme.px(3.0);
    for shift in [-off, off] {
        for (x, align) in ends {
            if pen.label(&Label { patch: true, ..pen.quiet(text, x, y + shift, align) }) {
                return true;
            }
        }
    }
    false
}
