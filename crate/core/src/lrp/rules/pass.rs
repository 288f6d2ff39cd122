//! Relevance as it came.

use ndarray::ArrayViewMut2;

use super::{Explained, Reach, Room, Rule};
use crate::nn::Scratch;

/// R_j = R_k: for layers each of whose outputs has one input (batch norm, ReLU, flatten; in max pooling, the winner).
/// Source: `Pass` of zennit. Vectors: `lrp-*-bn-pass-*`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pass;

impl Rule for Pass {
    fn reach(&self) -> Reach {
        Reach::Single
    }

    fn relevance_in(
        &self,
        at: Explained<'_>,
        mut relevance_in: ArrayViewMut2<'_, f32>,
        _room: &mut Room,
        _scratch: &mut Scratch,
    ) -> f64 {
        if relevance_in.dim() == at.relevance_out.dim() {
            relevance_in.assign(&at.relevance_out);
        }
        0.0
    }
}
