//! Forward and backward passes of every layer against a slow f64 twin and its finite differences.

// Helpers of tests may panic; twins are compared with a tolerance.
#![allow(clippy::unwrap_used, clippy::panic, clippy::disallowed_methods, unreachable_pub)]

mod twin;

use ecqx_core::model::Architecture;
use ecqx_core::nn::{Gradients, Mode, Network, SoftmaxCrossEntropy, Tape};
use ecqx_core::rng::Rng;
use ndarray::Array2;
use proptest::prelude::*;

/// A net of these layers with a dense layer of three logits at its end.
fn architecture(input: &[usize], layers: &[String]) -> Architecture {
    let mut layers = layers.to_vec();
    layers.push(r#"{"name": "end", "kind": "flatten"}"#.into());
    layers.push(r#"{"name": "logits", "kind": "dense", "units": 3}"#.into());
    Architecture::from_json(&format!(r#"{{"input": {input:?}, "layers": [{}]}}"#, layers.join(","))).unwrap()
}

/// Compares logits and gradients with the twin's, at random places of every parameter.
fn check(architecture: &Architecture, samples: usize, mode: Mode, seed: u64) {
    let mut network = Network::new(architecture).unwrap();
    network.initialise(seed);
    let mut rng = Rng::new(seed, 9);
    // Away from the initial values, at which biases are 0 and batch norm changes nothing.
    for tensor in network.tensors_mut() {
        for v in tensor {
            *v += (rng.uniform() * 0.4 + 0.1) as f32;
        }
    }
    let features = architecture.input.iter().product();
    let x = Array2::from_shape_simple_fn((samples, features), || rng.normal() as f32);
    let labels: Vec<usize> = (0..samples).map(|_| rng.below(3)).collect();
    let (mut tape, mut gradients) = (Tape::new(&network, samples), Gradients::zeros(&network));
    let logits = network.forward(x.view(), &mut tape, mode).to_owned();
    let mut of_x = Array2::zeros(x.raw_dim());
    network.backward(x.view(), &mut tape, &mut gradients, Some(of_x.view_mut()), |logits, gradient| {
        SoftmaxCrossEntropy.gradient(logits, &labels, gradient);
    });

    let train = mode == Mode::Train;
    let (wide, tensors) = (twin::rows(x.view()), twin::tensors(&network));
    let outputs = twin::forward(architecture, &tensors, &wide, train);
    let expected = outputs.last().unwrap().samples.concat();
    for (got, expected) in logits.iter().zip(&expected) {
        assert!((f64::from(*got) - expected).abs() < 1e-4 * (1.0 + expected.abs()), "logit {got}, not {expected}");
    }
    for _ in 0..6 {
        let (sample, feature) = (rng.below(samples), rng.below(features));
        let moved = |by: f64| {
            let mut wide = wide.clone();
            wide[sample][feature] += by;
            twin::loss(twin::forward(architecture, &tensors, &wide, train).last().unwrap(), &labels)
        };
        let (got, expected) = (f64::from(of_x[[sample, feature]]), (moved(1e-6) - moved(-1e-6)) / 2e-6);
        assert!((got - expected).abs() < 2e-4 * (1.0 + expected.abs()), "input {feature}: {got}, not {expected}");
    }
    for (parameter, gradient) in network.parameters().zip(gradients.iter()) {
        for _ in 0..6 {
            let position = rng.below(gradient.len());
            let moved = |by: f64| {
                let mut tensors = tensors.clone();
                tensors.get_mut(&parameter.name).unwrap()[position] += by;
                twin::loss(twin::forward(architecture, &tensors, &wide, train).last().unwrap(), &labels)
            };
            let (got, step) = (f64::from(gradient[position]), 1e-6);
            let expected = (moved(step) - moved(-step)) / (2.0 * step);
            let name = &parameter.name;
            assert!((got - expected).abs() < 2e-4 * (1.0 + expected.abs()), "{name}.{position}: {got}, not {expected}");
        }
    }
}

fn mode() -> impl Strategy<Value = Mode> {
    prop_oneof![Just(Mode::Train), Just(Mode::Evaluate)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(30))]

    #[test]
    fn dense_and_relu(sizes in proptest::collection::vec(1_usize..9, 1..4), samples in 1_usize..6, seed: u64) {
        let mut layers = Vec::new();
        for (index, units) in sizes.iter().enumerate().skip(1) {
            layers.push(format!(r#"{{"name": "fc{index}", "kind": "dense", "units": {units}}}"#));
            layers.push(format!(r#"{{"name": "relu{index}", "kind": "relu"}}"#));
        }
        check(&architecture(&sizes[..1], &layers), samples, Mode::Train, seed);
    }

    #[test]
    fn convolution(
        within in 1_usize..3, each in 1_usize..4, groups in 1_usize..4, image in [3_usize..12, 3_usize..12],
        kernel in [1_usize..4, 1_usize..4], stride in [1_usize..3, 1_usize..4], padding in [0_usize..3, 0_usize..3],
        bias: bool, samples in 1_usize..4, seed: u64,
    ) {
        let padding = [padding[0].min(kernel[0] - 1), padding[1].min(kernel[1] - 1)];
        let settings = format!(
            r#""kernel": {kernel:?}, "stride": {stride:?}, "padding": {padding:?}, "groups": {groups}, "bias": {bias}"#
        );
        let layers = [
            format!(r#"{{"name": "a", "kind": "conv2d", "filters": {}, {settings}}}"#, each * groups),
            r#"{"name": "b", "kind": "relu"}"#.into(),
            // A second one, so that the first one's output gets a gradient through it.
            r#"{"name": "c", "kind": "conv2d", "filters": 2, "kernel": [2, 1], "padding": [1, 0]}"#.into(),
        ];
        let input = [within * groups, image[0], image[1]];
        check(&architecture(&input, &layers), samples, Mode::Train, seed);
    }

    #[test]
    fn batch_norm(images: bool, channels in 1_usize..4, samples in 2_usize..6, mode in mode(), seed: u64) {
        let before = if images {
            format!(r#"{{"name": "a", "kind": "conv2d", "filters": {channels}, "kernel": [2, 2]}}"#)
        } else {
            format!(r#"{{"name": "a", "kind": "dense", "units": {channels}}}"#)
        };
        let input = if images { vec![1, 4, 5] } else { vec![3] };
        let layers = [before, r#"{"name": "b", "kind": "batch_norm", "eps": 0.01}"#.into(), r#"{"name": "c", "kind": "relu"}"#.into()];
        check(&architecture(&input, &layers), samples, mode, seed);
    }

    #[test]
    fn pooling(kind in prop_oneof![Just("max_pool2d"), Just("avg_pool2d")], kernel in [1_usize..4, 1_usize..4], stride in proptest::option::of([1_usize..4, 1_usize..4]), image in [3_usize..9, 3_usize..9], samples in 1_usize..4, seed: u64) {
        let stride = stride.map_or_else(String::new, |stride| format!(r#", "stride": {stride:?}"#));
        let layers = [
            r#"{"name": "a", "kind": "conv2d", "filters": 3, "kernel": [1, 1]}"#.into(),
            format!(r#"{{"name": "b", "kind": "{kind}", "kernel": {kernel:?}{stride}}}"#),
            r#"{"name": "c", "kind": "conv2d", "filters": 2, "kernel": [1, 1]}"#.into(),
        ];
        check(&architecture(&[2, image[0], image[1]], &layers), samples, Mode::Train, seed);
    }

    #[test]
    fn residual_sums(times in 1_usize..4, mode in mode(), samples in 2_usize..5, seed: u64) {
        // A branch around two layers, read by several, and one layer that is added to itself.
        let twice = vec![r#""b""#; times].join(", ");
        let layers = [
            r#"{"name": "a", "kind": "conv2d", "filters": 3, "kernel": [3, 3], "padding": [1, 1]}"#.to_owned(),
            r#"{"name": "b", "kind": "batch_norm"}"#.into(),
            r#"{"name": "c", "kind": "relu"}"#.into(),
            r#"{"name": "d", "kind": "conv2d", "filters": 3, "kernel": [3, 3], "padding": [1, 1], "bias": false}"#.into(),
            format!(r#"{{"name": "e", "kind": "add", "inputs": ["d", "c", {twice}]}}"#),
            // A second reader of the net's input.
            r#"{"name": "skip", "kind": "conv2d", "filters": 3, "kernel": [1, 1], "inputs": ["input"]}"#.into(),
            r#"{"name": "both", "kind": "add", "inputs": ["skip", "e"]}"#.into(),
            r#"{"name": "f", "kind": "relu"}"#.into(),
            r#"{"name": "g", "kind": "global_avg_pool"}"#.into(),
        ];
        check(&architecture(&[2, 4, 4], &layers), samples, mode, seed);
    }
}

#[test]
fn images_that_are_unfolded_in_several_parts() {
    // 20·9 taps at 20·22 positions are more than fit at once on the way back.
    let conv = |name: &str, filters: usize| {
        format!(r#"{{"name": "{name}", "kind": "conv2d", "filters": {filters}, "kernel": [3, 3], "padding": [1, 1]}}"#)
    };
    let layers = [conv("a", 20), conv("b", 2), r#"{"name": "c", "kind": "batch_norm"}"#.into()];
    check(&architecture(&[1, 20, 22], &layers), 2, Mode::Train, 3);
}

#[test]
fn a_batch_is_what_its_samples_are_alone() {
    let layers = [
        r#"{"name": "a", "kind": "conv2d", "filters": 4, "kernel": [3, 3], "padding": [1, 1], "groups": 2}"#.to_owned(),
        r#"{"name": "b", "kind": "batch_norm"}"#.into(),
        r#"{"name": "c", "kind": "max_pool2d", "kernel": [2, 2]}"#.into(),
    ];
    let architecture = architecture(&[2, 6, 6], &layers);
    let mut network = Network::new(&architecture).unwrap();
    network.initialise(1);
    let x = Array2::from_shape_fn((5, 72), |(i, j)| ((i * 72 + j) as f32 * 0.37).sin());
    let mut tape = Tape::new(&network, 5);
    let together = network.forward(x.view(), &mut tape, Mode::Evaluate).to_owned();
    for (index, logits) in together.rows().into_iter().enumerate() {
        let one = x.slice(ndarray::s![index..=index, ..]);
        assert_eq!(network.forward(one, &mut tape, Mode::Evaluate).row(0), logits);
    }
}
