//! Axes: a square root for occupancy; a zoomed share upwards and a bent slider sideways for accuracy.

use super::accuracy::Axis;
use super::scale::{decimals, fixed, multiples, nice_step, short};

/// Where the root axis may end, and its ticks. Few steps: while a slider is dragged the axis mostly stands still.
const LADDER: [f64; 9] = [1.0, 0.5, 0.25, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002];

/// Shares on a square-root scale, from 0 at the baseline to a step of the ladder.
///
/// Why a square root: the zero cluster often holds most of the weights and its neighbours a few percent. On a linear
/// scale those are invisible; a broken zero bar, or one with a scale of its own, looks no taller at 90 % than at 20 %
/// and hides the very thing λ does. A logarithm has no zero, so empty clusters would have no place. Under the root
/// every bar has the same scale, 0 is the baseline, a larger share is a taller bar, and 0.1 % is still visible.
/// Its price is that heights are no longer proportional; uneven ticks and the axis title say so.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RootAxis {
    top: f64,
    pub(crate) y0: i32,
    pub(crate) base: i32,
}

impl RootAxis {
    /// The axis for shares up to `largest`, between the pixels `y0` (top) and `base`.
    pub(crate) fn new(largest: f64, (y0, base): (i32, i32)) -> Self {
        let top = LADDER.into_iter().rev().find(|&step| step >= largest).unwrap_or(1.0);
        Self { top, y0, base }
    }

    /// Height of a share. A share that is not 0 never looks like 0.
    pub(crate) fn y(self, share: f64) -> i32 {
        let height = (share.clamp(0.0, self.top) / self.top).sqrt() * f64::from(self.base - self.y0);
        self.base - if share > 0.0 { (height.round() as i32).max(1) } else { 0 }
    }

    /// Ticks with their heights, at least `apart` pixels from each other: 0, then downwards from the top.
    pub(crate) fn ticks(self, apart: i32) -> Vec<(f64, i32)> {
        let mut ticks = vec![(0.0, self.base)];
        let mut above = i32::MIN / 2;
        for share in LADDER.into_iter().filter(|share| *share <= self.top) {
            let y = self.y(share);
            if y - above >= apart && self.base - y >= apart {
                ticks.push((share, y));
                above = y;
            }
        }
        ticks
    }
}

/// Accuracy upwards, zoomed to what must be visible, ends on ticks.
#[derive(Debug, Clone)]
pub(crate) struct ShareAxis {
    low: f64,
    high: f64,
    step: f64,
    y0: i32,
    y1: i32,
}

impl ShareAxis {
    /// An axis over `extent` between the pixels `y0` (top) and `y1`, ticks at least `apart` pixels from each other.
    ///
    /// At least two percent points are shown: a zoom further in would turn single images into cliffs.
    pub(crate) fn new((low, high): (f64, f64), (y0, y1): (i32, i32), apart: f64) -> Self {
        let (low, high) = (low.clamp(0.0, 1.0), high.clamp(0.0, 1.0));
        let middle = f64::midpoint(low, high);
        let (low, high) = (low.min((middle - 0.01).max(0.0)), high.max((middle + 0.01).min(1.0)));
        let intervals = (f64::from(y1 - y0) / apart).floor().max(1.0);
        let mut step = nice_step((high - low) / intervals);
        // Rounding the ends outwards can add a tick at each end, so one coarser step may be needed.
        let mut ends = (low, high);
        for _ in 0..6 {
            ends = (((low / step + 1e-9).floor() * step).max(0.0), ((high / step - 1e-9).ceil() * step).min(1.0));
            if (ends.1 - ends.0) / step <= intervals + 1e-9 {
                break;
            }
            step = nice_step(step * 1.5);
        }
        Self { low: ends.0, high: ends.1, step, y0, y1 }
    }

    /// Height of a share, cut at the axis' ends.
    pub(crate) fn at(&self, share: f64) -> i32 {
        let up = ((share - self.low) / (self.high - self.low)).clamp(0.0, 1.0);
        self.y1 - (up * f64::from(self.y1 - self.y0)).round() as i32
    }

    /// Ticks with their heights, from low to high.
    pub(crate) fn ticks(&self) -> impl Iterator<Item = (f64, i32)> {
        multiples(self.low, self.high, self.step).into_iter().map(|share| (share, self.at(share)))
    }
}

/// The slider's range, bent as the slider is.
#[derive(Debug, Clone)]
pub(crate) struct BentAxis {
    min: f64,
    max: f64,
    power: f64,
    x0: i32,
    x1: i32,
}

impl BentAxis {
    /// The axis between two pixels.
    pub(crate) fn new(axis: &Axis, (x0, x1): (i32, i32)) -> Self {
        Self { min: axis.min, max: axis.max, power: axis.power, x0, x1: x1.max(x0) }
    }

    /// Place of a value, cut at the axis' ends; the middle where the range is a single value.
    pub(crate) fn at(&self, value: f64) -> i32 {
        let range = self.max - self.min;
        // An infinite range (from −1e308 to 1e308) has no places in it either.
        let share = if range > 0.0 && range.is_finite() { (value - self.min) / range } else { 0.5 };
        // Platforms may differ in the last digit of a power: far less than a pixel.
        #[allow(clippy::disallowed_methods, reason = "a place, not a result")]
        let bent = share.clamp(0.0, 1.0).powf(1.0 / self.power);
        self.x0 + (bent * f64::from(self.x1 - self.x0)).round() as i32
    }

    /// Ticks from left to right: the densest regular set of which `fits` approves.
    pub(crate) fn ticks(&self, fits: impl Fn(&[(i32, String)]) -> bool) -> Vec<(i32, String)> {
        let range = self.max - self.min;
        if !(range > 0.0 && range.is_finite()) {
            return vec![(self.at(self.min), self.text(self.min, decimals(self.min.abs(), 3)))];
        }
        if (self.power - 1.0).abs() < 1e-9 { self.even_ticks(range, fits) } else { self.bent_ticks(range, fits) }
    }

    /// Multiples of 1, 2 or 5 times a power of ten, at most nine.
    fn even_ticks(&self, range: f64, fits: impl Fn(&[(i32, String)]) -> bool) -> Vec<(i32, String)> {
        let mut step = nice_step(range / 8.0);
        let mut ticks = Vec::new();
        for _ in 0..6 {
            let values = multiples(self.min, self.max, step);
            ticks = values.iter().map(|&v| (self.at(v), self.text(v, decimals(step, 1)))).collect();
            if fits(&ticks) {
                break;
            }
            step = nice_step(step * 1.5);
        }
        ticks
    }

    /// The ends, then 1, 5 and 2 times powers of ten away from `min`, coarse ones first, as long as they fit.
    fn bent_ticks(&self, range: f64, fits: impl Fn(&[(i32, String)]) -> bool) -> Vec<(i32, String)> {
        let tick = |off: f64| (self.at(self.min + off), self.text(self.min + off, decimals(off, 1)));
        let mut ticks = vec![(self.at(self.min), self.text(self.min, decimals(self.min.abs(), 2)))];
        ticks.push((self.at(self.max), self.text(self.max, decimals(self.max.abs(), 2))));
        let highest = range.log10().ceil() as i32;
        for factor in [1.0, 5.0, 2.0] {
            for power in (0..5).map(|k| highest - k) {
                let off = factor * 10f64.powi(power);
                if off >= range * (1.0 - 1e-9) {
                    continue;
                }
                let mut more = ticks.clone();
                let (at, text) = tick(off);
                more.insert(more.partition_point(|(before, _)| *before < at), (at, text));
                if fits(&more) {
                    ticks = more;
                }
            }
        }
        ticks
    }

    /// A value without needless zeros.
    fn text(&self, value: f64, places: usize) -> String {
        let whole = value.abs() < 1e6 && (value - value.round()).abs() < 1e-9 * (self.max - self.min).abs().max(1e-9);
        if whole && self.power.ne(&1.0) { fixed(value.round(), 0) } else { short(value, places) }
    }
}
