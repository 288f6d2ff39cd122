//! The γ-rule.

use super::terms::{Bend, Input, Only, Sharing, Term, share};
use super::{Explained, Rule, Work};
use crate::lrp::LrpError;

/// LRP-γ: as the ε-rule, with the contributions of an output's own sign made larger by γ.
///
/// ```text
/// c_kj = w_kj·x_j      where z_k > 0: c'_kj = c_kj + γ·c_kj⁺, b'_k = b_k + γ·b_k⁺      where z_k < 0: with ⁻ for ⁺
/// R_j = Σ_k c'_kj · R_k/stab(Σ_j c'_kj + b'_k)
/// ```
/// Shapes: as [`super::Epsilon`]; z is the layer's own output, and where it is 0 nothing is sent. Differs: of the bias,
/// zennit adds to positive inputs' part alone, which is the formula above. With b = 0 the sum is conserved up to ε = 1e-6.
///
/// Source: Montavon et al. 2019, section 10.2; generalised to negative inputs by Andéol et al. 2021, as in zennit.
/// Vectors: `rule-*-gamma-*`, `lrp-cnn-epsilon-gamma-*`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Gamma {
    gamma: f32,
}

impl Gamma {
    /// γ = 0.25.
    pub const DEFAULT: Self = Self { gamma: 0.25 };
    /// γ = 0.1, as in the published code's composites.
    pub const PUBLISHED: Self = Self { gamma: 0.1 };

    /// # Errors
    /// [`LrpError::Setting`] unless `gamma` is finite and at least 0.
    pub fn new(gamma: f32) -> Result<Self, LrpError> {
        if gamma.is_finite() && gamma >= 0.0 {
            return Ok(Self { gamma });
        }
        Err(LrpError::Setting { name: "gamma", got: gamma, range: "0 or more, for example 0.25" })
    }
}

impl Rule for Gamma {
    fn relevance_in(&self, at: Explained<'_>, work: Work<'_>) -> f64 {
        let (up, down) = (Bend::MorePositive(self.gamma), Bend::MoreNegative(self.gamma));
        let raised = [Term::new(Input::Positive, up, true), Term::new(Input::Negative, down, false)];
        let lowered = [Term::new(Input::Positive, down, true), Term::new(Input::Negative, up, false)];
        let parts = [
            Sharing { only: Only::Positive, ..Sharing::over(&raised) },
            Sharing { only: Only::Negative, ..Sharing::over(&lowered) },
        ];
        share(&parts, at, work)
    }
}
