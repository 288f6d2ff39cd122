//! `ecqx quantize`

use anyhow::{Context, Result, bail};
use ecqx_core::model::Model;
use ecqx_core::quant::{Method, NetQuantizer, QuantizeSettings};
use ecqx_core::tensors::TensorFile;

use crate::args::Quantize;
use crate::{files, output};

pub(crate) fn run(args: &Quantize, json: bool) -> Result<()> {
    files::expect_apart(&args.output, args.relevance.iter().chain([&args.model]))?;
    let mut model = files::read_model(&args.model)?;
    let settings = QuantizeSettings {
        method: args.method,
        bits: args.bits,
        lambda: args.lambda,
        p: args.p,
        mode: args.mode,
        beta: args.beta,
        rho: args.rho,
        layers: args.layers.clone(),
    };
    settings.quantizer()?; // before any file that bad settings would make us read in vain
    let mut quantizer = NetQuantizer::new(&model.network)?;
    match &args.relevance {
        None if args.method == Method::Ecqx => {
            bail!("method ecqx needs --relevance FILE, which `ecqx lrp` makes; or use ecq")
        }
        None => (),
        Some(path) => {
            read_relevance(&files::read(path)?, &model, &mut quantizer).with_context(|| path.display().to_string())?;
        }
    }
    quantizer.assign(&model.network, &settings)?;
    quantizer.write_into(&mut model.network);
    let report = quantizer.report(settings);
    files::write(&args.output, &model.to_post_training_bytes(&report))?;
    output::print(json, &report, || output::quantized(&report))
}

/// `weight_relevance.<layer>.weight` of every layer with a weight.
fn read_relevance(bytes: &[u8], model: &Model, quantizer: &mut NetQuantizer) -> Result<()> {
    let file = TensorFile::from_bytes(bytes)?;
    for (node, _) in model.network.weights() {
        let layer = &model.network.nodes()[node];
        let shape = layer.layer.weight_shape().unwrap_or_default();
        let values = file.weights(&format!("weight_relevance.{}.weight", layer.name), &shape)?;
        quantizer.set_relevance(node, values)?;
    }
    Ok(())
}
