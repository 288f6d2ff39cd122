//! Pooling by the largest value.

use ndarray::ArrayViewMut2;

use super::Window;
use super::layer::{BackStep, Inputs, Operation, Pass};

/// y[c, p] = max over the window at p of x[c, ·]. Shapes: x `[n, c·h·w]`, y `[n, c·oh·ow]`; no border. NaN stays NaN.
#[derive(Debug, Clone)]
pub struct MaxPool2d {
    window: Window,
    image: [usize; 2],
    positions: [usize; 2],
}

impl MaxPool2d {
    pub(super) fn new(window: Window, image: [usize; 2], positions: [usize; 2]) -> Self {
        Self { window, image, positions }
    }

    /// The largest value of each position of one channel.
    fn pool(&self, plane: &[f32], y: &mut [f32]) {
        let (Window { kernel: [height, width], stride: [down, right], .. }, across) = (self.window, self.image[1]);
        for (y, top) in y.chunks_exact_mut(self.positions[1].max(1)).zip((0..).step_by(down * across)) {
            let rows = plane.get(top..top + height * across).unwrap_or_default();
            if let (2, 2, 2) = (height, width, right) {
                // The usual window, read as pairs.
                let (above, below) = rows.split_at_checked(across).unwrap_or_default();
                let pairs = above.as_chunks::<2>().0.iter().zip(below.as_chunks::<2>().0);
                y.iter_mut().zip(pairs).for_each(|(y, (&[a, b], &[c, d]))| *y = larger(larger(a, b), larger(c, d)));
            } else {
                for (y, left) in y.iter_mut().zip((0..).step_by(right)) {
                    let values = rows.chunks_exact(across.max(1)).flat_map(|row| row.iter().skip(left).take(width));
                    *y = values.copied().reduce(larger).unwrap_or(f32::NAN);
                }
            }
        }
    }
}

/// The larger one; NaN wins, so that it is noticed.
#[inline]
fn larger(a: f32, b: f32) -> f32 {
    if a >= b || a.is_nan() { a } else { b }
}

impl Operation for MaxPool2d {
    fn kind(&self) -> &'static str {
        "max_pool2d"
    }

    fn forward(&self, inputs: &Inputs<'_>, mut y: ArrayViewMut2<'_, f32>, _pass: &mut Pass<'_>) {
        let (Some(x), Some(y)) = (inputs.first().to_slice(), y.as_slice_mut()) else { return };
        let planes = x.chunks_exact((self.image[0] * self.image[1]).max(1));
        let pooled = y.chunks_exact_mut((self.positions[0] * self.positions[1]).max(1));
        planes.zip(pooled).for_each(|(plane, y)| self.pool(plane, y));
    }

    /// Each position's gradient goes to its largest value, the first of equals, as in PyTorch.
    fn backward(&self, mut step: BackStep<'_>, _gradients: &mut [Vec<f32>]) {
        let Some(dx) = step.target.as_mut().and_then(|dx| dx.as_slice_mut()) else { return };
        let (Some(x), Some(dy)) = (step.x.to_slice(), step.signal.to_slice()) else { return };
        let ([height, width], stride) = (self.window.kernel, self.image[1]);
        let size = (self.image[0] * stride).max(1);
        let signals = dy.chunks_exact((self.positions[0] * self.positions[1]).max(1));
        for ((x, dx), dy) in x.chunks_exact(size).zip(dx.chunks_exact_mut(size)).zip(signals) {
            dx.fill(0.0);
            for ([top, left], dy) in self.window.corners(self.positions).zip(dy) {
                let mut best = (top * stride + left, f32::NEG_INFINITY);
                for start in (top..top + height).map(|row| row * stride + left) {
                    for (offset, &value) in x.get(start..start + width).unwrap_or_default().iter().enumerate() {
                        if value > best.1 {
                            best = (start + offset, value);
                        }
                    }
                }
                if let Some(dx) = dx.get_mut(best.0) {
                    *dx += dy;
                }
            }
        }
    }
}
