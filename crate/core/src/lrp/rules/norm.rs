//! Shares by contribution, with no setting.

use super::{Epsilon, Explained, Reach, Rule, Work};

/// Shares by contribution: the ε-rule with ε = 1e-6, also for sums with fixed weights (average pooling, `add`).
///
/// ```text
/// R_j = Σ_k c_kj · R_k/stab(z_k)      c_kj: what input j gives to output k
/// ```
/// Source: `Norm` of zennit. Vectors: `lrp-resnet-*`, `lrp-cnnbn-*` (pooling and sums).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Norm;

impl Rule for Norm {
    fn reach(&self) -> Reach {
        Reach::Sums(Epsilon::DEFAULT)
    }

    fn relevance_in(&self, at: Explained<'_>, work: Work<'_>) -> f64 {
        Epsilon::DEFAULT.relevance_in(at, work)
    }
}
