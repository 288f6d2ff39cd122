//! The three bench nets, the same work as `tests/browser` gives the browser: all samples forward, a training epoch or
//! step, and the relevance of all weights for one batch.

#![allow(clippy::unwrap_used)]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use ecqx_core::data::Split;
use ecqx_core::lrp::{Composite, ExplainSettings, explain};
use ecqx_core::model::{Architecture, Model};
use ecqx_core::nn::{Adam, Gradients, Mode, SoftmaxCrossEntropy, Tape, Trainer};
use ecqx_core::rng::Rng;
use ndarray::Array2;

/// Samples, batch size, whether an epoch or a single step is timed, and the layers.
struct Net {
    name: &'static str,
    samples: usize,
    batch: usize,
    training: &'static str,
    architecture: String,
}

fn mlp(sizes: &[usize]) -> String {
    let mut layers = Vec::new();
    for (index, units) in sizes.iter().enumerate().skip(1) {
        layers.push(format!(r#"{{"name": "fc{index}", "kind": "dense", "units": {units}}}"#));
        layers.push(format!(r#"{{"name": "relu{index}", "kind": "relu"}}"#));
    }
    layers.pop();
    format!(r#"{{"input": [{}], "layers": [{}]}}"#, sizes[0], layers.join(", "))
}

const CNN: &str = r#"{"input": [1, 8, 8], "layers": [
    {"name": "conv1", "kind": "conv2d", "filters": 16, "kernel": [3, 3], "padding": [1, 1]}, {"name": "relu1", "kind": "relu"},
    {"name": "conv2", "kind": "conv2d", "filters": 32, "kernel": [3, 3], "padding": [1, 1]}, {"name": "relu2", "kind": "relu"},
    {"name": "pool", "kind": "max_pool2d", "kernel": [2, 2]}, {"name": "flat", "kind": "flatten"},
    {"name": "fc", "kind": "dense", "units": 10}]}"#;

fn nets(criterion: &mut Criterion) {
    let speech = mlp(&[735, 512, 512, 256, 256, 128, 128, 12]);
    let all = [
        Net { name: "digits-mlp", samples: 1797, batch: 64, training: "epoch", architecture: mlp(&[64, 128, 64, 10]) },
        Net { name: "speech-mlp", samples: 1000, batch: 128, training: "step", architecture: speech },
        Net { name: "cnn", samples: 1797, batch: 64, training: "epoch", architecture: CNN.into() },
    ];
    for Net { name, samples, batch, training, architecture } in all {
        let mut model = Model::initialise(Architecture::from_json(&architecture).unwrap(), 0).unwrap();
        let mut rng = Rng::new(1, 7);
        let (features, classes) = (model.network.input().iter().product(), model.network.outputs());
        let data = Split {
            x: Array2::from_shape_simple_fn((samples, features), || rng.uniform() as f32),
            y: (0..samples).map(|_| rng.below(classes)).collect(),
        };
        let mut group = criterion.benchmark_group(format!("nets/{name}"));
        group.sample_size(10);
        let mut tape = model.network.evaluation_tape();
        group.bench_function("forward", |bench| {
            bench.iter(|| {
                for (x, _) in data.chunks(tape.capacity()) {
                    black_box(model.network.forward(x, &mut tape, Mode::Evaluate));
                }
            });
        });
        let one = Split { x: data.x.slice(ndarray::s![..batch, ..]).to_owned(), y: data.y[..batch].to_vec() };
        for (id, composite) in [("explain-batch", "epsilon"), ("explain-batch-plus", "epsilon-plus")] {
            let settings = ExplainSettings { composite: Composite::named(composite).unwrap(), ..Default::default() };
            group.bench_function(id, |bench| {
                bench.iter(|| explain(&model.network, &one, &settings, &mut tape).unwrap());
            });
        }
        let mut trainer = Trainer::new(&model.network, batch, Box::new(Adam::new(1e-3, 0.0).unwrap())).unwrap();
        // What relevance is compared with: a training step's forward and backward, without the optimizer.
        let (mut training_tape, mut gradients) = (Tape::new(&model.network, batch), Gradients::zeros(&model.network));
        group.bench_function("measure-batch", |bench| {
            bench.iter(|| {
                model.network.forward(one.x.view(), &mut training_tape, Mode::Train);
                model.network.backward(one.x.view(), &mut training_tape, &mut gradients, None, |logits, gradient| {
                    SoftmaxCrossEntropy.gradient(logits, &one.y, gradient);
                });
            });
        });
        let steps = if training == "step" { 1 } else { usize::MAX };
        group.bench_function(training, |bench| {
            bench.iter(|| {
                for (x, labels) in data.chunks(batch).take(steps) {
                    trainer.step(&mut model.network, x, labels).unwrap();
                }
            });
        });
        group.finish();
    }
}

criterion_group!(benches, nets);
criterion_main!(benches);
