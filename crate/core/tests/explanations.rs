//! A whole net with every kind of layer: what holds for its relevances, and that they are those of the f64 twin.

// Helpers of tests may panic; twins are compared with a tolerance.
#![allow(clippy::unwrap_used, clippy::panic, clippy::disallowed_methods, unreachable_pub)]

mod nets;
mod twin;

use ecqx_core::data::Split;
use ecqx_core::lrp::{BatchNormMode, Composite, OutputRelevance, explain};
use ecqx_core::model::{Architecture, LayerKind, LayerSpec};
use ecqx_core::nn::{Network, Tape};
use ecqx_core::rng::Rng;
use ndarray::{Axis, s};
use nets::{RESIDUAL, net, run, settings};
use twin::relevance::Plan;
use twin::rules::{EPSILON, Rule, Share};

/// Every rule of layers with a weight.
const RULES: [&str; 8] =
    ["epsilon(0.25)", "gamma(0.5)", "z-plus", "alpha-beta(2,1)", "z-box(-1,1)", "w-square", "flat", "norm"];

/// A net and samples without negative numbers; running means are below 0, so that there is nothing to take away.
fn positive(seed: u64) -> (Network, Split, Architecture) {
    let architecture = Architecture::from_json(RESIDUAL).unwrap();
    let (mut network, split) = net(RESIDUAL, seed);
    let mut rng = Rng::new(seed, 6);
    let names: Vec<String> = network.tensors().map(|tensor| tensor.name).collect();
    for (name, tensor) in names.iter().zip(network.tensors_mut()) {
        let sign = if name.ends_with("running_mean") { -1.0 } else { 1.0 };
        for v in tensor {
            *v = sign * (0.05 + 0.3 * rng.uniform() as f32);
        }
    }
    (network, split, architecture)
}

#[test]
fn the_net_s_input_has_what_all_its_readers_send() {
    let (network, split) = net(RESIDUAL, 2);
    let relevances = run(&network, &split, "epsilon-plus", BatchNormMode::Rule);
    let of = |name: &str| {
        let node = network.find(name).unwrap();
        &relevances.inputs.iter().find(|(own, _)| *own == node).unwrap().1
    };
    assert!(of("a").iter().any(|r| *r != 0.0) && of("skip").iter().any(|r| *r != 0.0));
    assert_eq!(relevances.net_input.as_ref().unwrap(), of("a") + of("skip"));
}

/// The same samples among others with no relevance at all have half of it: exactly, as 2 is a power of 2.
#[test]
fn relevance_is_linear_in_what_it_starts_from() {
    let (mut network, split) = net(RESIDUAL, 7);
    let last = network.find("z").unwrap();
    // The last class is dead, so that its logit is 0.
    network.weight_mut(last).unwrap()[10..].fill(0.0);
    let among =
        Split { x: ndarray::concatenate![Axis(0), split.x, split.x], y: [vec![0, 1, 1, 1, 0], vec![2; 5]].concat() };
    let split = Split { y: among.y[..5].to_vec(), ..split };
    let rules = RULES.map(|rule| format!(r#"{{"conv2d": "{rule}", "dense": "{rule}"}}"#));
    for composite in rules.iter().map(String::as_str).chain(Composite::NAMES) {
        for mode in [BatchNormMode::Pass, BatchNormMode::Rule, BatchNormMode::Fold] {
            let [whole, half] = [&split, &among].map(|split| {
                let settings = settings(composite, OutputRelevance::Logit, mode);
                explain(&network, split, &settings, &mut Tape::new(&network, 2)).unwrap()
            });
            for ((_, whole), (_, half)) in whole.weights.iter().zip(&half.weights) {
                assert!(whole.iter().any(|r| *r != 0.0), "{composite}, {mode:?}");
                assert!(whole.iter().zip(half).all(|(whole, half)| *whole == 2.0 * half), "{composite}, {mode:?}");
            }
            for ((_, whole), (_, half)) in whole.inputs.iter().zip(&half.inputs) {
                assert_eq!(whole, 2.0 * &half.slice(s![..5, ..]), "{composite}, {mode:?}");
                assert!(half.slice(s![5.., ..]).iter().all(|r| *r == 0.0), "{composite}, {mode:?}");
            }
        }
    }
}

#[test]
fn what_does_not_go_on_is_what_the_biases_took() {
    let (network, split, _) = positive(4);
    let everywhere = |rule: &str| format!(r#"{{"conv2d": "{rule}", "dense": "{rule}"}}"#);
    let all = ["epsilon", "gamma(0.5)", "z-plus", "w-square", "flat", "z-box(0,1)"].map(everywhere);
    for composite in all.iter().map(String::as_str).chain(["epsilon-plus-flat", "epsilon-gamma-box"]) {
        for mode in [BatchNormMode::Pass, BatchNormMode::Rule, BatchNormMode::Fold] {
            let relevances = run(&network, &split, composite, mode);
            for (flow, node) in relevances.flows.iter().zip(network.nodes()) {
                let rest = flow.absorbed().unwrap() - flow.bias.unwrap();
                assert!(rest.abs() < 1e-4 * flow.arrived, "{composite}, {mode:?}, {}: {flow:?}", node.name);
            }
            let took = relevances.flows.iter().any(|flow| flow.bias.unwrap() > 0.01 * flow.arrived);
            assert_eq!(took, !composite.contains("flat\"") && !composite.contains("z-box"), "{composite}, {mode:?}");
        }
    }
}

/// A whole net without a negative number, so that nothing cancels and f32 is as good as it gets: each relevance is that
/// of the formulas in f64.
#[test]
fn whole_nets_follow_the_twin() {
    let (epsilon, plus, flat) = (Rule::Epsilon(EPSILON), Rule::ZPlus, Rule::Flat(true));
    let (alpha_beta, gamma) = (Rule::AlphaBeta(2.0, 1.0), Rule::Gamma(f64::from(0.1_f32)));
    // The rules of the first layer, of convolutions and of dense layers.
    let composites = [
        ("epsilon", [epsilon, epsilon, epsilon]),
        ("epsilon-plus", [plus, plus, epsilon]),
        ("epsilon-plus-flat", [flat, plus, epsilon]),
        ("epsilon-alpha2-beta1", [alpha_beta, alpha_beta, epsilon]),
        ("epsilon-alpha2-beta1-flat", [flat, alpha_beta, epsilon]),
        ("epsilon-gamma-flat", [flat, gamma, epsilon]),
        ("epsilon-gamma-box", [Rule::ZBox(0.0, 1.0), gamma, epsilon]),
        ("excitation-backprop", [plus, plus, plus]),
        (
            r#"{"a": "w-square", "first": "flat", "dense": "epsilon(0.25)"}"#,
            [Rule::WSquare, epsilon, Rule::Epsilon(0.25)],
        ),
    ];
    let outputs = [OutputRelevance::Logit, OutputRelevance::One, OutputRelevance::Probability];
    let (network, split, architecture) = positive(5);
    let x = twin::rows(split.x.view());
    let tensors = twin::tensors(&network);
    let logits = &twin::forward(&architecture, &tensors, &x, false).pop().unwrap().samples;
    for (index, (composite, [first, conv, dense])) in composites.into_iter().enumerate() {
        for mode in [BatchNormMode::Pass, BatchNormMode::Merge, BatchNormMode::Rule, BatchNormMode::Fold] {
            let output = outputs[index % 3];
            let got =
                explain(&network, &split, &settings(composite, output, mode), &mut Tape::new(&network, 2)).unwrap();
            let rule = |spec: &LayerSpec| match spec.kind {
                _ if spec.name == "a" => Some(first),
                LayerKind::Conv2d { .. } => Some(conv),
                LayerKind::Dense { .. } => Some(dense),
                LayerKind::BatchNorm { .. } => (mode == BatchNormMode::Rule).then_some(conv),
                _ => None,
            };
            let plan = Plan { rule: &rule, fold: mode == BatchNormMode::Fold };
            let start: Vec<_> = logits.iter().zip(&split.y).map(|(z, label)| start(output, z, *label, 5)).collect();
            let expected = twin::relevance::explain(&architecture, &tensors, &x, &start, &plan);
            let compare = |what: &str, got: &[f32], expected: &[Share]| {
                assert_eq!(got.len(), expected.len());
                for (got, Share { value, .. }) in got.iter().zip(expected) {
                    let apart = (f64::from(*got) - value).abs();
                    assert!(apart <= 3e-5 * value.abs(), "{what}, {composite}, {mode:?}: {got}, not {value}");
                }
            };
            for (node, got) in &got.weights {
                let name = &network.nodes()[*node].name;
                compare(name, got, &expected.weights[name]);
            }
            for (node, got) in &got.inputs {
                let name = &network.nodes()[*node].name;
                compare(name, got.as_slice().unwrap(), &expected.inputs[name].concat());
            }
            compare("input", got.net_input.unwrap().as_slice().unwrap(), &expected.net_input.concat());
        }
    }
}

/// What arrives at the logits of one of so many samples.
fn start(output: OutputRelevance, logits: &[f64], label: usize, samples: usize) -> Vec<Share> {
    let most = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let exponentials: Vec<f64> = logits.iter().map(|z| (z - most).exp()).collect();
    let value = match output {
        OutputRelevance::Logit => logits[label],
        OutputRelevance::One => 1.0,
        OutputRelevance::Probability => exponentials[label] / exponentials.iter().sum::<f64>(),
    };
    let at = |class| if class == label { value / samples as f64 } else { 0.0 };
    (0..logits.len()).map(|class| Share { value: at(class), error: 0.0 }).collect()
}
