//! A whole net: every layer with a weight gets its codebook and its assignment, and a report says what came of it.

use serde::{Deserialize, Serialize};

use super::{Assignment, Codebook, LayerInput, QuantError, QuantizeSettings, UnitRelevance};
use crate::nn::Network;
use crate::stats::entropy_bits;

/// One quantized layer.
#[derive(Debug, Clone)]
pub struct QuantizedLayer {
    /// Position in the net.
    pub node: usize,
    /// The layer's name.
    pub name: String,
    /// Its centroids.
    pub codebook: Codebook,
    /// Which weight got which.
    pub assignment: Assignment,
}

/// All quantized layers of a net.
#[derive(Debug, Clone)]
pub struct QuantizedNet {
    /// What was asked for.
    pub settings: QuantizeSettings,
    /// In the net's order.
    pub layers: Vec<QuantizedLayer>,
}

/// What became of one layer. Counts and costs are listed by cluster, in ascending order of centroid.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LayerReport {
    /// The layer's name.
    pub name: String,
    /// How many it has.
    pub weights: usize,
    /// Index of the cluster whose centroid is 0.
    pub zero: usize,
    /// Δ, in weight units. Reports hold f64 throughout, so that the same number reads the same in every language.
    pub step_size: f64,
    /// In weight units.
    pub centroids: Vec<f64>,
    /// Weights per cluster.
    pub occupancy: Vec<u32>,
    /// The same for nearest neighbour.
    pub occupancy_nearest: Vec<u32>,
    /// The same for ECQ without relevance.
    pub occupancy_ecq: Vec<u32>,
    /// `None` for an empty cluster, whose price is infinite.
    pub information_bits: Vec<Option<f64>>,
    /// Λ, squared weight units per bit.
    pub lagrange: f64,
    /// `None` where relevance plays no part.
    pub beta: Option<f64>,
    /// Whether the sparsity lies in the range that p allows.
    pub beta_feasible: Option<bool>,
    /// Share of the weights in the zero cluster.
    pub sparsity: f64,
    /// The same for nearest neighbour.
    pub sparsity_nearest: f64,
    /// The same for ECQ without relevance.
    pub sparsity_ecq: f64,
    /// First-order entropy of the occupancy.
    pub entropy_bits_per_weight: f64,
    /// The guard that decided instead of the formula, as a sentence.
    pub notice: Option<String>,
}

/// What became of a net. Totals are over all quantized weights.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct QuantizeReport {
    /// What was asked for.
    pub settings: QuantizeSettings,
    /// In the net's order.
    pub layers: Vec<LayerReport>,
    /// How many were quantized.
    pub weights: usize,
    /// Share of them in a zero cluster.
    pub sparsity: f64,
    /// The same for nearest neighbour.
    pub sparsity_nearest: f64,
    /// The same for ECQ without relevance.
    pub sparsity_ecq: f64,
    /// Mean over layers of their first-order entropy, by weights.
    pub entropy_bits_per_weight: f64,
}

/// Quantizes every layer that has a weight. `relevance` is asked for each layer's by its position in the net.
///
/// # Errors
/// Settings out of range, a net without weights, missing relevance where the method needs it.
pub fn quantize<'a>(
    network: &Network,
    relevance: impl Fn(usize) -> Option<&'a UnitRelevance>,
    settings: QuantizeSettings,
) -> Result<QuantizedNet, QuantError> {
    let quantizer = settings.quantizer()?;
    let largest = network.weights().map(|(_, w)| w.len()).max().ok_or(QuantError::NoLayers)?;
    let layers = network.weights().map(|(node, weights)| {
        let name = network.nodes().get(node).map_or_else(String::new, |node| node.name.clone());
        let codebook = Codebook::uniform(&name, weights, settings.bits)?;
        let input = LayerInput::new(&name, weights, relevance(node), &codebook, largest)?;
        let assignment = quantizer.assign(&input)?;
        Ok(QuantizedLayer { node, name, codebook, assignment })
    });
    Ok(QuantizedNet { settings, layers: layers.collect::<Result<_, _>>()? })
}

impl QuantizedNet {
    /// Writes the centroids into the weights of `network`, the one that was quantized or a copy of it.
    pub fn write_into(&self, network: &mut Network) {
        for layer in &self.layers {
            let Some(weights) = network.weight_mut(layer.node) else { continue };
            for (weight, &cluster) in weights.iter_mut().zip(&layer.assignment.clusters) {
                *weight = layer.codebook.centroid(cluster);
            }
        }
    }

    /// What came of it, in numbers.
    pub fn report(&self) -> QuantizeReport {
        let layers: Vec<LayerReport> = self.layers.iter().map(QuantizedLayer::report).collect();
        let weights: usize = layers.iter().map(|layer| layer.weights).sum();
        let mean = |of: fn(&LayerReport) -> f64| {
            layers.iter().map(|layer| of(layer) * layer.weights as f64).sum::<f64>() / weights.max(1) as f64
        };
        QuantizeReport {
            settings: self.settings,
            weights,
            sparsity: mean(|layer| layer.sparsity),
            sparsity_nearest: mean(|layer| layer.sparsity_nearest),
            sparsity_ecq: mean(|layer| layer.sparsity_ecq),
            entropy_bits_per_weight: mean(|layer| layer.entropy_bits_per_weight),
            layers,
        }
    }
}

impl QuantizedLayer {
    fn report(&self) -> LayerReport {
        let Self { name, codebook, assignment, .. } = self;
        let sparsity = |occupancy: &[u32]| super::share(occupancy, codebook.zero());
        LayerReport {
            name: name.clone(),
            weights: assignment.clusters.len(),
            zero: codebook.zero(),
            step_size: codebook.step_size().into(),
            centroids: codebook.centroids().iter().copied().map(f64::from).collect(),
            information_bits: assignment
                .information_bits
                .iter()
                .map(|&bits| bits.is_finite().then_some(bits))
                .collect(),
            lagrange: assignment.lagrange,
            beta: assignment.beta.map(|beta| beta.value),
            beta_feasible: assignment.beta.map(|beta| beta.feasible),
            sparsity: assignment.sparsity(),
            sparsity_nearest: sparsity(&assignment.occupancy_nearest),
            sparsity_ecq: sparsity(&assignment.occupancy_ecq),
            entropy_bits_per_weight: entropy_bits(&assignment.occupancy),
            occupancy: assignment.occupancy.clone(),
            occupancy_nearest: assignment.occupancy_nearest.clone(),
            occupancy_ecq: assignment.occupancy_ecq.clone(),
            notice: assignment.notice.map(Into::into),
        }
    }
}
