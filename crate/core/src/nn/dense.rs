//! The fully connected layer.

use ndarray::{ArrayView2, ArrayViewMut2};

use super::layer::{BackStep, Inputs, Operation, Pass, Tensors, TensorsMut};
use super::{Affine, Scratch, affine};
use crate::matmul::{Output, Update, matmul};
use crate::rng::Rng;

/// z = W·x + b. Shapes: weight `[out, in]`, bias `[out]`, x `[n, in]`, z `[n, out]`.
#[derive(Debug, Clone)]
pub struct Dense {
    inputs: usize,
    outputs: usize,
    weight: Vec<f32>,
    bias: Option<Vec<f32>>,
}

impl Dense {
    /// A layer of zeros.
    pub fn zeros(inputs: usize, outputs: usize, bias: bool) -> Self {
        Self { inputs, outputs, weight: vec![0.0; inputs * outputs], bias: bias.then(|| vec![0.0; outputs]) }
    }

    /// A flat weight as [out, in].
    fn matrix<'a>(&self, weight: &'a [f32]) -> ArrayView2<'a, f32> {
        ArrayView2::from_shape([self.outputs, self.inputs], weight).unwrap_or_else(|_| ArrayView2::from(&[[]; 0]))
    }
}

impl Operation for Dense {
    fn kind(&self) -> &'static str {
        "dense"
    }

    fn weight_shape(&self) -> Option<Vec<usize>> {
        Some(vec![self.outputs, self.inputs])
    }

    fn tensors(&self) -> Tensors<'_> {
        Tensors { trained: [("weight", Some(&self.weight)), ("bias", self.bias.as_deref())], ..Tensors::default() }
    }

    fn tensors_mut(&mut self) -> TensorsMut<'_> {
        TensorsMut { trained: [Some(&mut self.weight), self.bias.as_deref_mut()], ..TensorsMut::default() }
    }

    fn initialise(&mut self, rng: &mut Rng) {
        rng.fill_he(&mut self.weight, self.inputs);
        self.bias.iter_mut().flatten().for_each(|bias| *bias = 0.0);
    }

    fn forward(&self, inputs: &Inputs<'_>, y: ArrayViewMut2<'_, f32>, pass: &mut Pass<'_>) {
        self.transform(&self.weight, self.bias.as_deref(), inputs.first(), y, pass.scratch);
    }

    fn backward(&self, step: BackStep<'_>, gradients: &mut [Vec<f32>]) {
        affine::backward(self, step.x, step.signal, step.target, gradients, step.scratch);
    }
}

impl Affine for Dense {
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
        scratch: &mut Scratch,
    ) {
        let Some(z) = z.as_slice_mut() else { return };
        let update = bias.map_or(Update::Replace, Update::ColumnBias);
        matmul(x, &self.matrix(weight).t(), &mut Output::new(z, self.outputs), update, &mut scratch.pack);
    }

    fn pull_back(&self, weight: &[f32], s: ArrayView2<'_, f32>, mut x: ArrayViewMut2<'_, f32>, scratch: &mut Scratch) {
        let Some(x) = x.as_slice_mut() else { return };
        matmul(s, &self.matrix(weight), &mut Output::new(x, self.inputs), Update::Replace, &mut scratch.pack);
    }

    fn weight_gradient(
        &self,
        x: ArrayView2<'_, f32>,
        s: ArrayView2<'_, f32>,
        gradient: &mut [f32],
        add: bool,
        scratch: &mut Scratch,
    ) {
        let update = if add { Update::Add } else { Update::Replace };
        matmul(s.t(), &x, &mut Output::new(gradient, self.inputs), update, &mut scratch.pack);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array2, array};

    #[test]
    fn by_hand() {
        let layer = Dense { inputs: 2, outputs: 2, weight: vec![1.0, 2.0, -1.0, 0.5], bias: Some(vec![0.5, -0.5]) };
        let (x, mut z, mut scratch) = (array![[3.0, 4.0]], Array2::zeros((1, 2)), Scratch::default());
        layer.transform(layer.weight(), layer.bias(), x.view(), z.view_mut(), &mut scratch);
        assert_eq!(z, array![[11.5, -1.5]]);
        let (mut dx, mut gradients) = (Array2::zeros((1, 2)), vec![vec![0.0; 4], vec![0.0; 2]]);
        let dz = array![[1.0, 2.0]];
        affine::backward(&layer, x.view(), dz.view(), Some(dx.view_mut()), &mut gradients, &mut scratch);
        assert_eq!(dx, array![[-1.0, 3.0]]);
        assert_eq!(gradients, [vec![3.0, 4.0, 6.0, 8.0], vec![1.0, 2.0]]);
    }
}
