//! The rectifier.

use ndarray::{ArrayViewMut2, Zip};

use super::layer::{BackStep, Inputs, Operation, Pass};

/// y = max(0, x), elementwise. NaN stays NaN, so that it is noticed.
pub(super) struct Relu;

impl Operation for Relu {
    fn kind(&self) -> &'static str {
        "relu"
    }

    fn forward(&self, inputs: &Inputs<'_>, y: ArrayViewMut2<'_, f32>, _pass: &mut Pass<'_>) {
        Zip::from(y).and(inputs.first()).for_each(|y, &x| *y = if x <= 0.0 { 0.0 } else { x });
    }

    /// dx = dy where x > 0, else 0 (also at 0, as in PyTorch).
    fn backward(&self, step: BackStep<'_>, _gradients: &mut [Vec<f32>]) {
        let Some(dx) = step.target else { return };
        Zip::from(dx).and(step.x).and(step.signal).for_each(|dx, &x, &dy| *dx = if x <= 0.0 { 0.0 } else { dy });
    }
}
