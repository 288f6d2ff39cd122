//! ECQ: distance plus a price in bits.

use super::error::expect_share;
use super::price;
use super::{LayerInput, Mode, QuantError, Quantizer, Workspace};

/// Entropy-constrained quantization.
///
/// ```text
/// cluster(w) = argmin_c (w − w_c)² + Λ·I_c        I_c = −log2 P_c of the nearest-neighbour assignment
/// ```
/// Units: I in bits, Λ in squared weight units per bit ([`price`]). λ = 0 is nearest neighbour; sparsity never falls as
/// λ rises; in mode *exact* λ = 1 empties the largest layer. Ties go to the cluster nearer to zero.
///
/// Source: Wiedemann et al. 2020 (EC2T), Becking et al. 2022, section 3. Vectors: `assign-*-ecq-*` (mode *reference*).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ecq {
    lambda: f64,
    mode: Mode,
}

impl Ecq {
    /// λ = 0.
    pub(super) const FREE: Self = Self { lambda: 0.0, mode: Mode::Exact };

    /// # Errors
    /// [`QuantError::Setting`] unless 0 ≤ λ ≤ 1.
    pub fn new(lambda: f64, mode: Mode) -> Result<Self, QuantError> {
        Ok(Self { lambda: expect_share("lambda", lambda)?, mode })
    }

    pub(super) fn mode(self) -> Mode {
        self.mode
    }

    /// Prices the clusters. False where nothing is left to decide: λ = 0, or a guard that is then the notice.
    pub(super) fn set_prices(self, layer: &LayerInput<'_>, work: &mut Workspace) -> bool {
        let extremes @ [(min, _), (max, _)] = work.survey(layer);
        let (codebook, zero) = (layer.codebook, layer.codebook.zero());
        let known = &mut work.assignment;
        price::shares(&known.occupancy_nearest, zero, self.mode, &mut known.shares);
        price::information_bits(&known.shares, &mut known.information_bits);
        (known.lagrange, known.beta, known.notice) = (0.0, None, None);
        if self.lambda == 0.0 {
            work.set_prices(codebook, &|_| 0.0);
            return false;
        }
        let information = &known.information_bits;
        let is_empty = known.occupancy_nearest.get(zero).map(|&n| n as usize) == Some(layer.latent.len());
        let lagrange_max = match self.mode {
            _ if is_empty => 0.0,
            Mode::Exact => price::lagrange_max(codebook, information, min, max),
            Mode::Reference => price::lagrange_max_published(codebook, information, extremes),
        };
        if lagrange_max == 0.0 || lagrange_max == f64::INFINITY {
            let (is_published, lagrange) = (lagrange_max > 0.0, lagrange_max.min(f64::MAX));
            (known.lagrange, known.notice) = (lagrange, Some(notice(is_empty, is_published)));
            work.set_prices(codebook, &|c| if is_published && c != zero { f64::INFINITY } else { 0.0 });
            return false;
        }
        let lagrange = price::lagrange(self.lambda, lagrange_max, layer.latent.len(), layer.largest);
        known.lagrange = lagrange;
        let information = std::mem::take(&mut known.information_bits);
        work.set_prices(codebook, &|c| match information.get(c) {
            // An empty cluster stays out, however small Λ is.
            Some(bits) if bits.is_finite() => lagrange * bits,
            _ => f64::INFINITY,
        });
        work.assignment.information_bits = information;
        true
    }
}

impl Quantizer for Ecq {
    fn assign(&self, layer: &LayerInput<'_>, work: &mut Workspace) -> Result<(), QuantError> {
        self.set_prices(layer, work);
        work.assign_cheapest(layer);
        Ok(())
    }
}

/// Why λ decides nothing in a layer.
fn notice(is_empty: bool, is_published: bool) -> &'static str {
    match (is_empty, is_published) {
        (true, _) => "Every weight is nearest to zero already; λ has nothing to decide.",
        (_, true) => {
            "The published formula divides by zero here: an extreme weight is nearest to zero, or to a cluster as common \
            as zero. Every weight becomes zero."
        }
        _ => {
            "One cluster is as common as zero, so bits cannot tell them apart; the weights stay at their nearest centroid."
        }
    }
}
