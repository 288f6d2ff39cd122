//! What holds for relevance whatever the numbers: conservation, scaling, dead units, clear errors.

// Helpers of tests may panic.
#![allow(clippy::unwrap_used, unreachable_pub)]

mod nets;

use ecqx_core::data::Split;
use ecqx_core::lrp::rules::{parse, relevance_in};
use ecqx_core::lrp::{BatchNormMode, ExplainSettings, KeepInputs, RelevanceMean, Relevances, explain};
use ecqx_core::nn::{Network, Tape};
use ecqx_core::rng::Rng;
use ndarray::{Array2, Axis};
use nets::{net, run};

const LAYERS: &str = r#"{"input": [2, 6, 6], "layers": [
    {"name": "a", "kind": "conv2d", "filters": 4, "kernel": [3, 3], "padding": [1, 1], "bias": false},
    {"name": "b", "kind": "relu"}, {"name": "c", "kind": "max_pool2d", "kernel": [2, 2]}, {"name": "d", "kind": "flatten"},
    {"name": "e", "kind": "dense", "units": 8, "bias": false}, {"name": "f", "kind": "relu"},
    {"name": "g", "kind": "dense", "units": 3, "bias": false}]}"#;

#[test]
fn relevance_is_conserved_without_bias() {
    for seed in 0..10 {
        let (network, split) = net(LAYERS, seed);
        for rule in ["epsilon", "norm", "gamma(0.5)", "z-plus", "alpha-beta(1,0)"] {
            // Not at the logits: one that nothing raises has no z⁺ to share by.
            let composite = format!(r#"{{"conv2d": "{rule}", "e": "{rule}"}}"#);
            assert_conserved(&run(&network, &split, &composite, BatchNormMode::Pass), &composite);
        }
        for rule in ["flat", "w-square", "z-box(0,1)"] {
            let composite = format!(r#"{{"first": "{rule}"}}"#);
            assert_conserved(&run(&network, &split, &composite, BatchNormMode::Pass), &composite);
        }
    }
}

fn assert_conserved(relevances: &Relevances, what: &str) {
    for flow in &relevances.flows {
        let absorbed = flow.absorbed().unwrap().abs();
        assert!(absorbed < 1e-3 * flow.arrived.abs().max(1.0), "{what}: {flow:?}");
        assert_eq!(flow.bias.unwrap(), 0.0);
    }
}

#[test]
fn alpha_beta_keeps_the_sum_of_outputs_that_have_both_parts() {
    let layer = |bias: bool| {
        net(
            &format!(r#"{{"input": [6], "layers": [{{"name": "a", "kind": "dense", "units": 3, "bias": {bias}}}]}}"#),
            0,
        )
    };
    let (mut network, _) = layer(false);
    // Both parts; only what raises the output; only what lowers it.
    let weight = [[0.5, -1.0, 2.0, -0.25, 0.75, -0.5], [0.5, 1.0, 2.0, 0.25, 0.75, 0.5], [-1.0; 6]].concat();
    network.weight_mut(0).unwrap().copy_from_slice(&weight);
    let x = Array2::from_shape_vec((3, 6), [[1.0, 2.0, 0.5, 1.0, 3.0, 0.25]; 3].concat()).unwrap();
    let affine = network.nodes()[0].layer.affine().unwrap();
    let rule = parse("alpha-beta(3,2)").unwrap();
    let sums = relevance_in(&*rule, affine, x.view(), Array2::eye(3).view()).sum_axis(Axis(1));
    for (sum, expected) in sums.iter().zip([1.0, 3.0, -2.0]) {
        assert!((sum - expected).abs() < 1e-5, "{sums}");
    }
    // A bias belongs to one of the parts, and takes of it.
    for bias in [[0.7_f32, 0.3, 1.1], [-0.7, -0.3, -1.1]] {
        let (mut network, split) = layer(true);
        network.tensors_mut().last().unwrap().copy_from_slice(&bias);
        let flow = run(&network, &split, r#"{"a": "alpha-beta(3,2)"}"#, BatchNormMode::Pass).flows[0];
        let (absorbed, took) = (flow.absorbed().unwrap(), flow.bias.unwrap());
        assert!((absorbed - took).abs() < 1e-4 && took.abs() > 0.1, "{flow:?}");
    }
}

#[test]
fn what_is_kept_changes_nothing_else() {
    let (network, split) = net(LAYERS, 3);
    let [none, input, layers] = [KeepInputs::None, KeepInputs::Net, KeepInputs::Layers].map(|inputs| {
        let settings = ExplainSettings { inputs, ..ExplainSettings::default() };
        explain(&network, &split, &settings, &mut Tape::new(&network, 2)).unwrap()
    });
    assert_eq!(none.weights, layers.weights);
    assert_eq!(input.weights, layers.weights);
    assert_eq!(input.net_input, layers.net_input);
    assert_eq!((none.net_input, none.inputs.len(), input.inputs.len(), layers.inputs.len()), (None, 0, 0, 3));
    assert_eq!((none.flows[0].left, none.flows[1].left), (None, layers.flows[1].left));
}

#[test]
fn a_dead_unit_gets_no_relevance() {
    let (mut network, split) = net(LAYERS, 1);
    let dense = network.find("e").unwrap();
    network.weight_mut(dense).unwrap()[..36].fill(0.0);
    for rule in ["epsilon", "epsilon(0.25)", "norm", "gamma(0.5)", "z-plus", "alpha-beta(2,1)"] {
        let composite = format!(r#"{{"dense": "{rule}"}}"#);
        let relevances = run(&network, &split, &composite, BatchNormMode::Pass);
        let (_, weights) = relevances.weights.iter().find(|(node, _)| *node == dense).unwrap();
        assert!(weights[..36].iter().all(|r| *r == 0.0) && weights.iter().any(|r| *r != 0.0), "{rule}");
        let (_, inputs) = relevances.inputs.last().unwrap();
        assert!(inputs.column(0).iter().all(|r| *r == 0.0), "{rule}");
    }
}

#[test]
fn a_mean_forgets_batches_step_by_step() {
    let (network, split) = net(LAYERS, 6);
    let batches = [0, 1, 2].map(|label| {
        let split = Split { y: vec![label; 5], ..split.clone() };
        run(&network, &split, "epsilon-plus", BatchNormMode::Pass)
    });
    let mut mean = RelevanceMean::default();
    for batch in &batches {
        mean.add(batch, 0.75);
    }
    for (layer, (node, values)) in mean.weights().iter().enumerate() {
        assert_eq!(*node, batches[0].weights[layer].0);
        for (position, value) in values.iter().enumerate() {
            let [first, second, third] = [0, 1, 2].map(|batch| batches[batch].weights[layer].1[position]);
            let (expected, size) =
                (0.5625 * first + 0.1875 * second + 0.25 * third, first.abs() + second.abs() + third.abs());
            assert!((value - expected).abs() <= 1e-6 * size, "{value}, not {expected}");
        }
    }
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
