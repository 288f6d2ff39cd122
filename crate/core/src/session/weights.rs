//! A close look at one layer: each weight, its relevance, and what became of it.

use super::Session;
use crate::CoreError;
use crate::quant::{Assignment, Codebook, Ecq, LayerInput, Method, QuantError, Quantizer};

/// What became of a weight, and whether relevance decided it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Fate {
    /// Not zero, with relevance or without.
    Kept,
    /// Zero, with relevance or without.
    Zeroed,
    /// Without relevance it would be zero.
    Saved,
    /// Without relevance it would not be zero.
    GivenUp,
}

/// The weights of one layer; all three lists are in the weight's layout.
#[derive(Debug, Clone, PartialEq)]
pub struct LayerWeights {
    /// The layer's name.
    pub layer: String,
    /// |w|, in weight units.
    pub magnitudes: Vec<f32>,
    /// Relevance in [0, 1], scaled by the layer's largest.
    pub relevances: Vec<f32>,
    /// A [`Fate`] each.
    pub fates: Vec<u8>,
}

impl Session {
    /// The weights of one layer after the last [`Self::quantize`].
    ///
    /// # Errors
    /// [`QuantError::UnknownLayer`] lists the layers that there are, none before the first quantization.
    pub fn weights(&self, layer: &str) -> Result<LayerWeights, CoreError> {
        let quantized = self.assigned.as_ref();
        let layers = || quantized.into_iter().flat_map(|quantized| &quantized.layers);
        let (Some(quantized), Some(found)) = (quantized, layers().find(|found| found.name == layer)) else {
            let known = layers().map(|found| found.name.as_str()).collect::<Vec<_>>().join(", ");
            return Err(QuantError::UnknownLayer { layer: layer.into(), known }.into());
        };
        let network = &self.model.network;
        let (_, weights) = network.weights().find(|(node, _)| *node == found.node).unwrap_or_default();
        let largest = network.weights().map(|(_, weights)| weights.len()).max().unwrap_or_default();
        let zeros = zeros(&found.assignment, &found.codebook);
        // Only ECQx heeds relevance; the others are compared with themselves.
        let without = if quantized.settings.method == Method::Ecqx {
            let input = LayerInput::new(layer, weights, None, &found.codebook, largest)?;
            self::zeros(&Ecq::new(quantized.settings.lambda)?.assign(&input)?, &found.codebook)
        } else {
            zeros.clone()
        };
        let fate = |(now, without): (&bool, bool)| match (now, without) {
            (false, false) => Fate::Kept,
            (true, true) => Fate::Zeroed,
            (false, true) => Fate::Saved,
            (true, false) => Fate::GivenUp,
        };
        Ok(LayerWeights {
            layer: layer.into(),
            magnitudes: weights.iter().map(|w| w.abs()).collect(),
            relevances: self.relevance.get(&found.node).map(|unit| unit.values().to_vec()).unwrap_or_default(),
            fates: zeros.iter().zip(without).map(|pair| fate(pair) as u8).collect(),
        })
    }
}

/// Which weights are in the zero cluster.
fn zeros(assignment: &Assignment, codebook: &Codebook) -> Vec<bool> {
    assignment.clusters.iter().map(|&cluster| usize::from(cluster) == codebook.zero()).collect()
}
