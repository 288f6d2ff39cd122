//! The labelled edges of a plot: shares upwards, a control's or a weight's values sideways.

use plotters::backend::DrawingBackend;

use super::axis::BentAxis;
use super::pen::{Align, Frame, Pen};
use super::scale::percent_tick;

/// Grid lines and percent labels for shares at their heights; returns where the plot begins.
pub(crate) fn shares<B: DrawingBackend>(pen: &mut Pen<'_, B>, ticks: impl Iterator<Item = (f64, i32)>) -> i32 {
    let theme = pen.theme;
    let ticks: Vec<(String, i32)> = ticks.map(|(share, at)| (percent_tick(share), at)).collect();
    let widest = ticks.iter().map(|(text, _)| pen.frame_of(&pen.quiet(text, 0, 0, Align::Left)).x1).max().unwrap_or(0);
    let left = widest + pen.axis_gap();
    for (text, at) in &ticks {
        pen.rect(Frame::new(left, *at, pen.width, at + theme.px(1.0)), theme.grid);
        pen.label(&pen.quiet(text, widest, *at, Align::Right));
    }
    left
}

/// Ticks by importance, each drawn if it is clear of those before it; the axis' name below, where `named` says from
/// which x on there is room.
pub(crate) fn values<B: DrawingBackend>(pen: &mut Pen<'_, B>, name: &str, x: &BentAxis, base: i32, named: Option<i32>) {
    let theme = pen.theme;
    let row = base + theme.px(5.0) + theme.line() / 2;
    let fits = |texts: &[(i32, String)]| {
        let frames: Vec<Frame> =
            texts.iter().map(|(at, text)| pen.frame_of(&pen.quiet(text, *at, row, Align::Center))).collect();
        let apart = (theme.font() * 0.8) as i32;
        frames.windows(2).all(|pair| matches!(pair, [a, b] if a.x1 + apart <= b.x0))
    };
    for (at, text) in &x.ticks(fits) {
        let mut label = pen.quiet(text, *at, row, Align::Center);
        // The last label may be wider than the margin beside its tick.
        label.x -= (pen.frame_of(&label).x1 - pen.width).max(0);
        if pen.label(&label) {
            pen.rect(Frame::new(*at, base, at + theme.px(1.0), base + theme.px(4.0)), theme.ink_muted);
        }
    }
    if let Some(left) = named {
        let middle = i32::midpoint(left, pen.width);
        pen.label(&pen.quiet(name, middle, row + theme.line(), Align::Center));
    }
}
