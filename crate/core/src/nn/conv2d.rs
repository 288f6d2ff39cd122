//! Convolution over images, as a product of the filters and the unfolded image.

use ndarray::{ArrayView2, ArrayViewMut2, s};

use super::layer::{BackStep, Inputs, Operation, Pass, Tensors, TensorsMut};
use super::unfold::{Unfold, Unfolded, UnfoldedTransposed};
use super::{Affine, Scratch, Window, affine};
use crate::matmul::{Output, Update, matmul};
use crate::rng::Rng;

/// The sum over channels and taps, for each filter o over the channels c of its group:
///
/// ```text
/// z[o, p] = Σ W[o, c, y, x] · image[c, p + (y, x)] + b[o]
/// ```
/// Shapes: weight `[filters, channels / groups, kh, kw]`, bias `[filters]`, x `[n, channels·h·w]`,
/// z `[n, filters·oh·ow]`. It is a cross-correlation, as in PyTorch.
#[derive(Debug, Clone)]
pub struct Conv2d {
    filters: usize,
    groups: usize,
    kernel: [usize; 2],
    unfold: Unfold,
    weight: Vec<f32>,
    bias: Option<Vec<f32>>,
}

impl Conv2d {
    /// A layer of zeros for images [channels, h, w] in which the window fits `positions` times. `groups` divides both
    /// channels and filters.
    pub(super) fn zeros(
        [channels, height, width]: [usize; 3],
        filters: usize,
        groups: usize,
        window: Window,
        positions: [usize; 2],
        bias: bool,
    ) -> Self {
        let unfold = Unfold::new(channels / groups, [height, width], window, positions);
        let weight = vec![0.0; filters * unfold.taps()];
        Self { filters, groups, kernel: window.kernel, unfold, weight, bias: bias.then(|| vec![0.0; filters]) }
    }

    /// Filters of one group.
    fn group(&self) -> usize {
        self.filters / self.groups
    }

    /// The filters of one group as [filters, taps].
    fn matrix<'a>(&self, weight: &'a [f32], group: usize) -> ArrayView2<'a, f32> {
        let size = self.group() * self.unfold.taps();
        let own = weight.get(group * size..(group + 1) * size).unwrap_or_default();
        matrix([self.group(), self.unfold.taps()], own)
    }

    /// One group's part of a sample at the output, as [filters, positions].
    fn signal<'a>(&self, s: &'a [f32]) -> ArrayView2<'a, f32> {
        matrix([self.group(), self.unfold.positions()], s)
    }
}

impl Operation for Conv2d {
    fn kind(&self) -> &'static str {
        "conv2d"
    }

    fn weight_shape(&self) -> Option<Vec<usize>> {
        let [height, width] = self.kernel;
        Some(vec![self.filters, self.unfold.taps() / (height * width).max(1), height, width])
    }

    fn tensors(&self) -> Tensors<'_> {
        Tensors { trained: [("weight", Some(&self.weight)), ("bias", self.bias.as_deref())], ..Tensors::default() }
    }

    fn tensors_mut(&mut self) -> TensorsMut<'_> {
        TensorsMut { trained: [Some(&mut self.weight), self.bias.as_deref_mut()], ..TensorsMut::default() }
    }

    fn initialise(&mut self, rng: &mut Rng) {
        rng.fill_he(&mut self.weight, self.unfold.taps());
        self.bias.iter_mut().flatten().for_each(|bias| *bias = 0.0);
    }

    fn forward(&self, inputs: &Inputs<'_>, y: ArrayViewMut2<'_, f32>, pass: &mut Pass<'_>) {
        self.transform(&self.weight, self.bias.as_deref(), inputs.first(), y, pass.scratch);
    }

    fn backward(&self, step: BackStep<'_>, gradients: &mut [Vec<f32>]) {
        affine::backward(self, step.x, step.signal, step.target, gradients, step.scratch);
    }
}

impl Affine for Conv2d {
    fn weight(&self) -> &[f32] {
        &self.weight
    }

    fn bias(&self) -> Option<&[f32]> {
        self.bias.as_deref()
    }

    fn transform(
        &self,
        weight: &[f32],
        bias: Option<&[f32]>,
        x: ArrayView2<'_, f32>,
        mut z: ArrayViewMut2<'_, f32>,
        Scratch { pack, padded, .. }: &mut Scratch,
    ) {
        let (Some(x), Some(z)) = (x.to_slice(), z.as_slice_mut()) else { return };
        let positions = self.unfold.positions();
        self.unfold.clear(padded);
        // Samples and groups alike follow each other in memory: image after image, and what each gives.
        let images = x.chunks_exact(self.unfold.numbers().max(1)).enumerate();
        for ((index, image), z) in images.zip(z.chunks_exact_mut((self.group() * positions).max(1))) {
            let group = index % self.groups;
            let bias = bias.and_then(|bias| bias.get(group * self.group()..));
            let columns = Unfolded(&self.unfold, self.unfold.pad(image, padded));
            let update = bias.map_or(Update::Replace, Update::RowBias);
            matmul(self.matrix(weight, group), &columns, &mut Output::new(z, positions), update, pack);
        }
    }

    fn pull_back(
        &self,
        weight: &[f32],
        s: ArrayView2<'_, f32>,
        mut x: ArrayViewMut2<'_, f32>,
        Scratch { pack, padded, product, turned }: &mut Scratch,
    ) {
        let (Some(s), Some(x)) = (s.to_slice(), x.as_slice_mut()) else { return };
        let (taps, filters) = (self.unfold.taps(), self.group());
        // The filters of each group, transposed once for all samples.
        turned.clear();
        for group in 0..self.groups {
            turned.extend(self.matrix(weight, group).t());
        }
        let signals = s.chunks_exact((filters * self.unfold.positions()).max(1));
        for ((index, s), x) in signals.enumerate().zip(x.chunks_exact_mut(self.unfold.numbers().max(1))) {
            let own = turned.chunks_exact((taps * filters).max(1)).nth(index % self.groups).unwrap_or_default();
            let (filters, signal) = (matrix([taps, filters], own), self.signal(s));
            self.unfold.clear(padded);
            for range in self.unfold.ranges() {
                product.resize(taps * range.len(), 0.0);
                let (signal, mut output) = (signal.slice(s![.., range.clone()]), Output::new(product, range.len()));
                matmul(filters, &signal, &mut output, Update::Replace, pack);
                self.unfold.fold(product, range, padded);
            }
            self.unfold.crop(padded, x);
        }
    }

    fn weight_gradient(
        &self,
        x: ArrayView2<'_, f32>,
        s: ArrayView2<'_, f32>,
        gradient: &mut [f32],
        add: bool,
        Scratch { pack, padded, .. }: &mut Scratch,
    ) {
        if !add {
            gradient.fill(0.0);
        }
        let (Some(x), Some(s)) = (x.to_slice(), s.to_slice()) else { return };
        let (taps, filters) = (self.unfold.taps(), self.group());
        self.unfold.clear(padded);
        let images = x.chunks_exact(self.unfold.numbers().max(1));
        let signals = s.chunks_exact((filters * self.unfold.positions()).max(1));
        for ((index, image), s) in images.enumerate().zip(signals) {
            let own = gradient.chunks_exact_mut((filters * taps).max(1)).nth(index % self.groups).unwrap_or_default();
            let columns = UnfoldedTransposed(&self.unfold, self.unfold.pad(image, padded));
            matmul(self.signal(s), &columns, &mut Output::new(own, taps), Update::Add, pack);
        }
    }
}

fn matrix(shape: [usize; 2], values: &[f32]) -> ArrayView2<'_, f32> {
    ArrayView2::from_shape(shape, values).unwrap_or_else(|_| ArrayView2::from(&[[]; 0]))
}
