//! ECQx: ECQ whose zero cluster is dearer for weights that matter.

use super::beta::{self, Range};
use super::error::{expect_in, expect_share};
use super::{Beta, Ecq, LayerInput, Mode, QuantError, Quantizer, Workspace};

/// Relevance-corrected entropy-constrained quantization.
///
/// ```text
/// cost_c(w) = (w − w_c)² + Λ·I_c        cost_0 ← cost_0 · ρ · (r + 1e-12)^β,  ρ = 2
/// ```
/// In mode *exact* β is the value nearest to β_0 = ln(1/ρ) / ln mean(r) whose sparsity lies in [s − p, s], s being ECQ's
/// sparsity (`beta`). Units: r in [0, 1], I in bits, Λ in squared weight units per bit. λ = 0 is nearest neighbour,
/// whatever p and r are; constant relevance is ECQ, since it cannot tell weights apart. At equal cost zero wins.
///
/// Source: Becking et al. 2022 (arXiv:2109.04236), section 3. Differs: the published code multiplies β up and down at
/// most 51 times and keeps what the last trial gave; mode *reference* does so too. Vectors: `assign-*-ecqx-*`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ecqx {
    ecq: Ecq,
    p: f64,
    beta: Option<f64>,
    rho: f64,
}

impl Ecqx {
    /// ρ where it is not said.
    pub const RHO: f64 = 2.0;

    /// # Errors
    /// [`QuantError::Setting`] unless 0 ≤ λ ≤ 1 and 0 ≤ p ≤ 1.
    pub fn new(lambda: f64, p: f64, mode: Mode) -> Result<Self, QuantError> {
        Ok(Self { ecq: Ecq::new(lambda, mode)?, p: expect_share("p", p)?, beta: None, rho: Self::RHO })
    }

    /// With β set by hand; p then only says whether the sparsity lies in its range.
    ///
    /// # Errors
    /// [`QuantError::Setting`] unless 0 ≤ β ≤ 1.
    pub fn with_beta(self, beta: f64) -> Result<Self, QuantError> {
        Ok(Self { beta: Some(expect_share("beta", beta)?), ..self })
    }

    /// With another ρ than 2: how dear zero is for a weight of relevance 1.
    ///
    /// # Errors
    /// [`QuantError::Setting`] unless 0.01 ≤ ρ ≤ 100.
    pub fn with_rho(self, rho: f64) -> Result<Self, QuantError> {
        Ok(Self { rho: expect_in("rho", rho, 0.01..=100.0, "from 0.01 to 100")?, ..self })
    }
}

impl Quantizer for Ecqx {
    fn assign(&self, layer: &LayerInput<'_>, work: &mut Workspace) -> Result<(), QuantError> {
        let Some(relevance) = layer.relevance else {
            return Err(QuantError::NoRelevance { layer: layer.name.into() });
        };
        let mut is_open = self.ecq.set_prices(layer, work);
        if is_open && relevance.is_constant() {
            work.assignment.notice = Some(match relevance.mean() {
                0.0 => "No weight of this layer has any relevance, so it is quantized as by ECQ.",
                _ => "All weights of this layer are equally relevant, so it is quantized as by ECQ.",
            });
            is_open = false;
        }
        if !is_open {
            work.assign_cheapest(layer);
            return Ok(());
        }
        let total = layer.latent.len();
        let zeros = work.find_others(layer);
        let range = Range::new(zeros, total, self.p);
        let start = beta::start(self.rho, relevance.mean());
        let beta = match (self.beta, self.ecq.mode()) {
            (Some(value), _) => Some(Beta { value, feasible: false }),
            (_, Mode::Exact) => Some(beta::find(work.find_flips(layer, relevance, self.rho), start, range)),
            (_, Mode::Reference) => beta::search(work.find_flips(layer, relevance, self.rho), start, zeros, self.p),
        };
        let Some(mut beta) = beta else {
            work.assignment.notice =
                Some("p is at least ECQ's sparsity; the published code then leaves relevance out of account.");
            work.assign_cheapest(layer);
            return Ok(());
        };
        work.assign_flipped(layer, relevance, self.rho, beta.value as f32);
        if self.beta.is_some() {
            let found = work.assignment.occupancy.get(layer.codebook.zero()).map_or(0, |&n| n as usize);
            beta.feasible = range.miss(found) == 0;
        }
        work.assignment.beta = Some(beta);
        Ok(())
    }
}
