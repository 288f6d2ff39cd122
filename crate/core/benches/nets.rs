//! Whole passes of a net: the 360 test digits forward, one training epoch, the relevance of all weights.

#![allow(clippy::unwrap_used)]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use ecqx_core::data::{Batches, Dataset};
use ecqx_core::lrp::{Composite, OutputRelevance, explain};
use ecqx_core::model::Model;
use ecqx_core::nn::{Adam, Trainer};

const MODEL: &[u8] = include_bytes!("../../../assets/models/digits-mlp.safetensors");
const DATA: &[u8] = include_bytes!("../../../assets/datasets/digits.safetensors");
const BATCH: usize = 64;

fn digits_mlp(criterion: &mut Criterion) {
    let (mut model, data) = (Model::from_bytes(MODEL).unwrap(), Dataset::from_bytes(DATA).unwrap());
    let (train, test) = (data.train().unwrap(), data.test().unwrap());
    let mut tape = model.network.evaluation_tape();
    criterion.bench_function("digits-mlp/evaluate/360", |bench| {
        bench.iter(|| model.network.evaluate(black_box(test), &mut tape, |_| ()));
    });
    let composite = Composite::named("epsilon").unwrap();
    criterion.bench_function("digits-mlp/explain/1437", |bench| {
        bench.iter(|| explain(&model.network, black_box(train), &composite, OutputRelevance::Logit, false, &mut tape));
    });
    let mut trainer = Trainer::new(&model.network, BATCH, Box::new(Adam::new(1e-3, 0.0).unwrap()));
    let mut batches = Batches::new(train, BATCH, Some(0));
    criterion.bench_function("digits-mlp/train-epoch/1437", |bench| {
        bench.iter(|| {
            for _ in 0..batches.per_epoch() {
                let (x, labels) = batches.next(train);
                trainer.step(&mut model.network, x, labels).unwrap();
            }
        });
    });
}

criterion_group!(benches, digits_mlp);
criterion_main!(benches);
