//! Cluster occupancy of one layer: a bar per centroid, the zero cluster set apart.

use plotters::backend::DrawingBackend;
use plotters::coord::Shift;
use plotters::drawing::DrawingArea;
use serde::Deserialize;

use super::axis::RootAxis;
use super::error::{ChartError, finite, parallel};
use super::pen::{Align, Frame, Pen};
use super::scale::{decimals, percent_tick, share_label, short};
use super::slots::Slots;
use super::theme::Theme;

/// `OccupancyChart` of types.ts.
#[derive(Debug, Clone, Deserialize)]
pub struct Occupancy {
    /// Centroids in ascending order, in weight units.
    pub centroids: Vec<f64>,
    /// Index of the zero cluster.
    pub zero: usize,
    /// Share of the weights per cluster, 0 to 1.
    pub current: Vec<f64>,
    /// The same for nearest neighbour.
    pub nearest: Vec<f64>,
    /// The same for ECQ without relevance.
    pub ecq: Option<Vec<f64>>,
}

impl Occupancy {
    /// Checks lengths and numbers.
    ///
    /// # Errors
    /// [`ChartError::Empty`], [`ChartError::Length`], [`ChartError::Range`] or [`ChartError::Zero`].
    pub fn check(&self) -> Result<(), ChartError> {
        let clusters = self.centroids.len();
        if clusters == 0 {
            return Err(ChartError::Empty { field: "centroids" });
        }
        if self.zero >= clusters {
            return Err(ChartError::Zero { zero: self.zero, clusters });
        }
        finite("centroids", &self.centroids)?;
        parallel("current", &self.current, clusters)?;
        parallel("nearest", &self.nearest, clusters)?;
        self.ecq.as_ref().map_or(Ok(()), |ecq| parallel("ecq", ecq, clusters))
    }

    fn ecq_share(&self, cluster: usize) -> Option<f64> {
        self.ecq.as_ref().and_then(|ecq| ecq.get(cluster)).copied()
    }

    fn largest(&self) -> f64 {
        let ecq = self.ecq.as_deref().unwrap_or_default();
        self.current.iter().chain(&self.nearest).chain(ecq).copied().fold(0.0, f64::max)
    }
}

/// Draws the chart. The result is one hover zone per cluster: x0, y0, x1, y1 in CSS pixels.
///
/// # Errors
/// What [`Occupancy::check`] finds, or [`ChartError::Backend`].
pub fn draw<B: DrawingBackend>(
    area: &DrawingArea<B, Shift>,
    data: &Occupancy,
    theme: &Theme,
) -> Result<Vec<[f32; 4]>, ChartError> {
    data.check()?;
    let Some(mut pen) = Pen::start(area, theme)? else { return Ok(Vec::new()) };
    let (y0, base) = (theme.line() + theme.px(3.0), pen.height - theme.line() - theme.px(7.0));
    let scale = RootAxis::new(data.largest(), (y0, base));
    if base - y0 < theme.px(8.0) {
        return Ok(Vec::new());
    }
    let left = y_axis(&mut pen, scale);
    let slots = Slots::new(theme, (left, pen.width - theme.px(2.0)), data.centroids.len(), data.zero);
    bars(&pen, data, scale, &slots);
    pen.rect(Frame::new(left, scale.base, pen.width, scale.base + theme.px(1.0)), theme.ink_muted);
    references(&pen, data, scale, &slots);
    zero_label(&mut pen, data, scale, &slots);
    x_labels(&mut pen, data, scale, &slots);
    for title in ["share of weights, square-root scale", "share of weights, √ scale", "√ scale"] {
        if pen.label(&pen.quiet(title, left, theme.line() / 2, Align::Left)) {
            break;
        }
    }
    let zone = |i| pen.zone(Frame { y0: scale.y0, y1: pen.height, ..slots.slot(i) });
    let zones = (0..data.centroids.len()).map(zone).collect();
    pen.finish(zones)
}

/// Grid lines and percent labels; returns where the plot begins.
fn y_axis<B: DrawingBackend>(pen: &mut Pen<'_, B>, scale: RootAxis) -> i32 {
    let theme = pen.theme;
    let ticks = scale.ticks(theme.line() + theme.line() / 4);
    let texts: Vec<String> = ticks.iter().map(|&(share, _)| percent_tick(share)).collect();
    let frames = texts.iter().map(|text| pen.frame_of(&pen.quiet(text, 0, 0, Align::Left)).x1);
    let widest = frames.max().unwrap_or(0);
    // Where labels would take a third of the width, the grid has to do without.
    let labelled = pen.width > 3 * widest + theme.px(20.0);
    let left = if labelled { widest + pen.axis_gap() } else { 0 };
    for (text, &(share, y)) in texts.iter().zip(&ticks) {
        if share > 0.0 {
            pen.rect(Frame::new(left, y, pen.width, y + theme.px(1.0)), theme.grid);
        }
        if labelled {
            pen.label(&pen.quiet(text, widest, y, Align::Right));
        }
    }
    left
}

/// Filled bars; an empty cluster gets a tick under the baseline.
fn bars<B: DrawingBackend>(pen: &Pen<'_, B>, data: &Occupancy, scale: RootAxis, slots: &Slots) {
    let theme = pen.theme;
    for (i, &share) in data.current.iter().enumerate() {
        let colour = match i.cmp(&data.zero) {
            std::cmp::Ordering::Less => theme.negative,
            std::cmp::Ordering::Equal => theme.zero,
            std::cmp::Ordering::Greater => theme.positive,
        };
        let bar = slots.bar(i);
        if share > 0.0 {
            // The references lie on an area of bars without a casing; a paler area lets them through.
            let colour = if slots.touching && i != data.zero { theme.faint(colour, 0.7) } else { colour };
            pen.rect(Frame { y0: scale.y(share), y1: scale.base, ..bar }, colour);
        } else {
            let (middle, thick) = (i32::midpoint(bar.x0, bar.x1), theme.px(1.0));
            let x0 = middle - thick / 2;
            let colour = if slots.touching { theme.faint(theme.ink_muted, 0.5) } else { theme.ink_muted };
            pen.rect(Frame::new(x0, scale.base, x0 + thick, scale.base + theme.px(5.0)), colour);
        }
    }
}

/// Hollow bars for nearest neighbour, dashes for ECQ without relevance.
///
/// Both lie on a casing in the surface's colour, so that they read on top of a bar as well as beside it. Where bars
/// touch, the hollow bars merge into one stepped line.
fn references<B: DrawingBackend>(pen: &Pen<'_, B>, data: &Occupancy, scale: RootAxis, slots: &Slots) {
    let theme = pen.theme;
    let (thin, casing) = (theme.px(1.0), theme.px(1.0));
    let mut last: Option<i32> = None;
    for (i, &share) in data.nearest.iter().enumerate() {
        let y = scale.y(share);
        if slots.touching && i != data.zero {
            let Frame { x0, x1, .. } = slots.slot(i);
            if let Some(before) = last {
                pen.rect(Frame::new(x0, before.min(y), x0 + thin, before.max(y) + thin), theme.ink_muted);
            }
            pen.rect(Frame::new(x0, y, x1.max(x0 + thin), y + thin), theme.ink_muted);
            last = Some(y);
        } else {
            last = None;
            if share > 0.0 {
                let hollow = Frame { y0: y, y1: scale.base, ..slots.bar(i) };
                hollow_bar(pen, hollow, thin, casing);
            }
        }
    }
    for i in 0..data.centroids.len() {
        let Some(share) = data.ecq_share(i) else { continue };
        let y = scale.y(share);
        let bar = slots.bar(i);
        let (inset, thick) =
            if slots.touching && i != data.zero { (0, theme.px(1.0)) } else { ((bar.x1 - bar.x0) / 5, theme.px(2.5)) };
        let y0 = (y - thick / 2).min(scale.base - thick);
        let dash = Frame::new(bar.x0 + inset, y0, (bar.x1 - inset).max(bar.x0 + inset + 1), y0 + thick);
        if !slots.touching {
            pen.rect(dash.grown(casing), theme.surface);
        }
        pen.rect(dash, theme.relevance);
    }
}

/// Left, top and right side of a bar, a little outside of it.
fn hollow_bar<B: DrawingBackend>(pen: &Pen<'_, B>, bar: Frame, thin: i32, casing: i32) {
    let ink = pen.theme.ink_muted;
    let Frame { x0, y0, x1, y1 } = Frame { x0: bar.x0 - casing - thin, x1: bar.x1 + casing + thin, ..bar };
    pen.rect(Frame::new(bar.x0, y0 - casing, bar.x1, y0 + thin + casing), pen.theme.surface);
    pen.rect(Frame::new(x0, y0, x1, y0 + thin), ink);
    pen.rect(Frame::new(x0, y0, x0 + thin, y1), ink);
    pen.rect(Frame::new(x1 - thin, y0, x1, y1), ink);
}

/// The share of the zero cluster, above whatever stands in the columns under the text.
fn zero_label<B: DrawingBackend>(pen: &mut Pen<'_, B>, data: &Occupancy, scale: RootAxis, slots: &Slots) {
    let theme = pen.theme;
    let text = data.current.get(data.zero).map(|&share| share_label(share)).unwrap_or_default();
    let mut label = pen.loud(&text, slots.centre(data.zero), 0, Align::Center);
    // With the zero cluster first or last its label would stick out; it then moves inwards.
    let frame = pen.frame_of(&label);
    label.x -= (frame.x1 - pen.width).max(0) + frame.x0.min(0);
    let frame = pen.frame_of(&label);
    let under = (0..data.centroids.len()).filter(|&i| {
        let slot = slots.slot(i);
        slot.x0 < frame.x1 && frame.x0 < slot.x1
    });
    let tallest = under
        .flat_map(|i| [data.current.get(i).copied(), data.nearest.get(i).copied(), data.ecq_share(i)])
        .flatten()
        .fold(0.0, f64::max);
    label.y = (scale.y(tallest) - theme.px(3.0) - theme.line() / 2).max(theme.line() / 2);
    pen.label(&label);
}

/// Centroid values: zero first, then every k-th from zero outwards with the smallest k that fits.
fn x_labels<B: DrawingBackend>(pen: &mut Pen<'_, B>, data: &Occupancy, scale: RootAxis, slots: &Slots) {
    let theme = pen.theme;
    let y = scale.base + theme.px(6.0) + theme.line() / 2;
    pen.label(&pen.loud("0", slots.centre(data.zero), y, Align::Center));
    let magnitude = data.centroids.iter().fold(0.0, |m: f64, c| m.max(c.abs()));
    let count = data.centroids.len();
    for stride in 1..count {
        let chosen: Vec<usize> = (0..count).filter(|i| i.abs_diff(data.zero).is_multiple_of(stride)).collect();
        let step = magnitude / count as f64 * stride as f64;
        let places = decimals(magnitude, 2).max(decimals(step, 1));
        let labels: Vec<(usize, String)> = chosen
            .into_iter()
            .filter_map(|i| {
                data.centroids.get(i).map(|&c| (i, if i == data.zero { "0".into() } else { short(c, places) }))
            })
            .collect();
        let frame = |(i, text): &(usize, String)| pen.frame_of(&pen.quiet(text, slots.centre(*i), y, Align::Center));
        let apart = (theme.font() * 0.7) as i32;
        if labels.windows(2).all(|pair| matches!(pair, [a, b] if frame(a).x1 + apart <= frame(b).x0)) {
            for (i, text) in labels.iter().filter(|(i, _)| *i != data.zero) {
                pen.label(&pen.quiet(text, slots.centre(*i), y, Align::Center));
            }
            break;
        }
    }
}
