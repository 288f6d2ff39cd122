//! Marks on device pixels, drawn so that hairlines stay crisp and no text ever covers another.
//!
//! Straight lines are filled rectangles: stroked ones would straddle two pixels on a canvas and turn grey.

use std::cell::OnceCell;

use plotters::backend::DrawingBackend;
use plotters::coord::Shift;
use plotters::drawing::{DrawingArea, DrawingAreaErrorKind};
use plotters::element::{Circle, PathElement, Rectangle, Text};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, FontDesc, FontFamily, FontStyle, RGBColor, TextStyle};

use super::error::ChartError;
use super::scale::text_width;
use super::theme::Theme;

/// A box in device pixels, right and lower edge not included.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Frame {
    pub(crate) x0: i32,
    pub(crate) y0: i32,
    pub(crate) x1: i32,
    pub(crate) y1: i32,
}

impl Frame {
    pub(crate) fn new(x0: i32, y0: i32, x1: i32, y1: i32) -> Self {
        Self { x0, y0, x1, y1 }
    }

    fn overlaps(self, other: Self) -> bool {
        self.x0 < other.x1 && other.x0 < self.x1 && self.y0 < other.y1 && other.y0 < self.y1
    }

    /// The box grown by `by` on all sides.
    pub(crate) fn grown(self, by: i32) -> Self {
        Self::new(self.x0 - by, self.y0 - by, self.x1 + by, self.y1 + by)
    }
}

/// Which end of a text stands at its x.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Align {
    Left,
    Center,
    Right,
}

/// A text and its place; `y` is the middle of the line.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Label<'t> {
    pub(crate) text: &'t str,
    pub(crate) x: i32,
    pub(crate) y: i32,
    pub(crate) align: Align,
    pub(crate) colour: RGBColor,
    pub(crate) bold: bool,
    /// Whether marks under the text are covered, so that it stays legible.
    pub(crate) patch: bool,
}

/// Draws on one area and remembers where text stands.
///
/// A mark that the backend refuses stops nothing: the first refusal is kept and told by `finish`. Charts then read as
/// a list of marks, without an error path at each of them.
pub(crate) struct Pen<'a, B: DrawingBackend> {
    area: &'a DrawingArea<B, Shift>,
    pub(crate) theme: &'a Theme,
    pub(crate) width: i32,
    pub(crate) height: i32,
    taken: Vec<Frame>,
    avoided: Vec<Frame>,
    refusal: OnceCell<ChartError>,
}

impl<'a, B: DrawingBackend> Pen<'a, B> {
    /// Clears the area; `None` where it is too small for a picture.
    pub(crate) fn start(area: &'a DrawingArea<B, Shift>, theme: &'a Theme) -> Result<Option<Self>, ChartError> {
        let (width, height) = area.dim_in_pixel();
        if width == 0 || height == 0 {
            return Ok(None);
        }
        area.fill(&theme.surface).map_err(|error| refused(&error))?;
        let pen = Self {
            area,
            theme,
            width: i32::try_from(width).unwrap_or(i32::MAX),
            height: i32::try_from(height).unwrap_or(i32::MAX),
            taken: Vec::new(),
            avoided: Vec::new(),
            refusal: OnceCell::new(),
        };
        let roomy = f64::from(width) >= 7.0 * theme.font() && f64::from(height) >= 4.5 * theme.font();
        Ok(roomy.then_some(pen))
    }

    /// Keeps the first refusal.
    fn note<E: std::error::Error + Send + Sync>(&self, drawn: Result<(), DrawingAreaErrorKind<E>>) {
        if let Err(error) = drawn {
            self.refusal.get_or_init(|| refused(&error));
        }
    }

    /// The result, unless the backend refused a mark.
    pub(crate) fn finish<T>(self, drawn: T) -> Result<T, ChartError> {
        self.refusal.into_inner().map_or(Ok(drawn), Err)
    }

    /// Fills a box, cut at the canvas; empty boxes draw nothing.
    pub(crate) fn rect(&self, frame: Frame, colour: RGBColor) {
        self.tint(frame, colour, 1.0);
    }

    /// As `rect`, with opacity.
    pub(crate) fn tint(&self, frame: Frame, colour: RGBColor, opacity: f64) {
        let (x0, y0) = (frame.x0.max(0), frame.y0.max(0));
        let (x1, y1) = (frame.x1.min(self.width), frame.y1.min(self.height));
        if x0 >= x1 || y0 >= y1 {
            return;
        }
        let fill = colour.mix(opacity).filled();
        self.note(self.area.draw(&Rectangle::new([(x0, y0), (x1, y1)], fill)));
    }

    /// The inside border of a box, `thick` wide.
    pub(crate) fn outline(&self, frame: Frame, thick: i32, colour: RGBColor) {
        let Frame { x0, y0, x1, y1 } = frame;
        self.rect(Frame::new(x0, y0, x1, y0 + thick), colour);
        self.rect(Frame::new(x0, y1 - thick, x1, y1), colour);
        self.rect(Frame::new(x0, y0 + thick, x0 + thick, y1 - thick), colour);
        self.rect(Frame::new(x1 - thick, y0 + thick, x1, y1 - thick), colour);
    }

    /// A line through points; for slopes only, see the module's note.
    pub(crate) fn path(&self, points: Vec<(i32, i32)>, thick: i32, colour: RGBColor) {
        let style = colour.stroke_width(thick.unsigned_abs());
        self.note(self.area.draw(&PathElement::new(points, style)));
    }

    /// A filled circle.
    pub(crate) fn dot(&self, centre: (i32, i32), radius: i32, colour: RGBColor) {
        self.note(self.area.draw(&Circle::new(centre, radius, colour.filled())));
    }

    /// Keeps text out of a box.
    pub(crate) fn reserve(&mut self, frame: Frame) {
        self.taken.push(frame);
    }

    /// Keeps text out of a box as long as there is another place, see `insist`.
    pub(crate) fn avoid(&mut self, frame: Frame) {
        self.avoided.push(frame);
    }

    /// Keeps text off a line from left to right, by boxes closer to each other than text is wide or high.
    pub(crate) fn avoid_line(&mut self, points: &[(i32, i32)], near: i32) {
        for pair in points.windows(2) {
            let &[(x0, y0), (x1, y1)] = pair else { continue };
            let pieces = ((x1 - x0).max((y1 - y0).abs()) / (4 * near)).max(1);
            for k in 0..=pieces {
                let (x, y) = (x0 + (x1 - x0) * k / pieces, y0 + (y1 - y0) * k / pieces);
                self.avoid(Frame::new(x, y, x, y).grown(near));
            }
        }
    }

    /// Runs `place`; if it says that nothing fitted, runs it again with nothing avoided.
    pub(crate) fn insist(&mut self, place: impl Fn(&mut Self) -> bool) {
        if !place(self) {
            let avoided = std::mem::take(&mut self.avoided);
            place(self);
            self.avoided = avoided;
        }
    }

    /// Where a label would stand.
    pub(crate) fn frame_of(&self, label: &Label<'_>) -> Frame {
        let width = text_width(label.text, self.theme.font(), label.bold);
        let half = (self.theme.font() * 0.6) as i32;
        let x0 = match label.align {
            Align::Left => label.x,
            Align::Center => label.x - width / 2,
            Align::Right => label.x - width,
        };
        Frame::new(x0, label.y - half, x0 + width, label.y + half)
    }

    /// Draws a label if it is inside the canvas and clear of all others; says whether it did.
    pub(crate) fn label(&mut self, label: &Label<'_>) -> bool {
        let frame = self.frame_of(label);
        let inside = frame.x0 >= 0 && frame.y0 >= 0 && frame.x1 <= self.width && frame.y1 <= self.height;
        // Neighbours on a line keep the width of a letter between them, or they would read as one number.
        let gap = (self.theme.font() * 0.45) as i32;
        let wide = Frame { x0: frame.x0 - gap, x1: frame.x1 + gap, ..frame };
        if !inside || self.taken.iter().chain(&self.avoided).any(|other| other.overlaps(wide)) {
            return false;
        }
        if label.patch {
            self.tint(frame, self.theme.surface, 0.85);
        }
        let anchor = match label.align {
            Align::Left => HPos::Left,
            Align::Center => HPos::Center,
            Align::Right => HPos::Right,
        };
        let weight = if label.bold { FontStyle::Bold } else { FontStyle::Normal };
        let font = FontDesc::new(FontFamily::Name(self.theme.family()), self.theme.font(), weight);
        let style = TextStyle::from(font).color(&label.colour).pos(Pos::new(anchor, VPos::Center));
        self.note(self.area.draw(&Text::new(label.text, (label.x, label.y), style)));
        self.taken.push(frame);
        true
    }

    /// Room between the labels of a y axis and its plot: more than labels keep from each other.
    pub(crate) fn axis_gap(&self) -> i32 {
        self.theme.px(6.0).max((self.theme.font() * 0.5).ceil() as i32)
    }

    /// A label in secondary ink.
    pub(crate) fn quiet<'t>(&self, text: &'t str, x: i32, y: i32, align: Align) -> Label<'t> {
        Label { text, x, y, align, colour: self.theme.ink_muted, bold: false, patch: false }
    }

    /// A label in the strongest ink.
    pub(crate) fn loud<'t>(&self, text: &'t str, x: i32, y: i32, align: Align) -> Label<'t> {
        Label { text, x, y, align, colour: self.theme.ink, bold: true, patch: false }
    }

    /// A zone for the page to hover, in CSS pixels.
    pub(crate) fn zone(&self, frame: Frame) -> [f32; 4] {
        [frame.x0, frame.y0, frame.x1, frame.y1].map(|device| self.theme.css(device))
    }
}

/// A backend's error in our words.
fn refused<E: std::error::Error + Send + Sync>(error: &DrawingAreaErrorKind<E>) -> ChartError {
    ChartError::Backend { reason: error.to_string() }
}
