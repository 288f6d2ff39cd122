//! The sum of several layers: what a residual connection ends in.

use ndarray::ArrayViewMut2;

use super::layer::{BackStep, Inputs, Operation, Pass};

/// y = Σ over inputs of x, all of one shape; one layer may be named twice.
pub(super) struct Add;

impl Operation for Add {
    fn kind(&self) -> &'static str {
        "add"
    }

    fn forward(&self, inputs: &Inputs<'_>, mut y: ArrayViewMut2<'_, f32>, _pass: &mut Pass<'_>) {
        y.assign(&inputs.first());
        for edge in 1..inputs.sources.len() {
            y += &inputs.get(edge);
        }
    }

    fn backward(&self, step: BackStep<'_>, _gradients: &mut [Vec<f32>]) {
        if let Some(mut dx) = step.target {
            dx.assign(&step.signal);
        }
    }
}
