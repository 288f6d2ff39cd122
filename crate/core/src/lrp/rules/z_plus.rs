//! The z⁺-rule.

use ndarray::ArrayViewMut2;

use super::terms::{Bend, Input, Only, Sharing, Term};
use super::{Explained, Room, Rule};
use crate::nn::Scratch;

/// What raises an output: positive inputs through positive weights, negative through negative ones.
pub(super) const RAISING: [Term; 2] =
    [Term::new(Input::Positive, Bend::Positive, true), Term::new(Input::Negative, Bend::Negative, false)];

/// LRP-z⁺: each output shares its relevance over the inputs that raised it.
///
/// ```text
/// z⁺_k = Σ_j (w_kj·x_j)⁺ + b_k⁺      R_j = Σ_k (w_kj·x_j)⁺ · R_k/stab(z⁺_k)
/// ```
/// Shapes: as [`super::Epsilon`]. Relevance keeps its sign. With b ≤ 0 its sum is conserved up to ε = 1e-6. It is
/// [`super::AlphaBeta`] with α = 1, β = 0; negative inputs are allowed.
///
/// Source: Montavon et al. 2017 (deep Taylor decomposition), section 4; for negative inputs, zennit. Vectors:
/// `rule-*-z-plus`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ZPlus;

impl Rule for ZPlus {
    fn relevance_in(
        &self,
        at: Explained<'_>,
        relevance_in: ArrayViewMut2<'_, f32>,
        room: &mut Room,
        scratch: &mut Scratch,
    ) -> f64 {
        Sharing { terms: &RAISING, only: Only::All, factor: 1.0, add: false }.run(at, relevance_in, room, scratch)
    }
}
