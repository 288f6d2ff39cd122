//! Nearest neighbour: distance alone.

use super::envelope::Envelope;
use super::{Assignment, Codebook, LayerInput, QuantError, Quantizer};

/// argmin_c (w − w_c)². The yardstick for every other method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Nearest;

/// The cluster of the nearest centroid for each weight; ties go towards zero.
pub(super) fn nearest(weights: &[f32], codebook: &Codebook) -> Vec<u8> {
    let costs = codebook.centroids().iter().enumerate().map(|(c, &centroid)| (c as u8, centroid, 0.0));
    let mut clusters = Vec::new();
    Envelope::new(costs).assign(weights, &mut clusters);
    clusters
}

impl Quantizer for Nearest {
    fn assign(&self, layer: &LayerInput<'_>) -> Result<Assignment, QuantError> {
        let clusters = nearest(layer.latent, layer.codebook);
        let occupancy = Assignment::count(&clusters, layer.codebook);
        Ok(Assignment {
            information_bits: super::price::information_bits(&occupancy, layer.codebook.zero()),
            occupancy_nearest: occupancy.clone(),
            occupancy_ecq: occupancy.clone(),
            occupancy,
            clusters,
            lagrange: 0.0,
            beta: None,
            notice: None,
            zero: layer.codebook.zero(),
        })
    }
}
