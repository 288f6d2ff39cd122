//! The command as people run it: real files, exit codes, what is printed where.

#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests may panic

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use ecqx_core::session::Session;
use ecqx_core::tensors::{TensorData, TensorFile};
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
    makes_again("digits-mlp", "digits", "--epochs 120 --weight-decay 0.001 --seed 0", 0.965);
}

#[test]
fn digits_cnn_is_what_its_command_makes() {
    makes_again("digits-cnn", "digits", "--epochs 20 --lr 0.003 --weight-decay 0.001 --seed 0", 0.98);
}

#[test]
fn digits_resnet_is_what_its_command_makes() {
    makes_again("digits-resnet", "digits", "--epochs 20 --lr 0.003 --weight-decay 0.001 --seed 0", 0.98);
}

#[cfg(unix)]
#[test]
fn an_interrupted_training_leaves_a_whole_model_or_nothing() {
    let folder = TempDir::new().unwrap();
    let (model, data) = (asset("models/digits-mlp.json"), asset("datasets/digits.safetensors"));
    for wait in [5, 1000] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ecqx"));
        command.args(["train", "-m", &model, "-d", &data, "-o", "out", "--epochs", "1000000"]);
        let child = command.current_dir(folder.path()).stderr(Stdio::piped()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(wait));
        Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
        let output = child.wait_with_output().unwrap();
        let text = String::from_utf8(output.stderr).unwrap();
        // Before the command listens, the signal ends it as any other program.
        assert!(output.status.code().is_none_or(|code| code == 1), "{text}");
        match files(folder.path()).as_slice() {
            [] => assert!(output.status.code().is_none() || text.contains("nothing was written"), "{text}"),
            [name] if name == "out" => {
                assert!(text.contains("holds the best net so far"), "{text}");
                report(folder.path(), &["eval", "-m", "out", "-d", &data]);
            }
            other => panic!("{other:?} are left, {text}"),
        }
    }
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
    assert!(
        failure(at, &["lrp", "-m", &model, "-d", &data, "-o", "out", "--composite", "best"]).contains("choose one of")
    );
    assert!(quantize("--method ecq --bits 9").contains("from 2 to 8"));
    assert!(quantize("--method ecq --bits 4 --lambda -1").contains("lambda is -1"));
    assert!(quantize("--method ecq --bits 4 --lambda NaN").contains("lambda is NaN"));
    assert!(quantize("--method ecqx --bits 4 --p 2").contains("p is 2"));
    assert!(quantize("--method ecqx --bits 4").contains("needs --relevance FILE"));
    let train = ["train", "-m", &model, "-d", &data, "-o", "out", "--lr"];
    assert!(failure(at, &[&train[..], &["0"]].concat()).contains("learning rate is 0"));
    let wild = [&train[..], &["1e30", "--optimizer", "sgd", "--epochs", "1", "--batch-size", "4000000000"]].concat();
    assert!(failure(at, &wild).contains("training diverged"));
    assert!(failure(at, &["eval", "-m", &model, "-d", &data, "--logits", "no/such/folder"]).contains("cannot write"));
    assert_eq!(files(at), before);
}

#[test]
fn wrong_usage_exits_with_2() {
    let folder = TempDir::new().unwrap();
    for words in [&["shrink"][..], &[], &["quantize", "--method", "best"], &["train", "--epochs", "0"]] {
        assert_eq!(ecqx(folder.path(), words).status.code(), Some(2), "{words:?}");
    }
}
