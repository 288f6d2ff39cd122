//! What became of a quantized net, in numbers: the same for the page and the command.

use serde::{Deserialize, Serialize};

use super::{QuantizeSettings, QuantizedLayer};
use crate::stats::entropy_bits;

/// What became of one layer. Counts and costs are listed by cluster, in ascending order of centroid.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LayerReport {
    /// The layer's name.
    pub name: String,
    /// How many it has.
    pub weights: usize,
    /// Bit width.
    pub bits: u8,
    /// λ.
    pub lambda: f64,
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
    /// P_c: shares for nearest neighbour, zero lifted to ½ where it has less.
    pub shares: Vec<f64>,
    /// `None` for an empty cluster, whose price is infinite.
    pub information_bits: Vec<Option<f64>>,
    /// Λ, squared weight units per bit; the largest number where the published formula divides by zero.
    pub lagrange: f64,
    /// Where each cluster but the last ends without relevance, in weight units; `None` before the first cluster that is
    /// used and from the last one on.
    pub thresholds: Vec<Option<f64>>,
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
    /// Those that are quantized, in the net's order.
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

impl QuantizeReport {
    pub(super) fn new(settings: QuantizeSettings, layers: Vec<LayerReport>) -> Self {
        let weights: usize = layers.iter().map(|layer| layer.weights).sum();
        let mean = |of: fn(&LayerReport) -> f64| {
            layers.iter().map(|layer| of(layer) * layer.weights as f64).sum::<f64>() / weights.max(1) as f64
        };
        Self {
            settings,
            weights,
            sparsity: mean(|layer| layer.sparsity),
            sparsity_nearest: mean(|layer| layer.sparsity_nearest),
            sparsity_ecq: mean(|layer| layer.sparsity_ecq),
            entropy_bits_per_weight: mean(|layer| layer.entropy_bits_per_weight),
            layers,
        }
    }
}

impl From<QuantizedLayer<'_>> for LayerReport {
    fn from(layer: QuantizedLayer<'_>) -> Self {
        let QuantizedLayer { codebook, assignment, .. } = layer;
        let sparsity = |occupancy: &[u32]| super::share(occupancy, codebook.zero());
        Self {
            name: layer.name.into(),
            weights: assignment.clusters.len(),
            bits: layer.bits,
            lambda: layer.lambda,
            zero: codebook.zero(),
            step_size: codebook.step_size().into(),
            centroids: codebook.centroids().iter().copied().map(f64::from).collect(),
            shares: assignment.shares.clone(),
            information_bits: finite(&assignment.information_bits),
            lagrange: assignment.lagrange,
            thresholds: finite(&assignment.thresholds),
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

/// JSON has no infinity.
fn finite(values: &[f64]) -> Vec<Option<f64>> {
    values.iter().map(|&value| value.is_finite().then_some(value)).collect()
}
