//! The command as people run it: real files, exit codes, what is printed where.

#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests may panic

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use ecqx_core::session::Session;
use ecqx_core::tensors::{Tensor, TensorData, TensorFile};
use serde_json::{Value, json};
use tempfile::TempDir;

fn asset(name: &str) -> String {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../assets").join(name).to_str().unwrap().to_owned()
}

fn ecqx(folder: &Path, words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_ecqx")).current_dir(folder).args(words).output().unwrap()
}

/// Runs with `--json` and reads the one object on standard output.
fn report(folder: &Path, words: &[&str]) -> Value {
    let output = ecqx(folder, &[words, &["--json"]].concat());
    assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Exit code 1, nothing on standard output, one line on standard error.
fn failure(folder: &Path, words: &[&str]) -> String {
    let output = ecqx(folder, words);
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), output.stdout.len(), text.lines().count()), (Some(1), 0, 1), "{words:?}: {text}");
    text
}

fn files(folder: &Path) -> Vec<String> {
    let names = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

/// Trains as assets/README.md says and compares with the file in assets.
fn makes_again(name: &str, data: &str, settings: &str, least: f64) {
    let folder = TempDir::new().unwrap();
    let (architecture, data) = (asset(&format!("models/{name}.json")), asset(&format!("datasets/{data}.safetensors")));
    let output = format!("{name}.safetensors");
    let words = ["train", "--model", &architecture, "--data", &data, "-o", &output];
    let report = report(folder.path(), &[&words[..], &settings.split(' ').collect::<Vec<_>>()].concat());
    assert!(report["test"]["accuracy"].as_f64().unwrap() >= least, "{report}");
    let steps = report["steps"].as_u64().unwrap() as usize;
    assert_eq!(report["losses"].as_array().unwrap().len(), steps);
    let made = std::fs::read(folder.path().join(&output)).unwrap();
    assert!(made == std::fs::read(asset(&format!("models/{output}"))).unwrap(), "other bytes than the asset");
}

#[test]
fn digits_mlp_is_what_its_command_makes() {
    makes_again("digits-mlp", "digits", "--epochs 120 --weight-decay 0.001 --seed 0 --round 11", 0.965);
}

#[test]
fn digits_cnn_is_what_its_command_makes() {
    makes_again("digits-cnn", "digits", "--epochs 20 --lr 0.003 --weight-decay 0.001 --seed 0 --round 11", 0.98);
}

#[test]
fn digits_resnet_is_what_its_command_makes() {
    makes_again("digits-resnet", "digits", "--epochs 20 --lr 0.003 --weight-decay 0.001 --seed 0 --round 11", 0.98);
}

#[test]
fn spirals_mlp_is_what_its_command_makes() {
    makes_again("spirals-mlp", "spirals", "--epochs 60 --lr 0.01 --weight-decay 0.001 --seed 0 --round 11", 0.98);
}

/// Starts an endless training, asks it to stop after so long, and returns its exit code and what it said.
#[cfg(unix)]
fn interrupted(folder: &Path, words: &str, model: &str, data: &str, wait: Duration) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ecqx"));
    command.args(words.split(' ')).args(["-m", model, "-d", data, "-o", "out", "--epochs", "1000000"]);
    let child = command.current_dir(folder).stderr(Stdio::piped()).spawn().unwrap();
    std::thread::sleep(wait);
    Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    let output = child.wait_with_output().unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

#[cfg(unix)]
#[test]
fn an_interrupted_training_leaves_a_whole_model_or_nothing() {
    let folder = TempDir::new().unwrap();
    let at = folder.path();
    // Before the command listens, the signal ends it as any other program; an epoch of this net is not over as soon.
    let (model, data) = (asset("models/digits-resnet.json"), asset("datasets/digits.safetensors"));
    let (code, text) = interrupted(at, "train", &model, &data, Duration::from_millis(5));
    assert!(code.is_none() || code == Some(1) && text.contains("nothing was written"), "{code:?} {text}");
    assert_eq!(files(at), [""; 0], "{text}");
    // An epoch of this one takes milliseconds.
    let (model, data) = (asset("models/spirals-mlp.json"), asset("datasets/spirals.safetensors"));
    let (code, text) = interrupted(at, "train", &model, &data, Duration::from_secs(2));
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("holds the best net so far"), "{text}");
    assert_eq!(files(at), ["out"]);
    report(at, &["eval", "-m", "out", "-d", &data]);
}

#[test]
fn page_and_command_agree() {
    let folder = TempDir::new().unwrap();
    let (model, data) = (asset("models/digits-mlp.safetensors"), asset("datasets/digits.safetensors"));
    let mut session = Session::from_bytes(&std::fs::read(&model).unwrap(), &std::fs::read(&data).unwrap()).unwrap();
    report(folder.path(), &["lrp", "-m", &model, "-d", &data, "--split", "train", "-o", "relevance"]);
    for (method, bits, lambda, p) in [("nearest", 2, 0.0, 0.0), ("ecq", 3, 0.05, 0.0), ("ecqx", 4, 0.2, 0.05)] {
        let (bits_text, lambda_text, p_text) = (bits.to_string(), lambda.to_string(), p.to_string());
        let settings = ["--method", method, "--bits", &bits_text, "--lambda", &lambda_text, "--p", &p_text];
        let words = ["quantize", "-m", &model, "-o", "quantized", "--relevance", "relevance"];
        let quantized = report(folder.path(), &[&words[..], &settings].concat());
        let settings = json!({"method": method, "bits": bits, "lambda": lambda, "p": p});
        assert_eq!(quantized, json!(session.quantize(serde_json::from_value(settings).unwrap()).unwrap()));
        let evaluated = report(folder.path(), &["eval", "-m", "quantized", "-d", &data]);
        assert_eq!(evaluated, json!(session.evaluate().unwrap()));
    }
}

#[test]
fn a_quantized_file_holds_integers_and_steps() {
    let folder = TempDir::new().unwrap();
    let model = asset("models/digits-mlp.safetensors");
    report(folder.path(), &["quantize", "-m", &model, "-o", "q", "--method", "ecq", "--bits", "3", "--lambda", "0.1"]);
    let file = TensorFile::from_bytes(&std::fs::read(folder.path().join("q")).unwrap()).unwrap();
    let how: Value = serde_json::from_str(&file.metadata["quantization"]).unwrap();
    assert_eq!(how, json!({"method": "ecq", "bits": 3, "lambda": 0.1, "p": 0.0, "mode": "exact"}));
    assert!(!file.metadata.contains_key("accuracy"), "that of the float weights");
    for layer in ["fc1", "fc2", "fc3"] {
        let weights = file.get(&format!("{layer}.weight")).unwrap();
        let TensorData::I8(levels) = &file.get(&format!("{layer}.weight.index")).unwrap().data else {
            panic!("{layer}")
        };
        let step = file.get(&format!("{layer}.weight.step")).unwrap().finite_f32().unwrap()[0];
        let same = |(w, &level): (&f32, &i8)| *w == f32::from(level) * step && (-4..=4).contains(&level);
        assert!(weights.finite_f32().unwrap().iter().zip(levels).all(same), "{layer}");
    }
}

#[test]
fn layers_may_have_settings_of_their_own() {
    let folder = TempDir::new().unwrap();
    let model = asset("models/digits-mlp.safetensors");
    let words = "--method ecq --bits 4 --lambda 0.1 --layer fc1:bits=3,lambda=0.2 --layer fc3:exclude";
    let words: Vec<&str> = words.split(' ').collect();
    let quantized = report(folder.path(), &[&["quantize", "-m", &model, "-o", "q"], &words[..]].concat());
    let layers: Vec<(&str, u64)> = quantized["layers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|layer| (layer["name"].as_str().unwrap(), layer["bits"].as_u64().unwrap()))
        .collect();
    assert_eq!(layers, [("fc1", 3), ("fc2", 4)]);
    let [before, after] = [PathBuf::from(&model), folder.path().join("q")]
        .map(|path| TensorFile::from_bytes(&std::fs::read(path).unwrap()).unwrap());
    let same = |name: &str| before.get(name).unwrap() == after.get(name).unwrap();
    assert!(same("fc3.weight") && after.find("fc3.weight.index").is_none());
    assert!(!same("fc1.weight"));
    let how: Value = serde_json::from_str(&after.metadata["quantization"]).unwrap();
    assert_eq!(
        how["layers"],
        json!([{"name": "fc1", "bits": 3, "lambda": 0.2, "exclude": false}, {"name": "fc3", "exclude": true}])
    );
    let info = report(folder.path(), &["info", "q"]);
    assert_eq!(info["weights"][2]["quantized"], json!(null));
}

#[test]
fn logits_come_as_a_tensor() {
    let folder = TempDir::new().unwrap();
    let (model, data) = (asset("models/digits-mlp.safetensors"), asset("datasets/digits.safetensors"));
    report(folder.path(), &["eval", "-m", &model, "-d", &data, "--split", "train", "--logits", "logits"]);
    let file = TensorFile::from_bytes(&std::fs::read(folder.path().join("logits")).unwrap()).unwrap();
    assert_eq!(file.get("logits").unwrap().shape, [1437, 10]);
}

#[test]
fn what_fails_says_why_and_leaves_nothing() {
    let folder = TempDir::new().unwrap();
    let (model, data) = (asset("models/digits-mlp.safetensors"), asset("datasets/digits.safetensors"));
    let at = folder.path();
    std::fs::write(at.join("short"), &std::fs::read(&model).unwrap()[..1000]).unwrap();
    let before = files(at);
    let quantize = |words: &str| {
        failure(at, &[&["quantize", "-m", &model, "-o", "out"], &*words.split(' ').collect::<Vec<_>>()].concat())
    };
    assert!(failure(at, &["eval", "-m", "missing", "-d", &data]).contains("cannot read missing"));
    let text = failure(at, &["eval", "-m", "short", "-d", &data]);
    assert_eq!(text.matches("not a whole safetensors file").count(), 1, "{text}");
    assert!(text.starts_with("ecqx: short: model: "), "{text}");
    assert!(failure(at, &["eval", "-m", &data, "-d", &data]).contains("is this a model file?"));
    assert!(failure(at, &["eval", "-m", &model, "-d", &model]).contains("is this a dataset file?"));
    std::fs::copy(&data, at.join("copy")).unwrap();
    let over = failure(at, &["lrp", "-m", &model, "-d", "copy", "-o", "copy"]);
    assert!(over.contains("would overwrite copy; choose another --output"), "{over}");
    std::fs::remove_file(at.join("copy")).unwrap();
    let composite = |json: &str| failure(at, &["lrp", "-m", &model, "-d", &data, "-o", "out", "--composite", json]);
    assert!(composite(r#"{"fc9": "flat"}"#).contains("choose from: first"));
    assert!(quantize("--method ecq --bits 9").contains("from 2 to 8"));
    assert!(quantize("--method ecq --bits 4 --lambda -1").contains("lambda is -1"));
    assert!(quantize("--method ecq --bits 4 --lambda NaN").contains("lambda is NaN"));
    assert!(quantize("--method ecqx --bits 4 --p 2").contains("p is 2"));
    assert!(quantize("--method ecqx --bits 4").contains("needs --relevance FILE"));
    assert!(quantize("--method ecqx --bits 4 --beta 2").contains("beta is 2"));
    assert!(quantize("--method ecqx --bits 4 --rho 0").contains("rho is 0"));
    assert!(quantize("--method ecq --bits 4 --layer fc9:bits=3").contains("the net has: fc1, fc2, fc3"));
    assert!(quantize("--method ecq --bits 4 --layer fc1:bits=1").contains("bit width is 1"));
    assert!(quantize("--method ecq --bits 4 --layer fc1:bits=3 --layer fc1:exclude").contains("twice"));
    let train = ["train", "-m", &model, "-d", &data, "-o", "out", "--lr"];
    assert!(failure(at, &[&train[..], &["0"]].concat()).contains("learning rate is 0"));
    let wild = [&train[..], &["1e30", "--optimizer", "sgd", "--epochs", "1", "--batch-size", "4000000000"]].concat();
    assert!(failure(at, &wild).contains("training diverged"));
    let text = failure(at, &["eval", "-m", &model, "-d", &data, "--logits", "no/such/file"]);
    assert!(text.contains("cannot write no/such/file: the folder no/such does not exist"), "{text}");
    std::fs::write(at.join("net.json"), std::fs::read(asset("models/digits-mlp.json")).unwrap()).unwrap();
    let text = failure(at, &["train", "-m", "net.json", "-d", &data, "-o", "./net.json"]);
    assert!(text.contains("would overwrite net.json"), "{text}");
    std::fs::remove_file(at.join("net.json")).unwrap();
    assert_eq!(files(at), before);
}

#[test]
fn the_shipped_toy_sets_are_what_their_commands_make() {
    let folder = TempDir::new().unwrap();
    for name in ["moons", "circles", "spirals"] {
        let made = report(folder.path(), &["data", name, "-o", "made"]);
        assert_eq!((&made["name"], &made["train"]["samples"]), (&json!(name), &json!(600)));
        let made = std::fs::read(folder.path().join("made")).unwrap();
        assert!(made == std::fs::read(asset(&format!("datasets/{name}.safetensors"))).unwrap(), "{name}");
    }
    let arms = report(folder.path(), &["data", "spirals", "-o", "made", "--arms", "2", "--test-samples", "0"]);
    assert_eq!((&arms["classes"], &arms["test"]), (&json!(["0", "1"]), &json!(null)));
}

/// Two samples of 1×2 pixels each, as MNIST's files.
fn write_idx(folder: &Path, split: &str) -> [String; 2] {
    let names = [format!("{split}-images-idx3-ubyte"), format!("{split}-labels-idx1-ubyte")];
    let images = b"\0\0\x08\x03\0\0\0\x02\0\0\0\x01\0\0\0\x02\0\x33\x66\xff";
    std::fs::write(folder.join(&names[0]), images).unwrap();
    std::fs::write(folder.join(&names[1]), b"\0\0\x08\x01\0\0\0\x02\x07\x01").unwrap();
    names
}

#[test]
fn files_of_other_formats_become_one_of_ours() {
    let folder = TempDir::new().unwrap();
    let at = folder.path();
    let ([train_x, train_y], [test_x, test_y]) = (write_idx(at, "train"), write_idx(at, "t10k"));
    let words = ["data", "convert", &test_y, &train_x, &train_y, &test_x, "--name", "mnist", "-o", "made"];
    let made = report(at, &words);
    assert_eq!(made["input"], json!([1, 1, 2]));
    let info = report(at, &["info", "made"]);
    assert_eq!((&info["kind"], &info["name"], &info["bytes"]), (&json!("dataset"), &json!("mnist"), &made["bytes"]));
    assert_eq!(info["test"], json!({"samples": 2, "labels": [0, 1, 0, 0, 0, 0, 0, 1, 0, 0]}));
    assert!(failure(at, &["data", "convert", &train_x, "-o", "out"]).contains("images without labels"));
    assert!(failure(at, &["data", "convert", &train_x, "made", "-o", "out"]).starts_with("ecqx: made: dataset: "));
    assert!(failure(at, &["data", "moons", "--noise", "-1", "-o", "out"]).contains("noise is -1"));
    std::fs::write(at.join("flowers.csv"), "long,kind\n1,a\n2\n").unwrap();
    let text = failure(at, &["info", "flowers.csv"]);
    assert!(text.starts_with("ecqx: flowers.csv: dataset: line 3 has 1 columns"), "{text}");
    assert!(!files(at).contains(&"out".to_owned()));
}

#[test]
fn several_files_are_one_dataset() {
    let folder = TempDir::new().unwrap();
    let (at, model) = (folder.path(), asset("models/digits-mlp.safetensors"));
    // One white image, told to be a 7; and the net asked on both splits.
    let image = [&b"\0\0\x08\x03\0\0\0\x01\0\0\0\x08\0\0\0\x08"[..], &[255; 64]].concat();
    std::fs::write(at.join("images"), image).unwrap();
    std::fs::write(at.join("labels"), b"\0\0\x08\x01\0\0\0\x01\x07").unwrap();
    let words = ["eval", "-m", &model, "-d", "images", "--data", "labels", "--split"];
    assert_eq!(report(at, &[&words[..], &["train"]].concat())["samples"], 1);
    let text = failure(at, &[&words[..], &["test"]].concat());
    assert!(text.starts_with("ecqx: images: dataset: it holds no test split"), "{text}");
    let text = failure(at, &["eval", "-m", &model, "-d", &asset("datasets/moons.safetensors")]);
    assert!(text.contains("moons.safetensors: dataset: samples of shape [2]"), "{text}");
}

#[test]
fn info_says_what_a_file_holds() {
    let folder = TempDir::new().unwrap();
    let (at, model, data) =
        (folder.path(), asset("models/digits-mlp.safetensors"), asset("datasets/digits.safetensors"));
    let float = report(at, &["info", &model]);
    assert_eq!(
        (&float["kind"], &float["parameters"], &float["bytes"]),
        (&json!("model"), &json!(17226), &json!(69904))
    );
    let layer = json!({"name": "fc1", "type": "dense", "output": [128], "parameters": 8320});
    assert_eq!((&float["layers"][1], &float["weights"][0]["quantized"]), (&layer, &json!(null)));
    let how = ["quantize", "-m", &model, "-o", "q", "--method", "ecq", "--bits", "4", "--lambda", "0.1"];
    let quantized = report(at, &how);
    let info = report(at, &["info", "q"]);
    for (weight, layer) in info["weights"].as_array().unwrap().iter().zip(quantized["layers"].as_array().unwrap()) {
        assert_eq!(weight["sparsity"], layer["sparsity"]);
        let [entropy, expected] = [&weight["quantized"], layer].map(|v| v["entropy_bits_per_weight"].as_f64().unwrap());
        assert!((entropy - expected).abs() < 1e-9, "{entropy} is not {expected}");
        assert!(weight["quantized"]["step"].as_f64().unwrap() > 0.0);
    }
    let dataset = report(at, &["info", &data]);
    assert_eq!((&dataset["test"]["samples"], &dataset["train"]["labels"][1]), (&json!(360), &json!(145)));
    report(at, &["lrp", "-m", &model, "-d", &data, "-o", "relevance"]);
    let tensors = report(at, &["info", "relevance"]);
    let first = json!({"name": "weight_relevance.fc1.weight", "type": "f32", "shape": [128, 64]});
    assert_eq!((&tensors["kind"], &tensors["tensors"][0]), (&json!("tensors"), &first));
    // Types that no command computes with are listed all the same.
    let header = br#"{"h":{"dtype":"F16","shape":[1,2],"data_offsets":[0,4]}}"#;
    let half = [&(header.len() as u64).to_le_bytes(), &header[..], &[0; 4]].concat();
    std::fs::write(at.join("half"), half).unwrap();
    assert_eq!(report(at, &["info", "half"])["tensors"], json!([{"name": "h", "type": "f16", "shape": [1, 2]}]));
    for file in [&*model, "q", &data, "relevance"] {
        assert!(ecqx(at, &["info", file]).stdout.starts_with(match file {
            "q" => b"quantized model digits-mlp: [1, 8, 8] to 10 outputs",
            "relevance" => b"6 tensors",
            _ if file == data => b"dataset digits: ",
            _ => b"model digits-mlp: ",
        }));
    }
    assert!(failure(at, &["info", "missing"]).contains("cannot read missing"));
    std::fs::write(at.join("junk"), [1, 2, 3]).unwrap();
    assert!(failure(at, &["info", "junk"]).contains("not a format that is read here"));
}

#[test]
fn info_tells_codebooks_from_grids() {
    let folder = TempDir::new().unwrap();
    let (at, model) = (folder.path(), asset("models/digits-mlp.safetensors"));
    let mut file = TensorFile::from_bytes(&std::fs::read(&model).unwrap()).unwrap();
    let index =
        |name: &str, shape: &[usize], data| Tensor { name: format!("{name}.index"), shape: shape.to_vec(), data };
    // fc1 by a codebook of four values of which three occur, one in each half and one in the first quarter; fc3 on a grid.
    let levels = (0..128 * 64)
        .map(|i| {
            if i < 2048 {
                0
            } else if i < 4096 {
                300
            } else {
                -7
            }
        })
        .collect();
    file.tensors.extend([
        index("fc1.weight", &[128, 64], TensorData::I16(levels)),
        Tensor::f32("fc1.weight.codebook", &[4], vec![-0.5, 0.0, 0.25, 0.5]),
        index("fc3.weight", &[10, 64], TensorData::I32(vec![5; 640])),
        Tensor::f32("fc3.weight.step", &[], vec![0.125]),
    ]);
    std::fs::write(at.join("q"), file.to_bytes()).unwrap();
    let info = report(at, &["info", "q"]);
    let quantized: Vec<&Value> = (0..3).map(|i| &info["weights"][i]["quantized"]).collect();
    assert_eq!(quantized[0], &json!({"levels": 3, "entropy_bits_per_weight": 1.5, "step": null, "codebook": 4}));
    assert_eq!(quantized[1], &json!(null));
    assert_eq!(quantized[2], &json!({"levels": 1, "entropy_bits_per_weight": 0.0, "step": 0.125, "codebook": null}));
    let text = String::from_utf8(ecqx(at, &["info", "q"]).stdout).unwrap();
    let line = text.lines().find(|line| line.starts_with("fc1.weight ")).unwrap();
    assert_eq!(line.split_whitespace().rev().take(4).collect::<Vec<_>>(), ["4", "-", "1.500", "3"], "{text}");
}

#[test]
fn converting_keeps_licence_and_source() {
    let folder = TempDir::new().unwrap();
    let at = folder.path();
    let mut file = TensorFile::from_bytes(&std::fs::read(asset("datasets/moons.safetensors")).unwrap()).unwrap();
    file.metadata.insert("license".into(), "CC-BY-4.0".into());
    file.metadata.insert("source".into(), "drawn here".into());
    std::fs::write(at.join("given"), file.to_bytes()).unwrap();
    let made = report(at, &["data", "convert", "given", "--name", "other", "-o", "made"]);
    assert_eq!(made["metadata"], json!({"license": "CC-BY-4.0", "source": "drawn here"}));
    file.metadata.insert("name".into(), "other".into());
    assert!(std::fs::read(at.join("made")).unwrap() == file.to_bytes());
    let text = String::from_utf8(ecqx(at, &["info", "made"]).stdout).unwrap();
    assert!(text.ends_with("\n\nlicense: CC-BY-4.0\nsource: drawn here\n"), "{text}");
}

#[test]
fn what_files_say_of_themselves_cannot_steer_the_terminal() {
    let folder = TempDir::new().unwrap();
    let at = folder.path();
    let mut file = TensorFile::from_bytes(&std::fs::read(asset("models/digits-mlp.safetensors")).unwrap()).unwrap();
    file.metadata.insert("name".into(), "Größe\n\u{1b}[31m".into());
    // Eighty characters, in more bytes; and one more.
    file.metadata.insert("all".into(), "ü".repeat(80));
    file.metadata.insert("more".into(), "ü".repeat(81));
    std::fs::write(at.join("named"), file.to_bytes()).unwrap();
    let text = String::from_utf8(ecqx(at, &["info", "named"]).stdout).unwrap();
    assert!(text.starts_with("model Größe\\n\\u{1b}[31m: "), "{text}");
    assert!(!text.contains('\u{1b}'));
    assert!(text.contains(&format!("\nall: {0}\n", "ü".repeat(80))), "{text}");
    assert!(text.contains(&format!("\nmore: {0}…\n", "ü".repeat(80))), "{text}");
}

#[test]
fn training_on_without_a_test_split_forgets_the_accuracy() {
    let folder = TempDir::new().unwrap();
    let at = folder.path();
    report(at, &["data", "spirals", "-o", "data", "--test-samples", "0"]);
    let model = asset("models/spirals-mlp.safetensors");
    report(at, &["train", "-m", &model, "-d", "data", "-o", "out", "--epochs", "1"]);
    let accuracy = |file: &str| report(at, &["info", file])["metadata"]["accuracy"].clone();
    assert!(accuracy(&model).is_string());
    assert_eq!(accuracy("out"), json!(null));
}

#[test]
fn a_compressed_model_comes_back_whole() {
    let folder = TempDir::new().unwrap();
    let (at, data) = (folder.path(), asset("datasets/digits.safetensors"));
    let model = asset("models/digits-mlp.safetensors");
    report(at, &["quantize", "-m", &model, "-o", "q", "--method", "ecq", "--bits", "4", "--lambda", "0.1"]);
    for words in [&["encode", "q", "-o", "f.nnc"][..], &["encode", "q", "-o", "f.nnc", "--nnc", "1", "--search", "off"]]
    {
        let encoded = report(at, words);
        assert_eq!((&encoded["model"], &encoded["tensors"]), (&json!(true), &json!(12)));
        let size = std::fs::metadata(at.join("f.nnc")).unwrap().len();
        assert!(encoded["bytes"] == size && size < 5000, "{size} bytes of 69904");
        report(at, &[&["decode", "f.nnc", "-o", "back"], &words[4..words.len().min(6)]].concat());
        assert!(std::fs::read(at.join("back")).unwrap() == std::fs::read(at.join("q")).unwrap());
    }
    let accuracy = |model: &str| report(at, &["eval", "-m", model, "-d", &data]);
    assert_eq!(accuracy("back"), accuracy("q"));
    assert_eq!(report(at, &["info", "f.nnc"])["generation"], 1);
    let text = failure(at, &["decode", "f.nnc", "-o", "out"]);
    assert!(text.starts_with("ecqx: f.nnc: nnc: ") && text.contains("generation"), "{text}");
    assert!(failure(at, &["decode", "q", "-o", "out"]).contains("not a file of this format"));
    assert!(failure(at, &["encode", "f.nnc", "-o", "out"]).contains("not a whole safetensors file"));
    assert!(failure(at, &["encode", &data, "-o", "out"]).contains("has type U8"));
    assert!(!files(at).contains(&"out".to_owned()));
}

#[test]
fn info_compares_coders() {
    let folder = TempDir::new().unwrap();
    let (at, model) = (folder.path(), asset("models/digits-mlp.safetensors"));
    report(at, &["quantize", "-m", &model, "-o", "q", "--method", "ecq", "--bits", "4", "--lambda", "0.1"]);
    report(at, &["encode", "q", "-o", "f.nnc"]);
    let (quantized, compressed) = (report(at, &["info", "q"]), report(at, &["info", "f.nnc"]));
    assert_eq!((&compressed["kind"], &compressed["generation"]), (&json!("nnc"), &json!(2)));
    assert_eq!(compressed["sizes"], quantized["sizes"]);
    assert_eq!(compressed["metadata"]["quantization"], quantized["metadata"]["quantization"]);
    let sizes = quantized["sizes"].as_array().unwrap();
    assert_eq!(sizes.len(), 3);
    let of = |sizes: &Value, what: &str| sizes[what].as_f64().unwrap();
    for (sizes, weight) in sizes.iter().zip(quantized["weights"].as_array().unwrap()) {
        let entropy = weight["quantized"]["entropy_bits_per_weight"].as_f64().unwrap() * of(weight, "count") / 8.0;
        assert!((of(sizes, "entropy") - entropy).abs() < 1e-6);
        let coders = &sizes["coders"];
        assert!(of(coders, "huffman") >= entropy && of(coders, "ans") >= entropy && of(coders, "fixed") > entropy);
        assert!(of(coders, "csr") > 0.0 && of(sizes, "nnc") < of(coders, "fixed"));
    }
    // The units, and the 18 bytes before them, are the whole file.
    let units: f64 = compressed["tensors"].as_array().unwrap().iter().map(|tensor| of(tensor, "bytes")).sum();
    assert_eq!(of(&compressed, "bytes"), units + 18.0);
    for file in ["q", "f.nnc"] {
        let text = String::from_utf8(ecqx(at, &["info", file]).stdout).unwrap();
        assert_eq!(
            text.lines().filter(|line| line.starts_with("bytes ") || line.starts_with("all ")).count(),
            2,
            "{text}"
        );
    }
}

#[test]
fn wrong_usage_exits_with_2() {
    let folder = TempDir::new().unwrap();
    let code = |words: &str| ecqx(folder.path(), &words.split_whitespace().collect::<Vec<_>>()).status.code();
    assert_eq!((code(""), code("shrink")), (Some(2), Some(2)));
    // Complete but for one word; with a known one, only the files are missing.
    let quantize = |method: &str| code(&format!("quantize -m a -o b --bits 4 --method {method}"));
    assert_eq!((quantize("best"), quantize("ecq")), (Some(2), Some(1)));
    let train = |epochs: &str| code(&format!("train -m a -d b -o c --epochs {epochs}"));
    assert_eq!((train("0"), train("1")), (Some(2), Some(1)));
    let encode = |generation: &str| code(&format!("encode a -o b --nnc {generation}"));
    assert_eq!((encode("3"), encode("1")), (Some(2), Some(1)));
    let lrp = |composite: &str| code(&format!("lrp -m a -d b -o c --composite {composite}"));
    assert_eq!((lrp("best"), lrp("{\"dense\":\"best\"}"), lrp("epsilon-plus")), (Some(2), Some(2), Some(1)));
}

#[test]
fn training_with_quantized_weights_leaves_a_quantized_model_and_what_is_behind_it() {
    let folder = TempDir::new().unwrap();
    let (model, data) = (asset("models/spirals-mlp.safetensors"), asset("datasets/spirals.safetensors"));
    let at = folder.path();
    let qat = |out: &str, words: &str| {
        let words: Vec<&str> = words.split_whitespace().collect();
        report(
            at,
            &[&["qat", "-m", &model, "-d", &data, "-o", out, "--method", "ecqx", "--epochs", "3"], &words[..]].concat(),
        )
    };
    let found = qat("one", "--seed 3");
    assert_eq!(
        (found["epochs"].as_u64(), found["steps"].as_u64(), &found["validation"]),
        (Some(3), Some(30), &json!("test"))
    );
    assert_eq!((found["losses"].as_array().unwrap().len(), found["history"].as_array().unwrap().len()), (30, 3));
    assert_eq!(
        found["best"]["validation"], found["quantized"]["test"],
        "the test split chose, and the best was written"
    );
    assert_eq!(found["quantized"]["test"], report(at, &["eval", "-m", "one", "-d", &data]));
    assert_eq!(found["float"]["test"], report(at, &["eval", "-m", &model, "-d", &data]));
    let file = TensorFile::from_bytes(&std::fs::read(at.join("one")).unwrap()).unwrap();
    let how: Value = serde_json::from_str(&file.metadata["quantization"]).unwrap();
    for (key, value) in [
        ("method", json!("ecqx")),
        ("bits", json!(4)),
        ("lambda", json!(0.05)),
        ("p", json!(0.1)),
        ("alpha", json!(0.1)),
        ("mode", json!("exact")),
        ("seed", json!(3)),
        ("ste", json!("plain")),
    ] {
        assert_eq!(how[key], value, "{key}");
    }
    let info = report(at, &["info", "one"]);
    for (layer, weight) in found["layers"].as_array().unwrap().iter().zip(info["weights"].as_array().unwrap()) {
        let name = weight["name"].as_str().unwrap();
        assert_eq!(
            (&layer["sparsity"], &layer["entropy_bits_per_weight"]),
            (&weight["sparsity"], &weight["quantized"]["entropy_bits_per_weight"])
        );
        let [carried, latent, step] = [name.to_owned(), format!("{name}.latent"), format!("{name}.step")]
            .map(|name| file.get(&name).unwrap().finite_f32().unwrap());
        let TensorData::I8(levels) = &file.get(&format!("{name}.index")).unwrap().data else { panic!("{name}") };
        assert!(carried.iter().zip(levels).all(|(w, &level)| *w == f32::from(level) * step[0]), "{name}");
        assert_eq!(latent.len(), carried.len());
        assert!(latent.iter().zip(carried).any(|(a, b)| a != b));
    }
    let bytes = |name: &str| std::fs::read(at.join(name)).unwrap();
    qat("two", "--seed 3");
    assert!(bytes("one") == bytes("two"), "same seed, same bytes");
    qat("two", "--seed 4");
    assert!(bytes("one") != bytes("two"));
    assert_eq!(qat("two", "--validation 0.2 --batch-size 48")["steps"], 30, "480 of 600 samples remain");
    assert_eq!(qat("two", "--validation 0.2")["validation"], "held-out");
}

#[cfg(unix)]
#[test]
fn an_interrupted_training_with_quantized_weights_leaves_the_best_or_nothing() {
    let folder = TempDir::new().unwrap();
    let at = folder.path();
    let words = "qat --patience 0 --method ecqx";
    let (model, data) = (asset("models/digits-resnet.safetensors"), asset("datasets/digits.safetensors"));
    let (code, text) = interrupted(at, words, &model, &data, Duration::from_millis(5));
    assert!(code.is_none() || code == Some(1) && text.contains("nothing was written"), "{code:?} {text}");
    assert_eq!(files(at), [""; 0], "{text}");
    let (model, data) = (asset("models/spirals-mlp.safetensors"), asset("datasets/spirals.safetensors"));
    let (code, text) = interrupted(at, words, &model, &data, Duration::from_secs(1));
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("holds the best net so far"), "{text}");
    assert_eq!(files(at), ["out"]);
    report(at, &["eval", "-m", "out", "-d", &data]);
}

#[test]
fn bad_trainings_with_quantized_weights_say_why_and_leave_nothing() {
    let folder = TempDir::new().unwrap();
    let (model, data) = (asset("models/digits-mlp.safetensors"), asset("datasets/digits.safetensors"));
    let qat = |words: &str| {
        let words: Vec<&str> = words.split(' ').collect();
        failure(
            folder.path(),
            &[&["qat", "-m", &model, "-d", &data, "-o", "out", "--method", "ecqx"], &words[..]].concat(),
        )
    };
    assert!(qat("--alpha 1").contains("alpha is 1; it must be 0 or more and below 1"));
    assert!(qat("--lambda 1.5").contains("lambda is 1.5"));
    assert!(qat("--bits 1").contains("from 2 to 8"));
    assert!(qat("--lr -1").contains("learning rate is -1"));
    assert!(qat("--lr 1e30").contains("lower the learning rate"));
    assert!(qat("--validation 1").contains("above 0 and below 1"));
    assert!(qat("--layer fc9:bits=2").contains("the net has: fc1, fc2, fc3"));
    assert!(qat("--composite {\"fc9\":\"flat\"}").contains("choose from: first"));
    let spirals = asset("datasets/spirals.safetensors");
    assert!(
        failure(folder.path(), &["qat", "-m", &model, "-d", &spirals, "-o", "out", "--method", "ecq"])
            .contains("do not fit")
    );
    for words in ["--ste best", "--relevance-on best", "--assign-every 0", "--epochs 0"] {
        let words: Vec<&str> = words.split(' ').collect();
        let output = ecqx(
            folder.path(),
            &[&["qat", "-m", &model, "-d", &data, "-o", "out", "--method", "ecq"], &words[..]].concat(),
        );
        assert_eq!(output.status.code(), Some(2), "{words:?}");
    }
    assert_eq!(files(folder.path()), [""; 0]);
}
