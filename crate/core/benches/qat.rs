//! A step of quantization-aware training beside what it cannot do without: a plain training step and the relevance pass
//! of the same batch. Printed at the end as a quotient of medians, taken in turns so that a busy machine hits all alike.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group, criterion_main};
use ecqx_core::data::{Batches, Split};
use ecqx_core::lrp::{ExplainSettings, Explainer};
use ecqx_core::model::{Architecture, Model};
use ecqx_core::nn::{Adam, Tape, Trainer};
use ecqx_core::qat::{Order, QatSettings, QatTrainer};
use ecqx_core::quant::{Method, Mode, QuantizeSettings};
use ecqx_core::rng::Rng;
use ndarray::Array2;

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

/// Batches of an epoch: enough that its end hardly counts.
const BATCHES: usize = 64;

/// One net with everything that is timed on it. All see the same batches in the same order: a net that is shown one
/// alone soon knows it by heart, and its gradients become numbers too small to be computed at full speed.
struct Case {
    name: &'static str,
    model: Model,
    data: Split,
    first: Split,
    batches: Batches,
    plain: Trainer,
    explainer: Explainer,
    tape: Tape,
    qat: QatTrainer,
    reference: QatTrainer,
}

impl Case {
    fn new(name: &'static str, architecture: &str, batch_size: usize) -> Self {
        let model = Model::initialise(Architecture::from_json(architecture).unwrap(), 0).unwrap();
        let mut rng = Rng::new(1, 7);
        let (features, classes) = (model.network.input().iter().product(), model.network.outputs());
        let data = Split {
            x: Array2::from_shape_simple_fn((BATCHES * batch_size, features), || rng.uniform() as f32),
            y: (0..BATCHES * batch_size).map(|_| rng.below(classes)).collect(),
        };
        let first = data.x.slice(ndarray::s![..batch_size, ..]).to_owned();
        let trainer = |mode| {
            let quantize = QuantizeSettings { mode, ..QuantizeSettings::new(Method::Ecqx, 4, 0.05, 0.1) };
            let order = Order { batch_size, shuffle: None };
            QatTrainer::new(&model.network, QatSettings::new(quantize), order, &data).unwrap()
        };
        let composite = QatSettings::new(QuantizeSettings::new(Method::Ecqx, 4, 0.05, 0.1)).composite;
        let settings = ExplainSettings { composite, ..ExplainSettings::default() };
        Self {
            name,
            plain: Trainer::new(&model.network, batch_size, Box::new(Adam::new(1e-3, 0.0).unwrap())).unwrap(),
            explainer: Explainer::new(&model.network, &settings).unwrap(),
            tape: Tape::new(&model.network, batch_size),
            qat: trainer(Mode::Exact),
            reference: trainer(Mode::Reference),
            first: Split { x: first, y: data.y[..batch_size].to_vec() },
            batches: Batches::new(&data, batch_size, None),
            data,
            model,
        }
    }

    fn train(&mut self) {
        let (x, labels) = self.batches.next(&self.data);
        self.plain.step(&mut self.model.network, x, labels).unwrap();
    }

    fn explain(&mut self) {
        let (x, labels) = self.batches.next(&self.data);
        self.explainer.explain(&self.model.network, x, labels, &mut self.tape).unwrap();
    }

    fn step(&mut self, mode: Mode) {
        let trainer = if mode == Mode::Exact { &mut self.qat } else { &mut self.reference };
        trainer.step(&self.data, &self.first).unwrap();
    }
}

fn time(work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort_unstable();
    times[times.len() / 2].as_secs_f64() * 1e3
}

fn steps(criterion: &mut Criterion) {
    const ROUNDS: usize = 128;
    let speech = mlp(&[735, 512, 512, 256, 256, 128, 128, 12]);
    for (name, architecture, batch_size) in
        [("digits-mlp", mlp(&[64, 128, 64, 10]), 64), ("speech-mlp", speech, 128), ("cnn", CNN.to_owned(), 64)]
    {
        let mut case = Case::new(name, &architecture, batch_size);
        let mut group = criterion.benchmark_group(format!("qat/{}", case.name));
        group.sample_size(10);
        group.bench_function("train", |bench| bench.iter(|| case.train()));
        group.bench_function("explain", |bench| bench.iter(|| case.explain()));
        group.bench_function("step", |bench| bench.iter(|| case.step(Mode::Exact)));
        group.bench_function("step-reference", |bench| bench.iter(|| case.step(Mode::Reference)));
        group.finish();
        let mut times = [const { Vec::new() }; 4];
        for _ in 0..ROUNDS {
            times[0].push(time(|| case.train()));
            times[1].push(time(|| case.explain()));
            times[2].push(time(|| case.step(Mode::Exact)));
            times[3].push(time(|| case.step(Mode::Reference)));
        }
        let [train, explain, step, reference] = times.map(median);
        let quotient = |step: f64| step / (train + explain);
        println!(
            "{name}: training step {train:.3} ms + relevance pass {explain:.3} ms; exact {step:.3} ms = {:.2} times that, \
             reference {reference:.3} ms = {:.2}",
            quotient(step),
            quotient(reference)
        );
    }
}

criterion_group!(benches, steps);
criterion_main!(benches);
