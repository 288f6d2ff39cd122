//! Relevance on a common scale.

use super::QuantError;

/// Relevance of each weight of one layer, scaled to [0, 1] by the layer's largest.
#[derive(Debug, Clone, PartialEq)]
pub struct UnitRelevance {
    values: Vec<f32>,
    mean: f64,
    constant: bool,
}

impl UnitRelevance {
    /// r = |R| / (max |R| + 1e-12), from signed relevances in the weight's layout.
    ///
    /// # Errors
    /// [`QuantError::RelevanceNotFinite`].
    pub fn new(layer: &str, relevance: &[f32]) -> Result<Self, QuantError> {
        if let Some(position) = relevance.iter().position(|r| !r.is_finite()) {
            let got = relevance[position];
            return Err(QuantError::RelevanceNotFinite { layer: layer.into(), position, got });
        }
        let largest = f64::from(relevance.iter().fold(0.0_f32, |max, r| max.max(r.abs()))) + 1e-12;
        let values: Vec<f32> = relevance.iter().map(|r| (f64::from(r.abs()) / largest) as f32).collect();
        let mean = values.iter().map(|&r| f64::from(r)).sum::<f64>() / values.len().max(1) as f64;
        let constant = values.windows(2).all(|pair| pair[0] == pair[1]);
        Ok(Self { values, mean, constant })
    }

    /// By weight, in [0, 1].
    pub fn values(&self) -> &[f32] {
        &self.values
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
        let unit = UnitRelevance::new("fc", &[-4.0, 2.0, 0.0]).unwrap();
        assert_eq!(unit.values(), [1.0, 0.5, 0.0]);
        assert!((unit.mean() - 0.5).abs() < 1e-12 && !unit.is_constant());
        assert!(UnitRelevance::new("fc", &[0.0, 0.0]).unwrap().is_constant());
        assert_eq!(UnitRelevance::new("fc", &[f32::NAN]).unwrap_err().code(), "quant/not-finite");
    }
}
