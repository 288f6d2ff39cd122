//! Centroids of a layer: a uniform grid with one value exactly 0.

use super::QuantError;
use super::error::{expect_bits, expect_weights};
use crate::stats::percentile;

/// Share of the weights whose magnitude the grid covers; the rest is clipped to its ends.
const COVERED: f64 = 0.999;

/// 2^b centroids, ascending, `centroid(c) = (c − zero)·Δ`.
#[derive(Debug, Clone, PartialEq)]
pub struct Codebook {
    centroids: Vec<f32>,
    /// At most 128: the grid has 256 levels at 8 bit.
    zero: u8,
    step_size: f32,
}

impl Codebook {
    /// The grid for a layer's weights.
    ///
    /// ```text
    /// all weights ≥ 0:  levels 0 … 2^b − 1,  Δ = Q / (2^b − 1)
    /// otherwise:        Δ = Q / (2^(b−1) − 1),  levels −2^(b−1) … 2^(b−1) − 1  or  −2^(b−1) + 1 … 2^(b−1)
    /// ```
    /// Q is the 99.9th percentile of |w| (max |w| where that is 0). The level more goes to the side that wins most of
    /// five votes: largest magnitude, mean magnitude, count, sum of magnitudes, sample standard deviation.
    /// A layer of zeros alone gets Δ = 1, so that every centroid is a number.
    ///
    /// Source: Becking et al. 2022 and its published code. Vectors: `assign-*`.
    ///
    /// # Errors
    /// A bit width outside 2 to 8, no weights, weights that are not finite or whose grid is not.
    pub fn uniform(layer: &str, weights: &[f32], bits: u8) -> Result<Self, QuantError> {
        expect_bits(bits)?;
        expect_weights(layer, weights)?;
        let (levels, half) = (1_usize << bits, 1_usize << (bits - 1));
        let all_positive = weights.iter().all(|&w| w >= 0.0);
        let (zero, reach) = match all_positive {
            true => (0, levels - 1),
            false if positive_side_wins(weights) => (half - 1, half - 1),
            false => (half, half - 1),
        };
        let mut magnitudes: Vec<f32> = weights.iter().map(|w| w.abs()).collect();
        let covered = percentile(&mut magnitudes, COVERED).filter(|&q| q as f32 > 0.0);
        let range = covered.unwrap_or_else(|| f64::from(magnitudes.iter().copied().fold(0.0, f32::max)));
        let step_size = match (range / reach as f64) as f32 {
            step if step > 0.0 => step,
            _ => 1.0,
        };
        Self::grid(bits, zero as u8, step_size).ok_or_else(|| QuantError::TooLarge { layer: layer.into() })
    }

    /// The grid with these numbers. `None` unless 2 ≤ `bits` ≤ 8, 0 is a cluster, Δ > 0 and all centroids are finite.
    pub(crate) fn grid(bits: u8, zero: u8, step_size: f32) -> Option<Self> {
        expect_bits(bits).ok()?;
        let levels = 1_usize << bits;
        let centroids: Vec<f32> = (0..levels).map(|c| (c as f32 - f32::from(zero)) * step_size).collect();
        let is_grid = usize::from(zero) <= levels / 2 && step_size > 0.0 && centroids.iter().all(|c| c.is_finite());
        is_grid.then_some(Self { centroids, zero, step_size })
    }

    /// Values of all clusters, ascending.
    pub fn centroids(&self) -> &[f32] {
        &self.centroids
    }

    /// Number of clusters, 2^b.
    pub fn len(&self) -> usize {
        self.centroids.len()
    }

    /// Never true.
    pub fn is_empty(&self) -> bool {
        self.centroids.is_empty()
    }

    /// Index of the cluster whose centroid is 0.
    pub fn zero(&self) -> usize {
        usize::from(self.zero)
    }

    /// Δ, in weight units.
    pub fn step_size(&self) -> f32 {
        self.step_size
    }

    /// Value of a cluster; 0 outside the codebook.
    pub fn centroid(&self, cluster: u8) -> f32 {
        self.centroids.get(usize::from(cluster)).copied().unwrap_or(0.0)
    }

    /// Writes the value of each cluster.
    pub fn write(&self, clusters: &[u8], values: &mut [f32]) {
        let (zero, step_size) = (f32::from(self.zero), self.step_size);
        for (value, &cluster) in values.iter_mut().zip(clusters) {
            *value = (f32::from(cluster) - zero) * step_size;
        }
    }

    /// Level of a cluster on the grid: centroid / Δ.
    pub fn level(&self, cluster: u8) -> i16 {
        i16::from(cluster) - i16::from(self.zero)
    }
}

/// Whether the positive weights win at least three of the five votes; an even vote counts for the negative side.
fn positive_side_wins(weights: &[f32]) -> bool {
    let positive = Side::of(weights.iter().copied().filter(|&w| w > 0.0));
    let negative = Side::of(weights.iter().filter(|&&w| w < 0.0).map(|w| -w));
    let votes = [
        positive.max > negative.max,
        positive.mean() > negative.mean(),
        positive.count > negative.count,
        positive.sum > negative.sum,
        positive.deviation() > negative.deviation(),
    ];
    votes.into_iter().filter(|&won| won).count() >= 3
}

/// Magnitudes of one sign.
#[derive(Debug, Default)]
struct Side {
    max: f64,
    count: f64,
    sum: f64,
    squares: f64,
}

impl Side {
    fn of(magnitudes: impl Iterator<Item = f32>) -> Self {
        magnitudes.map(f64::from).fold(Self::default(), |side, w| Self {
            max: side.max.max(w),
            count: side.count + 1.0,
            sum: side.sum + w,
            squares: side.squares + w * w,
        })
    }

    fn mean(&self) -> f64 {
        self.sum / self.count.max(1.0)
    }

    /// Sample standard deviation (n − 1); 0 where it is not defined.
    fn deviation(&self) -> f64 {
        if self.count < 2.0 {
            return 0.0;
        }
        ((self.squares - self.sum * self.mean()) / (self.count - 1.0)).max(0.0).sqrt()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn levels(weights: &[f32], bits: u8) -> (usize, usize, f32) {
        let codebook = Codebook::uniform("fc", weights, bits).unwrap();
        (codebook.zero(), codebook.len(), codebook.step_size())
    }

    #[test]
    fn the_larger_side_gets_the_level_more() {
        assert_eq!(levels(&[-1.0, 0.2, 3.0], 2), (1, 4, levels(&[-1.0, 0.2, 3.0], 2).2));
        assert_eq!(levels(&[1.0, -0.2, -3.0], 2).0, 2);
        assert_eq!(levels(&[1.0, -1.0], 3).0, 4, "an even vote leaves the level with the negative side");
    }

    #[test]
    fn positive_layers_use_all_levels() {
        let (zero, len, step) = levels(&[0.0, 7.0, 7.0], 3);
        assert_eq!((zero, len), (0, 8));
        assert!((step - 1.0).abs() < 1e-6);
    }

    #[test]
    fn one_centroid_is_exactly_zero() {
        for bits in 2..=8 {
            let codebook = Codebook::uniform("fc", &[-0.3, 0.1, 0.7], bits).unwrap();
            assert_eq!(codebook.centroids()[codebook.zero()].to_bits(), 0.0_f32.to_bits());
            assert!(codebook.centroids().is_sorted());
            let clusters: Vec<u8> = (0..=255).take(codebook.len()).collect();
            let mut values = vec![f32::NAN; codebook.len()];
            codebook.write(&clusters, &mut values);
            assert_eq!(values, codebook.centroids());
        }
    }

    #[test]
    fn zeros_and_outliers() {
        assert_eq!(levels(&[0.0; 5], 4), (0, 16, 1.0));
        let mut sparse = vec![0.0; 5000];
        sparse[7] = -2.0; // the percentile is 0, the largest magnitude counts
        assert_eq!(levels(&sparse, 2).2, 2.0);
    }

    #[test]
    fn bad_input_is_named() {
        assert_eq!(Codebook::uniform("fc", &[1.0], 1).unwrap_err().code(), "settings/bits");
        assert_eq!(Codebook::uniform("fc", &[1.0], 9).unwrap_err().code(), "settings/bits");
        assert_eq!(Codebook::uniform("fc", &[], 4).unwrap_err().code(), "quant/no-weights");
        assert_eq!(Codebook::uniform("fc", &[1.0, f32::NAN], 4).unwrap_err().code(), "quant/not-finite");
        assert_eq!(Codebook::uniform("fc", &[-3e38, -3e38, 1.0], 2).unwrap_err().code(), "quant/not-finite");
    }
}
