//! Softmax cross entropy, and what a net gets right.

use ndarray::{ArrayView1, ArrayView2, ArrayViewMut1, ArrayViewMut2, Zip};
use serde::{Deserialize, Serialize};

use super::{Layer, Mode, NetError, Network, Node, Tape};
use crate::data::Split;
use crate::math;

/// Samples per pass when a whole split is evaluated. A dense layer lays its weight out anew for each pass: long passes
/// pay. A convolution does so for each sample anyway: short ones keep its many activations in the cache.
const DENSE_SAMPLES: usize = 512;
const IMAGE_SAMPLES: usize = 32;
/// Numbers that the activations of such a pass may hold; nets of very wide layers take fewer samples at a time.
const NUMBERS_PER_PASS: usize = 1 << 25;

/// Mean cross entropy of the softmax, in nats: `loss = −(1/n) Σ log softmax(z)[y]`.
#[derive(Debug, Clone, Copy, Default)]
pub struct SoftmaxCrossEntropy;

impl SoftmaxCrossEntropy {
    /// Sum (not mean) of the losses of `logits` [n, classes].
    pub fn sum(self, logits: ArrayView2<'_, f32>, labels: &[usize]) -> f64 {
        logits
            .rows()
            .into_iter()
            .zip(labels)
            .map(|(row, &label)| {
                let max = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
                let sum: f32 = row.iter().map(|z| math::exp_f32(z - max)).sum();
                let own = row.get(label).copied().unwrap_or(f32::NAN);
                math::ln(f64::from(sum)) + f64::from(max) - f64::from(own)
            })
            .sum()
    }

    /// Gradient of the mean loss with respect to the logits: (softmax(z) − onehot(y)) / n. Returns the mean loss.
    pub fn gradient(self, logits: ArrayView2<'_, f32>, labels: &[usize], mut gradient: ArrayViewMut2<'_, f32>) -> f64 {
        let scale = 1.0 / labels.len().max(1) as f32;
        let mut loss = 0.0;
        for ((row, mut gradient), &label) in logits.rows().into_iter().zip(gradient.rows_mut()).zip(labels) {
            let log_sum = softmax_row(row, gradient.view_mut());
            loss += log_sum - f64::from(row.get(label).copied().unwrap_or(f32::NAN));
            if let Some(own) = gradient.get_mut(label) {
                *own -= 1.0;
            }
            gradient *= scale;
        }
        loss / labels.len().max(1) as f64
    }
}

/// Probabilities of `logits` [n, classes], row by row.
pub(crate) fn softmax(logits: ArrayView2<'_, f32>, mut out: ArrayViewMut2<'_, f32>) {
    for (row, out) in logits.rows().into_iter().zip(out.rows_mut()) {
        softmax_row(row, out);
    }
}

/// Probabilities of one sample. Returns ln Σ exp(z).
fn softmax_row(logits: ArrayView1<'_, f32>, mut out: ArrayViewMut1<'_, f32>) -> f64 {
    let max = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    Zip::from(&mut out).and(logits).for_each(|p, &z| *p = math::exp_f32(z - max));
    let sum = out.sum();
    out /= sum;
    math::ln(f64::from(sum)) + f64::from(max)
}

/// What a net gets right on a set of samples.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    /// How many were asked.
    pub samples: usize,
    /// How many answers were right.
    pub correct: usize,
    /// Share of correct answers, 0 to 1; 0 for no samples.
    pub accuracy: f64,
    /// Mean cross entropy in nats.
    pub loss: f64,
}

impl Network {
    /// Evaluates a whole split. `tape` may have any capacity above 0; `each` sees the logits of each pass in order.
    ///
    /// # Errors
    /// [`NetError::NotFinite`] where a logit is no finite number: such a net has no answer that could be counted.
    pub fn evaluate(
        &self,
        split: &Split,
        tape: &mut Tape,
        mut each: impl FnMut(ArrayView2<'_, f32>),
    ) -> Result<Evaluation, NetError> {
        let (mut correct, mut loss, mut finite) = (0, 0.0, true);
        for (x, labels) in split.chunks(tape.capacity()) {
            let logits = self.forward(x, tape, Mode::Evaluate);
            correct += logits.rows().into_iter().zip(labels).filter(|(row, label)| first_max(*row) == **label).count();
            loss += SoftmaxCrossEntropy.sum(logits, labels);
            finite &= logits.iter().all(|z| z.is_finite());
            each(logits);
        }
        let samples = split.len();
        let share = 1.0 / samples.max(1) as f64;
        if !(finite && loss.is_finite()) {
            return Err(NetError::NotFinite { what: "a logit".into() });
        }
        Ok(Evaluation { samples, correct, accuracy: correct as f64 * share, loss: loss * share })
    }

    /// A tape of a good size for [`Self::evaluate`].
    pub fn evaluation_tape(&self) -> Tape {
        let features: usize = self.nodes().iter().map(Node::features).sum();
        let images = self.nodes().iter().any(|node| matches!(node.layer, Layer::Conv2d(_)));
        let samples = if images { IMAGE_SAMPLES } else { DENSE_SAMPLES };
        Tape::new(self, samples.min(NUMBERS_PER_PASS / features.max(1)).max(1))
    }
}

/// Position of the largest value, the first of equals.
pub(crate) fn first_max<'a>(values: impl IntoIterator<Item = &'a f32>) -> usize {
    values
        .into_iter()
        .enumerate()
        .fold((0, f32::NEG_INFINITY), |best, (i, &v)| if v > best.1 { (i, v) } else { best })
        .0
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array2, array};

    #[test]
    fn equal_logits_cost_the_log_of_the_classes() {
        let loss = SoftmaxCrossEntropy.sum(array![[3.0, 3.0, 3.0, 3.0]].view(), &[2]);
        assert!((loss - 4.0_f64.ln()).abs() < 1e-7);
    }

    #[test]
    fn huge_logits_stay_finite() {
        let logits = array![[1e30, -1e30], [-3e38, 3e38]];
        assert_eq!(SoftmaxCrossEntropy.sum(logits.view(), &[0, 1]), 0.0);
        let mut gradient = Array2::zeros((2, 2));
        SoftmaxCrossEntropy.gradient(logits.view(), &[0, 1], gradient.view_mut());
        assert_eq!(gradient, array![[0.0, 0.0], [0.0, 0.0]]);
    }

    #[test]
    fn gradient_is_softmax_minus_label_over_n() {
        let mut gradient = Array2::zeros((2, 2));
        SoftmaxCrossEntropy.gradient(array![[0.0, 0.0], [0.0, 0.0]].view(), &[0, 1], gradient.view_mut());
        assert_eq!(gradient, array![[-0.25, 0.25], [0.25, -0.25]]);
    }
}
