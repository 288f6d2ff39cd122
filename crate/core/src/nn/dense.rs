//! The fully connected layer.

use ndarray::{ArrayView2, ArrayViewMut2, Axis};

use super::Affine;
use crate::matmul::{Pack, Update, matmul};
use crate::rng::Rng;

/// z = W·x + b. Shapes: weight `[out, in]`, bias `[out]`, x `[n, in]`, z `[n, out]`.
#[derive(Debug, Clone)]
pub struct Dense {
    inputs: usize,
    outputs: usize,
    pub(super) weight: Vec<f32>,
    pub(super) bias: Option<Vec<f32>>,
}

impl Dense {
    /// A layer of zeros.
    pub fn zeros(inputs: usize, outputs: usize, bias: bool) -> Self {
        Self { inputs, outputs, weight: vec![0.0; inputs * outputs], bias: bias.then(|| vec![0.0; outputs]) }
    }

    /// [out, in]
    pub fn weight_shape(&self) -> [usize; 2] {
        [self.outputs, self.inputs]
    }

    /// Draws the weight from N(0, 2 / in) (He et al. 2015, eq. 10), the bias is 0.
    pub(super) fn initialise(&mut self, rng: &mut Rng) {
        let deviation = (2.0 / self.inputs as f64).sqrt();
        self.weight.fill_with(|| (rng.normal() * deviation) as f32);
        if let Some(bias) = &mut self.bias {
            bias.fill(0.0);
        }
    }

    /// A flat weight as [out, in].
    fn matrix<'a>(&self, weight: &'a [f32]) -> ArrayView2<'a, f32> {
        ArrayView2::from_shape(self.weight_shape(), weight).unwrap_or_else(|_| ArrayView2::from(&[[]; 0]))
    }

    /// Adds the gradients of weight and bias for dz [n, out] to `weight` and `bias`, and writes that of x where asked.
    pub(super) fn backward(
        &self,
        x: ArrayView2<'_, f32>,
        dz: ArrayView2<'_, f32>,
        dx: Option<ArrayViewMut2<'_, f32>>,
        gradients: &mut [Vec<f32>],
        pack: &mut Pack,
    ) {
        if let Some(gradient) = gradients.first_mut() {
            self.add_weight_gradient(x, dz, gradient, pack);
        }
        if let Some(gradient) = gradients.get_mut(1) {
            for row in dz.axis_iter(Axis(0)) {
                for (sum, value) in gradient.iter_mut().zip(row) {
                    *sum += value;
                }
            }
        }
        if let Some(dx) = dx {
            self.pull_back(&self.weight, dz, dx, pack);
        }
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
        pack: &mut Pack,
    ) {
        matmul(x, self.matrix(weight).t(), z.view_mut(), Update::Replace, pack);
        if let Some(bias) = bias {
            z += &ndarray::ArrayView1::from(bias);
        }
    }

    fn pull_back(&self, weight: &[f32], s: ArrayView2<'_, f32>, x: ArrayViewMut2<'_, f32>, pack: &mut Pack) {
        matmul(s, self.matrix(weight), x, Update::Replace, pack);
    }

    fn add_weight_gradient(
        &self,
        x: ArrayView2<'_, f32>,
        s: ArrayView2<'_, f32>,
        gradient: &mut [f32],
        pack: &mut Pack,
    ) {
        if let Ok(gradient) = ArrayViewMut2::from_shape(self.weight_shape(), gradient) {
            matmul(s.t(), x, gradient, Update::Add, pack);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array2, array};

    #[test]
    fn by_hand() {
        let layer = Dense { inputs: 2, outputs: 2, weight: vec![1.0, 2.0, -1.0, 0.5], bias: Some(vec![0.5, -0.5]) };
        let (x, mut z, mut pack) = (array![[3.0, 4.0]], Array2::zeros((1, 2)), Pack::default());
        layer.transform(layer.weight(), layer.bias(), x.view(), z.view_mut(), &mut pack);
        assert_eq!(z, array![[11.5, -1.5]]);
        let (mut dx, mut gradients) = (Array2::zeros((1, 2)), vec![vec![0.0; 4], vec![0.0; 2]]);
        layer.backward(x.view(), array![[1.0, 2.0]].view(), Some(dx.view_mut()), &mut gradients, &mut pack);
        assert_eq!(dx, array![[-1.0, 3.0]]);
        assert_eq!(gradients, [vec![3.0, 4.0, 6.0, 8.0], vec![1.0, 2.0]]);
    }
}
