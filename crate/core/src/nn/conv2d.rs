//! Convolution over images, as a product of the filters and the unfolded image.

use ndarray::{ArrayView2, ArrayViewMut2, s};

use super::layer::{BackStep, Inputs, Operation, Pass, Tensors, TensorsMut};
use super::unfold::Unfold;
use super::{Affine, Scratch, Window, affine};
use crate::matmul::{Output, Update, matmul};
use crate::rng::Rng;

/// z[o, p] = Σ over taps of W[o, c, y, x] · image[c, p + (y, x)] + b[o], for each filter o over the channels c of its
/// group. Shapes: weight `[filters, channels / groups, kh, kw]`, bias `[filters]`, x `[n, channels·h·w]`,
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
        ArrayView2::from_shape([self.group(), self.unfold.taps()], own).unwrap_or_else(|_| ArrayView2::from(&[[]; 0]))
    }

    /// One group's part of a sample at the output, as [filters, positions].
    fn signal<'a>(&self, s: &'a [f32], group: usize) -> ArrayView2<'a, f32> {
        let shape = [self.group(), self.unfold.positions()];
        let own = s.chunks_exact((shape[0] * shape[1]).max(1)).nth(group).unwrap_or_default();
        ArrayView2::from_shape(shape, own).unwrap_or_else(|_| ArrayView2::from(&[[]; 0]))
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
        Scratch { pack, padded, columns, .. }: &mut Scratch,
    ) {
        let (Some(x), Some(z)) = (x.to_slice(), z.as_slice_mut()) else { return };
        let positions = self.unfold.positions();
        // Samples and groups alike follow each other in memory: image after image, and what each gives.
        let images = x.chunks_exact(self.unfold.numbers().max(1)).enumerate();
        for ((index, image), z) in images.zip(z.chunks_exact_mut((self.group() * positions).max(1))) {
            let group = index % self.groups;
            let bias = bias.and_then(|bias| bias.get(group * self.group()..));
            let image = self.unfold.pad(image, padded);
            for range in self.unfold.ranges() {
                let mut output = Output::new(z.get_mut(range.start..).unwrap_or_default(), positions);
                self.unfold.unfold(image, range.clone(), columns);
                let update = bias.map_or(Update::Replace, Update::RowBias);
                matmul(self.matrix(weight, group), matrix(columns, range.len()), &mut output, update, pack);
            }
        }
    }

    fn pull_back(
        &self,
        weight: &[f32],
        s: ArrayView2<'_, f32>,
        mut x: ArrayViewMut2<'_, f32>,
        Scratch { pack, padded, product, .. }: &mut Scratch,
    ) {
        let (Some(s), Some(x)) = (s.to_slice(), x.as_slice_mut()) else { return };
        let signals = s.chunks_exact((self.group() * self.unfold.positions()).max(1));
        for ((index, s), x) in signals.enumerate().zip(x.chunks_exact_mut(self.unfold.numbers().max(1))) {
            let (filters, signal) = (self.matrix(weight, index % self.groups), self.signal(s, 0));
            self.unfold.clear(padded);
            for range in self.unfold.ranges() {
                product.resize(self.unfold.taps() * range.len(), 0.0);
                let mut output = Output::new(product, range.len());
                matmul(filters.t(), signal.slice(s![.., range.clone()]), &mut output, Update::Replace, pack);
                self.unfold.fold(product, range, padded);
            }
            self.unfold.crop(padded, x);
        }
    }

    fn add_weight_gradient(
        &self,
        x: ArrayView2<'_, f32>,
        s: ArrayView2<'_, f32>,
        gradient: &mut [f32],
        Scratch { pack, padded, columns, product }: &mut Scratch,
    ) {
        let (taps, filters) = (self.unfold.taps(), self.group());
        for (group, gradient) in gradient.chunks_exact_mut((filters * taps).max(1)).enumerate() {
            // Transposed, [taps, filters]: so both factors are read along memory, and only the sum is turned.
            product.clear();
            product.resize(taps * filters, 0.0);
            for (x, s) in x.rows().into_iter().zip(s.rows()) {
                let (Some(x), Some(s)) = (x.to_slice(), s.to_slice()) else { return };
                let image = x.chunks_exact(self.unfold.numbers().max(1)).nth(group).unwrap_or_default();
                let (image, signal) = (self.unfold.pad(image, padded), self.signal(s, group));
                for range in self.unfold.ranges() {
                    self.unfold.unfold(image, range.clone(), columns);
                    let (columns, signal) = (matrix(columns, range.len()), signal.slice(s![.., range]));
                    matmul(columns, signal.t(), &mut Output::new(product, filters), Update::Add, pack);
                }
            }
            for (filter, gradient) in gradient.chunks_exact_mut(taps.max(1)).enumerate() {
                for (sum, value) in gradient.iter_mut().zip(product.iter().skip(filter).step_by(filters)) {
                    *sum += value;
                }
            }
        }
    }
}

/// Unfolded positions as [taps, count].
fn matrix(columns: &[f32], count: usize) -> ArrayView2<'_, f32> {
    let shape = [columns.len() / count.max(1), count];
    ArrayView2::from_shape(shape, columns).unwrap_or_else(|_| ArrayView2::from(&[[]; 0]))
}
