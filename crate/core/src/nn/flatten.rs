//! From any shape to a list of features. Activations lie in that order already: it is a copy.

use ndarray::ArrayViewMut2;

use super::layer::{BackStep, Inputs, Operation, Pass};

/// `[c, h, w]` to `[c·h·w]`, row-major.
pub(super) struct Flatten;

impl Operation for Flatten {
    fn kind(&self) -> &'static str {
        "flatten"
    }

    fn forward(&self, inputs: &Inputs<'_>, mut y: ArrayViewMut2<'_, f32>, _pass: &mut Pass<'_>) {
        y.assign(&inputs.first());
    }

    fn backward(&self, step: BackStep<'_>, _gradients: &mut [Vec<f32>]) {
        if let Some(mut dx) = step.target {
            dx.assign(&step.signal);
        }
    }
}
