//! Layers as the linear maps they are: for each output the inputs that it reads, each with its weight.

use ecqx_core::model::{LayerKind, LayerSpec};

use super::Tensors;

/// One output reads one input.
#[derive(Debug, Clone, Copy)]
pub struct Tap {
    /// Position in the input.
    pub input: usize,
    /// Position in the layer's weight.
    pub at: usize,
    pub weight: f64,
}

/// z = Σ weight·x + bias.
#[derive(Debug, Clone)]
pub struct Output {
    pub taps: Vec<Tap>,
    pub bias: f64,
    /// Σ of the magnitudes that the bias was added up from.
    pub bias_size: f64,
}

impl Output {
    pub fn z(&self, x: &[f64]) -> f64 {
        self.taps.iter().map(|tap| tap.weight * x[tap.input]).sum::<f64>() + self.bias
    }
}

/// The outputs of a layer for inputs of this shape; `None` for layers that are no such map. Batch norm normalises with
/// its running statistics; pooling and sums have fixed weights.
pub fn outputs(spec: &LayerSpec, tensors: &Tensors, shape: &[usize]) -> Option<Vec<Output>> {
    let tensor = |short: &str| tensors.get(&format!("{}.{short}", spec.name));
    let (weights, biases) = (tensor("weight"), tensor("bias"));
    let weight = |at: usize| weights.unwrap()[at];
    let bias = |unit: usize| biases.map_or(0.0, |bias| bias[unit]);
    let inputs: usize = shape.iter().product();
    let output = |taps: Vec<Tap>, bias: f64| Output { taps, bias, bias_size: bias.abs() };
    Some(match spec.kind {
        LayerKind::Dense { units, .. } => (0..units)
            .map(|k| {
                let taps = (0..inputs).map(|j| Tap { input: j, at: k * inputs + j, weight: weight(k * inputs + j) });
                output(taps.collect(), bias(k))
            })
            .collect(),
        LayerKind::Conv2d { filters, kernel, stride, padding, groups, .. } => {
            let within = shape[0] / groups;
            let size = within * kernel[0] * kernel[1];
            let windows = windows(shape, kernel, stride, padding);
            let filters = (0..filters).flat_map(|filter| windows.iter().map(move |window| (filter, window)));
            filters
                .map(|(filter, window)| {
                    let group = filter / (weights.unwrap().len() / size / groups);
                    let taps = (0..within).flat_map(|c| window.iter().map(move |&(tap, pixel)| (c, tap, pixel)));
                    let taps = taps.map(|(c, tap, pixel)| {
                        let at = filter * size + c * kernel[0] * kernel[1] + tap;
                        Tap { input: (group * within + c) * shape[1] * shape[2] + pixel, at, weight: weight(at) }
                    });
                    output(taps.collect(), bias(filter))
                })
                .collect()
        }
        LayerKind::BatchNorm { .. } => {
            let normalised = (0..inputs).map(|k| {
                let unit = k / (inputs / shape[0]);
                let identity =
                    Output { taps: vec![Tap { input: k, at: unit, weight: 1.0 }], bias: 0.0, bias_size: 0.0 };
                fold(spec, tensors, unit, &identity)
            });
            normalised.collect()
        }
        LayerKind::AvgPool2d { kernel, stride } => means(shape, kernel, stride.unwrap_or(kernel)),
        LayerKind::GlobalAvgPool {} => means(shape, [shape[1], shape[2]], [1, 1]),
        _ => return None,
    })
}

/// An output with the evaluated batch norm of its channel applied: one linear map for both.
pub fn fold(norm: &LayerSpec, tensors: &Tensors, channel: usize, before: &Output) -> Output {
    let LayerKind::BatchNorm { eps, .. } = norm.kind else { panic!("{} is no batch norm", norm.name) };
    let of = |short: &str| tensors[&format!("{}.{short}", norm.name)][channel];
    let scale = of("weight") / (of("running_var") + eps).sqrt();
    let parts = [before.bias * scale, -of("running_mean") * scale, of("bias")];
    Output {
        taps: before.taps.iter().map(|tap| Tap { weight: tap.weight * scale, ..*tap }).collect(),
        bias: parts.iter().sum(),
        bias_size: parts.iter().map(|part| part.abs()).sum(),
    }
}

/// How often a window fits, down and across.
pub fn positions(shape: &[usize], kernel: [usize; 2], stride: [usize; 2], padding: [usize; 2]) -> [usize; 2] {
    [0, 1].map(|axis| (shape[axis + 1] + 2 * padding[axis] - kernel[axis]) / stride[axis] + 1)
}

/// For each position of a window, which of its taps reads which pixel of a plane; the border of zeros is not read.
pub fn windows(
    shape: &[usize],
    kernel: [usize; 2],
    stride: [usize; 2],
    padding: [usize; 2],
) -> Vec<Vec<(usize, usize)>> {
    let (height, width) = (shape[1], shape[2]);
    let out = positions(shape, kernel, stride, padding);
    let mut windows = Vec::new();
    for (row, column) in (0..out[0]).flat_map(|row| (0..out[1]).map(move |column| (row, column))) {
        let mut taps = Vec::new();
        for (down, right) in (0..kernel[0]).flat_map(|down| (0..kernel[1]).map(move |right| (down, right))) {
            let (y, x) = (row * stride[0] + down, column * stride[1] + right);
            if y >= padding[0] && x >= padding[1] && y - padding[0] < height && x - padding[1] < width {
                taps.push((down * kernel[1] + right, (y - padding[0]) * width + x - padding[1]));
            }
        }
        windows.push(taps);
    }
    windows
}

fn means(shape: &[usize], kernel: [usize; 2], stride: [usize; 2]) -> Vec<Output> {
    let windows = windows(shape, kernel, stride, [0, 0]);
    let planes = (0..shape[0]).flat_map(|c| windows.iter().map(move |window| (c * shape[1] * shape[2], window)));
    planes
        .map(|(start, window)| {
            let weight = 1.0 / window.len() as f64;
            let taps = window.iter().map(|&(at, pixel)| Tap { input: start + pixel, at, weight });
            Output { taps: taps.collect(), bias: 0.0, bias_size: 0.0 }
        })
        .collect()
}
