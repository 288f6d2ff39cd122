//! Pooling by the mean.

use ndarray::ArrayViewMut2;

use super::Window;
use super::layer::{BackStep, Inputs, Operation, Pass};
use super::sums::lane_sum;

/// y[c, p] = mean over the window at p of x[c, ·]. Shapes: x `[n, c·h·w]`, y `[n, c·oh·ow]`; no border.
#[derive(Debug, Clone)]
pub struct AvgPool2d {
    window: Window,
    image: [usize; 2],
    positions: [usize; 2],
    global: bool,
}

impl AvgPool2d {
    pub(super) fn new(window: Window, image: [usize; 2], positions: [usize; 2]) -> Self {
        Self { window, image, positions, global: false }
    }

    /// One mean over the whole image: y `[n, c]`.
    pub(super) fn global(image: [usize; 2]) -> Self {
        let window = Window { kernel: image, stride: [1, 1], padding: [0, 0] };
        Self { window, image, positions: [1, 1], global: true }
    }

    /// Starts of the rows of each window in a plane.
    fn rows(&self) -> impl Iterator<Item = impl Iterator<Item = usize>> {
        let ([height, _], stride) = (self.window.kernel, self.image[1]);
        let rows = move |[top, left]: [usize; 2]| (top..top + height).map(move |row| row * stride + left);
        self.window.corners(self.positions).map(rows)
    }

    /// 1 / numbers in a window.
    fn share(&self) -> f32 {
        1.0 / (self.window.kernel[0] * self.window.kernel[1]) as f32
    }
}

impl Operation for AvgPool2d {
    fn kind(&self) -> &'static str {
        if self.global { "global_avg_pool" } else { "avg_pool2d" }
    }

    fn forward(&self, inputs: &Inputs<'_>, mut y: ArrayViewMut2<'_, f32>, _pass: &mut Pass<'_>) {
        let (Some(x), Some(y)) = (inputs.first().to_slice(), y.as_slice_mut()) else { return };
        let planes = x.chunks_exact((self.image[0] * self.image[1]).max(1));
        let (width, share) = (self.window.kernel[1], self.share());
        for (plane, y) in planes.zip(y.chunks_exact_mut((self.positions[0] * self.positions[1]).max(1))) {
            for (y, rows) in y.iter_mut().zip(self.rows()) {
                let values = rows.map(|start| plane.get(start..start + width).unwrap_or_default());
                *y = share * values.map(|row| lane_sum(row, row, |x, _| x)).sum::<f32>();
            }
        }
    }

    fn backward(&self, mut step: BackStep<'_>, _gradients: &mut [Vec<f32>]) {
        let Some(dx) = step.target.as_mut().and_then(|dx| dx.as_slice_mut()) else { return };
        let Some(dy) = step.signal.to_slice() else { return };
        let planes = dx.chunks_exact_mut((self.image[0] * self.image[1]).max(1));
        let (width, share) = (self.window.kernel[1], self.share());
        for (dx, dy) in planes.zip(dy.chunks_exact((self.positions[0] * self.positions[1]).max(1))) {
            dx.fill(0.0);
            for (dy, rows) in dy.iter().zip(self.rows()) {
                for start in rows {
                    for dx in dx.get_mut(start..start + width).unwrap_or_default() {
                        *dx += dy * share;
                    }
                }
            }
        }
    }
}
