//! Backward passes against finite differences of a slow f64 twin.

// Helpers of tests may panic; twins are compared with a tolerance.
#![allow(clippy::unwrap_used, clippy::panic, clippy::disallowed_methods)]

use ecqx_core::data::Split;
use ecqx_core::model::Architecture;
use ecqx_core::nn::{Gradients, Mode, Network, SoftmaxCrossEntropy, Tape};
use ecqx_core::rng::Rng;
use ndarray::Array2;
use proptest::prelude::*;

/// The loss of a net of dense layers with ReLU between them, in f64, written from the formulas alone.
fn loss_twin(parameters: &[Vec<f64>], sizes: &[usize], split: &Split) -> f64 {
    let mut total = 0.0;
    for (x, &label) in split.x.rows().into_iter().zip(&split.y) {
        let mut a: Vec<f64> = x.iter().copied().map(f64::from).collect();
        for (layer, pair) in parameters.chunks(2).enumerate() {
            let (weight, bias) = (&pair[0], &pair[1]);
            let inputs = sizes[layer];
            let z = (0..sizes[layer + 1])
                .map(|k| bias[k] + (0..inputs).map(|j| weight[k * inputs + j] * a[j]).sum::<f64>());
            let last = layer + 2 == sizes.len();
            a = z.map(|z| if last { z } else { z.max(0.0) }).collect();
        }
        total += a.iter().map(|z| z.exp()).sum::<f64>().ln() - a[label];
    }
    total / split.len() as f64
}

fn architecture(sizes: &[usize]) -> Architecture {
    let mut layers = Vec::new();
    for (index, units) in sizes.iter().enumerate().skip(1) {
        layers.push(format!(r#"{{"name": "fc{index}", "kind": "dense", "units": {units}}}"#));
        if index + 1 < sizes.len() {
            layers.push(format!(r#"{{"name": "relu{index}", "kind": "relu"}}"#));
        }
    }
    let text = format!(r#"{{"input": [{}], "layers": [{}]}}"#, sizes[0], layers.join(","));
    Architecture::from_json(&text).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn dense_relu_cross_entropy(sizes in proptest::collection::vec(1_usize..9, 2..5), samples in 1_usize..6, seed: u64) {
        let mut network = Network::new(&architecture(&sizes)).unwrap();
        network.initialise(seed);
        let mut rng = Rng::new(seed, 9);
        // Biases away from 0, so that no unit sits exactly at the kink of the ReLU.
        network.parameters_mut().for_each(|values| values.iter_mut().for_each(|v| *v += rng.normal() as f32 * 0.1));
        let classes = sizes[sizes.len() - 1];
        let split = Split {
            x: Array2::from_shape_simple_fn((samples, sizes[0]), || rng.normal() as f32),
            y: (0..samples).map(|_| rng.below(classes)).collect(),
        };
        let (mut tape, mut gradients) = (Tape::new(&network, samples), Gradients::zeros(&network));
        network.forward(split.x.view(), &mut tape, Mode::Train);
        network.backward(split.x.view(), &mut tape, &mut gradients, |logits, gradient| {
            SoftmaxCrossEntropy.gradient(logits, &split.y, gradient);
        });
        let parameters: Vec<Vec<f64>> = network.parameters().map(|p| p.values.iter().copied().map(f64::from).collect()).collect();
        for (tensor, gradient) in gradients.iter().enumerate() {
            for (position, &got) in gradient.iter().enumerate() {
                let moved = |by: f64| {
                    let mut moved = parameters.clone();
                    moved[tensor][position] += by;
                    loss_twin(&moved, &sizes, &split)
                };
                let step = 1e-6;
                let expected = (moved(step) - moved(-step)) / (2.0 * step);
                prop_assert!((f64::from(got) - expected).abs() < 1e-4 * (1.0 + expected.abs()), "{tensor}.{position}: {got}, not {expected}");
            }
        }
    }
}
