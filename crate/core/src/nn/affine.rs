//! What dense and convolution layers have in common: they are affine in their input and in their weight. Relevance
//! rules are written against this alone.

use ndarray::{ArrayView2, ArrayViewMut2};

use crate::matmul::Pack;

/// An affine layer, z = W·x + b. The weight is an argument, so that a relevance rule can pass a changed one (its
/// positive part, say) without a copy of the layer. Activations are [n, features]; weights are flat, row-major.
pub trait Affine {
    /// The layer's own weight.
    fn weight(&self) -> &[f32];

    /// The layer's own bias.
    fn bias(&self) -> Option<&[f32]>;

    /// z = W·x + b.
    fn transform(
        &self,
        weight: &[f32],
        bias: Option<&[f32]>,
        x: ArrayView2<'_, f32>,
        z: ArrayViewMut2<'_, f32>,
        pack: &mut Pack,
    );

    /// Pulls a signal `s` at the output back to the input: Wᵀ·s.
    fn pull_back(&self, weight: &[f32], s: ArrayView2<'_, f32>, x: ArrayViewMut2<'_, f32>, pack: &mut Pack);

    /// Adds Σ over samples and positions of s·xᵀ to `gradient`, which has the weight's layout.
    fn add_weight_gradient(
        &self,
        x: ArrayView2<'_, f32>,
        s: ArrayView2<'_, f32>,
        gradient: &mut [f32],
        pack: &mut Pack,
    );
}
