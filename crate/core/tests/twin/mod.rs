//! A net in f64, written from the formulas alone: one sample after another, one number after another, no trick. What the
//! fast f32 layers are compared with.

#![allow(dead_code)] // each test binary uses its part

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

/// Outputs of all layers; batch norm uses the batch's statistics where `train` says so.
pub fn forward(architecture: &Architecture, tensors: &Tensors, x: &[Vec<f64>], train: bool) -> Vec<Batch> {
    let input = Batch { shape: architecture.input.clone(), samples: x.to_vec() };
    let mut outputs: Vec<Batch> = Vec::new();
    for (index, spec) in architecture.layers.iter().enumerate() {
        let read = |name: &str| {
            let at = architecture.layers.iter().position(|layer| layer.name == name);
            if name == "input" { input.clone() } else { outputs[at.unwrap()].clone() }
        };
        let inputs: Vec<Batch> = match &spec.inputs {
            Some(names) => names.iter().map(|name| read(name)).collect(),
            None if index == 0 => vec![input.clone()],
            None => vec![outputs[index - 1].clone()],
        };
        outputs.push(layer(spec, tensors, &inputs, train));
    }
    outputs
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
    match spec.kind {
        LayerKind::Dense { units, .. } => each(vec![units], &|x| {
            let weights = tensor("weight").unwrap().chunks(x.len());
            let dots = weights.map(|row| row.iter().zip(x).map(|(w, x)| w * x).sum::<f64>());
            dots.enumerate().map(|(k, dot)| dot + tensor("bias").map_or(0.0, |bias| bias[k])).collect()
        }),
        LayerKind::Relu {} => each(x.shape.clone(), &|x| x.iter().map(|x| x.max(0.0)).collect()),
        LayerKind::Flatten {} => each(vec![x.shape.iter().product()], &<[f64]>::to_vec),
        LayerKind::Conv2d { filters, kernel, stride, padding, groups, .. } => {
            let [channels, h, w] = x.shape[..] else { panic!("conv2d on {:?}", x.shape) };
            let out = [0, 1].map(|axis| ([h, w][axis] + 2 * padding[axis] - kernel[axis]) / stride[axis] + 1);
            let within = channels / groups;
            each(vec![filters, out[0], out[1]], &|x| {
                let mut z = Vec::new();
                for filter in 0..filters {
                    let group = filter / (filters / groups);
                    for (row, column) in (0..out[0]).flat_map(|r| (0..out[1]).map(move |c| (r, c))) {
                        let mut sum = tensor("bias").map_or(0.0, |bias| bias[filter]);
                        for c in 0..within {
                            for (ky, kx) in (0..kernel[0]).flat_map(|y| (0..kernel[1]).map(move |x| (y, x))) {
                                let (y, at) = (row * stride[0] + ky, column * stride[1] + kx);
                                if y < padding[0] || at < padding[1] || y - padding[0] >= h || at - padding[1] >= w {
                                    continue;
                                }
                                let pixel = x[((group * within + c) * h + y - padding[0]) * w + at - padding[1]];
                                let weight = ((filter * within + c) * kernel[0] + ky) * kernel[1] + kx;
                                sum += pixel * tensor("weight").unwrap()[weight];
                            }
                        }
                        z.push(sum);
                    }
                }
                z
            })
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
        LayerKind::MaxPool2d { kernel, stride } => pool(x, kernel, stride.unwrap_or(kernel), &|window| {
            window.iter().copied().fold(f64::NEG_INFINITY, f64::max)
        }),
        LayerKind::AvgPool2d { kernel, stride } => {
            pool(x, kernel, stride.unwrap_or(kernel), &|window| window.iter().sum::<f64>() / window.len() as f64)
        }
        LayerKind::GlobalAvgPool {} => {
            let mean = |window: &[f64]| window.iter().sum::<f64>() / window.len() as f64;
            let pooled = pool(x, [x.shape[1], x.shape[2]], [1, 1], &mean);
            Batch { shape: vec![x.shape[0]], ..pooled }
        }
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

fn pool(x: &Batch, kernel: [usize; 2], stride: [usize; 2], of: &dyn Fn(&[f64]) -> f64) -> Batch {
    let [channels, h, w] = x.shape[..] else { panic!("pooling on {:?}", x.shape) };
    let out = [(h - kernel[0]) / stride[0] + 1, (w - kernel[1]) / stride[1] + 1];
    let sample = |x: &Vec<f64>| {
        let mut y = Vec::new();
        for c in 0..channels {
            for (row, column) in (0..out[0]).flat_map(|r| (0..out[1]).map(move |c| (r, c))) {
                let window: Vec<f64> = (0..kernel[0])
                    .flat_map(|ky| (0..kernel[1]).map(move |kx| (row * stride[0] + ky, column * stride[1] + kx)))
                    .map(|(y, at)| x[(c * h + y) * w + at])
                    .collect();
                y.push(of(&window));
            }
        }
        y
    };
    Batch { shape: vec![channels, out[0], out[1]], samples: x.samples.iter().map(sample).collect() }
}
