//! What holds for relevance whatever the numbers: conservation, scaling, dead units, clear errors.

#![allow(clippy::unwrap_used)] // helpers of tests may panic

use ecqx_core::data::Split;
use ecqx_core::lrp::{BatchNormMode, ExplainSettings, KeepInputs, OutputRelevance, Relevances, explain};
use ecqx_core::model::Architecture;
use ecqx_core::nn::{Network, Tape};
use ecqx_core::rng::Rng;
use ndarray::Array2;

const LAYERS: &str = r#"{"input": [2, 6, 6], "layers": [
    {"name": "a", "kind": "conv2d", "filters": 4, "kernel": [3, 3], "padding": [1, 1], "bias": false},
    {"name": "b", "kind": "relu"}, {"name": "c", "kind": "max_pool2d", "kernel": [2, 2]}, {"name": "d", "kind": "flatten"},
    {"name": "e", "kind": "dense", "units": 8, "bias": false}, {"name": "f", "kind": "relu"},
    {"name": "g", "kind": "dense", "units": 3, "bias": false}]}"#;

fn net(architecture: &str, seed: u64) -> (Network, Split) {
    let mut network = Network::new(&Architecture::from_json(architecture).unwrap()).unwrap();
    network.initialise(seed);
    let mut rng = Rng::new(seed, 5);
    let x = Array2::from_shape_simple_fn((5, network.input().iter().product()), || rng.uniform() as f32 + 0.1);
    (network, Split { x, y: vec![0, 1, 2, 1, 0] })
}

fn run(network: &Network, split: &Split, composite: &str, batch_norm: BatchNormMode) -> Relevances {
    let settings = ExplainSettings {
        composite: composite.parse().unwrap(),
        output: OutputRelevance::One,
        batch_norm,
        inputs: KeepInputs::Layers,
    };
    explain(network, split, &settings, &mut Tape::new(network, 2)).unwrap()
}

#[test]
fn relevance_is_conserved_without_bias() {
    for seed in 0..10 {
        let (network, split) = net(LAYERS, seed);
        for composite in [
            r#"{"first": "epsilon"}"#,
            r#"{"conv2d": "z-plus", "e": "z-plus"}"#,
            r#"{"conv2d": "gamma(0.5)"}"#,
            r#"{"first": "flat"}"#,
        ] {
            let relevances = run(&network, &split, composite, BatchNormMode::Pass);
            for flow in &relevances.flows {
                let absorbed = flow.absorbed().unwrap().abs();
                assert!(absorbed < 1e-3 * flow.arrived.abs().max(1.0), "{composite}, seed {seed}: {flow:?}");
                assert_eq!(flow.bias.unwrap(), 0.0);
            }
        }
    }
}

#[test]
fn a_dead_unit_gets_no_relevance() {
    let (mut network, split) = net(LAYERS, 1);
    let dense = network.find("e").unwrap();
    network.weight_mut(dense).unwrap()[..36].fill(0.0);
    let relevances = run(&network, &split, "epsilon-plus", BatchNormMode::Pass);
    let (_, weights) = relevances.weights.iter().find(|(node, _)| *node == dense).unwrap();
    assert!(weights[..36].iter().all(|r| *r == 0.0) && weights.iter().any(|r| *r != 0.0));
    let (_, inputs) = relevances.inputs.last().unwrap();
    assert!(inputs.column(0).iter().all(|r| *r == 0.0));
}

#[test]
fn folding_is_explaining_the_folded_net() {
    let with = r#"{"input": [4], "layers": [{"name": "a", "kind": "dense", "units": 5},
        {"name": "n", "kind": "batch_norm"}, {"name": "r", "kind": "relu"}, {"name": "z", "kind": "dense", "units": 3}]}"#;
    let (mut network, split) = net(with, 3);
    let (mut plain, _) = net(&with.replace(r#"{"name": "n", "kind": "batch_norm"}, "#, ""), 3);
    let mut rng = Rng::new(3, 8);
    network.tensors_mut().flatten().for_each(|v| *v += rng.uniform() as f32 * 0.5);
    let all: Vec<Vec<f32>> = network.tensors().map(|t| t.values.to_vec()).collect();
    let [weight, bias, gamma, beta, mean, variance, last @ ..] = all.as_slice() else { unreachable!() };
    let scale = |c: usize| gamma[c] / (variance[c] + 1e-5).sqrt();
    let folded = [
        weight.iter().enumerate().map(|(i, w)| w * scale(i / 4)).collect::<Vec<f32>>(),
        (0..5).map(|c| (bias[c] - mean[c]) * scale(c) + beta[c]).collect(),
    ];
    for (to, from) in plain.tensors_mut().zip(folded.iter().chain(last)) {
        to.copy_from_slice(from);
    }
    let got = run(&network, &split, "epsilon", BatchNormMode::Fold);
    let expected = run(&plain, &split, "epsilon", BatchNormMode::Pass);
    for ((_, got), (_, expected)) in got.weights.iter().zip(&expected.weights) {
        let scale = expected.iter().fold(0.0_f32, |max, r| max.max(r.abs()));
        assert!(got.iter().zip(expected).all(|(g, e)| (g - e).abs() < 1e-3 * scale));
    }
}

#[test]
fn bad_input_is_answered_with_what_is_possible() {
    let (network, mut split) = net(LAYERS, 1);
    let fails = |composite: &str, split: &Split, network: &Network| {
        let settings = ExplainSettings { composite: composite.parse().unwrap(), ..ExplainSettings::default() };
        explain(network, split, &settings, &mut Tape::new(network, 2)).unwrap_err().to_string()
    };
    assert!(fails(r#"{"fc9": "flat"}"#, &split, &network).contains("dense, conv2d"));
    assert!(fails(r#"{"dense": "pass"}"#, &split, &network).contains("any rule but pass"));
    assert!(fails(r#"{"relu": "flat"}"#, &split, &network).contains("possible: pass"));
    split.x[[0, 0]] = f32::NAN;
    assert!(fails("epsilon", &split, &network).contains("layer a is not finite"));
    split.y[0] = 3;
    assert!(fails("epsilon", &split, &network).contains("labels from 0 to 2"));
}
