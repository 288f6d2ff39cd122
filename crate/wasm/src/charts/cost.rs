//! What each cluster costs a weight, by the weight's value: the picture of the method. Parabolas of distance stand on the
//! price of their bits; the lowest one wins, and where the winner changes is a threshold. Relevance bends the parabola of
//! zero. Below lie the layer's weights as a histogram.

use plotters::backend::DrawingBackend;
use plotters::coord::Shift;
use plotters::drawing::DrawingArea;
use plotters::style::RGBColor;
use serde::Deserialize;

use super::accuracy::Axis;
use super::axis::BentAxis;
use super::error::{ChartError, finite};
use super::pen::{Align, Frame, Pen};
use super::rulers;
use super::theme::Theme;

/// `CostChart` of types.ts.
#[derive(Debug, Clone, Deserialize)]
pub struct Costs {
    /// Ascending.
    pub centroids: Vec<f64>,
    /// Index of the cluster whose centroid is 0.
    pub zero: usize,
    /// Λ·I_c; `None` for a cluster that takes no weight.
    pub prices: Vec<Option<f64>>,
    /// Where the winner changes, without relevance.
    pub thresholds: Vec<f64>,
    /// The least and the largest factor that relevance puts on the cost of zero.
    pub factors: Option<[f64; 2]>,
    /// A weight that is looked at: its value, and the factor of its relevance.
    pub weight: Option<[f64; 2]>,
    /// The layer's weights.
    #[serde(skip)]
    pub weights: Vec<f64>,
}

/// Bars of the histogram are at least so wide, CSS pixels.
const BAR: f64 = 3.0;
/// Share of the plot's height that the largest bar takes.
const BARS: f64 = 0.3;
/// Curves are straight over so many CSS pixels.
const STEP: f64 = 3.0;
/// Of more clusters not every parabola is drawn: they would be one grey area, and take as long.
const PARABOLAS: usize = 32;
/// The largest cost that is shown, in costs at the thresholds.
const HEADROOM: f64 = 1.7;

impl Costs {
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
        if self.prices.len() != clusters {
            return Err(ChartError::Length { field: "prices", got: self.prices.len(), want: clusters });
        }
        finite("centroids", &self.centroids)?;
        finite("prices", &self.prices.iter().copied().flatten().collect::<Vec<_>>())?;
        finite("thresholds", &self.thresholds)?;
        finite("factors", &self.factors.unwrap_or_default())?;
        finite("weight", &self.weight.unwrap_or_default())?;
        finite("weights", &self.weights)
    }

    /// The cost of one cluster for a weight of this value; infinite where it takes none.
    fn of(&self, cluster: usize, w: f64) -> f64 {
        let distance = self.centroids.get(cluster).map_or(f64::INFINITY, |centroid| (w - centroid) * (w - centroid));
        distance + self.prices.get(cluster).copied().flatten().unwrap_or(f64::INFINITY)
    }

    /// The cheapest cluster and its cost, without relevance.
    fn best(&self, w: f64) -> (usize, f64) {
        let mut best = (self.zero, self.of(self.zero, w));
        for cluster in 0..self.centroids.len() {
            let cost = self.of(cluster, w);
            if cost < best.1 {
                best = (cluster, cost);
            }
        }
        best
    }

    fn hue(&self, cluster: usize, theme: &Theme) -> RGBColor {
        match cluster.cmp(&self.zero) {
            std::cmp::Ordering::Less => theme.negative,
            std::cmp::Ordering::Equal => theme.zero,
            std::cmp::Ordering::Greater => theme.positive,
        }
    }

    /// Smallest and largest value that must be visible, a little apart.
    fn extent(&self) -> [f64; 2] {
        let all = self.centroids.iter().chain(&self.weights).copied().chain(self.weight.map(|[value, _]| value));
        let (low, high) = all.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)));
        let margin = ((high - low) * 0.02).max(f64::MIN_POSITIVE);
        [low - margin, high + margin]
    }

    /// The cost at the upper edge: what decides happens at the thresholds and below.
    fn top(&self, [low, high]: [f64; 2]) -> f64 {
        let decided = self.thresholds.iter().map(|&w| self.best(w).1);
        let highest = decided.chain(self.prices.iter().copied().flatten()).fold(0.0, f64::max);
        let top = if highest > 0.0 { highest * HEADROOM } else { self.best(low).1.max(self.best(high).1) };
        if top > 0.0 { top } else { 1.0 }
    }
}

/// Places of values and costs.
struct Plot {
    x: BentAxis,
    low: f64,
    high: f64,
    x0: i32,
    x1: i32,
    y0: i32,
    base: i32,
    top: f64,
}

impl Plot {
    fn y(&self, cost: f64) -> i32 {
        let up = (cost / self.top).clamp(0.0, 1.0);
        self.base - (up * f64::from(self.base - self.y0)).round() as i32
    }

    /// The value at a pixel's middle.
    fn value(&self, x: i32) -> f64 {
        let share = (f64::from(x - self.x0) + 0.5) / f64::from((self.x1 - self.x0).max(1));
        self.low + share * (self.high - self.low)
    }

    /// A curve over the whole plot, in pieces where it leaves it.
    fn curve<B: DrawingBackend>(&self, pen: &Pen<'_, B>, cost: impl Fn(f64) -> f64, (thick, colour): (i32, RGBColor)) {
        let mut piece = Vec::new();
        let step = pen.theme.px(STEP);
        for x in (self.x0..self.x1).step_by(step.unsigned_abs() as usize) {
            let cost = cost(self.value(x));
            if cost <= self.top {
                piece.push((x, self.y(cost)));
            }
            if (cost > self.top || x + step >= self.x1) && !piece.is_empty() {
                pen.path(std::mem::take(&mut piece), thick, colour);
            }
        }
    }
}

/// Draws the chart; curves have no hover zones.
///
/// # Errors
/// What [`Costs::check`] finds, or [`ChartError::Backend`].
pub fn draw<B: DrawingBackend>(
    area: &DrawingArea<B, Shift>,
    data: &Costs,
    theme: &Theme,
) -> Result<Vec<[f32; 4]>, ChartError> {
    data.check()?;
    let Some(mut pen) = Pen::start(area, theme)? else { return Ok(Vec::new()) };
    let named = pen.height > 8 * theme.line();
    let base = pen.height - theme.line() * if named { 2 } else { 1 } - theme.px(6.0);
    // The mark of a weight at the very end must fit in.
    let (x0, x1, y0) = (theme.px(8.0), pen.width - theme.px(8.0), theme.line() + theme.px(4.0));
    let [low, high] = data.extent();
    let axis = Axis { label: "weight w".to_owned(), min: low, max: high, power: 1.0 };
    let x = BentAxis::new(&axis, (x0, x1));
    let plot = Plot { low, high, x0, x1, y0, base, top: data.top([low, high]), x };
    histogram(&pen, data, &plot);
    for &threshold in &data.thresholds {
        let at = plot.x.at(threshold);
        pen.rect(Frame::new(at, y0, at + theme.px(1.0), base), theme.grid);
    }
    relevance(&pen, data, &plot);
    let every = data.centroids.len().div_ceil(PARABOLAS);
    for cluster in (data.zero % every..data.centroids.len()).step_by(every) {
        let colour = theme.faint(data.hue(cluster, theme), 0.45);
        plot.curve(&pen, |w| data.of(cluster, w), (theme.px(1.0), colour));
    }
    plot.curve(&pen, |w| data.best(w).1, (theme.px(2.5), theme.ink));
    pen.rect(Frame::new(x0, base, x1, base + theme.px(1.0)), theme.ink_muted);
    looked_at(&pen, data, &plot);
    rulers::values(&mut pen, &axis.label, &plot.x, base, named.then_some(x0));
    for title in ["cost: (w − centroid)² + Λ · bits", "cost"] {
        if pen.label(&pen.quiet(title, x0, theme.line() / 2, Align::Left)) {
            break;
        }
    }
    pen.finish(Vec::new())
}

/// Where the weights are, in the hue of the cluster that would take them without relevance. Heights are roots of counts:
/// near zero there are many times as many weights as where the thresholds lie.
fn histogram<B: DrawingBackend>(pen: &Pen<'_, B>, data: &Costs, plot: &Plot) {
    let bar = pen.theme.px(BAR);
    let count = ((plot.x1 - plot.x0) / bar).max(1) as usize;
    let mut bars = vec![0_u32; count];
    for &weight in &data.weights {
        let at = (plot.x.at(weight) - plot.x0) / bar;
        if let Some(bar) = bars.get_mut((at.max(0) as usize).min(count - 1)) {
            *bar += 1;
        }
    }
    let most = f64::from(bars.iter().copied().max().unwrap_or(0).max(1));
    let room = f64::from(plot.base - plot.y0) * BARS;
    for (index, &weights) in bars.iter().enumerate().filter(|(_, weights)| **weights > 0) {
        let left = plot.x0 + bar * i32::try_from(index).unwrap_or_default();
        let height = ((f64::from(weights) / most).sqrt() * room).round().max(1.0) as i32;
        let (cluster, _) = data.best(plot.value(left + bar / 2));
        let colour = pen.theme.faint(data.hue(cluster, pen.theme), 0.3);
        pen.rect(Frame::new(left, plot.base - height, left + bar, plot.base), colour);
    }
}

/// The parabola of zero for the most relevant weights, and, thinner, for the least.
fn relevance<B: DrawingBackend>(pen: &Pen<'_, B>, data: &Costs, plot: &Plot) {
    let Some([least, most]) = data.factors else { return };
    let theme = pen.theme;
    plot.curve(pen, |w| data.of(data.zero, w) * most, (theme.px(2.0), theme.relevance));
    plot.curve(pen, |w| data.of(data.zero, w) * least, (theme.px(1.0), theme.relevance));
}

/// The weight that is looked at: what each cluster would cost it, and the one that it got.
fn looked_at<B: DrawingBackend>(pen: &Pen<'_, B>, data: &Costs, plot: &Plot) {
    let Some([weight, factor]) = data.weight else { return };
    let theme = pen.theme;
    let x = plot.x.at(weight);
    pen.rect(
        Frame::new(x - theme.px(1.0) / 2, plot.y0, x - theme.px(1.0) / 2 + theme.px(1.0), plot.base),
        theme.accent,
    );
    let costs: Vec<(usize, f64)> = (0..data.centroids.len())
        .map(|cluster| (cluster, data.of(cluster, weight) * if cluster == data.zero { factor } else { 1.0 }))
        .collect();
    let best = costs.iter().min_by(|a, b| a.1.total_cmp(&b.1)).map(|(cluster, _)| *cluster);
    for &(cluster, cost) in costs.iter().filter(|(_, cost)| *cost <= plot.top) {
        let radius = theme.px(if best == Some(cluster) { 5.5 } else { 3.0 });
        pen.dot((x, plot.y(cost)), radius + theme.px(1.5), theme.surface);
        let hue = if cluster == data.zero && (factor - 1.0).abs() > 1e-9 {
            theme.relevance
        } else {
            data.hue(cluster, theme)
        };
        pen.dot((x, plot.y(cost)), radius, hue);
    }
}
