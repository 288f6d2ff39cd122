//! ECQx: ECQ whose zero cluster is dearer for weights that matter.

use super::beta::{find_beta, flip_point};
use super::envelope::Envelope;
use super::error::expect_share;
use super::{Assignment, Ecq, LayerInput, QuantError, Quantizer};

/// Relevance-corrected entropy-constrained quantization, mode *exact*.
///
/// ```text
/// cost_c(w) = (w − w_c)² + Λ·I_c        cost_0 ← cost_0 · ρ · (r + 1e-12)^β,  ρ = 2
/// ```
/// β is the value nearest to β_0 = ln ½ / ln mean(r) whose sparsity lies in [s − p, s], s being ECQ's sparsity (`beta`).
/// Units: r in [0, 1], I in bits, Λ in squared weight units per bit. λ = 0 is nearest neighbour, whatever p and r are;
/// constant relevance is ECQ, since it cannot tell weights apart. At equal cost zero wins.
///
/// Source: Becking et al. 2022 (arXiv:2109.04236), section 3. Differs: the published code multiplies β up and down at
/// most 51 times and keeps what the last trial gave.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ecqx {
    ecq: Ecq,
    p: f64,
}

impl Ecqx {
    /// # Errors
    /// [`QuantError::Setting`] unless 0 ≤ λ ≤ 1 and 0 ≤ p ≤ 1.
    pub fn new(lambda: f64, p: f64) -> Result<Self, QuantError> {
        Ok(Self { ecq: Ecq::new(lambda)?, p: expect_share("p", p)? })
    }
}

impl Quantizer for Ecqx {
    fn assign(&self, layer: &LayerInput<'_>) -> Result<Assignment, QuantError> {
        let mut assignment = self.ecq.assign(layer)?;
        let Some(relevance) = layer.relevance else {
            return Err(QuantError::NoRelevance { layer: layer.name.into() });
        };
        if self.ecq.is_nearest() || assignment.notice.is_some() {
            return Ok(assignment);
        }
        if relevance.is_constant() {
            assignment.notice = Some(match relevance.mean() {
                0.0 => "No weight of this layer has any relevance, so it is quantized as by ECQ.",
                _ => "All weights of this layer are equally relevant, so it is quantized as by ECQ.",
            });
            return Ok(assignment);
        }
        let (codebook, lagrange) = (layer.codebook, assignment.lagrange);
        let price =
            |c: u8| lagrange * assignment.information_bits.get(usize::from(c)).copied().unwrap_or(f64::INFINITY);
        let zero = codebook.zero() as u8;
        let all = codebook.centroids().iter().enumerate().map(|(c, &centroid)| (c as u8, centroid, price(c as u8)));
        let mut others = Vec::new();
        Envelope::new(all.filter(|&(c, ..)| c != zero)).assign(layer.latent, &mut others);
        let cost = |w: f32, c: u8| {
            let distance = f64::from(w) - f64::from(codebook.centroid(c));
            distance * distance + price(c)
        };
        let weights = layer.latent.iter().zip(&others).zip(relevance.values());
        let flips: Vec<f32> = weights.map(|((&w, &c), &r)| flip_point(cost(w, zero), cost(w, c), r)).collect();
        let zeros = assignment.occupancy[codebook.zero()] as usize;
        let beta = find_beta(&flips, relevance.mean(), zeros, self.p);
        assignment.clusters = others;
        for (cluster, &flip) in assignment.clusters.iter_mut().zip(&flips) {
            if f64::from(flip) <= beta.value {
                *cluster = zero;
            }
        }
        assignment.occupancy = Assignment::count(&assignment.clusters, codebook);
        assignment.beta = Some(beta);
        Ok(assignment)
    }
}
