//! The αβ-rule.

use super::terms::{Bend, Input, Sharing, Term, share};
use super::z_plus::RAISING;
use super::{Explained, Rule, Work};
use crate::lrp::LrpError;

/// What lowers an output.
const LOWERING: [Term; 2] =
    [Term::new(Input::Positive, Bend::Negative, true), Term::new(Input::Negative, Bend::Positive, false)];
/// How far α − β may be from 1, for α up to 1; above, in proportion: 2.3 and 1.3 have no exact difference.
const ROUNDING: f32 = 1e-6;

/// LRP-αβ: α times the relevance over what raised an output, less β times over what lowered it.
///
/// ```text
/// z⁺_k = Σ_j (w_kj·x_j)⁺ + b_k⁺      z⁻_k = Σ_j (w_kj·x_j)⁻ + b_k⁻
/// R_j = Σ_k (α·(w_kj·x_j)⁺/stab(z⁺_k) − β·(w_kj·x_j)⁻/stab(z⁻_k)) · R_k
/// ```
/// Shapes: as [`super::Epsilon`]. With b = 0 the sum is conserved up to ε = 1e-6 where an output has both parts.
/// Source: Bach et al. 2015, eq. 60; for negative inputs, zennit. Vectors: `rule-*-alpha-beta-*`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AlphaBeta {
    alpha: f32,
    beta: f32,
}

impl AlphaBeta {
    /// α = 2, β = 1.
    pub const TWO_ONE: Self = Self { alpha: 2.0, beta: 1.0 };

    /// # Errors
    /// [`LrpError::Setting`] unless both are finite, at least 0, and α − β = 1 within rounding.
    pub fn new(alpha: f32, beta: f32) -> Result<Self, LrpError> {
        for (name, got) in [("alpha", alpha), ("beta", beta)] {
            if !(got.is_finite() && got >= 0.0) {
                return Err(LrpError::Setting { name, got, range: "0 or more" });
            }
        }
        let difference = alpha - beta;
        if (difference - 1.0).abs() > ROUNDING * alpha.max(1.0) {
            return Err(LrpError::Setting {
                name: "alpha - beta",
                got: difference,
                range: "1, for example alpha-beta(1,0) or alpha-beta(2,1)",
            });
        }
        Ok(Self { alpha, beta })
    }
}

impl Rule for AlphaBeta {
    fn relevance_in(&self, at: Explained<'_>, work: Work<'_>) -> f64 {
        let raised = Sharing { factor: self.alpha, ..Sharing::over(&RAISING) };
        let lowered = Sharing { factor: -self.beta, ..Sharing::over(&LOWERING) };
        let both = [raised, lowered];
        share(if self.beta > 0.0 { &both } else { &both[..1] }, at, work)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alpha_must_be_one_above_beta() {
        for good in [(1.0, 0.0), (2.0, 1.0), (2.3, 1.3), (1e6, 999_999.0)] {
            assert!(AlphaBeta::new(good.0, good.1).is_ok(), "{good:?}");
        }
        for bad in [(1.0, 1.0), (0.0, -1.0), (2.0, 1.001), (f32::NAN, 0.0), (f32::INFINITY, f32::INFINITY)] {
            assert_eq!(AlphaBeta::new(bad.0, bad.1).unwrap_err().code(), "lrp/setting");
        }
    }
}
