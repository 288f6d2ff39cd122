//! The rectifier.

use ndarray::ArrayViewMut2;

use super::layer::{BackStep, Inputs, Operation, Pass};

/// y = max(0, x), elementwise. NaN stays NaN, so that it is noticed.
pub(super) struct Relu;

impl Operation for Relu {
    fn kind(&self) -> &'static str {
        "relu"
    }

    fn forward(&self, inputs: &Inputs<'_>, mut y: ArrayViewMut2<'_, f32>, _pass: &mut Pass<'_>) {
        let (Some(x), Some(y)) = (inputs.first().to_slice(), y.as_slice_mut()) else { return };
        y.iter_mut().zip(x).for_each(|(y, &x)| *y = if x <= 0.0 { 0.0 } else { x });
    }

    /// dx = dy where x > 0, else 0 (also at 0, as in PyTorch).
    fn backward(&self, mut step: BackStep<'_>, _gradients: &mut [Vec<f32>]) {
        let Some(dx) = step.target.as_mut().and_then(|dx| dx.as_slice_mut()) else { return };
        let (Some(x), Some(dy)) = (step.x.to_slice(), step.signal.to_slice()) else { return };
        dx.iter_mut().zip(x).zip(dy).for_each(|((dx, &x), &dy)| *dx = if x <= 0.0 { 0.0 } else { dy });
    }
}
