//! Relevance on a common scale.

use super::{QuantError, kernel};
use crate::math;

/// Guard added to relevance before a power or logarithm, as in the published code.
const TINY: f64 = 1e-12;
/// For relevance 1, whose logarithm is 0: no power of it changes a cost.
const NEVER: f64 = -1e-30;

/// Relevance of each weight of one layer, scaled to [0, 1] by the layer's largest.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct UnitRelevance {
    values: Vec<f32>,
    inverse_logs: Vec<f32>,
    mean: f64,
    constant: bool,
}

impl UnitRelevance {
    /// r = |R| / (max |R| + 1e-12), from signed relevances in the weight's layout.
    ///
    /// # Errors
    /// [`QuantError::RelevanceNotFinite`].
    pub fn new(layer: &str, relevance: &[f32]) -> Result<Self, QuantError> {
        let mut own = Self::default();
        own.update(layer, relevance)?;
        Ok(own)
    }

    /// The same in the memory of the last relevances.
    ///
    /// # Errors
    /// [`QuantError::RelevanceNotFinite`]; the last relevances then stay.
    pub fn update(&mut self, layer: &str, relevance: &[f32]) -> Result<(), QuantError> {
        if !kernel::all_finite(relevance) {
            let found = relevance.iter().copied().enumerate().find(|(_, r)| !r.is_finite());
            let (position, got) = found.unwrap_or_default();
            return Err(QuantError::RelevanceNotFinite { layer: layer.into(), position, got });
        }
        let largest = f64::from(kernel::largest_magnitude(relevance)) + TINY;
        self.values.resize(relevance.len(), 0.0);
        self.inverse_logs.resize(relevance.len(), 0.0);
        for ((unit, inverse_log), r) in self.values.iter_mut().zip(&mut self.inverse_logs).zip(relevance) {
            *unit = (f64::from(r.abs()) / largest) as f32;
            *inverse_log = (1.0 / math::ln_in_lanes(f64::from(*unit) + TINY).min(NEVER)) as f32;
        }
        // Four sums at a time, in an order of their own.
        let (fours, rest) = self.values.as_chunks::<4>();
        let mut sums = [0.0_f64; 4];
        for four in fours {
            for (sum, &r) in sums.iter_mut().zip(four) {
                *sum += f64::from(r);
            }
        }
        let sum: f64 = sums.iter().sum::<f64>() + rest.iter().copied().map(f64::from).sum::<f64>();
        self.mean = sum / relevance.len().max(1) as f64;
        self.constant = self.values.windows(2).all(|pair| pair[0] == pair[1]);
        Ok(())
    }

    /// By weight, in [0, 1].
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// 1/ln(r + 1e-12) by weight: below 0.
    pub(super) fn inverse_logs(&self) -> &[f32] {
        &self.inverse_logs
    }

    /// The factor ρ·(r + 1e-12)^β that a relevance r puts on the cost of zero.
    pub fn factor(r: f64, rho: f64, beta: f64) -> f64 {
        rho * math::pow(r + TINY, beta)
    }

    /// Mean over the layer.
    pub fn mean(&self) -> f64 {
        self.mean
    }

    /// Whether all are equal, so that they cannot tell weights apart.
    pub fn is_constant(&self) -> bool {
        self.constant
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scaled_by_the_largest_magnitude() {
        let mut unit = UnitRelevance::new("fc", &[-4.0, 2.0, 0.0]).unwrap();
        assert_eq!(unit.values(), [1.0, 0.5, 0.0]);
        assert!((unit.mean() - 0.5).abs() < 1e-12 && !unit.is_constant());
        assert!((f64::from(unit.inverse_logs()[1]) - 1.0 / 0.5_f64.ln()).abs() < 1e-6);
        assert!(unit.inverse_logs()[0] < -1e29, "relevance 1 is never outweighed");
        assert_eq!(unit.update("fc", &[1.0, f32::NAN]).unwrap_err().code(), "quant/not-finite");
        assert_eq!(unit.values().len(), 3, "what is bad changes nothing");
        assert!(UnitRelevance::new("fc", &[0.0, 0.0]).unwrap().is_constant());
        unit.update("fc", &[3.0, 3.0]).unwrap();
        assert!(unit.is_constant() && unit.mean() == 1.0);
    }
}
