//! Batch normalisation.

use ndarray::{ArrayView2, ArrayViewMut2, Axis};

use super::affine::{Affine, Scratch};
use super::layer::{BackStep, Inputs, Operation, Pass, Tensors, TensorsMut};
use super::sums::lane_sum;
use super::tape::Mode;
use crate::rng::Rng;

/// Normalisation of each channel over batch and positions.
///
/// ```text
/// y = γ·(x − μ)/√(σ² + eps) + β       evaluation: μ, σ² are the running ones
/// training: μ = mean(x), σ² = mean((x − μ)²);  running ← (1 − momentum)·running + momentum·(μ, σ²·m/(m − 1))
/// ```
/// Shapes: x and y `[n, channels·h·w]` (or `[n, channels]`), all tensors `[channels]`; m = n·h·w. A batch with m = 1
/// has no variance and leaves the running statistics as they are. Source: Ioffe and Szegedy 2015, algorithm 1, with
/// the unbiased running variance of PyTorch. Vectors: `train-cnnbn-*`, `train-resnet-*`.
#[derive(Debug, Clone)]
pub struct BatchNorm {
    eps: f32,
    momentum: f32,
    gamma: Vec<f32>,
    beta: Vec<f32>,
    running_mean: Vec<f32>,
    running_variance: Vec<f32>,
}

/// What the way back and the running statistics need of a pass: three lists, one number a channel each.
struct Memo<'a> {
    mean: &'a [f32],
    /// 1/√(σ² + eps)
    inverse: &'a [f32],
    /// σ²·m/(m − 1); empty where the batch has no variance.
    unbiased: &'a [f32],
}

impl BatchNorm {
    /// γ = 1, β = 0, running mean 0 and variance 1.
    pub(super) fn new(channels: usize, eps: f32, momentum: f32) -> Self {
        let all = |value: f32| vec![value; channels];
        Self { eps, momentum, gamma: all(1.0), beta: all(0.0), running_mean: all(0.0), running_variance: all(1.0) }
    }

    fn channels(&self) -> usize {
        self.gamma.len()
    }

    fn memo<'a>(&self, memo: &'a [f32]) -> Memo<'a> {
        let (mean, rest) = memo.split_at_checked(self.channels()).unwrap_or_default();
        let (inverse, unbiased) = rest.split_at_checked(self.channels()).unwrap_or_default();
        Memo { mean, inverse, unbiased }
    }

    /// Writes the memo of a pass.
    fn measure(&self, x: ArrayView2<'_, f32>, mode: Mode, memo: &mut Vec<f32>) {
        memo.clear();
        if mode == Mode::Evaluate {
            memo.extend(&self.running_mean);
            memo.extend(self.running_variance.iter().map(|variance| 1.0 / (variance + self.eps).sqrt()));
            return;
        }
        let count = (x.len() / self.channels().max(1)) as f64;
        memo.extend((0..self.channels()).map(|c| (self.total(x, c, |x| x) / count) as f32));
        for c in 0..self.channels() {
            let mean = memo[c];
            let variance = self.total(x, c, |x| (x - mean) * (x - mean)) / count;
            memo.push(variance as f32);
        }
        if count > 1.0 {
            let unbiased = (count / (count - 1.0)) as f32;
            memo.extend_from_within(self.channels()..);
            memo[2 * self.channels()..].iter_mut().for_each(|variance| *variance *= unbiased);
        }
        let inverse = memo.iter_mut().skip(self.channels()).take(self.channels());
        inverse.for_each(|variance| *variance = 1.0 / (*variance + self.eps).sqrt());
    }

    /// γ/√(σ² + eps) by channel, with the running variance.
    fn scale(&self) -> impl Iterator<Item = f32> {
        self.gamma.iter().zip(&self.running_variance).map(|(gamma, variance)| gamma / (variance + self.eps).sqrt())
    }

    /// Folds the evaluated normalisation into the affine layer before it, whose outputs are the channels:
    /// W'[c] = W[c]·γ/√(σ² + eps), b' = (b − μ)·γ/√(σ² + eps) + β. Into W = 1, b = 0 it gives what [`Affine`] takes here.
    pub(crate) fn fold_into(
        &self,
        (weight, bias): (&[f32], Option<&[f32]>),
        folded: &mut Vec<f32>,
        folded_bias: &mut Vec<f32>,
    ) {
        folded.clear();
        let rows = weight.chunks_exact((weight.len() / self.channels().max(1)).max(1));
        for (row, scale) in rows.zip(self.scale()) {
            folded.extend(row.iter().map(|w| w * scale));
        }
        folded_bias.clear();
        let own = bias.unwrap_or_default().iter().copied().chain(std::iter::repeat(0.0));
        let each = self.scale().zip(own).zip(self.running_mean.iter().zip(&self.beta));
        folded_bias.extend(each.map(|((scale, bias), (mean, beta))| (bias - mean) * scale + beta));
    }

    /// Σ of(x) over a channel, plane by plane.
    fn total(&self, x: ArrayView2<'_, f32>, channel: usize, of: impl Fn(f32) -> f32) -> f64 {
        let size = x.ncols() / self.channels().max(1);
        let planes = x.axis_iter(Axis(0)).filter_map(|row| row.to_slice()?.get(channel * size..(channel + 1) * size));
        planes.map(|plane| f64::from(lane_sum(plane, plane, |x, _| of(x)))).sum()
    }
}

impl Operation for BatchNorm {
    fn kind(&self) -> &'static str {
        "batch_norm"
    }

    fn tensors(&self) -> Tensors<'_> {
        Tensors {
            trained: [("weight", Some(&self.gamma)), ("bias", Some(&self.beta))],
            followed: [("running_mean", Some(&self.running_mean)), ("running_var", Some(&self.running_variance))],
        }
    }

    fn tensors_mut(&mut self) -> TensorsMut<'_> {
        TensorsMut {
            trained: [Some(&mut self.gamma), Some(&mut self.beta)],
            followed: [Some(&mut self.running_mean), Some(&mut self.running_variance)],
        }
    }

    fn initialise(&mut self, _rng: &mut Rng) {
        *self = Self::new(self.channels(), self.eps, self.momentum);
    }

    fn forward(&self, inputs: &Inputs<'_>, mut y: ArrayViewMut2<'_, f32>, pass: &mut Pass<'_>) {
        let x = inputs.first();
        self.measure(x, pass.mode, pass.memo);
        let Memo { mean, inverse, .. } = self.memo(pass.memo);
        let size = (x.ncols() / self.channels().max(1)).max(1);
        let (Some(x), Some(y)) = (x.to_slice(), y.as_slice_mut()) else { return };
        let channels = mean.iter().zip(inverse).zip(self.gamma.iter().zip(&self.beta));
        for ((x, y), ((mean, inverse), (gamma, beta))) in
            x.chunks_exact(size).zip(y.chunks_exact_mut(size)).zip(channels.cycle())
        {
            let scale = gamma * inverse;
            y.iter_mut().zip(x).for_each(|(y, x)| *y = (x - mean) * scale + beta);
        }
    }

    /// dγ = Σ dy·x̂, dβ = Σ dy, with x̂ = (x − μ)/√(σ² + eps). In training mode μ and σ² depend on x too:
    /// dx = γ/√(σ² + eps) · (dy − dβ/m − x̂·dγ/m); in evaluation mode only the first summand remains.
    fn backward(&self, step: BackStep<'_>, gradients: &mut [Vec<f32>]) {
        let Memo { mean, inverse, .. } = self.memo(step.memo);
        let size = (step.x.ncols() / self.channels().max(1)).max(1);
        let (Some(x), Some(dy)) = (step.x.to_slice(), step.signal.to_slice()) else { return };
        let mut target = step.target;
        let mut dx = target.as_mut().and_then(|target| target.as_slice_mut());
        let count = (x.len() / self.channels().max(1)).max(1) as f64;
        for (c, ((&mean, &inverse), gamma)) in mean.iter().zip(inverse).zip(&self.gamma).enumerate() {
            let every = self.channels();
            let planes = || x.chunks_exact(size).zip(dy.chunks_exact(size)).skip(c).step_by(every);
            let (mut of_gamma, mut of_beta) = (0.0_f64, 0.0_f64);
            for (x, dy) in planes() {
                of_beta += f64::from(lane_sum(dy, dy, |dy, _| dy));
                of_gamma += f64::from(lane_sum(x, dy, |x, dy| dy * (x - mean) * inverse));
            }
            for (gradient, value) in gradients.iter_mut().zip([of_gamma, of_beta]) {
                if let Some(gradient) = gradient.get_mut(c) {
                    *gradient = value as f32;
                }
            }
            let Some(dx) = dx.as_deref_mut() else { continue };
            let share = |sum: f64| if step.mode == Mode::Train { (sum / count) as f32 } else { 0.0 };
            let (scale, of_gamma, of_beta) = (gamma * inverse, share(of_gamma) * inverse, share(of_beta));
            for (dx, (x, dy)) in dx.chunks_exact_mut(size).skip(c).step_by(every).zip(planes()) {
                for ((dx, x), dy) in dx.iter_mut().zip(x).zip(dy) {
                    *dx = scale * (dy - of_beta - (x - mean) * of_gamma);
                }
            }
        }
    }

    fn learn_statistics(&mut self, memo: &[f32]) {
        let Memo { mean, unbiased, .. } = self.memo(memo);
        if unbiased.is_empty() {
            return;
        }
        let running = [(&mut self.running_mean, mean), (&mut self.running_variance, unbiased)];
        for (running, seen) in running {
            for (running, seen) in running.iter_mut().zip(seen) {
                *running = (1.0 - self.momentum) * *running + self.momentum * seen;
            }
        }
    }
}

/// A factor and a summand for each channel, z = w·x + b: what the normalisation is in evaluation. Its own w and b come
/// from `fold_into`; γ and β alone are not they.
impl Affine for BatchNorm {
    fn weight(&self) -> &[f32] {
        &self.gamma
    }

    fn bias(&self) -> Option<&[f32]> {
        Some(&self.beta)
    }

    fn transform(
        &self,
        weight: &[f32],
        bias: Option<&[f32]>,
        x: ArrayView2<'_, f32>,
        mut z: ArrayViewMut2<'_, f32>,
        _scratch: &mut Scratch,
    ) {
        let size = (x.ncols() / self.channels().max(1)).max(1);
        let (Some(x), Some(z)) = (x.to_slice(), z.as_slice_mut()) else { return };
        let planes = x.chunks_exact(size).zip(z.chunks_exact_mut(size));
        for ((x, z), (c, w)) in planes.zip(weight.iter().enumerate().cycle()) {
            let bias = bias.and_then(|bias| bias.get(c)).copied().unwrap_or_default();
            z.iter_mut().zip(x).for_each(|(z, x)| *z = x * w + bias);
        }
    }

    fn pull_back(&self, weight: &[f32], s: ArrayView2<'_, f32>, x: ArrayViewMut2<'_, f32>, scratch: &mut Scratch) {
        self.transform(weight, None, s, x, scratch);
    }

    fn weight_gradient(
        &self,
        x: ArrayView2<'_, f32>,
        s: ArrayView2<'_, f32>,
        gradient: &mut [f32],
        add: bool,
        _scratch: &mut Scratch,
    ) {
        if !add {
            gradient.fill(0.0);
        }
        let size = (x.ncols() / self.channels().max(1)).max(1);
        let (Some(x), Some(s)) = (x.to_slice(), s.to_slice()) else { return };
        for (index, (x, s)) in x.chunks_exact(size).zip(s.chunks_exact(size)).enumerate() {
            gradient[index % self.channels().max(1)] += lane_sum(x, s, |x, s| x * s);
        }
    }
}
