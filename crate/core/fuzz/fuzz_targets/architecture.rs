//! Any text as an architecture: an error, or layers that read back equal and a net that is refused or learns.
#![no_main]

use ecqx_core::model::{Architecture, Model};
use ecqx_core::nn::{Sgd, Trainer};
use libfuzzer_sys::fuzz_target;
use ndarray::Array2;

fuzz_target!(|text: &str| {
    let Ok(architecture) = Architecture::from_json(text) else { return };
    assert!(Architecture::from_json(&architecture.to_json()).unwrap() == architecture);
    let Ok(Model { mut network, .. }) = Model::initialise(architecture, 0) else { return };
    // Whatever was built is only run if that is quick: no large sizes, not even of borders.
    let small = |n: &str| n.len() < 4;
    if !text.split(|c: char| !c.is_ascii_digit()).all(small) {
        return;
    }
    let features: usize = network.input().iter().product();
    let activations: usize = network.nodes().iter().map(|node| node.shape.iter().product::<usize>()).sum();
    let parameters: usize = network.parameters().map(|p| p.values.len()).sum();
    if features + activations > 1 << 12 || parameters > 1 << 12 {
        return;
    }
    let x = Array2::from_shape_fn((2, features), |(n, i)| (i % 5) as f32 - n as f32);
    let labels = [0, network.outputs() - 1];
    let sgd = Box::new(Sgd::new(0.1, 0.0, 0.0).unwrap());
    let Ok(mut trainer) = Trainer::new(&network, 2, sgd) else { return };
    let _ = trainer.step(&mut network, x.view(), &labels);
    // A batch smaller than there is room for.
    let _ = trainer.step(&mut network, x.slice(ndarray::s![..1, ..]), &labels[..1]);
});
