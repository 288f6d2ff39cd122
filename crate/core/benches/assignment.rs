//! Assignment of a million weights, one thread: weights per second by method and bit width.

#![allow(clippy::unwrap_used)]

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use ecqx_core::quant::{Codebook, LayerInput, Method, QuantizeSettings, UnitRelevance};
use ecqx_core::rng::Rng;

const WEIGHTS: usize = 1 << 20;

fn assignment(criterion: &mut Criterion) {
    let mut rng = Rng::new(1, 0);
    let weights: Vec<f32> = (0..WEIGHTS).map(|_| (rng.normal() * 0.05) as f32).collect();
    let relevance: Vec<f32> = (0..WEIGHTS).map(|_| (rng.normal() * rng.normal()) as f32).collect();
    let relevance = UnitRelevance::new("layer", &relevance).unwrap();
    let mut group = criterion.benchmark_group("assign");
    group.throughput(Throughput::Elements(WEIGHTS as u64)).sample_size(10);
    for bits in [2, 4] {
        let codebook = Codebook::uniform("layer", &weights, bits).unwrap();
        let layer = LayerInput::new("layer", &weights, Some(&relevance), &codebook, WEIGHTS).unwrap();
        for (name, method) in Method::ALL {
            let quantizer = QuantizeSettings { method, bits, lambda: 0.1, p: 0.1 }.quantizer().unwrap();
            group.bench_function(BenchmarkId::new(name, bits), |bench| {
                bench.iter(|| quantizer.assign(black_box(&layer)).unwrap());
            });
        }
    }
    group.finish();
}

criterion_group!(benches, assignment);
criterion_main!(benches);
