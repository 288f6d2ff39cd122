//! Relevance of all weights and layer inputs of a net, for the labels of a set of samples.

use std::str::FromStr;

use ndarray::{Array2, ArrayView2, ArrayViewMut2, s};

use super::rules::{Epsilon, Explained, Rule};
use super::{Composite, LrpError};
use crate::data::Split;
use crate::nn::{Affine, BackStep, Layer, Mode, Network, Tape, softmax};

/// Where relevance starts at the label's output.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum OutputRelevance {
    /// The logit itself.
    #[default]
    Logit,
    /// 1 for every sample.
    One,
    /// The softmax probability of the label.
    Probability,
}

/// Relevances by node, for every affine layer.
#[derive(Debug, Clone)]
pub struct Relevances {
    /// Summed over samples, in the weight's layout; signed.
    pub weights: Vec<(usize, Vec<f32>)>,
    /// Of the layer's input, [n, in]; empty unless asked for.
    pub inputs: Vec<(usize, Array2<f32>)>,
}

impl FromStr for OutputRelevance {
    type Err = LrpError;

    fn from_str(name: &str) -> Result<Self, LrpError> {
        match name {
            "logit" => Ok(Self::Logit),
            "one" => Ok(Self::One),
            "probability" => Ok(Self::Probability),
            _ => Err(LrpError::UnknownOutput { name: name.into() }),
        }
    }
}

impl OutputRelevance {
    /// Relevance of the logits [n, classes]: the label's output over `batch` samples, all others 0.
    fn start(self, logits: ArrayView2<'_, f32>, labels: &[usize], batch: usize, mut relevance: ArrayViewMut2<'_, f32>) {
        let probabilities = (self == Self::Probability).then(|| {
            let mut probabilities = Array2::zeros(logits.raw_dim());
            softmax(logits, probabilities.view_mut());
            probabilities
        });
        relevance.fill(0.0);
        for (sample, &label) in labels.iter().enumerate() {
            let explained = match &probabilities {
                Some(probabilities) => probabilities.get((sample, label)),
                None if self == Self::One => Some(&1.0),
                None => logits.get((sample, label)),
            };
            if let (Some(slot), Some(explained)) = (relevance.get_mut((sample, label)), explained) {
                *slot = explained / batch as f32;
            }
        }
    }
}

/// Explains the labels of a whole split as one batch: relevance starts at each label's output, divided by the number
/// of samples, and is propagated by the composite's rules.
///
/// ```text
/// R_w = w · Σ_samples Σ_positions x · R_out / stab(z)      (ε-rule with ε = 1e-6, whatever the composite)
/// ```
/// `with_inputs` also keeps the relevance of each layer's input. Source: Becking et al. 2022, section 3.
/// Vectors: `lrp-*` (zennit).
///
/// # Errors
/// [`LrpError::NotFinite`] names the layer whose relevance overflowed.
pub fn explain(
    network: &Network,
    split: &Split,
    composite: &Composite,
    output: OutputRelevance,
    with_inputs: bool,
    tape: &mut Tape,
) -> Result<Relevances, LrpError> {
    let batch = split.len();
    let mut weights: Vec<_> = network.weights().map(|(node, weight)| (node, vec![0.0; weight.len()])).collect();
    let mut inputs: Vec<(usize, Array2<f32>)> = Vec::new();
    let mut start = 0;
    for (x, labels) in split.chunks(tape.capacity()) {
        network.forward(x, tape, Mode::Evaluate);
        let at_logits = |logits: ArrayView2<'_, f32>, relevance: ArrayViewMut2<'_, f32>| {
            output.start(logits, labels, batch, relevance);
        };
        network.walk_back(x, tape, with_inputs, at_logits, |step| {
            let (layer, rule): (&dyn Affine, &dyn Rule) = match &step.node.layer {
                Layer::Dense(dense) => (dense, composite.dense()),
                Layer::Conv2d(conv) => (conv, composite.dense()),
                // Each output has one input: relevance goes on as it is.
                Layer::Relu | Layer::Flatten | Layer::BatchNorm(_) => {
                    if let Some(mut target) = step.target {
                        target.assign(&step.signal);
                    }
                    return;
                }
                // The winner takes all, as the gradient does.
                Layer::MaxPool2d(_) => return step.node.layer.backward(step),
                // Sums with fixed weights: each input gets its share of the sum.
                Layer::AvgPool2d(_) | Layer::Add => {
                    let Some(mut target) = step.target else { return };
                    let (x, shares) = (step.x, Epsilon::DEFAULT.shares(step.z, step.signal));
                    let (signal, own) = (shares.view(), Some(target.view_mut()));
                    step.node.layer.backward(BackStep { signal, target: own, ..step });
                    target *= &x;
                    return;
                }
            };
            let shares = Epsilon::DEFAULT.shares(step.z, step.signal);
            if let Some((_, sum)) = weights.iter_mut().find(|(node, _)| *node == step.index) {
                layer.weight_gradient(step.x, shares.view(), sum, true, step.scratch);
            }
            let Some(mut target) = step.target else { return };
            let at = Explained { layer, x: step.x, z: step.z, relevance_out: step.signal };
            rule.relevance_in(at, target.view_mut(), step.scratch);
            if with_inputs {
                let known = inputs.iter().position(|(node, _)| *node == step.index);
                let slot = known.unwrap_or_else(|| {
                    inputs.push((step.index, Array2::zeros((batch, target.ncols()))));
                    inputs.len() - 1
                });
                inputs[slot].1.slice_mut(s![start..start + target.nrows(), ..]).assign(&target);
            }
        });
        start += labels.len();
    }
    for ((node, sum), (_, weight)) in weights.iter_mut().zip(network.weights()) {
        for (sum, w) in sum.iter_mut().zip(weight) {
            *sum *= w;
        }
        if !sum.iter().all(|r| r.is_finite()) {
            return Err(LrpError::NotFinite { layer: network.nodes()[*node].name.clone() });
        }
    }
    if let Some((node, _)) = inputs.iter().find(|(_, relevance)| !relevance.iter().all(|r| r.is_finite())) {
        return Err(LrpError::NotFinite { layer: network.nodes()[*node].name.clone() });
    }
    // Layers were met from the last to the first.
    inputs.reverse();
    Ok(Relevances { weights, inputs })
}
