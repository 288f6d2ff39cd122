//! The w²-rule.

use super::terms::{Bend, Input, Sharing, Term, share};
use super::{Explained, Rule, Work};

/// LRP-w²: shares by the squared weights, whatever the input is.
///
/// ```text
/// R_j = Σ_k w_kj² · R_k/stab(Σ_j w_kj² + b_k²)
/// ```
/// Shapes: as [`super::Epsilon`]; for the first layer. With b = 0 the sum is conserved up to ε = 1e-6. The sums do not
/// depend on the sample and are computed once for all.
///
/// Source: Montavon et al. 2017, section 4; the squared bias is zennit's. Vectors: `rule-*-w-square`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WSquare;

impl Rule for WSquare {
    fn relevance_in(&self, at: Explained<'_>, work: Work<'_>) -> f64 {
        let terms = [Term::new(Input::Constant(1.0), Bend::Square, true)];
        share(&[Sharing::over(&terms)], at, work)
    }
}
