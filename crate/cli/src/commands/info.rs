//! `ecqx info`

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use ecqx_core::data::{Dataset, NamedBytes, Split};
use ecqx_core::model::Model;
use ecqx_core::stats::entropy_bits;
use ecqx_core::tensors::{TensorData, TensorFile, TensorHeader};
use serde::Serialize;

use super::nnc::{NncInfo, is_nnc};
use super::sizes::{self, NamedSizes};
use crate::args::Info;
use crate::output::printable;
use crate::{files, output};

#[derive(Debug, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
enum Report {
    Model(ModelInfo),
    Dataset(DatasetInfo),
    Nnc(NncInfo),
    Tensors(TensorsInfo),
}

#[derive(Debug, Serialize)]
struct ModelInfo {
    name: String,
    bytes: usize,
    /// What the file says of itself.
    metadata: BTreeMap<String, String>,
    input: Vec<usize>,
    outputs: usize,
    parameters: usize,
    layers: Vec<LayerInfo>,
    weights: Vec<WeightInfo>,
    /// The integers of a quantized model in several coders.
    sizes: Vec<NamedSizes>,
}

#[derive(Debug, Serialize)]
struct LayerInfo {
    name: String,
    #[serde(rename = "type")]
    kind: &'static str,
    /// Shape of one sample of its output.
    output: Vec<usize>,
    parameters: usize,
}

/// A tensor of the model with two or more dimensions: what is quantized.
#[derive(Debug, Serialize)]
struct WeightInfo {
    name: String,
    shape: Vec<usize>,
    count: usize,
    /// Share of zeros, 0 to 1.
    sparsity: f64,
    /// As 32-bit floats.
    bytes: usize,
    quantized: Option<QuantizedInfo>,
}

/// What the integers beside a weight tell.
#[derive(Debug, Serialize)]
struct QuantizedInfo {
    /// Different values that occur.
    levels: usize,
    /// First-order entropy of the integers.
    entropy_bits_per_weight: f64,
    /// Grid: distance of neighbours. `None` where a codebook lists the values.
    step: Option<f32>,
    /// Values that the codebook lists. `None` on a grid.
    codebook: Option<usize>,
}

#[derive(Debug, Serialize)]
pub(super) struct DatasetInfo {
    name: String,
    bytes: usize,
    input: Vec<usize>,
    classes: Vec<String>,
    train: Option<SplitInfo>,
    test: Option<SplitInfo>,
    /// What else the file says of itself.
    metadata: BTreeMap<String, String>,
}

#[derive(Debug, Serialize)]
struct SplitInfo {
    samples: usize,
    /// Samples of each class.
    labels: Vec<usize>,
}

#[derive(Debug, Serialize)]
struct TensorsInfo {
    bytes: usize,
    metadata: BTreeMap<String, String>,
    tensors: Vec<TensorInfo>,
}

#[derive(Debug, Serialize)]
struct TensorInfo {
    name: String,
    #[serde(rename = "type")]
    kind: String,
    shape: Vec<usize>,
}

pub(crate) fn run(args: &Info, json: bool) -> Result<()> {
    let (name, bytes) = (args.file.display().to_string(), files::read(&args.file)?);
    let header = TensorHeader::from_bytes(&bytes).ok();
    let format = |header: &TensorHeader| header.metadata.get("format").cloned().unwrap_or_default();
    let report = match header.map(|header| (format(&header), header)) {
        None if is_nnc(&bytes) => Report::Nnc(NncInfo::new(&bytes).context(name)?),
        Some((format, _)) if format == "ecqx-model" => {
            let model = Model::from_bytes(&bytes).with_context(|| name.clone())?;
            let file = TensorFile::from_bytes(&bytes).with_context(|| name.clone())?;
            Report::Model(ModelInfo::new(&model, &file, bytes.len()).context(name)?)
        }
        Some((format, header)) if format != "ecqx-dataset" => Report::Tensors(TensorsInfo::new(header, bytes.len())),
        // Whatever else it is, the readers of datasets know it or say what is wrong.
        _ => {
            let dataset = Dataset::from_parts(&[NamedBytes { name: &name, bytes: &bytes }])?;
            Report::Dataset(DatasetInfo::new(&dataset, bytes.len()))
        }
    };
    output::print(json, &report, || match &report {
        Report::Model(model) => model.text(),
        Report::Dataset(dataset) => dataset.text(),
        Report::Nnc(nnc) => nnc.text(),
        Report::Tensors(tensors) => tensors.text(),
    })
}

impl ModelInfo {
    fn new(model: &Model, file: &TensorFile, bytes: usize) -> Result<Self> {
        let network = &model.network;
        let count = |layer: &str| -> usize {
            let own = |name: &str| name.rsplit_once('.').is_some_and(|(start, _)| start == layer);
            network.parameters().filter(|p| own(&p.name)).map(|p| p.values.len()).sum()
        };
        let layer = |node: &ecqx_core::nn::Node| LayerInfo {
            name: node.name.clone(),
            kind: node.layer.kind(),
            output: node.shape.clone(),
            parameters: count(&node.name),
        };
        let weight = |p: ecqx_core::nn::Parameter<'_>| {
            let zeros = p.values.iter().filter(|&&value| value == 0.0).count();
            WeightInfo {
                quantized: quantized(file, &p.name),
                name: p.name,
                shape: p.shape,
                count: p.values.len(),
                sparsity: zeros as f64 / p.values.len() as f64,
                bytes: size_of_val(p.values),
            }
        };
        let sizes = network.parameters().filter_map(|p| {
            let index = file.find(&format!("{}.index", p.name))?;
            sizes::of(&p.name, &index.shape, &index.data).transpose()
        });
        Ok(Self {
            sizes: sizes.collect::<Result<_>>()?,
            name: model.name().to_owned(),
            bytes,
            metadata: model.metadata.clone(),
            input: network.input().to_vec(),
            outputs: network.outputs(),
            parameters: network.parameters().map(|p| p.values.len()).sum(),
            layers: network.nodes().iter().map(layer).collect(),
            weights: network.parameters().filter(|p| p.shape.len() > 1).map(weight).collect(),
        })
    }

    fn text(&self) -> String {
        let Self { name, bytes, input, outputs, parameters, .. } = self;
        let quantized = if self.weights.iter().any(|w| w.quantized.is_some()) { "quantized model" } else { "model" };
        let name = printable(name);
        let mut lines =
            vec![format!("{quantized} {name}: {input:?} to {outputs} outputs, {parameters} parameters, {bytes} bytes")];
        lines.push(format!("\n{:<16} {:<16} {:>14} {:>12}", "layer", "type", "output", "parameters"));
        for LayerInfo { name, kind, output, parameters } in &self.layers {
            let name = printable(name);
            lines.push(format!("{name:<16} {kind:<16} {:>14} {parameters:>12}", format!("{output:?}")));
        }
        let head = ["weight", "shape", "weights", "zeros", "bytes", "levels", "bits/w", "step", "codebook"];
        let [a, b, c, d, e, f, g, h, i] = head;
        lines.push(format!("\n{a:<16} {b:>16} {c:>9} {d:>10} {e:>9} {f:>6} {g:>8} {h:>11} {i:>8}"));
        for WeightInfo { name, shape, count, sparsity, bytes, quantized } in &self.weights {
            let or = |text: Option<String>| text.unwrap_or_else(|| "-".into());
            let quantized = quantized.as_ref();
            let levels = or(quantized.map(|q| q.levels.to_string()));
            let entropy = or(quantized.map(|q| format!("{:.3}", q.entropy_bits_per_weight)));
            let step = or(quantized.and_then(|q| q.step).map(|step| format!("{step:.5e}")));
            let codebook = or(quantized.and_then(|q| q.codebook).map(|size| size.to_string()));
            let (name, shape, zeros) = (printable(name), format!("{shape:?}"), sparsity * 100.0);
            lines.push(format!(
                "{name:<16} {shape:>16} {count:>9} {zeros:>8.2} % {bytes:>9} {levels:>6} {entropy:>8} {step:>11} {codebook:>8}"
            ));
        }
        lines.extend(sizes::lines(&self.sizes));
        lines.extend(metadata_lines(&self.metadata));
        lines.join("\n")
    }
}

fn quantized(file: &TensorFile, weight: &str) -> Option<QuantizedInfo> {
    let mut counts = BTreeMap::<i64, u32>::new();
    let mut count = |level: i64| *counts.entry(level).or_default() += 1;
    match &file.find(&format!("{weight}.index"))?.data {
        TensorData::I8(levels) => levels.iter().for_each(|&level| count(level.into())),
        TensorData::I32(levels) => levels.iter().for_each(|&level| count(level.into())),
        TensorData::I16(levels) => levels.iter().for_each(|&level| count(level.into())),
        _ => return None,
    }
    let values = |of: &str| file.find(&format!("{weight}.{of}")).and_then(|tensor| tensor.finite_f32().ok());
    let occurrences: Vec<u32> = counts.into_values().collect();
    Some(QuantizedInfo {
        levels: occurrences.len(),
        entropy_bits_per_weight: entropy_bits(&occurrences),
        step: values("step").and_then(|step| step.first().copied()),
        codebook: values("codebook").map(<[f32]>::len),
    })
}

impl DatasetInfo {
    pub(super) fn new(dataset: &Dataset, bytes: usize) -> Self {
        let split = |split: &Split| {
            let mut labels = vec![0; dataset.classes.len()];
            split.y.iter().for_each(|&label| labels[label] += 1);
            SplitInfo { samples: split.len(), labels }
        };
        Self {
            name: dataset.name.clone(),
            bytes,
            input: dataset.input.clone(),
            classes: dataset.classes.clone(),
            train: dataset.train.as_ref().map(split),
            test: dataset.test.as_ref().map(split),
            metadata: dataset.metadata.clone(),
        }
    }

    pub(super) fn text(&self) -> String {
        let Self { name, bytes, input, classes, train, test, metadata } = self;
        let samples = |split: &Option<SplitInfo>| split.as_ref().map_or(0, |split| split.samples);
        let mut lines = vec![format!(
            "dataset {}: samples {input:?} in {} classes, {} to train, {} to test, {bytes} bytes",
            printable(name),
            classes.len(),
            samples(train),
            samples(test)
        )];
        lines.push(format!("\n{:<16} {:>9} {:>9}", "class", "train", "test"));
        for (index, class) in classes.iter().enumerate() {
            let of = |split: &Option<SplitInfo>| split.as_ref().map_or(0, |split| split.labels[index]);
            lines.push(format!("{:<16} {:>9} {:>9}", printable(class), of(train), of(test)));
        }
        lines.extend(metadata_lines(metadata));
        lines.join("\n")
    }
}

impl TensorsInfo {
    fn new(header: TensorHeader, bytes: usize) -> Self {
        let info = |tensor: ecqx_core::tensors::TensorInfo| TensorInfo {
            name: tensor.name,
            kind: tensor.dtype.to_lowercase(),
            shape: tensor.shape,
        };
        Self { bytes, metadata: header.metadata, tensors: header.tensors.into_iter().map(info).collect() }
    }

    fn text(&self) -> String {
        let mut lines = vec![format!("{} tensors, {} bytes", self.tensors.len(), self.bytes)];
        for TensorInfo { name, kind, shape } in &self.tensors {
            lines.push(format!("{:<40} {kind:>4} {shape:?}", printable(name)));
        }
        lines.extend(metadata_lines(&self.metadata));
        lines.join("\n")
    }
}

/// One line a key, after an empty one: a value may be a whole document, or hold anything.
pub(super) fn metadata_lines(metadata: &BTreeMap<String, String>) -> Vec<String> {
    const MOST: usize = 80;
    let line = |(key, value): (&String, &String)| {
        let value = printable(value);
        let more = if value.chars().count() > MOST { "…" } else { "" };
        format!("{}: {}{more}", printable(key), value.chars().take(MOST).collect::<String>())
    };
    let empty = (!metadata.is_empty()).then(String::new);
    empty.into_iter().chain(metadata.iter().map(line)).collect()
}
