//! Relevance as it came.

use super::{Explained, Reach, Rule, Work};

/// R_j = R_k: for layers each of whose outputs has one input (batch norm, ReLU, flatten; in max pooling, the winner).
/// Source: `Pass` of zennit. Vectors: `lrp-*-bn-pass-*`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pass;

impl Rule for Pass {
    fn reach(&self) -> Reach {
        Reach::Single
    }

    fn relevance_in(&self, at: Explained<'_>, Work { mut relevance_in, .. }: Work<'_>) -> f64 {
        if relevance_in.dim() == at.relevance_out.dim() {
            relevance_in.assign(&at.relevance_out);
        }
        0.0
    }
}
