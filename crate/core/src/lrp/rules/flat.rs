//! The flat rule.

use super::terms::{Bend, Input, Sharing, Term, share};
use super::{Explained, Rule, Work};

/// LRP-flat: each output shares its relevance evenly over all inputs that it reads.
///
/// ```text
/// R_j = Σ_k over outputs that read j of R_k/stab(n_k)      n_k = number of inputs that k reads, plus 1 for a counted bias
/// ```
/// Shapes: as [`super::Epsilon`]; for the first layer. The border of a convolution is no input. Conserved up to ε = 1e-6.
/// Source: Lapuschkin et al. 2019, supplementary note 7. Vectors: `rule-*-flat` (zennit).
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Flat {
    /// Whether a bias counts as one more input. The rule's own vectors say no; the composites of the published code, an
    /// older zennit, say yes, and so do ours of the same name.
    pub bias: bool,
}

impl Rule for Flat {
    fn relevance_in(&self, at: Explained<'_>, work: Work<'_>) -> f64 {
        let terms = [Term::new(Input::Constant(1.0), Bend::One, self.bias)];
        share(&[Sharing::over(&terms)], at, work)
    }
}
