//! `ecqx quantize`

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};
use ecqx_core::model::{Model, QuantizedTensor};
use ecqx_core::quant::{Method, QuantizeSettings, QuantizedLayer, UnitRelevance, quantize};
use ecqx_core::tensors::TensorFile;
use serde_json::json;

use crate::args::Quantize;
use crate::{files, output};

pub(crate) fn run(args: &Quantize, json: bool) -> Result<()> {
    let mut model = files::read_model(&args.model)?;
    let settings = QuantizeSettings { method: args.method, bits: args.bits, lambda: args.lambda, p: args.p };
    settings.quantizer()?; // before any file that bad settings would make us read in vain
    let relevance = match &args.relevance {
        None if args.method == Method::Ecqx => {
            bail!("method ecqx needs --relevance FILE, which `ecqx lrp` makes; or use ecq")
        }
        None => BTreeMap::new(),
        Some(path) => read_relevance(&files::read(path)?, &model).with_context(|| path.display().to_string())?,
    };
    let quantized = quantize(&model.network, |node| relevance.get(&node), settings)?;
    quantized.write_into(&mut model.network);
    let tensors: Vec<QuantizedTensor> = quantized.layers.iter().map(|layer| tensor(layer, &model)).collect();
    // That of the float weights is no longer true.
    model.metadata.remove("accuracy");
    let mut how = json!(settings);
    how["mode"] = json!("exact");
    files::write(&args.output, &model.to_quantized_bytes(&tensors, how.to_string()))?;
    let report = quantized.report();
    output::print(json, &report, || output::quantized(&report))
}

/// `weight_relevance.<layer>.weight` of every layer that is quantized.
fn read_relevance(bytes: &[u8], model: &Model) -> Result<BTreeMap<usize, UnitRelevance>> {
    let file = TensorFile::from_bytes(bytes)?;
    let layers = model.network.weights().map(|(node, _)| {
        let node_at = &model.network.nodes()[node];
        let shape = node_at.layer.weight_shape().unwrap_or_default();
        let values = file.weights(&format!("weight_relevance.{}.weight", node_at.name), &shape)?;
        Ok((node, UnitRelevance::new(&node_at.name, values)?))
    });
    layers.collect()
}

fn tensor(layer: &QuantizedLayer, model: &Model) -> QuantizedTensor {
    let (codebook, node) = (&layer.codebook, &model.network.nodes()[layer.node]);
    QuantizedTensor {
        name: format!("{}.weight", layer.name),
        shape: node.layer.weight_shape().unwrap_or_default(),
        levels: layer.assignment.clusters.iter().map(|&cluster| codebook.level(cluster)).collect(),
        step: codebook.step_size(),
    }
}
