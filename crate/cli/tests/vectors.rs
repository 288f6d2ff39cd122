//! The conformance vectors of `tests/vectors`, reproduced by the command through files.

#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests may panic

use std::path::{Path, PathBuf};
use std::process::Command;

use ecqx_core::tensors::{Tensor, TensorData, TensorFile};
use serde_json::{Value, json};
use tempfile::TempDir;

/// All vectors whose name starts so; at least one.
fn vectors(prefix: &str) -> Vec<(String, TensorFile, Value)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors/ecqx");
    let names = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.filter(|name| name.starts_with(prefix)).collect();
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
    match &file.get(name).unwrap().data {
        TensorData::F32(values) => values,
        other => panic!("{name} is {other:?}"),
    }
}

/// The vector's net, from the tensors whose names start so, as a model file.
fn write_model(path: &Path, file: &TensorFile, case: &Value, prefix: &str) {
    let own = file
        .tensors
        .iter()
        .filter_map(|tensor| Some(Tensor { name: tensor.name.strip_prefix(prefix)?.to_owned(), ..tensor.clone() }));
    let metadata = [("format", "ecqx-model".to_owned()), ("architecture", case["architecture"].to_string())];
    let metadata = metadata.map(|(key, value)| (key.to_owned(), value)).into();
    std::fs::write(path, TensorFile { metadata, tensors: own.collect() }.to_bytes()).unwrap();
}

/// The vector's samples as one split of a dataset. `batched` says how many dimensions come before a sample's own.
fn write_data(path: &Path, file: &TensorFile, split: &str, batched: usize, classes: usize) {
    let (x, y) = (file.get("x").unwrap(), file.get("y").unwrap());
    let samples: usize = x.shape[..batched].iter().product();
    let shape = |own: &[usize]| [&[samples], own].concat();
    let names = json!((0..classes).map(|class| class.to_string()).collect::<Vec<_>>());
    let metadata = [("format", "ecqx-dataset".to_owned()), ("classes", names.to_string())];
    let tensors = vec![
        Tensor { name: format!("{split}.x"), shape: shape(&x.shape[batched..]), data: x.data.clone() },
        Tensor { name: format!("{split}.y"), shape: shape(&[]), data: y.data.clone() },
    ];
    let metadata = metadata.map(|(key, value)| (key.to_owned(), value)).into();
    std::fs::write(path, TensorFile { metadata, tensors }.to_bytes()).unwrap();
}

fn classes(case: &Value) -> usize {
    let last = case["architecture"]["layers"].as_array().unwrap().last().unwrap();
    usize::try_from(last["units"].as_u64().unwrap()).unwrap()
}

fn ecqx(folder: &Path, words: &str) -> Value {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ecqx"));
    let output = command.current_dir(folder).args(words.split(' ')).arg("--json").output().unwrap();
    assert!(output.status.success(), "{words}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Largest difference over the largest magnitude.
fn apart(got: &[f32], expected: &[f32]) -> f32 {
    assert_eq!(got.len(), expected.len());
    let scale = expected.iter().fold(0.0_f32, |max, v| max.max(v.abs()));
    got.iter().zip(expected).map(|(g, e)| (g - e).abs()).max_by(f32::total_cmp).unwrap_or(0.0) / scale // NaN is most
}

#[test]
fn training_through_files_follows_pytorch() {
    for (name, file, case) in vectors("train-") {
        let folder = TempDir::new().unwrap();
        let at = |file: &str| folder.path().join(file);
        write_model(&at("before"), &file, &case, "before.");
        write_data(&at("data"), &file, "train", 2, classes(&case));
        let momentum = case["momentum"].as_f64().map_or_else(String::new, |m| format!(" --momentum {m}"));
        let (optimizer, lr) = (case["optimizer"].as_str().unwrap(), &case["lr"]);
        let batch = file.get("x").unwrap().shape[1];
        let report = ecqx(
            folder.path(),
            &format!(
                "train -m before -d data -o after --epochs 1 --batch-size {batch} --no-shuffle --optimizer {optimizer} --lr {lr}{momentum}"
            ),
        );
        let (losses, expected) = (report["losses"].as_array().unwrap(), case["losses"].as_array().unwrap());
        assert_eq!(losses.len(), expected.len(), "{name}");
        for (loss, expected) in losses.iter().zip(expected) {
            let (loss, expected) = (loss.as_f64().unwrap(), expected.as_f64().unwrap());
            assert!((loss - expected).abs() < 1e-4 * expected, "{name}: loss {loss}, not {expected}");
        }
        let after = TensorFile::from_bytes(&std::fs::read(at("after")).unwrap()).unwrap();
        for expected in file.tensors.iter().filter(|tensor| tensor.name.starts_with("after.")) {
            let tensor = &expected.name["after.".len()..];
            // Adam turns the rounding of a gradient that is 0 into whole steps; the core's own test says how far.
            if optimizer == "adam" && name.contains("cnnbn") && ["conv2.bias", "bn2.running_mean"].contains(&tensor) {
                continue;
            }
            let apart = apart(values(&after, tensor), values(&file, &expected.name));
            assert!(apart < 1e-4, "{name}: {tensor} is off by {apart}");
        }
    }
}

#[test]
fn logits_through_files_follow_pytorch() {
    for (name, file, case) in vectors("lrp-") {
        let folder = TempDir::new().unwrap();
        let at = |file: &str| folder.path().join(file);
        write_model(&at("model"), &file, &case, "model.");
        write_data(&at("data"), &file, "test", 1, classes(&case));
        ecqx(folder.path(), "eval -m model -d data --logits logits");
        let logits = TensorFile::from_bytes(&std::fs::read(at("logits")).unwrap()).unwrap();
        let apart = apart(values(&logits, "logits"), values(&file, "logits"));
        assert!(apart < 1e-4, "{name}: off by {apart}");
    }
}

#[test]
fn relevances_through_files_follow_zennit() {
    for (name, file, case) in vectors("lrp-") {
        let folder = TempDir::new().unwrap();
        let at = |file: &str| folder.path().join(file);
        write_model(&at("model"), &file, &case, "model.");
        write_data(&at("data"), &file, "test", 1, classes(&case));
        let (composite, output) = (case["composite"].as_str().unwrap(), case["output_relevance"].as_str().unwrap());
        let batch_norm = case["batch_norm"].as_str().unwrap_or("pass");
        let words = format!(
            "lrp -m model -d data -o out --composite {composite} --output-relevance {output} --batch-norm {batch_norm}"
        );
        let report = ecqx(folder.path(), &words);
        assert_eq!(
            report["conservation"].as_array().unwrap().len(),
            case["architecture"]["layers"].as_array().unwrap().len()
        );
        let out = TensorFile::from_bytes(&std::fs::read(at("out")).unwrap()).unwrap();
        for tensor in &out.tensors {
            let expected = file.get(&tensor.name).unwrap();
            assert_eq!(tensor.shape, expected.shape, "{name}: {}", tensor.name);
            let apart = apart(values(&out, &tensor.name), values(&file, &tensor.name));
            // One filter has an output of 1e-5, by which relevance is divided; the core's test says which.
            let is_rough = name.starts_with("lrp-resnet") && tensor.name == "weight_relevance.conv3.weight";
            assert!(apart < if is_rough { 1e-3 } else { 1e-4 }, "{name}: {} is off by {apart}", tensor.name);
        }
    }
}

/// A net whose layers have the vector's weights: dense, or 3×3 convolutions on an image of 7×7 and a dense layer.
fn assigned_net(file: &TensorFile, layers: &[&str]) -> Value {
    let shape = |layer: &str| file.get(&format!("in.{layer}.weight")).unwrap().shape.clone();
    let input = match shape(layers[0])[..] {
        [_, inputs] => json!([inputs]),
        [_, channels, ..] => json!([channels, 7, 7]),
        _ => panic!("shape of {}", layers[0]),
    };
    let mut nodes = Vec::new();
    for &layer in layers {
        let shape = shape(layer);
        if let [filters, _, height, width] = shape[..] {
            let kernel = [height, width];
            nodes.push(json!({"name": layer, "kind": "conv2d", "filters": filters, "kernel": kernel, "bias": false}));
            continue;
        }
        if nodes.iter().any(|node| node["kind"] == "conv2d") {
            nodes.push(json!({"name": "flat", "kind": "flatten"}));
        }
        nodes.push(json!({"name": layer, "kind": "dense", "units": shape[0], "bias": false}));
    }
    json!({"input": input, "layers": nodes})
}

#[test]
fn assignments_through_files_are_the_published_ones() {
    let folder = TempDir::new().unwrap();
    let at = |file: &str| folder.path().join(file);
    for (name, file, mut case) in vectors("assign-") {
        let weights = case["layers"].clone();
        let layers: Vec<&str> =
            weights.as_array().unwrap().iter().map(|w| w.as_str().unwrap().strip_suffix(".weight").unwrap()).collect();
        case["architecture"] = assigned_net(&file, &layers);
        write_model(&at("model"), &file, &case, "in.");
        let mut words = format!(
            "quantize -m model -o out --mode reference --method {} --bits {} --lambda {}",
            case["method"].as_str().unwrap(),
            case["bits"],
            case["lambda"]
        );
        if let Some(p) = case["p"].as_f64() {
            let relevances = file.tensors.iter().filter(|tensor| tensor.name.starts_with("relevance."));
            let renamed = relevances.map(|t| Tensor { name: format!("weight_{}", t.name), ..t.clone() });
            let bytes = TensorFile { tensors: renamed.collect(), ..TensorFile::default() }.to_bytes();
            std::fs::write(at("relevance"), bytes).unwrap();
            words = format!("{words} --p {p} --relevance relevance");
        }
        let report = ecqx(folder.path(), &words);
        let out = TensorFile::from_bytes(&std::fs::read(at("out")).unwrap()).unwrap();
        for (layer, reported) in layers.iter().zip(report["layers"].as_array().unwrap()) {
            let weight = format!("{layer}.weight");
            let (got, expected) = (values(&out, &weight), values(&file, &format!("out.{weight}")));
            let step = reported["step_size"].as_f64().unwrap() as f32;
            let different = got.iter().zip(expected).filter(|(g, e)| (*g - *e).abs() > 0.1 * step).count();
            assert_eq!(different, 0, "{name}: {different} of {weight} differ");
        }
    }
}

#[test]
fn quantization_aware_training_through_files_follows_the_published_code() {
    let folder = TempDir::new().unwrap();
    let at = |file: &str| folder.path().join(file);
    for (name, file, case) in vectors("qat-") {
        write_model(&at("before"), &file, &case, "before.");
        write_data(&at("data"), &file, "train", 2, classes(&case));
        let text = |key: &str, otherwise: &'static str| case[key].as_str().unwrap_or(otherwise).to_owned();
        let words = format!(
            "qat -m before -d data -o out --mode reference --epochs 1 --no-shuffle --batch-size {} --method {} --bits {} \
             --lambda {} --p {} --alpha {} --lr {} --composite {} --output-relevance {} --batch-norm {}",
            file.get("x").unwrap().shape[1],
            text("method", ""),
            case["bits"],
            case["lambda"],
            case["p"],
            case["alpha"],
            case["lr"],
            text("composite", "epsilon"),
            text("output_relevance", "logit"),
            text("batch_norm", "pass"),
        );
        let report = ecqx(folder.path(), &words);
        assert_eq!((&report["steps"], report["losses"].as_array().unwrap().len()), (&json!(3), 3), "{name}");
        let out = TensorFile::from_bytes(&std::fs::read(at("out")).unwrap()).unwrap();
        let (mut weights, mut different) = (0, 0);
        for expected in file.tensors.iter().filter(|tensor| tensor.name.starts_with("after.")) {
            let tensor = &expected.name["after.".len()..];
            if expected.shape.len() == 1 {
                let apart = apart(values(&out, tensor), values(&file, &expected.name));
                assert!(apart < 1e-4, "{name}: {tensor} is off by {apart}");
                continue;
            }
            let latent = apart(values(&out, &format!("{tensor}.latent")), values(&file, &format!("latent.{tensor}")));
            assert!(latent < 1e-4, "{name}: {tensor}.latent is off by {latent}");
            let step = values(&out, &format!("{tensor}.step"))[0];
            let pairs = values(&out, tensor).iter().zip(values(&file, &expected.name));
            weights += pairs.len();
            different += pairs.filter(|(got, expected)| (*got - *expected).abs() > 0.1 * step).count();
        }
        assert!(weights > 0 && 200 * different <= weights, "{name}: {different} of {weights} differ");
    }
}
