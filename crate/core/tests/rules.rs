//! Every rule on every kind of layer, as `explain` runs it, against the formulas in f64 (`twin`).

// Helpers of tests may panic; twins are compared with a tolerance.
#![allow(clippy::unwrap_used, clippy::panic, clippy::disallowed_methods, unreachable_pub)]

mod twin;

use ecqx_core::data::Split;
use ecqx_core::lrp::rules::{parse, relevance_in};
use ecqx_core::lrp::{BatchNormMode, ExplainSettings, KeepInputs, OutputRelevance, explain};
use ecqx_core::model::{Architecture, LayerKind, LayerSpec};
use ecqx_core::nn::{Network, Tape};
use ecqx_core::rng::Rng;
use ndarray::{Array2, array};
use proptest::prelude::*;
use twin::relevance::{Plan, Relevances};
use twin::rules::{EPSILON, Rule, Share};

const CLASSES: usize = 4;

/// Each rule with a weight as people write it, and its twin.
const RULES: [(&str, Rule); 12] = [
    ("epsilon(1e-6)", Rule::Epsilon(EPSILON)),
    ("epsilon(0.25)", Rule::Epsilon(0.25)),
    ("gamma(0.25)", Rule::Gamma(0.25)),
    ("gamma(4)", Rule::Gamma(4.0)),
    ("z-plus", Rule::ZPlus),
    ("alpha-beta(1,0)", Rule::AlphaBeta(1.0, 0.0)),
    ("alpha-beta(2.5,1.5)", Rule::AlphaBeta(2.5, 1.5)),
    ("z-box(-1,1)", Rule::ZBox(-1.0, 1.0)),
    ("z-box(0.5,3)", Rule::ZBox(0.5, 3.0)),
    ("w-square", Rule::WSquare),
    ("flat", Rule::Flat(false)),
    ("norm", Rule::Epsilon(EPSILON)),
];

/// Layers under test, explained through a dense layer at the end.
struct Case {
    architecture: Architecture,
    network: Network,
    split: Split,
}

impl Case {
    /// Weights of both signs with some zeros and dead units; inputs likewise, or without negatives.
    fn new(input: &[usize], layers: &[String], negatives: bool, samples: usize, seed: u64) -> Self {
        let end = [
            r#"{"name": "flat", "kind": "flatten"}"#.to_owned(),
            format!(r#"{{"name": "end", "kind": "dense", "units": {CLASSES}}}"#),
        ];
        let layers = [layers, &end].concat().join(", ");
        let text = format!(r#"{{"input": {input:?}, "layers": [{layers}]}}"#);
        let architecture = Architecture::from_json(&text).unwrap();
        let mut network = Network::new(&architecture).unwrap();
        let mut rng = Rng::new(seed, 3);
        let names: Vec<(String, usize)> = network.tensors().map(|t| (t.name, t.shape[0])).collect();
        for ((name, units), tensor) in names.iter().zip(network.tensors_mut()) {
            for v in tensor.iter_mut() {
                let positive = name.ends_with("running_var");
                let value = rng.normal() as f32;
                *v = if positive {
                    value.abs() + 0.1
                } else if rng.below(8) == 0 {
                    0.0
                } else {
                    value
                };
            }
            if rng.below(3) == 0 && !name.contains("running") {
                let size = tensor.len() / units;
                tensor[..size].fill(0.0);
            }
        }
        let mut number = || {
            let value = rng.normal() as f32;
            let value = if negatives { value } else { value.abs() };
            if rng.below(6) == 0 { 0.0 } else { value }
        };
        let x = Array2::from_shape_simple_fn((samples, network.input().iter().product()), &mut number);
        let y = (0..samples).map(|n| n % CLASSES).collect();
        Self { architecture, network, split: Split { x, y } }
    }

    /// Compares all that arrives before the dense layer at the end, given what arrives there.
    fn check(
        &self,
        composite: &str,
        batch_norm: BatchNormMode,
        rule: &dyn Fn(&LayerSpec) -> Option<Rule>,
    ) -> [usize; 2] {
        let settings = ExplainSettings {
            composite: composite.parse().unwrap(),
            output: OutputRelevance::Logit,
            batch_norm,
            inputs: KeepInputs::Layers,
        };
        // Fewer than the samples, so that sums over several passes are tested too.
        let mut tape = Tape::new(&self.network, 2);
        let got = explain(&self.network, &self.split, &settings, &mut tape).unwrap();
        let (_, start) = got.inputs.last().unwrap();
        let start: Vec<Vec<Share>> =
            start.rows().into_iter().map(|row| row.iter().map(|&r| share(r)).collect()).collect();
        let mut before = self.architecture.clone();
        before.layers.truncate(before.layers.len() - 2);
        let wide = twin::rows(self.split.x.view());
        let plan = Plan { rule, fold: batch_norm == BatchNormMode::Fold };
        let Relevances { weights, net_input, .. } =
            twin::relevance::explain(&before, &twin::tensors(&self.network), &wide, &start, &plan);
        let what = |part: &str| format!("{part}, {composite}, {batch_norm:?}");
        let mut counts = vec![compare(&what("input"), got.net_input.unwrap().iter(), &net_input.concat())];
        for (name, expected) in weights {
            let node = self.network.find(&name).unwrap();
            let (_, weights) = got.weights.iter().find(|(own, _)| *own == node).unwrap();
            counts.push(compare(&what(&name), weights, &expected));
        }
        [0, 1].map(|which| counts.iter().map(|count| count[which]).sum())
    }
}

fn share(r: f32) -> Share {
    Share { value: f64::from(r), error: 0.0 }
}

/// Within what f32 may be off, number by number. Returns how many numbers this says something about, and of how many.
fn compare<'a>(what: &str, got: impl IntoIterator<Item = &'a f32>, expected: &[Share]) -> [usize; 2] {
    let got: Vec<f64> = got.into_iter().copied().map(f64::from).collect();
    assert_eq!(got.len(), expected.len(), "{what}: length");
    for (position, (got, Share { value, error })) in got.iter().zip(expected).enumerate() {
        let apart = (got - value).abs();
        assert!(apart <= *error, "{what}: {position} is {got}, not {value}, off by {apart}, not {error}");
    }
    let largest = expected.iter().fold(0.0_f64, |max, share| max.max(share.value.abs()));
    [expected.iter().filter(|share| share.error <= 1e-3 * largest).count(), expected.len()]
}

/// The rule for all layers with a weight.
fn everywhere(rule: Rule) -> impl Fn(&LayerSpec) -> Option<Rule> {
    move |spec| matches!(spec.kind, LayerKind::Dense { .. } | LayerKind::Conv2d { .. }).then_some(rule)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn dense(inputs in 1_usize..12, units in 1_usize..9, bias: bool, negatives: bool, samples in 1_usize..5, seed: u64) {
        let layer = format!(r#"{{"name": "a", "kind": "dense", "units": {units}, "bias": {bias}}}"#);
        let case = Case::new(&[inputs], &[layer], negatives, samples, seed);
        for (text, rule) in RULES {
            case.check(&format!(r#"{{"a": "{text}"}}"#), BatchNormMode::Pass, &everywhere(rule));
        }
        // In composites a bias counts as an input.
        case.check("epsilon-plus-flat", BatchNormMode::Pass, &everywhere(Rule::Flat(bias)));
    }

    #[test]
    fn convolution(
        within in 1_usize..3, each in 1_usize..3, groups in 1_usize..3, image in [3_usize..7, 3_usize..7],
        kernel in [1_usize..4, 1_usize..4], stride in [1_usize..3, 1_usize..3], padding in [0_usize..3, 0_usize..3],
        bias: bool, negatives: bool, samples in 1_usize..4, seed: u64,
    ) {
        let padding = [padding[0].min(kernel[0] - 1), padding[1].min(kernel[1] - 1)];
        let layer = format!(
            r#"{{"name": "a", "kind": "conv2d", "filters": {}, "kernel": {kernel:?}, "stride": {stride:?},
            "padding": {padding:?}, "groups": {groups}, "bias": {bias}}}"#,
            each * groups,
        );
        let case = Case::new(&[within * groups, image[0], image[1]], &[layer], negatives, samples, seed);
        for (text, rule) in RULES {
            case.check(&format!(r#"{{"a": "{text}"}}"#), BatchNormMode::Pass, &everywhere(rule));
        }
    }

    #[test]
    fn batch_norm(images: bool, bias: bool, negatives: bool, samples in 1_usize..5, seed: u64) {
        let (input, before) = if images {
            (vec![2, 4, 3], format!(r#"{{"name": "a", "kind": "conv2d", "filters": 3, "kernel": [2, 2], "bias": {bias}}}"#))
        } else {
            (vec![5], format!(r#"{{"name": "a", "kind": "dense", "units": 4, "bias": {bias}}}"#))
        };
        let norm = r#"{"name": "n", "kind": "batch_norm", "eps": 0.01}"#.to_owned();
        let case = Case::new(&input, &[before, norm.clone()], negatives, samples, seed);
        let alone = Case::new(&input, &[norm], negatives, samples, seed);
        for (text, rule) in RULES {
            let composite = format!(r#"{{"a": "{text}"}}"#);
            case.check(&composite, BatchNormMode::Pass, &everywhere(rule));
            case.check(&composite, BatchNormMode::Merge, &everywhere(rule));
            case.check(&composite, BatchNormMode::Fold, &everywhere(rule));
            // As an affine layer of its own: with the convolutions' rule, or the one that it is given.
            alone.check(&format!(r#"{{"conv2d": "{text}"}}"#), BatchNormMode::Rule, &|_| Some(rule));
            alone.check(&format!(r#"{{"batch_norm": "{text}"}}"#), BatchNormMode::Fold, &|_| Some(rule));
        }
        alone.check("epsilon", BatchNormMode::Fold, &|_| None);
    }

    #[test]
    fn fixed_layers(
        kind in prop_oneof![Just("max_pool2d"), Just("avg_pool2d")], kernel in [1_usize..4, 1_usize..4],
        stride in [1_usize..4, 1_usize..4], image in [3_usize..7, 3_usize..7], negatives: bool,
        samples in 1_usize..4, seed: u64,
    ) {
        let pool = format!(r#"{{"name": "a", "kind": "{kind}", "kernel": {kernel:?}, "stride": {stride:?}}}"#);
        let named = |kind: &str| format!(r#"{{"name": "a", "kind": "{kind}"}}"#);
        let sum = r#"{"name": "a", "kind": "add", "inputs": ["input", "input", "input"]}"#.to_owned();
        for layer in [pool, named("global_avg_pool"), named("relu"), named("flatten"), sum] {
            let mut case = Case::new(&[2, image[0], image[1]], &[layer], negatives, samples, seed);
            // Whole numbers, so that windows often have several winners.
            case.split.x.mapv_inplace(f32::round);
            case.check("epsilon", BatchNormMode::Pass, &|_| None);
        }
        for (kind, rule) in [("avg_pool2d", "epsilon(0.25)"), ("avg_pool2d", "norm")] {
            let pool = format!(r#"{{"name": "a", "kind": "{kind}", "kernel": {kernel:?}, "stride": {stride:?}}}"#);
            let case = Case::new(&[2, image[0], image[1]], &[pool], negatives, samples, seed);
            let twin = if rule == "norm" { Rule::Epsilon(EPSILON) } else { Rule::Epsilon(0.25) };
            case.check(&format!(r#"{{"{kind}": "{rule}"}}"#), BatchNormMode::Pass, &|_| Some(twin));
        }
    }
}

#[test]
fn nearly_all_numbers_are_compared_closely() {
    let layer = r#"{"name": "a", "kind": "conv2d", "filters": 4, "kernel": [3, 3], "padding": [1, 1]}"#.to_owned();
    for (text, rule) in RULES {
        let counts = (0..20).map(|seed| {
            let case = Case::new(&[2, 5, 5], std::slice::from_ref(&layer), true, 2, seed);
            case.check(&format!(r#"{{"a": "{text}"}}"#), BatchNormMode::Pass, &everywhere(rule))
        });
        let [close, all] = counts.fold([0, 0], |sum, count| [sum[0] + count[0], sum[1] + count[1]]);
        assert!(close * 10 > all * 9, "{text}: {close} of {all}");
    }
}

/// Where an output is 0 although its inputs are not, as 1·1 − 1·1, the twin is unsure: by hand.
#[test]
fn contributions_that_cancel() {
    let text = r#"{"input": [2], "layers": [{"name": "a", "kind": "dense", "units": 1, "bias": false}]}"#;
    let mut network = Network::new(&Architecture::from_json(text).unwrap()).unwrap();
    network.weight_mut(0).unwrap().copy_from_slice(&[1.0, -1.0]);
    let layer = network.nodes()[0].layer.affine().unwrap();
    let expected = [
        ("epsilon(0.25)", [4.0, -4.0]),
        ("norm", [1e6, -1e6]),
        ("gamma(0.5)", [0.0, 0.0]),
        ("z-plus", [1.0, 0.0]),
        ("alpha-beta(3,2)", [3.0, -2.0]),
        // Shared are 1 − 1·(−1) and −1 + 1·1.
        ("z-box(-1,1)", [1.0, 0.0]),
        ("w-square", [0.5, 0.5]),
        ("flat", [0.5, 0.5]),
    ];
    for (text, expected) in expected {
        let relevance = relevance_in(&*parse(text).unwrap(), layer, array![[1.0, 1.0]].view(), array![[1.0]].view());
        for (got, expected) in relevance.iter().zip(expected) {
            assert!((got - expected).abs() <= 1e-5_f32 * expected.abs(), "{text}: {relevance}");
        }
    }
}
