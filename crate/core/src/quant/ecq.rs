//! ECQ: distance plus a price in bits.

use super::envelope::Envelope;
use super::error::expect_share;
use super::price;
use super::{Assignment, LayerInput, Nearest, QuantError, Quantizer};

/// Entropy-constrained quantization, mode *exact*.
///
/// ```text
/// cluster(w) = argmin_c (w − w_c)² + Λ·I_c        I_c = −log2 P_c of the nearest-neighbour assignment
/// ```
/// Units: I in bits, Λ in squared weight units per bit ([`price`]). λ = 0 is nearest neighbour; sparsity never falls as
/// λ rises; λ = 1 empties the largest layer. Ties go to the cluster nearer to zero.
///
/// Source: Wiedemann et al. 2020 (EC2T), Becking et al. 2022, section 3.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ecq {
    lambda: f64,
}

impl Ecq {
    /// # Errors
    /// [`QuantError::Setting`] unless 0 ≤ λ ≤ 1.
    pub fn new(lambda: f64) -> Result<Self, QuantError> {
        expect_share("lambda", lambda).map(|lambda| Self { lambda })
    }

    /// Whether λ does nothing: then no entropy term and no relevance play a part.
    pub(super) fn is_nearest(self) -> bool {
        self.lambda == 0.0
    }
}

impl Quantizer for Ecq {
    fn assign(&self, layer: &LayerInput<'_>) -> Result<Assignment, QuantError> {
        let mut assignment = Nearest.assign(layer)?;
        if self.is_nearest() {
            return Ok(assignment);
        }
        let (codebook, information) = (layer.codebook, &assignment.information_bits);
        let (min, max) = layer.latent.iter().fold((0.0_f32, 0.0_f32), |(min, max), &w| (min.min(w), max.max(w)));
        let lagrange_max = price::lagrange_max(codebook, information, min, max);
        if lagrange_max == 0.0 {
            assignment.notice = Some(notice_without_price(assignment.sparsity()));
            return Ok(assignment);
        }
        assignment.lagrange = price::lagrange(self.lambda, lagrange_max, layer.latent.len(), layer.largest);
        let costs = codebook.centroids().iter().zip(information).enumerate();
        let costs = costs.map(|(c, (&centroid, &bits))| (c as u8, centroid, assignment.lagrange * bits));
        Envelope::new(costs).assign(layer.latent, &mut assignment.clusters);
        assignment.occupancy = Assignment::count(&assignment.clusters, codebook);
        assignment.occupancy_ecq.clone_from(&assignment.occupancy);
        Ok(assignment)
    }
}

/// Why λ has no effect on a layer.
fn notice_without_price(sparsity: f64) -> &'static str {
    if sparsity < 1.0 {
        return "One cluster is as common as zero, so bits cannot tell them apart; the weights stay at their nearest centroid.";
    }
    "Every weight is nearest to zero already; λ has nothing to decide."
}
