//! Relevance of a net in f64, walked back layer by layer for one sample after another.

use std::collections::BTreeMap;

use ecqx_core::model::{Architecture, LayerKind, LayerSpec};

use super::linear::{self, Output, Tap};
use super::rules::{EPSILON, ROUNDING, Rule, Share, shares};
use super::{Batch, Tensors, forward, sources};

/// Relevances by name of layer.
#[derive(Debug, Default)]
pub struct Relevances {
    /// Of weights, summed over samples.
    pub weights: BTreeMap<String, Vec<Share>>,
    /// Of the inputs of layers with weights, by sample.
    pub inputs: BTreeMap<String, Vec<Vec<Share>>>,
    pub net_input: Vec<Vec<Share>>,
}

/// The rule of each layer with a weight; batch norm without one is folded or passes.
pub struct Plan<'a> {
    pub rule: &'a dyn Fn(&LayerSpec) -> Option<Rule>,
    pub fold: bool,
}

/// What a layer does with relevance.
enum Way {
    Shares(Rule, Vec<Output>),
    /// Windows of this kernel and stride.
    Winner([usize; 2], [usize; 2]),
    Passes,
}

/// Relevance for `start` [n][outputs] at the net's end.
pub fn explain(
    architecture: &Architecture,
    tensors: &Tensors,
    x: &[Vec<f64>],
    start: &[Vec<Share>],
    plan: &Plan<'_>,
) -> Relevances {
    let input = Batch { shape: architecture.input.clone(), samples: x.to_vec() };
    let activations = forward(architecture, tensors, x, false);
    let read = |source: Option<usize>| source.map_or(&input, |layer| &activations[layer]);
    let nothing = |batch: &Batch| batch.samples.iter().map(|z| vec![Share::default(); z.len()]).collect();
    let mut signals: Vec<Vec<Vec<Share>>> = activations.iter().map(nothing).collect();
    let mut found = Relevances { net_input: nothing(&input), ..Relevances::default() };
    signals.last_mut().unwrap().clone_from_slice(start);
    for (index, spec) in architecture.layers.iter().enumerate().rev() {
        let sources = sources(architecture, index);
        let shape = &read(sources[0]).shape;
        let way = way(architecture, tensors, index, shape, activations[index].shape[0], plan);
        let arrived = std::mem::take(&mut signals[index]);
        for (n, signal) in arrived.iter().enumerate() {
            // What `add` reads lies one behind the other.
            let x: Vec<f64> = sources.iter().flat_map(|source| read(*source).samples[n].clone()).collect();
            let relevance = way.relevance_in(shape, &x, signal);
            let each = relevance.len() / sources.len();
            for (source, part) in sources.iter().zip(relevance.chunks(each)) {
                let to = source.map_or(&mut found.net_input[n], |layer| &mut signals[layer][n]);
                to.iter_mut().zip(part).for_each(|(to, part)| *to += *part);
            }
            if let (LayerKind::Dense { .. } | LayerKind::Conv2d { .. }, Way::Shares(_, outputs)) = (&spec.kind, &way) {
                found.inputs.entry(spec.name.clone()).or_default().push(relevance);
                let size = tensors[&format!("{}.weight", spec.name)].len();
                let sums = found.weights.entry(spec.name.clone()).or_insert_with(|| vec![Share::default(); size]);
                for (output, r) in outputs.iter().zip(signal) {
                    for (tap, share) in output.taps.iter().zip(shares(Rule::Epsilon(EPSILON), output, &x, *r)) {
                        sums[tap.at] += share;
                    }
                }
            }
        }
    }
    found
}

impl Way {
    /// For one sample's input `x` of this shape and the relevance of all outputs.
    fn relevance_in(&self, shape: &[usize], x: &[f64], signal: &[Share]) -> Vec<Share> {
        let mut relevance = vec![Share::default(); x.len()];
        for (k, r) in signal.iter().enumerate() {
            match self {
                Self::Shares(rule, outputs) => {
                    for (tap, share) in outputs[k].taps.iter().zip(shares(*rule, &outputs[k], x, *r)) {
                        relevance[tap.input] += share;
                    }
                }
                Self::Winner(kernel, stride) => {
                    // One input may win several windows: a sum, which is rounded.
                    let error = r.error + ROUNDING * r.value.abs();
                    relevance[winner(shape, x, k, *kernel, *stride)] += Share { error, ..*r };
                }
                Self::Passes => relevance[k] += *r,
            }
        }
        relevance
    }
}

/// What a layer does, with batch norm folded in where the plan says so.
fn way(
    architecture: &Architecture,
    tensors: &Tensors,
    index: usize,
    shape: &[usize],
    channels: usize,
    plan: &Plan<'_>,
) -> Way {
    let spec = &architecture.layers[index];
    let outputs = match spec.kind {
        LayerKind::Relu {} | LayerKind::Flatten {} => return Way::Passes,
        LayerKind::MaxPool2d { kernel, stride } => return Way::Winner(kernel, stride.unwrap_or(kernel)),
        LayerKind::BatchNorm { .. } if (plan.rule)(spec).is_none() => return Way::Passes,
        LayerKind::Add {} => {
            let (features, edges) = (shape.iter().product(), sources(architecture, index).len());
            let taps = |k| (0..edges).map(move |edge| Tap { input: edge * features + k, at: edge, weight: 1.0 });
            (0..features).map(|k| Output { taps: taps(k).collect(), bias: 0.0, bias_size: 0.0 }).collect()
        }
        _ => linear::outputs(spec, tensors, shape).unwrap(),
    };
    let rule = (plan.rule)(spec).unwrap_or(Rule::Epsilon(EPSILON));
    let layers = architecture.layers.iter().enumerate();
    let mut readers = layers.filter(|(at, _)| sources(architecture, *at).contains(&Some(index)));
    let norm = match (readers.next(), readers.next(), &spec.kind) {
        (Some((_, only)), None, LayerKind::Dense { .. } | LayerKind::Conv2d { .. }) if plan.fold => only,
        _ => return Way::Shares(rule, outputs),
    };
    if !matches!(norm.kind, LayerKind::BatchNorm { .. }) || (plan.rule)(norm).is_some() {
        return Way::Shares(rule, outputs);
    }
    let positions = outputs.len() / channels;
    let folded = outputs.iter().enumerate().map(|(k, own)| linear::fold(norm, tensors, k / positions, own));
    Way::Shares(rule, folded.collect())
}

/// Where the first of the largest inputs of output `k` lies.
fn winner(shape: &[usize], x: &[f64], k: usize, kernel: [usize; 2], stride: [usize; 2]) -> usize {
    let windows = linear::windows(shape, kernel, stride, [0, 0]);
    let start = k / windows.len() * shape[1] * shape[2];
    let pixels: Vec<usize> = windows[k % windows.len()].iter().map(|&(_, pixel)| start + pixel).collect();
    let largest = pixels.iter().map(|&pixel| x[pixel]).fold(f64::NEG_INFINITY, f64::max);
    pixels.into_iter().find(|&pixel| x[pixel] == largest).unwrap()
}
