//! What dense and convolution layers have in common: they are affine in their input and in their weight. Relevance
//! rules are written against this alone.

use ndarray::{ArrayView2, ArrayViewMut2, Axis};

use super::sums::lane_sum;
use crate::matmul::Pack;

/// Memory that layers compute in and that means nothing afterwards. Kept in a tape, so that no pass allocates.
#[derive(Debug, Clone, Default)]
pub struct Scratch {
    pub(super) pack: Pack,
    /// A sample with its border of zeros.
    pub(super) padded: Vec<f32>,
    /// A product that is added elsewhere.
    pub(super) product: Vec<f32>,
    /// A weight, transposed.
    pub(super) turned: Vec<f32>,
}

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
        scratch: &mut Scratch,
    );

    /// Pulls a signal `s` at the output back to the input: Wᵀ·s.
    fn pull_back(&self, weight: &[f32], s: ArrayView2<'_, f32>, x: ArrayViewMut2<'_, f32>, scratch: &mut Scratch);

    /// Σ over samples and positions of s·xᵀ, in the weight's layout: written to `gradient`, or added with `add`.
    fn weight_gradient(
        &self,
        x: ArrayView2<'_, f32>,
        s: ArrayView2<'_, f32>,
        gradient: &mut [f32],
        add: bool,
        scratch: &mut Scratch,
    );

    /// Σ over samples and positions of s, one number a unit or filter.
    fn bias_gradient(&self, s: ArrayView2<'_, f32>, gradient: &mut [f32]) {
        gradient.fill(0.0);
        let positions = s.ncols() / gradient.len().max(1);
        for row in s.axis_iter(Axis(0)) {
            if positions == 1 {
                gradient.iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
            } else if let Some(row) = row.to_slice() {
                let filters = row.chunks_exact(positions.max(1));
                gradient.iter_mut().zip(filters).for_each(|(sum, values)| *sum += lane_sum(values, values, |s, _| s));
            }
        }
    }
}

/// Gradients of an affine layer for the signal `dz` at its output: of weight and bias, and of x where asked.
pub(super) fn backward(
    layer: &dyn Affine,
    x: ArrayView2<'_, f32>,
    dz: ArrayView2<'_, f32>,
    dx: Option<ArrayViewMut2<'_, f32>>,
    gradients: &mut [Vec<f32>],
    scratch: &mut Scratch,
) {
    if let Some(gradient) = gradients.first_mut() {
        layer.weight_gradient(x, dz, gradient, false, scratch);
    }
    if let Some(gradient) = gradients.get_mut(1) {
        layer.bias_gradient(dz, gradient);
    }
    if let Some(dx) = dx {
        layer.pull_back(layer.weight(), dz, dx, scratch);
    }
}
