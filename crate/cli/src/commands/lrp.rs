//! `ecqx lrp`

use std::collections::BTreeMap;

use anyhow::Result;
use ecqx_core::lrp::{ExplainSettings, KeepInputs, explain};
use ecqx_core::nn::{Node, Source};
use ecqx_core::tensors::{Tensor, TensorFile};
use serde::Serialize;

use crate::args::{Lrp, SplitName};
use crate::{files, output};

#[derive(Debug, Serialize)]
struct Report {
    samples: usize,
    #[serde(flatten)]
    how: Settings,
    layers: Vec<Layer>,
    /// What became of relevance at each layer, from the input to the logits.
    conservation: Vec<Conservation>,
}

/// How relevance was measured; also in the file's metadata, as `relevance`.
#[derive(Debug, Serialize)]
struct Settings {
    composite: String,
    split: &'static str,
    output_relevance: &'static str,
    batch_norm: &'static str,
}

impl Settings {
    fn of(args: &Lrp) -> Self {
        Self {
            composite: args.composite.name().to_owned(),
            split: match args.on.split {
                SplitName::Train => "train",
                SplitName::Test => "test",
            },
            output_relevance: args.output_relevance.name(),
            batch_norm: args.batch_norm.name(),
        }
    }
}

/// Relevance that arrived at a layer's output, what went on to its inputs, and what stayed: with the bias, where that can
/// be told, and else with ε.
#[derive(Debug, Serialize)]
struct Conservation {
    layer: String,
    arrived: f64,
    left: Option<f64>,
    absorbed: Option<f64>,
    bias: Option<f64>,
}

/// Sums over the layer's weights.
#[derive(Debug, Serialize)]
struct Layer {
    name: String,
    relevance: f64,
    absolute: f64,
}

pub(crate) fn run(args: &Lrp, json: bool) -> Result<()> {
    files::expect_apart(&args.output, args.on.data.iter().chain([&args.on.model]))?;
    let (model, split) = files::read_on(&args.on)?;
    let settings = ExplainSettings {
        composite: args.composite.clone(),
        output: args.output_relevance,
        batch_norm: args.batch_norm,
        inputs: KeepInputs::Layers,
    };
    let network = &model.network;
    let mut tape = network.evaluation_tape();
    let relevances = explain(network, &split, &settings, &mut tape)?;
    let mut tensors = Vec::new();
    let mut layers = Vec::new();
    for (node, values) in relevances.weights {
        let Node { name, layer, .. } = &network.nodes()[node];
        let sum = |of: fn(f64) -> f64| values.iter().map(|&r| of(f64::from(r))).sum();
        layers.push(Layer { name: name.clone(), relevance: sum(|r| r), absolute: sum(f64::abs) });
        let shape = layer.weight_shape().unwrap_or_default();
        tensors.push(Tensor::f32(format!("weight_relevance.{name}.weight"), &shape, values));
    }
    for (node, values) in relevances.inputs {
        let Node { name, inputs, .. } = &network.nodes()[node];
        let features = match inputs.first() {
            Some(&Source::Node(source)) => network.nodes()[source].shape.clone(),
            Some(Source::Input) | None => network.input().to_vec(),
        };
        let shape: Vec<usize> = [split.len()].into_iter().chain(features).collect();
        tensors.push(Tensor::f32(format!("input_relevance.{name}"), &shape, values.into_iter().collect()));
    }
    let how = Settings::of(args);
    let metadata = BTreeMap::from([
        ("format".to_owned(), "ecqx-relevance".to_owned()),
        ("model".to_owned(), model.name().to_owned()),
        ("samples".to_owned(), split.len().to_string()),
        ("relevance".to_owned(), serde_json::to_string(&how)?),
    ]);
    files::write(&args.output, &TensorFile { tensors, metadata }.to_bytes())?;
    let conservation = network.nodes().iter().zip(&relevances.flows).map(|(node, flow)| Conservation {
        layer: node.name.clone(),
        arrived: flow.arrived,
        left: flow.left,
        absorbed: flow.absorbed(),
        bias: flow.bias,
    });
    let conservation = conservation.collect();
    let report = Report { samples: split.len(), how, layers, conservation };
    output::print(json, &report, || {
        let rows = report.layers.iter().map(|l| format!("{:<16} {:>14.6} {:>14.6}", l.name, l.relevance, l.absolute));
        let head = format!("{:<16} {:>14} {:>14}", "layer", "relevance", "absolute");
        let number = |value: Option<f64>| value.map_or_else(|| "-".into(), |value| format!("{value:.6}"));
        let flows = report.conservation.iter().map(|c| {
            let (left, absorbed, bias) = (number(c.left), number(c.absorbed), number(c.bias));
            format!("{:<16} {:>14.6} {left:>14} {absorbed:>14} {bias:>14}", c.layer, c.arrived)
        });
        let columns =
            format!("\n{:<16} {:>14} {:>14} {:>14} {:>14}", "layer", "arrived", "left", "absorbed", "by bias");
        std::iter::once(head).chain(rows).chain([columns]).chain(flows).collect::<Vec<_>>().join("\n")
    })
}
