//! A net in f64, written from the formulas alone: one sample after another, one number after another, no trick. What the
//! fast f32 layers are compared with.

#![allow(dead_code)] // each test binary uses its part

pub mod linear;
pub mod relevance;
pub mod rules;

use ecqx_core::model::{Architecture, LayerKind, LayerSpec};
use ecqx_core::nn::Network;

/// An array of a batch: one sample's shape, and the samples one after the other.
#[derive(Debug, Clone)]
pub struct Batch {
    pub shape: Vec<usize>,
    pub samples: Vec<Vec<f64>>,
}

/// Tensors of a net by name.
pub type Tensors = std::collections::BTreeMap<String, Vec<f64>>;

pub fn tensors(network: &Network) -> Tensors {
    network.tensors().map(|t| (t.name, t.values.iter().copied().map(f64::from).collect())).collect()
}

pub fn rows(x: ndarray::ArrayView2<'_, f32>) -> Vec<Vec<f64>> {
    x.rows().into_iter().map(|row| row.iter().copied().map(f64::from).collect()).collect()
}

/// Outputs of all layers; batch norm uses the batch's statistics where `train` says so.
pub fn forward(architecture: &Architecture, tensors: &Tensors, x: &[Vec<f64>], train: bool) -> Vec<Batch> {
    let input = Batch { shape: architecture.input.clone(), samples: x.to_vec() };
    let mut outputs: Vec<Batch> = Vec::new();
    for (index, spec) in architecture.layers.iter().enumerate() {
        let read = |source: Option<usize>| source.map_or_else(|| input.clone(), |layer| outputs[layer].clone());
        let inputs: Vec<Batch> = sources(architecture, index).into_iter().map(read).collect();
        outputs.push(layer(spec, tensors, &inputs, train));
    }
    outputs
}

/// The layers that a layer reads; `None` is the net's input.
pub fn sources(architecture: &Architecture, index: usize) -> Vec<Option<usize>> {
    let find = |name: &String| architecture.layers.iter().position(|layer| layer.name == *name);
    match &architecture.layers[index].inputs {
        Some(names) => names.iter().map(find).collect(),
        None => vec![index.checked_sub(1)],
    }
}

/// Mean cross entropy.
pub fn loss(logits: &Batch, labels: &[usize]) -> f64 {
    let each = logits.samples.iter().zip(labels).map(|(z, &y)| {
        let most = z.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        most + z.iter().map(|z| (z - most).exp()).sum::<f64>().ln() - z[y]
    });
    each.sum::<f64>() / labels.len() as f64
}

fn layer(spec: &LayerSpec, tensors: &Tensors, inputs: &[Batch], train: bool) -> Batch {
    let tensor = |short: &str| tensors.get(&format!("{}.{short}", spec.name));
    let x = &inputs[0];
    let each = |shape: Vec<usize>, of: &dyn Fn(&[f64]) -> Vec<f64>| Batch {
        shape,
        samples: x.samples.iter().map(|sample| of(sample)).collect(),
    };
    let linear = |shape: Vec<usize>| {
        let outputs = linear::outputs(spec, tensors, &x.shape).unwrap();
        each(shape, &|x| outputs.iter().map(|output| output.z(x)).collect())
    };
    match spec.kind {
        LayerKind::Dense { units, .. } => linear(vec![units]),
        LayerKind::Relu {} => each(x.shape.clone(), &|x| x.iter().map(|x| x.max(0.0)).collect()),
        LayerKind::Flatten {} => each(vec![x.shape.iter().product()], &<[f64]>::to_vec),
        LayerKind::Conv2d { filters, kernel, stride, padding, .. } => {
            let [height, width] = linear::positions(&x.shape, kernel, stride, padding);
            linear(vec![filters, height, width])
        }
        LayerKind::BatchNorm { eps, .. } => {
            let channels = x.shape[0];
            let size: usize = x.shape[1..].iter().product();
            let mut y = x.clone();
            for c in 0..channels {
                let of_channel = |sample: &Vec<f64>| sample[c * size..(c + 1) * size].to_vec();
                let values: Vec<f64> = x.samples.iter().flat_map(of_channel).collect();
                let count = values.len() as f64;
                let mean = values.iter().sum::<f64>() / count;
                let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / count;
                let (mean, variance) = if train {
                    (mean, variance)
                } else {
                    (tensor("running_mean").unwrap()[c], tensor("running_var").unwrap()[c])
                };
                for v in y.samples.iter_mut().flat_map(|sample| &mut sample[c * size..(c + 1) * size]) {
                    let unit = (*v - mean) / (variance + eps).sqrt();
                    *v = unit * tensor("weight").unwrap()[c] + tensor("bias").unwrap()[c];
                }
            }
            y
        }
        LayerKind::MaxPool2d { kernel, stride } => {
            let stride = stride.unwrap_or(kernel);
            let [height, width] = linear::positions(&x.shape, kernel, stride, [0, 0]);
            let windows = linear::windows(&x.shape, kernel, stride, [0, 0]);
            each(vec![x.shape[0], height, width], &|sample| {
                let planes =
                    sample.chunks(x.shape[1] * x.shape[2]).flat_map(|plane| windows.iter().map(move |w| (plane, w)));
                planes
                    .map(|(plane, window)| window.iter().map(|&(_, at)| plane[at]).fold(f64::NEG_INFINITY, f64::max))
                    .collect()
            })
        }
        LayerKind::AvgPool2d { kernel, stride } => {
            let [height, width] = linear::positions(&x.shape, kernel, stride.unwrap_or(kernel), [0, 0]);
            linear(vec![x.shape[0], height, width])
        }
        LayerKind::GlobalAvgPool {} => linear(vec![x.shape[0]]),
        LayerKind::Add {} => {
            let mut sum = x.clone();
            for other in &inputs[1..] {
                for (sum, other) in sum.samples.iter_mut().flatten().zip(other.samples.iter().flatten()) {
                    *sum += other;
                }
            }
            sum
        }
    }
}
