//! A close look at one layer: each weight, its relevance, and what became of it.

use serde::Serialize;

use super::Session;
use crate::CoreError;
use crate::quant::{Ecqx, QuantError, QuantizedLayer, UnitRelevance};

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
    /// In weight units.
    pub values: Vec<f32>,
    /// Relevance in [0, 1], scaled by the layer's largest.
    pub relevances: Vec<f32>,
    /// A [`Fate`] each.
    pub fates: Vec<u8>,
    /// The least and the largest factor that relevance puts on the cost of zero; `None` where it plays no part.
    pub factors: Option<[f64; 2]>,
}

/// Why one weight went where it went.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WeightCosts {
    /// The layer's name.
    pub layer: String,
    /// In the weight's layout, row-major.
    pub position: usize,
    /// In weight units.
    pub value: f64,
    /// Relevance in [0, 1].
    pub relevance: f64,
    /// The factor ρ·r^β on the cost of zero; 1 where relevance plays no part.
    pub factor: f64,
    /// By cluster, ascending.
    pub costs: Vec<ClusterCost>,
    /// The cluster of the nearest centroid.
    pub nearest: usize,
    /// The cheapest without relevance.
    pub ecq: usize,
    /// The one it got.
    pub chosen: usize,
}

/// What one cluster costs a weight, in squared weight units.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ClusterCost {
    /// In weight units.
    pub centroid: f64,
    /// (w − w_c)²
    pub distance: f64,
    /// Λ·I_c; `None` for a cluster that takes no weight.
    pub price: Option<f64>,
    /// Their sum, times the factor for zero.
    pub total: Option<f64>,
}

impl Session {
    /// The weights of one layer after the last [`Self::quantize`].
    ///
    /// # Errors
    /// [`QuantError::UnknownLayer`] lists the layers that there are, none before the first quantization.
    pub fn weights(&self, layer: &str) -> Result<LayerWeights, CoreError> {
        let found = self.quantized_layer(layer)?;
        let weights = self.latent(found.node);
        let zero = found.codebook.zero();
        // Without relevance, zero takes what lies between the thresholds beside it.
        let end = |cluster: Option<usize>| cluster.and_then(|c| found.assignment.thresholds.get(c)).copied();
        let (low, high) = (end(zero.checked_sub(1)), end(Some(zero)));
        let without = |w: f64| low.is_none_or(|low| w > low) && high.is_none_or(|high| w <= high);
        let now = found.assignment.clusters.iter().map(|&cluster| usize::from(cluster) == zero);
        let fate = |(now, without): (bool, bool)| match (now, without) {
            (false, false) => Fate::Kept,
            (true, true) => Fate::Zeroed,
            (false, true) => Fate::Saved,
            (true, false) => Fate::GivenUp,
        };
        Ok(LayerWeights {
            layer: layer.into(),
            values: weights.to_vec(),
            factors: self.factors(&found),
            relevances: relevances(&found).to_vec(),
            fates: now.zip(weights.iter().map(|&w| without(w.into()))).map(|pair| fate(pair) as u8).collect(),
        })
    }

    /// What each cluster costs the weight at `position` of a layer.
    ///
    /// # Errors
    /// As [`Self::weights`]; [`QuantError::UnknownWeight`] beyond the last.
    pub fn weight(&self, layer: &str, position: usize) -> Result<WeightCosts, CoreError> {
        let found = self.quantized_layer(layer)?;
        let weights = self.latent(found.node);
        let Some(&value) = weights.get(position) else {
            return Err(QuantError::UnknownWeight { layer: layer.into(), position, weights: weights.len() }.into());
        };
        let (codebook, assignment) = (&found.codebook, &found.assignment);
        let relevance = f64::from(relevances(&found).get(position).copied().unwrap_or_default());
        let factor = self.factor(&found, relevance);
        let value = f64::from(value);
        // Without an entropy term no cluster costs more than its distance, not even an empty one.
        let price = |bits: f64| if assignment.lagrange > 0.0 { assignment.lagrange * bits } else { 0.0 };
        let costs = codebook.centroids().iter().zip(&assignment.information_bits).enumerate();
        let costs: Vec<ClusterCost> = costs
            .map(|(cluster, (&centroid, &bits))| {
                let centroid = f64::from(centroid);
                let (distance, price) = ((value - centroid) * (value - centroid), price(bits));
                let factor = if cluster == codebook.zero() { factor } else { 1.0 };
                let price = price.is_finite().then_some(price);
                ClusterCost { centroid, distance, price, total: price.map(|price| factor * (distance + price)) }
            })
            .collect();
        // Ties go towards zero, as in the kernels.
        let cheapest = |cost: &dyn Fn(&ClusterCost) -> f64| {
            let order = |a: &ClusterCost, b: &ClusterCost| {
                cost(a).total_cmp(&cost(b)).then(a.centroid.abs().total_cmp(&b.centroid.abs()))
            };
            costs.iter().enumerate().min_by(|a, b| order(a.1, b.1)).map_or(codebook.zero(), |(cluster, _)| cluster)
        };
        Ok(WeightCosts {
            layer: layer.into(),
            position,
            value,
            relevance,
            factor,
            nearest: cheapest(&|cost| cost.distance),
            ecq: cheapest(&|cost| cost.price.map_or(f64::INFINITY, |price| cost.distance + price)),
            chosen: assignment.clusters.get(position).copied().unwrap_or_default().into(),
            costs,
        })
    }

    fn quantized_layer(&self, name: &str) -> Result<QuantizedLayer<'_>, QuantError> {
        self.quantizer.layers().find(|found| found.name == name).ok_or_else(|| {
            let known: Vec<&str> = self.quantizer.layers().map(|found| found.name).collect();
            QuantError::UnknownLayer { name: name.into(), known: known.join(", ") }
        })
    }

    fn latent(&self, wanted: usize) -> &[f32] {
        self.model.network.weights().find(|(node, _)| *node == wanted).map(|(_, weights)| weights).unwrap_or_default()
    }

    fn factors(&self, layer: &QuantizedLayer<'_>) -> Option<[f64; 2]> {
        layer.assignment.beta?;
        let (least, most) = relevances(layer).iter().fold((1.0_f32, 0.0_f32), |(a, b), &r| (a.min(r), b.max(r)));
        Some([least, most].map(|r| self.factor(layer, f64::from(r))))
    }

    /// The factor on the cost of zero; 1 where relevance plays no part.
    fn factor(&self, layer: &QuantizedLayer<'_>, relevance: f64) -> f64 {
        let rho = self.settings.as_ref().and_then(|settings| settings.rho).unwrap_or(Ecqx::RHO);
        layer.assignment.beta.map_or(1.0, |beta| UnitRelevance::factor(relevance, rho, beta.value))
    }
}

fn relevances<'a>(layer: &QuantizedLayer<'a>) -> &'a [f32] {
    layer.relevance.map(UnitRelevance::values).unwrap_or_default()
}
