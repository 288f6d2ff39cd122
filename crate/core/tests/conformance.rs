//! The vectors of `tests/vectors`, run through the core.

// Helpers of tests may panic; twins are compared with a tolerance.
#![allow(clippy::unwrap_used, clippy::panic, clippy::disallowed_methods)]

use std::path::PathBuf;

use ecqx_core::data::Split;
use ecqx_core::lrp::rules::{parse, relevance_in};
use ecqx_core::lrp::{ExplainSettings, KeepInputs, explain};
use ecqx_core::model::Architecture;
use ecqx_core::nn::{Adam, Mode, Network, Optimizer, Scratch, Sgd, Tape, Trainer};
use ecqx_core::qat::{Finish, Order, QatSettings, QatTrainer};
use ecqx_core::quant::{self, Codebook, Ecq, Ecqx, LayerInput, QuantizeSettings, Quantizer, UnitRelevance, Workspace};
use ecqx_core::tensors::{TensorData, TensorFile};
use ndarray::{Array2, ArrayView2};
use serde_json::Value;

/// Gradients below this are sums of larger numbers that cancel.
const ROUNDING: f32 = 1e-6;

/// Relevance is divided by outputs, and their rounding with it: a filter with an output below this (ε is 1e-6) agrees less
/// closely.
const NEAR_ZERO: f32 = 1.2e-5;

/// All vectors whose name starts so; at least one.
fn vectors(prefix: &str) -> Vec<(String, TensorFile, Value)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors/ecqx");
    let mut names: Vec<String> = std::fs::read_dir(folder.clone())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with(prefix))
        .collect();
    names.sort();
    assert!(!names.is_empty(), "no vector {prefix}*");
    let read = |name: String| {
        let file = TensorFile::from_bytes(&std::fs::read(folder.join(&name)).unwrap()).unwrap();
        let case = serde_json::from_str(&file.metadata["case"]).unwrap();
        (name, file, case)
    };
    names.into_iter().map(read).collect()
}

fn values<'a>(file: &'a TensorFile, name: &str) -> &'a [f32] {
    file.get(name).unwrap().finite_f32().unwrap()
}

fn matrix<'a>(file: &'a TensorFile, name: &str) -> ArrayView2<'a, f32> {
    let shape = &file.get(name).unwrap().shape;
    ArrayView2::from_shape((shape[0], shape[1..].iter().product()), values(file, name)).unwrap()
}

fn labels(file: &TensorFile) -> Vec<usize> {
    match &file.get("y").unwrap().data {
        TensorData::I64(labels) => labels.iter().map(|&y| usize::try_from(y).unwrap()).collect(),
        other => panic!("labels are {other:?}"),
    }
}

/// Within `tolerance` of the expected tensor's largest magnitude.
fn assert_close<'a>(what: &str, got: impl IntoIterator<Item = &'a f32>, expected: &[f32], tolerance: f32) {
    assert_within(what, got, expected, tolerance * largest(expected));
}

fn assert_within<'a>(what: &str, got: impl IntoIterator<Item = &'a f32>, expected: &[f32], allowed: f32) {
    let got: Vec<f32> = got.into_iter().copied().collect();
    assert_eq!(got.len(), expected.len(), "{what}: length");
    let worst = got.iter().zip(expected).map(|(g, e)| (g - e).abs()).max_by(f32::total_cmp).unwrap_or(0.0); // NaN is most
    assert!(worst <= allowed, "{what}: off by {worst}, allowed are {allowed}");
}

fn largest(values: &[f32]) -> f32 {
    values.iter().fold(0.0, |max, v| max.max(v.abs()))
}

/// By filter or unit, its smallest output in magnitude.
fn smallest_outputs(network: &Network, x: ArrayView2<'_, f32>, node: usize) -> Vec<f32> {
    let mut tape = Tape::new(network, x.nrows());
    network.forward(x, &mut tape, Mode::Evaluate);
    let z = tape.output(node);
    let filters = network.nodes()[node].shape[0];
    let mut smallest = vec![f32::INFINITY; filters];
    for ((_, unit), z) in z.indexed_iter() {
        let smallest = &mut smallest[unit / (network.nodes()[node].features() / filters)];
        *smallest = smallest.min(z.abs());
    }
    smallest
}

fn network(case: &Value, file: &TensorFile, prefix: &str) -> Network {
    let architecture = Architecture::from_json(&case["architecture"].to_string()).unwrap();
    let mut network = Network::new(&architecture).unwrap();
    let names: Vec<String> = network.tensors().map(|p| format!("{prefix}{}", p.name)).collect();
    for (name, parameter) in names.iter().zip(network.tensors_mut()) {
        parameter.copy_from_slice(values(file, name));
    }
    network
}

#[test]
fn training_follows_pytorch() {
    for (name, file, case) in vectors("train-") {
        let mut network = network(&case, &file, "before.");
        let learning_rate = case["lr"].as_f64().unwrap();
        let optimizer: Box<dyn Optimizer> = match case["optimizer"].as_str().unwrap() {
            "adam" => Box::new(Adam::new(learning_rate, 0.0).unwrap()),
            _ => Box::new(Sgd::new(learning_rate, case["momentum"].as_f64().unwrap(), 0.0).unwrap()),
        };
        let [batches, size, ..] = file.get("x").unwrap().shape[..] else { panic!("{name}: shape of x") };
        let features = network.input().iter().product();
        let x = ArrayView2::from_shape((batches * size, features), values(&file, "x")).unwrap();
        let split = Split { x: x.to_owned(), y: labels(&file) };
        let mut trainer = Trainer::new(&network, size, optimizer).unwrap();
        let mut undecided = Vec::new();
        for (step, (x, labels)) in split.chunks(size).enumerate() {
            let loss = trainer.step(&mut network, x, labels).unwrap();
            let expected = case["losses"][step].as_f64().unwrap();
            assert!((loss - expected).abs() < 1e-4 * expected, "{name}: loss {step} is {loss}, not {expected}");
            if step == 0 {
                for (parameter, gradient) in network.parameters().zip(trainer.gradients().iter()) {
                    let expected = values(&file, &format!("grad.{}", parameter.name));
                    let what = format!("{name}: grad.{}", parameter.name);
                    if expected.iter().all(|g| g.abs() < ROUNDING) {
                        // A bias before batch norm: its mean is taken away again, what is left is rounding.
                        assert!(gradient.iter().all(|g| g.abs() < ROUNDING), "{what}: {gradient:?}");
                        undecided.push(parameter.name);
                        continue;
                    }
                    assert_close(&what, gradient, expected, 1e-4);
                }
            }
        }
        for tensor in network.tensors() {
            let what = format!("after.{}", tensor.name);
            let expected = values(&file, &what);
            // Adam steps by the learning rate however small the gradient: by four, up or down, on either side. The mean
            // that batch norm keeps follows, with its momentum of 0.1.
            let drift = match &tensor.name {
                _ if case["optimizer"] != "adam" || undecided.is_empty() => 0.0,
                name if undecided.contains(name) => 8.1 * learning_rate,
                name if name.ends_with("running_mean") => 4.0 * 0.1 * 8.1 * learning_rate,
                _ => 0.0,
            };
            if drift > 0.0 {
                let apart = tensor.values.iter().zip(expected).map(|(a, b)| f64::from((a - b).abs()));
                assert!(apart.fold(0.0, f64::max) < drift, "{name}: {what}");
                continue;
            }
            assert_close(&format!("{name}: {what}"), tensor.values, expected, 1e-4);
        }
    }
}

#[test]
fn logits_follow_pytorch() {
    for (name, file, case) in vectors("lrp-") {
        let network = network(&case, &file, "model.");
        let split = Split { x: matrix(&file, "x").to_owned(), y: labels(&file) };
        let mut logits = Vec::new();
        network.evaluate(&split, &mut Tape::new(&network, 4), |z| logits.extend(z)).unwrap();
        assert_close(&format!("{name}: logits"), &logits, values(&file, "logits"), 1e-4);
    }
}

#[test]
fn relevances_follow_zennit() {
    for (name, file, case) in vectors("lrp-") {
        let network = network(&case, &file, "model.");
        let split = Split { x: matrix(&file, "x").to_owned(), y: labels(&file) };
        // Smaller than the batch, so that sums over several passes are tested too.
        let mut tape = Tape::new(&network, 4);
        let settings = ExplainSettings {
            composite: case["composite"].as_str().unwrap().parse().unwrap(),
            output: case["output_relevance"].as_str().unwrap().parse().unwrap(),
            batch_norm: case["batch_norm"].as_str().unwrap_or("pass").parse().unwrap(),
            inputs: KeepInputs::Layers,
        };
        let relevances = explain(&network, &split, &settings, &mut tape).unwrap();
        let layer = |node: usize| &network.nodes()[node].name;
        for (node, relevance) in &relevances.weights {
            let what = format!("weight_relevance.{}.weight", layer(*node));
            let expected = values(&file, &what);
            let filters = smallest_outputs(&network, split.x.view(), *node);
            let each = expected.len() / filters.len();
            for (filter, smallest) in filters.into_iter().enumerate() {
                let own = filter * each..(filter + 1) * each;
                let tolerance = if smallest < NEAR_ZERO { 1e-3 } else { 1e-4 };
                let what = format!("{name}: {what}, filter {filter} with an output of {smallest}");
                assert_within(&what, &relevance[own.clone()], &expected[own], tolerance * largest(expected));
            }
        }
        for (node, relevance) in &relevances.inputs {
            let what = format!("input_relevance.{}", layer(*node));
            assert_close(&format!("{name}: {what}"), relevance, values(&file, &what), 1e-4);
        }
        let expected = |prefix: &str| {
            let of_matrix = |t: &&ecqx_core::tensors::Tensor| t.name.starts_with(prefix) && t.shape.len() > 1;
            file.tensors.iter().filter(of_matrix).count()
        };
        assert_eq!(relevances.weights.len(), expected("weight_relevance."));
        assert_eq!(relevances.inputs.len(), expected("input_relevance."));
        // In these nets the first layer alone reads the net's input.
        assert_eq!(relevances.net_input.as_ref(), relevances.inputs.first().map(|(_, relevance)| relevance));
    }
}

#[test]
fn rules_follow_zennit() {
    for (name, file, case) in vectors("rule-") {
        let (weight, x) = (&file.get("weight").unwrap().shape, &file.get("x").unwrap().shape);
        let bias = file.find("bias").is_some();
        let layer = match weight[..] {
            [units, _] => format!(r#""kind": "dense", "units": {units}, "bias": {bias}"#),
            [filters, _, height, width] => format!(
                r#""kind": "conv2d", "filters": {filters}, "kernel": [{height}, {width}], "bias": {bias},
                "stride": {}, "padding": {}"#,
                case["stride"], case["padding"]
            ),
            _ => panic!("{name}: shape of weight"),
        };
        let text = format!(
            r#"{{"input": {:?}, "layers": [{{"name": "a", {layer}}}, {{"name": "b", "kind": "flatten"}}]}}"#,
            &x[1..]
        );
        let mut network = Network::new(&Architecture::from_json(&text).unwrap()).unwrap();
        for (parameter, short) in network.parameters_mut().zip(["weight", "bias"]) {
            parameter.copy_from_slice(values(&file, short));
        }
        let layer = network.nodes()[0].layer.affine().unwrap();
        let (x, expected) = (matrix(&file, "x"), matrix(&file, "z"));
        let (mut z, mut scratch) = (Array2::zeros(expected.dim()), Scratch::default());
        layer.transform(layer.weight(), layer.bias(), x, z.view_mut(), &mut scratch);
        assert_close(&format!("{name}: z"), &z, values(&file, "z"), 1e-5);
        let rule = parse(case["rule"].as_str().unwrap()).unwrap();
        let relevance = relevance_in(&*rule, layer, x, matrix(&file, "relevance_out"));
        assert_close(&format!("{name}: relevance_in"), &relevance, values(&file, "relevance_in"), 1e-4);
    }
}

#[test]
fn centroids_follow_the_published_code() {
    for (name, file, case) in vectors("assign-") {
        let bits = u8::try_from(case["bits"].as_u64().unwrap()).unwrap();
        for layer in case["layers"].as_array().unwrap().iter().map(|layer| layer.as_str().unwrap()) {
            let codebook = Codebook::uniform(layer, values(&file, &format!("in.{layer}")), bits).unwrap();
            let expected = values(&file, &format!("centroids.{layer}"));
            assert_close(&format!("{name}: centroids.{layer}"), codebook.centroids(), expected, 1e-6);
        }
    }
}

#[test]
fn assignments_follow_the_published_code() {
    for (name, file, case) in vectors("assign-") {
        let bits = u8::try_from(case["bits"].as_u64().unwrap()).unwrap();
        let (lambda, p) = (case["lambda"].as_f64().unwrap(), case["p"].as_f64());
        let quantizer: Box<dyn Quantizer> = match p {
            Some(p) => Box::new(Ecqx::new(lambda, p, quant::Mode::Reference).unwrap()),
            None => Box::new(Ecq::new(lambda, quant::Mode::Reference).unwrap()),
        };
        let layers: Vec<&str> =
            case["layers"].as_array().unwrap().iter().map(|layer| layer.as_str().unwrap()).collect();
        let weights = |layer: &str| values(&file, &format!("in.{layer}"));
        let largest = layers.iter().map(|layer| weights(layer).len()).max().unwrap();
        for layer in layers {
            let weights = weights(layer);
            let codebook = Codebook::uniform(layer, weights, bits).unwrap();
            let relevance = p.map(|_| UnitRelevance::new(layer, values(&file, &format!("relevance.{layer}"))).unwrap());
            let input = LayerInput::new(layer, weights, relevance.as_ref(), &codebook, largest).unwrap();
            let mut work = Workspace::default();
            quantizer.assign(&input, &mut work).unwrap();
            let mut got = vec![0.0; weights.len()];
            codebook.write(&work.assignment().clusters, &mut got);
            let out = got.iter().zip(values(&file, &format!("out.{layer}")));
            let different = out.filter(|(got, expected)| (*got - *expected).abs() > 0.1 * codebook.step_size()).count();
            assert_eq!(different, 0, "{name}: {different} of {layer} differ");
            let sparsity = case["sparsity"][layer].as_f64().unwrap();
            assert!((work.assignment().sparsity() - sparsity).abs() < 1e-6, "{name}: sparsity of {layer}");
        }
    }
}

/// The training of a vector: three batches as they come, one epoch.
fn training(file: &TensorFile, case: &Value) -> (QatTrainer, Split) {
    let network = network(case, file, "before.");
    let number = |key: &str| case[key].as_f64().unwrap();
    let (method, bits) = (case["method"].as_str().unwrap().parse().unwrap(), case["bits"].as_u64().unwrap());
    let quantize = QuantizeSettings::new(method, u8::try_from(bits).unwrap(), number("lambda"), number("p"));
    let settings = QatSettings::new(QuantizeSettings { mode: quant::Mode::Reference, ..quantize });
    let settings = QatSettings {
        lr: number("lr"),
        alpha: number("alpha"),
        composite: case["composite"].as_str().unwrap_or("epsilon").parse().unwrap(),
        output_relevance: case["output_relevance"].as_str().unwrap().parse().unwrap(),
        batch_norm: case["batch_norm"].as_str().unwrap_or("pass").parse().unwrap(),
        epochs: 1,
        ..settings
    };
    let [batches, batch_size, ..] = file.get("x").unwrap().shape[..] else { panic!("shape of x") };
    let features = network.input().iter().product();
    let x = ArrayView2::from_shape((batches * batch_size, features), values(file, "x")).unwrap();
    let split = Split { x: x.to_owned(), y: labels(file) };
    let order = Order { batch_size, shuffle: None };
    (QatTrainer::new(&network, settings, order, &split).unwrap(), split)
}

/// How many weights carry another centroid than they should.
fn count_different(file: &TensorFile, case: &Value, network: &Network, prefix: &str) -> usize {
    let mut different = 0;
    for tensor in network.parameters().filter(|tensor| tensor.shape.len() > 1) {
        let step = case["step_size"][&tensor.name].as_f64().unwrap() as f32;
        let expected = values(file, &format!("{prefix}{}", tensor.name));
        assert_eq!(expected.len(), tensor.values.len());
        different += tensor.values.iter().zip(expected).filter(|(got, e)| (*got - *e).abs() > 0.1 * step).count();
    }
    different
}

#[test]
fn quantization_aware_training_follows_the_published_code() {
    for (name, file, case) in vectors("qat-") {
        let (mut trainer, split) = training(&file, &case);
        let weights: usize = trainer.net().latent().weights().map(|(_, weights)| weights.len()).sum();
        assert_eq!(count_different(&file, &case, trainer.net().quantized(), "initial."), 0, "{name}");
        for _ in 0..3 {
            trainer.step(&split, &split).unwrap();
        }
        assert_eq!(trainer.finished(), Some(Finish::Epochs));
        let (latent, quantized) = (trainer.net().latent(), trainer.net().quantized());
        let different = count_different(&file, &case, quantized, "after.");
        assert!(200 * different <= weights, "{name}: {different} of {weights} weights carry another centroid");
        for (carried, own) in quantized.tensors().zip(latent.tensors()) {
            let is_weight = own.shape.len() > 1;
            let what = format!("{}.{}", if is_weight { "latent" } else { "after" }, own.name);
            assert_close(&format!("{name}: {what}"), own.values, values(&file, &what), 1e-4);
            assert!(is_weight || carried.values == own.values, "{name}: {what} differs between the two nets");
        }
    }
}
