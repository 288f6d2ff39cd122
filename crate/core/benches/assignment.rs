//! Assignment of a million weights, one thread: weights per second, beside the published algorithm written plainly.

#![allow(clippy::unwrap_used, clippy::disallowed_methods)] // the plain twin takes the platform's functions

use std::hint::black_box;

use criterion::{
    BenchmarkGroup, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main, measurement::WallTime,
};
use ecqx_core::quant::{Assignment, Codebook, Ecq, Ecqx, LayerInput, Mode, Quantizer, UnitRelevance, Workspace};
use ecqx_core::rng::Rng;

const WEIGHTS: usize = 1 << 20;
const LAMBDA: f64 = 0.1;
const P: f64 = 0.01;

/// What changes from one call to the next.
#[derive(Debug, Clone, Copy)]
enum Change {
    Weights,
    Lambda,
    P,
}

fn assignment(criterion: &mut Criterion) {
    let mut rng = Rng::new(1, 0);
    let weights: Vec<f32> = (0..WEIGHTS).map(|_| (rng.normal() * 0.05) as f32).collect();
    let relevance: Vec<f32> = (0..WEIGHTS).map(|_| (rng.normal() * rng.normal()) as f32).collect();
    let unit = UnitRelevance::new("layer", &relevance).unwrap();
    let mut group = criterion.benchmark_group("assign");
    group.throughput(Throughput::Elements(WEIGHTS as u64)).sample_size(10);
    for bits in [2, 4, 8] {
        let codebook = Codebook::uniform("layer", &weights, bits).unwrap();
        let layer = LayerInput::new("layer", &weights, Some(&unit), &codebook, WEIGHTS).unwrap();
        let ecq = |lambda| Ecq::new(lambda, Mode::Exact).unwrap();
        let ecqx = |lambda, p| Ecqx::new(lambda, p, Mode::Exact).unwrap();
        let by_hand = |lambda: f64| ecqx(lambda, P).with_beta(0.3).unwrap();
        let published = |lambda, p| Ecqx::new(lambda, p, Mode::Reference).unwrap();
        calls(&mut group, "ecq", bits, &layer, Change::Weights, |_| ecq(LAMBDA));
        calls(&mut group, "ecq, λ moves", bits, &layer, Change::Lambda, |i| ecq(nudged(LAMBDA, i)));
        calls(&mut group, "ecqx", bits, &layer, Change::Weights, |_| ecqx(LAMBDA, P));
        calls(&mut group, "ecqx, λ moves", bits, &layer, Change::Lambda, |i| ecqx(nudged(LAMBDA, i), P));
        calls(&mut group, "ecqx, p moves", bits, &layer, Change::P, |i| ecqx(LAMBDA, nudged(P, i)));
        calls(&mut group, "ecqx, β given", bits, &layer, Change::Weights, |_| by_hand(LAMBDA));
        calls(&mut group, "ecqx, β given, λ moves", bits, &layer, Change::Lambda, |i| by_hand(nudged(LAMBDA, i)));
        calls(&mut group, "ecqx, mode reference", bits, &layer, Change::Weights, |_| published(LAMBDA, P));
        if bits == 4 {
            // The prices are given here: the plain twin pays for the assignment alone.
            let mut work = Workspace::default();
            ecq(LAMBDA).assign(&layer, &mut work).unwrap();
            let plain = Plain::new(&weights, unit.values(), &codebook, work.assignment());
            group.bench_function("ecq, all costs", |bench| bench.iter(|| plain.assign(|_| 1.0, &mut vec![0; WEIGHTS])));
            group.bench_function("ecqx, all costs for each β", |bench| bench.iter(|| plain.search(unit.mean(), P)));
        }
    }
    group.bench_function("relevance", |bench| {
        let mut unit = unit.clone();
        bench.iter(|| unit.update("layer", black_box(&relevance)).unwrap());
    });
    group.finish();
}

/// Another value at each call, by so little that the work is the same.
fn nudged(value: f64, call: usize) -> f64 {
    value * (1.0 + (call % 64) as f64 * 1e-4)
}

/// Calls one after another on one memory.
fn calls<Q: Quantizer>(
    group: &mut BenchmarkGroup<'_, WallTime>,
    name: &str,
    bits: u8,
    layer: &LayerInput<'_>,
    change: Change,
    quantizer: impl Fn(usize) -> Q,
) {
    group.bench_function(BenchmarkId::new(name, bits), |bench| {
        let (mut work, mut call) = (Workspace::default(), 0);
        quantizer(0).assign(layer, &mut work).unwrap();
        bench.iter(|| {
            call += 1;
            if let Change::Weights = change {
                work.weights_changed();
            }
            quantizer(call).assign(black_box(layer), &mut work).unwrap();
            work.assignment().sparsity()
        });
    });
}

/// The published algorithm in f32: every weight's distance to every centroid, and its price, at each trial of β.
struct Plain<'a> {
    weights: &'a [f32],
    relevance: &'a [f32],
    costs: Vec<(f32, f32)>,
    zero: usize,
}

impl<'a> Plain<'a> {
    fn new(weights: &'a [f32], relevance: &'a [f32], codebook: &Codebook, known: &Assignment) -> Self {
        let prices = known.information_bits.iter().map(|bits| (known.lagrange * bits) as f32);
        let costs = codebook.centroids().iter().copied().zip(prices).collect();
        Self { weights, relevance, costs, zero: codebook.zero() }
    }

    /// Returns how many become zero.
    fn assign(&self, factor: impl Fn(f32) -> f32, clusters: &mut [u8]) -> usize {
        let mut zeros = 0;
        for ((cluster, &w), &r) in clusters.iter_mut().zip(self.weights).zip(self.relevance) {
            let (mut best, mut least) = (0, f32::INFINITY);
            let factor = factor(r);
            for (c, &(centroid, price)) in self.costs.iter().enumerate() {
                let cost = ((w - centroid) * (w - centroid) + price) * if c == self.zero { factor } else { 1.0 };
                if cost < least {
                    (best, least) = (c, cost);
                }
            }
            *cluster = best as u8;
            zeros += usize::from(best == self.zero);
        }
        zeros
    }

    fn search(&self, mean_relevance: f64, p: f64) -> Vec<u8> {
        let mut clusters = vec![0; self.weights.len()];
        let most = self.assign(|_| 1.0, &mut clusters);
        let least = most - (p * self.weights.len() as f64) as usize;
        let (mut beta, mut found) = ((0.5_f64.ln() / mean_relevance.ln()) as f32, 0);
        for trial in 0..51 {
            if (least..=most).contains(&found) {
                break;
            }
            found = self.assign(|r| 2.0 * (r + 1e-12).powf(beta), &mut clusters);
            let step = if trial < 20 {
                0.1
            } else if trial < 40 {
                0.5
            } else {
                0.75
            };
            beta = (beta * if found < most { 1.0 + step } else { 1.0 - step }).min(1.0);
        }
        clusters
    }
}

criterion_group!(benches, assignment);
criterion_main!(benches);
