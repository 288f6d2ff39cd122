//! The rule for inputs within bounds.

use super::terms::{Bend, Input, Sharing, Term, share};
use super::{Explained, Rule, Work};
use crate::lrp::LrpError;

/// LRP-zᴮ: for the first layer on pixels, whose values lie between `low` and `high`.
///
/// ```text
/// z_k = Σ_j (w_kj·x_j − w_kj⁺·low − w_kj⁻·high) + b_k − b_k⁺ − b_k⁻
/// R_j = Σ_k (w_kj·x_j − w_kj⁺·low − w_kj⁻·high) · R_k/stab(z_k)
/// ```
/// Shapes: as [`super::Epsilon`]. The bias cancels out, so the sum is conserved up to ε = 1e-6; no summand is negative
/// while x lies within the bounds.
///
/// Source: Montavon et al. 2017, section 4; Montavon et al. 2019, section 10.2. Vectors: `rule-*-z-box-*` (zennit).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ZBox {
    low: f32,
    high: f32,
}

impl ZBox {
    /// 0 to 1, as pixels are in our datasets.
    pub const UNIT: Self = Self { low: 0.0, high: 1.0 };

    /// # Errors
    /// [`LrpError::Setting`] unless both are finite and `low` is below `high`.
    pub fn new(low: f32, high: f32) -> Result<Self, LrpError> {
        if low.is_finite() && high.is_finite() && low < high {
            return Ok(Self { low, high });
        }
        Err(LrpError::Setting { name: "high - low", got: high - low, range: "above 0, for example z-box(0,1)" })
    }
}

impl Rule for ZBox {
    fn relevance_in(&self, at: Explained<'_>, work: Work<'_>) -> f64 {
        let less = |bound, bend| Term { factor: -1.0, ..Term::new(Input::Constant(bound), bend, true) };
        let terms =
            [Term::new(Input::Own, Bend::Own, true), less(self.low, Bend::Positive), less(self.high, Bend::Negative)];
        share(&[Sharing::over(&terms)], at, work)
    }
}
