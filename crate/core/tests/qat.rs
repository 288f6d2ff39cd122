//! Training with quantized weights: stopping, changing, going on, and what holds whatever the numbers.

#![allow(clippy::unwrap_used)] // helpers of tests may panic

use ecqx_core::data::{Batches, Shape, Split, Toy};
use ecqx_core::model::Architecture;
use ecqx_core::nn::{Adam, Network, Trainer};
use ecqx_core::qat::{Finish, Order, QatSettings, QatTrainer, RelevanceOn, Ste};
use ecqx_core::quant::{Method, Mode, QuantizeSettings};
use ecqx_core::rng::Rng;
use ecqx_core::tensors::{TensorData, TensorFile};
use ndarray::Array2;
use proptest::prelude::*;

const MLP: &str = r#"{"input": [2], "layers": [{"name": "a", "kind": "dense", "units": 24}, {"name": "b", "kind": "relu"},
    {"name": "c", "kind": "dense", "units": 24}, {"name": "d", "kind": "relu"},
    {"name": "e", "kind": "dense", "units": 2}]}"#;

const CNN: &str = r#"{"input": [1, 4, 4], "layers": [
    {"name": "a", "kind": "conv2d", "filters": 3, "kernel": [3, 3], "padding": [1, 1], "bias": false},
    {"name": "b", "kind": "batch_norm"}, {"name": "c", "kind": "relu"}, {"name": "d", "kind": "flatten"},
    {"name": "e", "kind": "dense", "units": 3}]}"#;

fn net(architecture: &str, seed: u64) -> Network {
    let mut network = Network::new(&Architecture::from_json(architecture).unwrap()).unwrap();
    network.initialise(seed);
    network
}

fn images(samples: usize) -> Split {
    let mut rng = Rng::new(3, 9);
    let y: Vec<usize> = (0..samples).map(|_| rng.below(3)).collect();
    // Each class lights rows of its own.
    let x = Array2::from_shape_fn((samples, 16), |(i, j)| if j / 4 == y[i] { 1.0 } else { 0.3 * rng.uniform() as f32 });
    Split { x, y }
}

fn moons() -> Split {
    Toy { shape: Shape::Moons, samples: 300, test_samples: 1, noise: 0.1, seed: 1 }.make().unwrap().train.unwrap()
}

fn ecqx(lambda: f64) -> QatSettings {
    QatSettings::new(QuantizeSettings::new(Method::Ecqx, 3, lambda, 0.1))
}

const ORDER: Order = Order { batch_size: 16, shuffle: Some(5) };

#[test]
fn eight_bits_learn_about_as_well_as_floats() {
    let (data, mut float) = (moons(), net(MLP, 2));
    let settings = QatSettings {
        lr: 1e-2,
        epochs: 20,
        patience: 0,
        ..QatSettings::new(QuantizeSettings::new(Method::Nearest, 8, 0.0, 0.0))
    };
    let mut trainer = QatTrainer::new(&float, settings, ORDER, &data).unwrap();
    let mut plain = Trainer::new(&float, 16, Box::new(Adam::new(1e-2, 0.0).unwrap())).unwrap();
    let mut batches = Batches::new(&data, 16, Some(5));
    let (mut first, mut losses) = (Vec::new(), [0.0, 0.0]);
    while trainer.finished().is_none() {
        let (x, labels) = batches.next(&data);
        let both = [trainer.step(&data, &data).unwrap().loss, plain.step(&mut float, x, labels).unwrap()];
        first.push(both);
        losses = [0, 1].map(|which| 0.95 * losses[which] + 0.05 * both[which]);
    }
    assert!((first[0][0] - first[0][1]).abs() < 0.02, "{:?}", first[0]);
    assert!((losses[0] - losses[1]).abs() < 0.05, "{losses:?}");
    let found = float.evaluate(&data, &mut float.evaluation_tape(), |_| ()).unwrap();
    let best = trainer.best().unwrap().epoch.validation.accuracy;
    assert!(found.accuracy > 0.97 && best > found.accuracy - 0.02, "{best} against {}", found.accuracy);
}

#[test]
fn the_best_epoch_is_kept_and_a_standstill_ends_training() {
    let data = images(48);
    let mut trainer = QatTrainer::new(&net(CNN, 1), QatSettings { epochs: 30, ..ecqx(0.05) }, ORDER, &data).unwrap();
    while trainer.finished().is_none() {
        trainer.step(&data, &data).unwrap();
    }
    let rows = trainer.history().epochs.rows();
    let better = |a: &&_, b: &&_| {
        let key = |row: &ecqx_core::qat::EpochRow| (row.report.validation.correct, -row.report.validation.loss);
        key(a).partial_cmp(&key(b)).unwrap()
    };
    let most = rows.iter().max_by(better).unwrap();
    let best = trainer.best().unwrap();
    assert_eq!(best.epoch, most.report);
    let again = best.quantized.evaluate(&data, &mut best.quantized.evaluation_tape(), |_| ()).unwrap();
    assert_eq!(again, best.epoch.validation);
    assert_eq!(best.report.sparsity, most.report.sparsity);
    // Nothing is learned at this rate: one epoch of 19 steps, and four without a gain.
    let data = moons();
    let mut still = QatTrainer::new(&net(MLP, 1), QatSettings { lr: 1e-12, ..ecqx(0.0) }, ORDER, &data).unwrap();
    while still.finished().is_none() {
        still.step(&data, &data).unwrap();
    }
    assert_eq!((still.finished(), still.steps()), (Some(Finish::Patience), 5 * 19));
    assert_eq!(still.best().unwrap().epoch.epoch, 1);
    still.change(QatSettings { patience: 0, ..still.settings().clone() }).unwrap();
    assert_eq!(still.finished(), None);
}

#[test]
fn zero_is_a_trap_only_where_relevance_is_measured_on_quantized_weights() {
    let (data, start) = (images(48), net(CNN, 3));
    for (relevance_on, is_trap) in
        [(RelevanceOn::Latent, false), (RelevanceOn::Quantized, true), (RelevanceOn::Stepped, false)]
    {
        let settings = QatSettings { relevance_on, ..ecqx(0.1) };
        let mut trainer = QatTrainer::new(&start, settings, ORDER, &data).unwrap();
        let before = trainer.net().quantized().clone();
        trainer.step(&data, &data).unwrap();
        let carried = before.weights().flat_map(|(_, weights)| weights);
        let relevance = trainer.net().relevance().weights().iter().flat_map(|(_, relevance)| relevance);
        let count = carried.zip(relevance).filter(|(q, r)| **q == 0.0 && **r != 0.0).count();
        assert_eq!(count == 0, is_trap, "{relevance_on:?}: {count}");
    }
}

#[test]
fn excluded_layers_learn_in_full_precision() {
    let data = images(48);
    let mut settings = ecqx(0.1);
    settings.quantize.layers = vec!["a:exclude".parse().unwrap()];
    let start = net(CNN, 4);
    let mut trainer = QatTrainer::new(&start, settings.clone(), ORDER, &data).unwrap();
    let weights = |network: &Network, at: usize| network.weights().nth(at).unwrap().1.to_vec();
    for _ in 0..4 {
        trainer.step(&data, &data).unwrap();
    }
    let net = trainer.net();
    assert_eq!(weights(net.quantized(), 0), weights(net.latent(), 0));
    assert_ne!(weights(net.latent(), 0), weights(&start, 0));
    assert_ne!(weights(net.quantized(), 1), weights(net.latent(), 1));
    settings.quantize.layers.clear();
    trainer.change(settings).unwrap();
    let step = trainer.report().layers[0].step_size as f32;
    let on_grid = |w: &f32| (w / step - (w / step).round()).abs() < 1e-4;
    assert!(weights(trainer.net().quantized(), 0).iter().all(on_grid), "quantized from now on");
    trainer.step(&data, &data).unwrap();
}

#[test]
fn weights_move_to_other_centroids_only_when_they_are_assigned() {
    let data = moons();
    let settings = QatSettings { assign_every: 4, ..ecqx(0.05) };
    let mut trainer = QatTrainer::new(&net(MLP, 5), settings, ORDER, &data).unwrap();
    let carried =
        |trainer: &QatTrainer| trainer.net().quantized().weights().map(|(_, w)| w.to_vec()).collect::<Vec<_>>();
    for step in 1..=19 {
        let before = carried(&trainer);
        let report = trainer.step(&data, &data).unwrap();
        // 300 samples make 19 batches; the epoch ends with an assignment.
        assert_eq!(report.assigned, step % 4 == 0 || step == 19, "step {step}");
        assert_eq!(report.ended.is_some(), step == 19);
        assert!(report.assigned || before == carried(&trainer));
    }
}

#[test]
fn bad_input_changes_nothing_and_says_why() {
    let (data, network) = (images(48), net(CNN, 1));
    let code = |result: Result<QatTrainer, ecqx_core::CoreError>| result.map(drop).unwrap_err().code();
    let new = |settings, order, data: &Split| QatTrainer::new(&network, settings, order, data);
    assert_eq!(code(new(QatSettings { alpha: 1.0, ..ecqx(0.1) }, ORDER, &data)), "qat/setting");
    assert_eq!(code(new(ecqx(2.0), ORDER, &data)), "settings/lambda");
    assert_eq!(code(new(ecqx(0.1), Order { batch_size: 0, shuffle: None }, &data)), "qat/setting");
    let wide = Split { x: Array2::zeros((3, 9)), y: vec![0; 3] };
    let foreign = Split { x: Array2::zeros((2, 16)), y: vec![0, 3] };
    let none = Split { x: Array2::zeros((0, 16)), y: vec![] };
    for split in [&wide, &foreign, &none] {
        assert_eq!(code(new(ecqx(0.1), ORDER, split)), "qat/data");
    }
    let mut trainer = new(ecqx(0.1), ORDER, &data).unwrap();
    trainer.step(&data, &data).unwrap();
    let before = trainer.snapshot();
    assert_eq!(trainer.step(&wide, &data).unwrap_err().code(), "qat/data");
    assert_eq!(trainer.step(&images(47), &data).unwrap_err().code(), "qat/data");
    assert_eq!(trainer.step(&data, &wide).unwrap_err().code(), "qat/data");
    let mut bad = vec![ecqx(-1.0), QatSettings { lr: f64::NAN, ..ecqx(0.1) }, ecqx(0.1), ecqx(0.1)];
    bad[2].quantize.layers = vec!["z:bits=3".parse().unwrap()];
    bad[3].composite = r#"{"z": "flat"}"#.parse().unwrap();
    for settings in bad {
        assert!(trainer.change(settings).is_err());
        assert!(trainer.snapshot() == before);
    }
}

fn settings() -> impl Strategy<Value = QatSettings> {
    let method = prop_oneof![Just(Method::Nearest), Just(Method::Ecq), Just(Method::Ecqx), Just(Method::Ecqx)];
    let mode = prop_oneof![Just(Mode::Exact), Just(Mode::Reference)];
    let ste = prop_oneof![Just(Ste::Plain), Just(Ste::Scaled), Just(Ste::Signed)];
    let on = prop_oneof![Just(RelevanceOn::Latent), Just(RelevanceOn::Quantized), Just(RelevanceOn::Stepped)];
    let numbers = (2_u8..=5, 0.0..0.3_f64, 0.0..0.3_f64, 1_u32..4, 0.0..0.9_f64, any::<bool>());
    (method, mode, ste, on, numbers).prop_map(|(method, mode, ste, relevance_on, numbers)| {
        let (bits, lambda, p, assign_every, alpha, exclude) = numbers;
        let mut quantize = QuantizeSettings { mode, ..QuantizeSettings::new(method, bits, lambda, p) };
        quantize.layers = if exclude { vec!["e:exclude".parse().unwrap()] } else { Vec::new() };
        QatSettings { ste, relevance_on, assign_every, alpha, lr: 3e-3, ..QatSettings::new(quantize) }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// A run that is put away and taken up again after `stop` steps, and its settings then changed, against one that
    /// only has its settings changed.
    #[test]
    fn going_on_is_as_good_as_never_stopping(
        first in settings(), second in settings(), stop in 0_usize..9, more in 0_usize..9, shuffle in any::<bool>(),
    ) {
        let (data, network) = (images(40), net(CNN, 7));
        let order = Order { batch_size: 16, shuffle: shuffle.then_some(11) };
        let mut straight = QatTrainer::new(&network, first, order, &data).unwrap();
        for _ in 0..stop {
            straight.step(&data, &data).unwrap();
        }
        let bytes = straight.snapshot();
        let mut resumed = QatTrainer::resume(&bytes, &net(CNN, 8), &data).unwrap();
        prop_assert!(resumed.snapshot() == bytes, "what was read is not what was written");
        straight.step(&data, &data).unwrap();
        resumed.step(&data, &data).unwrap();
        straight.change(second.clone()).unwrap();
        resumed.change(second).unwrap();
        for _ in 0..more {
            prop_assert_eq!(straight.step(&data, &data).unwrap(), resumed.step(&data, &data).unwrap());
        }
        prop_assert_eq!(straight.report(), resumed.report());
        prop_assert!(straight.snapshot() == resumed.snapshot());
    }
}

/// FNV-1a, written again.
fn with_checksum(mut file: TensorFile) -> Vec<u8> {
    file.metadata.remove("checksum");
    let mut hash = 14_695_981_039_346_656_037_u64;
    for byte in file.to_bytes() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(1_099_511_628_211);
    }
    file.metadata.insert("checksum".into(), format!("{hash:016x}"));
    file.to_bytes()
}

#[test]
fn damaged_snapshots_are_refused() {
    let (data, network) = (images(40), net(CNN, 7));
    let mut trainer = QatTrainer::new(&network, ecqx(0.1), ORDER, &data).unwrap();
    for _ in 0..4 {
        trainer.step(&data, &data).unwrap();
    }
    let bytes = trainer.snapshot();
    let code = |bytes: &[u8]| QatTrainer::resume(bytes, &network, &data).map(drop).map_err(|error| error.code());
    assert_eq!(code(&bytes), Ok(()));
    assert_eq!(code(&with_checksum(TensorFile::from_bytes(&bytes).unwrap())), Ok(()));
    for at in (0..bytes.len()).step_by(997).chain([bytes.len() - 1]) {
        assert_eq!(code(&bytes[..at]), Err("qat/snapshot"), "cut at {at}");
        let mut flipped = bytes.clone();
        flipped[at] ^= 4;
        assert_eq!(code(&flipped), Err("qat/snapshot"), "flipped at {at}");
    }
    let other = QatTrainer::resume(&bytes, &net(MLP, 1), &moons()).unwrap_err();
    assert_eq!(other.code(), "qat/snapshot");
    let fewer = QatTrainer::resume(&bytes, &network, &images(39)).unwrap_err();
    assert!(fewer.to_string().contains("these training samples"), "{fewer}");
    // Whole files that say what no training says.
    let forged = |change: &dyn Fn(&mut TensorFile)| {
        let mut file = TensorFile::from_bytes(&bytes).unwrap();
        change(&mut file);
        code(&with_checksum(file))
    };
    let state = |from: &str, to: &str| {
        forged(&|file| {
            let text = &file.metadata["state"];
            assert!(text.contains(from), "{from} in {text}");
            let text = text.replace(from, to);
            file.metadata.insert("state".into(), text);
        })
    };
    assert_eq!(state("\"shuffles\":2", "\"shuffles\":18446744073709551615"), Err("qat/snapshot"));
    assert_eq!(state("\"every\":1", "\"every\":0"), Err("qat/snapshot"));
    assert_eq!(state("\"zero\":3", "\"zero\":9"), Err("qat/snapshot"));
    assert_eq!(state("\"batch_size\":16", "\"batch_size\":0"), Err("qat/setting"));
    assert_eq!(state("\"method\":\"ecqx\"", "\"method\":\"best\""), Err("qat/snapshot"));
    let tensor = |name: &str, data: TensorData| {
        forged(&|file| file.tensors.iter_mut().find(|t| t.name == name).unwrap().data = data.clone())
    };
    assert_eq!(tensor("order", TensorData::I64(vec![0; 40])), Err("qat/snapshot"));
    assert_eq!(tensor("latent.e.bias", TensorData::F32(vec![0.0, f32::NAN, 0.0])), Err("qat/snapshot"));
    assert_eq!(tensor("adam.others.square.e.bias", TensorData::F32(vec![0.0, -1.0, 0.0])), Err("qat/snapshot"));
    assert_eq!(forged(&|file| file.tensors.retain(|t| t.name != "best.latent.e.bias")), Err("qat/snapshot"));
    assert_eq!(forged(&|file| file.tensors.retain(|t| t.name != "bits")), Err("qat/snapshot"));
    assert_eq!(forged(&|file| _ = file.metadata.insert("version".into(), "2".into())), Err("qat/snapshot"));
}
