//! The z⁺-rule.

use super::terms::{Bend, Input, Sharing, Term, share};
use super::{Explained, Rule, Work};

/// What raises an output: positive inputs through positive weights, negative through negative ones.
pub(super) const RAISING: [Term; 2] =
    [Term::new(Input::Positive, Bend::Positive, true), Term::new(Input::Negative, Bend::Negative, false)];

/// LRP-z⁺: each output shares its relevance over the inputs that raised it.
///
/// ```text
/// z⁺_k = Σ_j (w_kj·x_j)⁺ + b_k⁺      R_j = Σ_k (w_kj·x_j)⁺ · R_k/stab(z⁺_k)
/// ```
/// Shapes: as [`super::Epsilon`]. Relevance keeps its sign. With b ≤ 0 its sum is conserved up to ε = 1e-6, but for that
/// of outputs that nothing raised, which is lost. It is [`super::AlphaBeta`] with α = 1, β = 0; negative inputs are allowed.
///
/// Source: Montavon et al. 2017 (deep Taylor decomposition), section 4; for negative inputs, zennit. Vectors:
/// `rule-*-z-plus`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ZPlus;

impl Rule for ZPlus {
    fn relevance_in(&self, at: Explained<'_>, work: Work<'_>) -> f64 {
        share(&[Sharing::over(&RAISING)], at, work)
    }
}
