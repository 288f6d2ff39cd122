//! Runs a conformance vector of `tests/vectors` and returns what the core computes, under the names of what is expected.

use ecqx_core::data::Split;
use ecqx_core::lrp::rules::{parse, relevance_in};
use ecqx_core::lrp::{ExplainSettings, KeepInputs, explain};
use ecqx_core::model::Architecture;
use ecqx_core::nn::{Adam, Mode, Network, Optimizer, Sgd, Tape, Trainer};
use ecqx_core::quant::{self, Codebook, LayerInput, Method, QuantizeSettings, UnitRelevance, Workspace};
use ecqx_core::tensors::{TensorData, TensorFile};
use js_sys::{Float32Array, Object, Reflect};
use ndarray::Array2;
use serde_json::{Value, json};
use wasm_bindgen::prelude::*;

/// Computed tensors, named.
type Tensors = Vec<(String, Vec<f32>)>;

/// Runs a vector of kind `train` (gradients of the first batch, losses, parameters after all), `lrp` (logits and
/// relevances), `rule` (output of one layer and relevance of its input) or `assignment` (quantized weights, mode
/// *reference*). The losses that a vector lists in its metadata are returned as `losses`.
///
/// # Errors
/// Bytes that are no such vector, and what the core does not know.
#[wasm_bindgen(js_name = runVector, unchecked_return_type = "Tensors")]
pub fn run_vector(bytes: &[u8]) -> Result<JsValue, JsError> {
    let file = TensorFile::from_bytes(bytes)?;
    let case: Value = serde_json::from_str(file.metadata.get("case").map_or("", String::as_str))?;
    let computed = match text(&case, "kind")? {
        "train" => train(&file, &case)?,
        "lrp" => relevances(&file, &case)?,
        "rule" => rule(&file, &case)?,
        "assignment" => assignments(&file, &case)?,
        other => return Err(JsError::new(&format!("vectors of kind {other:?} are not run here"))),
    };
    let tensors = Object::new();
    for (name, values) in computed {
        // Setting a field of a plain object cannot fail.
        let _ = Reflect::set(&tensors, &name.into(), &Float32Array::from(values.as_slice()));
    }
    Ok(tensors.into())
}

fn train(file: &TensorFile, case: &Value) -> Result<Tensors, JsError> {
    let mut network = network(file, &case["architecture"], |name| format!("before.{name}"))?;
    let learning_rate = number(case, "lr")?;
    let optimizer: Box<dyn Optimizer> = match text(case, "optimizer")? {
        "adam" => Box::new(Adam::new(learning_rate, 0.0)?),
        "sgd" => Box::new(Sgd::new(learning_rate, number(case, "momentum")?, 0.0)?),
        other => return Err(JsError::new(&format!("there is no optimizer {other:?}"))),
    };
    let split = split(file, &network)?;
    let size = file.get("y")?.shape.last().copied().unwrap_or_default();
    let mut trainer = Trainer::new(&network, size, optimizer)?;
    let (mut computed, mut losses) = (Tensors::new(), Vec::new());
    for (x, labels) in split.chunks(size) {
        losses.push(trainer.step(&mut network, x, labels)? as f32);
        if losses.len() == 1 {
            let gradients = network.parameters().zip(trainer.gradients().iter());
            computed.extend(gradients.map(|(parameter, values)| (format!("grad.{}", parameter.name), values.to_vec())));
        }
    }
    computed.extend(network.tensors().map(|p| (format!("after.{}", p.name), p.values.to_vec())));
    computed.push(("losses".into(), losses));
    Ok(computed)
}

fn relevances(file: &TensorFile, case: &Value) -> Result<Tensors, JsError> {
    let network = network(file, &case["architecture"], |name| format!("model.{name}"))?;
    let split = split(file, &network)?;
    // Smaller than the batch, so that sums over several passes are tested too.
    let mut tape = Tape::new(&network, 4);
    let mut logits = Vec::new();
    network.evaluate(&split, &mut tape, |z| logits.extend(z))?;
    let settings = ExplainSettings {
        composite: text(case, "composite")?.parse()?,
        output: text(case, "output_relevance")?.parse()?,
        batch_norm: case.get("batch_norm").and_then(Value::as_str).unwrap_or("pass").parse()?,
        inputs: KeepInputs::Layers,
    };
    let mut computed = vec![("logits".to_owned(), logits)];
    let relevances = explain(&network, &split, &settings, &mut tape)?;
    let name = |node: usize| &network.nodes()[node].name;
    computed
        .extend(relevances.weights.into_iter().map(|(node, r)| (format!("weight_relevance.{}.weight", name(node)), r)));
    let inputs = relevances.inputs.into_iter();
    computed.extend(inputs.map(|(node, r)| (format!("input_relevance.{}", name(node)), r.into_iter().collect())));
    Ok(computed)
}

/// The vector's layer in a net of its own.
fn rule(file: &TensorFile, case: &Value) -> Result<Tensors, JsError> {
    let (x, relevance_out) = (matrix(file, "x")?, matrix(file, "relevance_out")?);
    let layer = match file.get("weight")?.shape[..] {
        [units, _] => json!({"name": "layer", "kind": "dense", "units": units}),
        [filters, _, height, width] => json!({
            "name": "layer", "kind": "conv2d", "filters": filters, "kernel": [height, width],
            "stride": case["stride"], "padding": case["padding"],
        }),
        _ => return Err(JsError::new("the weight must have two or four dimensions")),
    };
    let input = file.get("x")?.shape.get(1..).unwrap_or_default();
    let architecture = json!({"input": input, "layers": [layer, {"name": "end", "kind": "flatten"}]});
    let network = network(file, &architecture, |name| name.replace("layer.", ""))?;
    let mut tape = Tape::new(&network, x.nrows());
    let z = network.forward(x.view(), &mut tape, Mode::Evaluate).iter().copied().collect();
    let layer = network.nodes().first().and_then(|node| node.layer.affine());
    let layer = layer.ok_or_else(|| JsError::new("the net has no layer"))?;
    let relevance = relevance_in(&*parse(text(case, "rule")?)?, layer, x.view(), relevance_out.view());
    Ok(vec![("z".to_owned(), z), ("relevance_in".to_owned(), relevance.into_iter().collect())])
}

fn assignments(file: &TensorFile, case: &Value) -> Result<Tensors, JsError> {
    let bits = u8::try_from(case.get("bits").and_then(Value::as_u64).unwrap_or_default())?;
    let method: Method = text(case, "method")?.parse()?;
    let p = case.get("p").and_then(Value::as_f64).unwrap_or_default();
    let mode = quant::Mode::Reference;
    let settings = QuantizeSettings { mode, ..QuantizeSettings::new(method, bits, number(case, "lambda")?, p) };
    let quantizer = settings.quantizer()?;
    let named = file.tensors.iter().filter_map(|tensor| tensor.name.strip_prefix("in."));
    let layers = named.map(|name| Ok((name, file.get(&format!("in.{name}"))?.finite_f32()?)));
    let layers: Vec<(&str, &[f32])> = layers.collect::<Result<_, JsError>>()?;
    let largest = layers.iter().map(|(_, weights)| weights.len()).max().unwrap_or_default();
    let mut work = Workspace::default();
    let assigned = layers.into_iter().map(|(name, weights)| {
        let codebook = Codebook::uniform(name, weights, bits)?;
        let relevance = match method {
            Method::Ecqx => Some(UnitRelevance::new(name, file.get(&format!("relevance.{name}"))?.finite_f32()?)?),
            _ => None,
        };
        work.weights_changed();
        let layer = LayerInput::new(name, weights, relevance.as_ref(), &codebook, largest)?;
        quantizer.assign(&layer, &mut work)?;
        let mut values = vec![0.0; weights.len()];
        codebook.write(&work.assignment().clusters, &mut values);
        Ok((format!("out.{name}"), values))
    });
    assigned.collect()
}

/// The net with the file's parameters, which have these names there.
fn network(file: &TensorFile, architecture: &Value, in_file: impl Fn(&str) -> String) -> Result<Network, JsError> {
    let mut network = Network::new(&Architecture::from_json(&architecture.to_string())?)?;
    let names: Vec<String> = network.tensors().map(|tensor| in_file(&tensor.name)).collect();
    for (name, parameter) in names.iter().zip(network.tensors_mut()) {
        let values = file.get(name)?.finite_f32()?;
        if values.len() != parameter.len() {
            return Err(JsError::new(&format!("{name} has {} values, not {}", values.len(), parameter.len())));
        }
        parameter.copy_from_slice(values);
    }
    Ok(network)
}

/// All samples of the file, batch after batch.
fn split(file: &TensorFile, network: &Network) -> Result<Split, JsError> {
    let TensorData::I64(labels) = &file.get("y")?.data else { return Err(JsError::new("labels must be I64")) };
    let y = labels.iter().map(|&label| usize::try_from(label)).collect::<Result<Vec<_>, _>>()?;
    let features = network.input().iter().product();
    let x = Array2::from_shape_vec((y.len(), features), file.get("x")?.finite_f32()?.to_vec())?;
    Ok(Split { x, y })
}

/// A tensor as one row a sample.
fn matrix(file: &TensorFile, name: &str) -> Result<Array2<f32>, JsError> {
    let tensor = file.get(name)?;
    let (values, samples) = (tensor.finite_f32()?, tensor.shape.first().copied().unwrap_or_default());
    Ok(Array2::from_shape_vec((samples, values.len() / samples.max(1)), values.to_vec())?)
}

fn text<'a>(case: &'a Value, key: &str) -> Result<&'a str, JsError> {
    case.get(key).and_then(Value::as_str).ok_or_else(|| JsError::new(&format!("the case has no text {key:?}")))
}

fn number(case: &Value, key: &str) -> Result<f64, JsError> {
    case.get(key).and_then(Value::as_f64).ok_or_else(|| JsError::new(&format!("the case has no number {key:?}")))
}
