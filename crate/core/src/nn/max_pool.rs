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
        let ([height, width], [down, right]) = (self.window.kernel, self.window.stride);
        for (index, y) in y.chunks_exact_mut(self.positions[1].max(1)).enumerate() {
            let rows = plane.chunks_exact(self.image[1].max(1)).skip(index * down).take(height);
            y.fill(f32::NEG_INFINITY);
            for row in rows {
                if (width, right) == (2, 2) {
                    // The usual window, read as pairs.
                    for (y, pair) in y.iter_mut().zip(row.as_chunks::<2>().0) {
                        *y = larger(*y, larger(pair[0], pair[1]));
                    }
                    continue;
                }
                for offset in 0..width {
                    let values = row.iter().skip(offset).step_by(right);
                    y.iter_mut().zip(values).for_each(|(y, &x)| *y = larger(*y, x));
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
