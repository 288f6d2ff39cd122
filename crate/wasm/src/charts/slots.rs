//! Horizontal places of the occupancy bars, from two clusters to 256 and more.

use super::pen::Frame;
use super::theme::Theme;

/// Each cluster's slot: equal widths in order of centroid, the zero cluster apart from its neighbours.
///
/// Slots go by order and not by value: a step between centroids is the same everywhere in a uniform codebook, and a
/// codebook that collapsed to equal values still shows all of its clusters.
#[derive(Debug, Clone)]
pub(crate) struct Slots {
    start: f64,
    pitch: f64,
    gap: f64,
    zero_width: f64,
    zero: usize,
    count: usize,
    bar: i32,
    /// Bars too thin for a gap between them fill their slots and touch: an area in steps.
    pub(crate) touching: bool,
}

impl Slots {
    /// Divides `span` among `count` clusters.
    pub(crate) fn new(theme: &Theme, span: (i32, i32), count: usize, zero: usize) -> Self {
        let width = f64::from(span.1 - span.0);
        let n = count as f64;
        let unit = f64::from(theme.px(1.0));
        let rough = width / n;
        let gap = if count > 1 { (rough * 0.2).clamp(3.0 * unit, 12.0 * unit) } else { 0.0 };
        let even = (width - 2.0 * gap) / n;
        let touching = even < 5.0 * unit;
        // The zero cluster stays visible among bars thinner than a pixel.
        let zero_width = even.max(4.0 * unit);
        let pitch = if touching { (width - 2.0 * gap - zero_width) / (n - 1.0).max(1.0) } else { even };
        // Whole pixels keep the rhythm of separate bars even; the cap keeps few bars from becoming blocks.
        let pitch = if touching { pitch.max(0.0) } else { pitch.floor().min(110.0 * unit) };
        let zero_width = if touching { zero_width } else { pitch };
        let bar = ((pitch * 0.62).round() as i32).clamp(1, theme.px(52.0));
        let used = pitch * (n - 1.0) + zero_width + 2.0 * gap;
        let start = f64::from(span.0) + ((width - used) / 2.0).max(0.0).floor();
        Self { start, pitch, gap, zero_width, zero, count, bar, touching }
    }

    /// Left and right end of a slot before rounding.
    fn ends(&self, i: usize) -> (f64, f64) {
        let left = self.start + i as f64 * self.pitch;
        match i.cmp(&self.zero) {
            std::cmp::Ordering::Less => (left, left + self.pitch),
            std::cmp::Ordering::Equal => (left + self.gap, left + self.gap + self.zero_width),
            std::cmp::Ordering::Greater => {
                let left = left + 2.0 * self.gap + self.zero_width - self.pitch;
                (left, left + self.pitch)
            }
        }
    }

    /// The slot's width on the canvas, at least a pixel; heights are left to the caller.
    pub(crate) fn slot(&self, i: usize) -> Frame {
        debug_assert!(i < self.count);
        let (left, right) = self.ends(i);
        let x0 = left.round() as i32;
        Frame::new(x0, 0, (right.round() as i32).max(x0 + 1), 0)
    }

    /// The bar within the slot.
    pub(crate) fn bar(&self, i: usize) -> Frame {
        let slot = self.slot(i);
        if self.touching {
            return slot;
        }
        let x0 = slot.x0 + (slot.x1 - slot.x0 - self.bar) / 2;
        Frame { x0, x1: x0 + self.bar, ..slot }
    }

    /// Middle of the slot.
    pub(crate) fn centre(&self, i: usize) -> i32 {
        let bar = self.bar(i);
        i32::midpoint(bar.x0, bar.x1)
    }
}
