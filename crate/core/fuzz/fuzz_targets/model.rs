//! Any bytes as a model: an error, or a model that reads back as it was written and runs.
#![no_main]

use ecqx_core::model::Model;
use ecqx_core::nn::{Mode, Tape};
use libfuzzer_sys::fuzz_target;
use ndarray::Array2;

fuzz_target!(|bytes: &[u8]| {
    let Ok(model) = Model::from_bytes(bytes) else { return };
    let written = model.to_bytes();
    assert!(Model::from_bytes(&written).unwrap().to_bytes() == written);
    let network = &model.network;
    let features: usize = network.input().iter().product();
    let activations: usize = network.nodes().iter().map(|node| node.shape.iter().product::<usize>()).sum();
    let parameters: usize = network.parameters().map(|p| p.values.len()).sum();
    if features + activations + parameters >= 1 << 16 {
        return;
    }
    let x = Array2::from_shape_fn((1, features), |(_, i)| (i % 5) as f32 - 2.0);
    let mut tape = Tape::new(network, 1);
    let logits = network.forward(x.view(), &mut tape, Mode::Evaluate);
    assert_eq!(logits.dim(), (1, network.outputs()));
});
