//! Nets and samples for tests of relevance.

#![allow(dead_code)] // each test binary uses its part

use ecqx_core::data::Split;
use ecqx_core::lrp::{BatchNormMode, ExplainSettings, KeepInputs, OutputRelevance, Relevances, explain};
use ecqx_core::model::Architecture;
use ecqx_core::nn::{Network, Tape};
use ecqx_core::rng::Rng;
use ndarray::Array2;

/// Every kind of layer, branches around others, two layers that read the net's input, and a batch norm (`k`) that
/// cannot be folded, since what it reads is read by another layer too.
pub const RESIDUAL: &str = r#"{"input": [2, 6, 6], "layers": [
    {"name": "a", "kind": "conv2d", "filters": 4, "kernel": [3, 3], "padding": [1, 1]}, {"name": "n", "kind": "batch_norm"},
    {"name": "r", "kind": "relu"}, {"name": "p", "kind": "max_pool2d", "kernel": [2, 2]},
    {"name": "b", "kind": "conv2d", "filters": 4, "kernel": [3, 3], "padding": [1, 1], "groups": 2, "bias": false},
    {"name": "s", "kind": "add", "inputs": ["b", "p"]},
    {"name": "skip", "kind": "conv2d", "filters": 4, "kernel": [2, 2], "stride": [2, 2], "inputs": ["input"]},
    {"name": "k", "kind": "batch_norm"}, {"name": "all", "kind": "add", "inputs": ["skip", "k", "s"]}, {"name": "u", "kind": "relu"},
    {"name": "g", "kind": "avg_pool2d", "kernel": [2, 2], "stride": [1, 1]}, {"name": "f", "kind": "flatten"},
    {"name": "e", "kind": "dense", "units": 5}, {"name": "m", "kind": "batch_norm"}, {"name": "v", "kind": "relu"},
    {"name": "z", "kind": "dense", "units": 3}]}"#;

/// With initial weights, for samples above 0.
pub fn net(architecture: &str, seed: u64) -> (Network, Split) {
    let mut network = Network::new(&Architecture::from_json(architecture).unwrap()).unwrap();
    network.initialise(seed);
    let mut rng = Rng::new(seed, 5);
    let x = Array2::from_shape_simple_fn((5, network.input().iter().product()), || rng.uniform() as f32 + 0.1);
    (network, Split { x, y: vec![0, 1, 2, 1, 0] })
}

pub fn settings(composite: &str, output: OutputRelevance, batch_norm: BatchNormMode) -> ExplainSettings {
    ExplainSettings { composite: composite.parse().unwrap(), output, batch_norm, inputs: KeepInputs::Layers }
}

pub fn run(network: &Network, split: &Split, composite: &str, batch_norm: BatchNormMode) -> Relevances {
    let settings = settings(composite, OutputRelevance::One, batch_norm);
    explain(network, split, &settings, &mut Tape::new(network, 2)).unwrap()
}
