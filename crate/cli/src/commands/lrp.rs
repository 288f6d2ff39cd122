//! `ecqx lrp`

use anyhow::Result;
use ecqx_core::lrp::{Composite, explain};
use ecqx_core::nn::{Node, Source};
use ecqx_core::tensors::{Tensor, TensorFile};
use serde::Serialize;

use crate::args::Lrp;
use crate::{files, output};

#[derive(Debug, Serialize)]
struct Report {
    samples: usize,
    composite: String,
    layers: Vec<Layer>,
}

/// Sums over the layer's weights.
#[derive(Debug, Serialize)]
struct Layer {
    name: String,
    relevance: f64,
    absolute: f64,
}

pub(crate) fn run(args: &Lrp, json: bool) -> Result<()> {
    let (model, split) = files::read_on(&args.on)?;
    let composite = Composite::named(&args.composite)?;
    let network = &model.network;
    let mut tape = network.evaluation_tape();
    let relevances = explain(network, &split, &composite, args.output_relevance, true, &mut tape)?;
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
    files::write(&args.output, &TensorFile { tensors, ..TensorFile::default() }.to_bytes())?;
    let report = Report { samples: split.len(), composite: composite.name().into(), layers };
    output::print(json, &report, || {
        let rows = report.layers.iter().map(|l| format!("{:<16} {:>14.6} {:>14.6}", l.name, l.relevance, l.absolute));
        let head = format!("{:<16} {:>14} {:>14}", "layer", "relevance", "absolute");
        std::iter::once(head).chain(rows).collect::<Vec<_>>().join("\n")
    })
}
