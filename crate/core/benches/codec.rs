//! The codec on a million weights, one thread: 4 bit, 90 % zeros, and 5 bit without zeros; beside a loop that only reads
//! them, so that numbers of different machines can be compared.

#![allow(clippy::unwrap_used)]

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ecqx_core::codec::{EncodeSettings, Generation, Search, decode, encode_integers, join_units};
use ecqx_core::rng::Rng;

const WEIGHTS: usize = 1 << 20;

/// Weights within ±largest, near 0 rather than far, of which a share is 0.
fn weights(largest: f64, zeros: f64) -> Vec<i32> {
    let mut rng = Rng::new(1, 0);
    let mut weight = || {
        let sign = if rng.uniform() < 0.5 { -1.0 } else { 1.0 };
        let magnitude = 1.0 + (rng.normal().abs() * largest / 2.5).floor();
        if rng.uniform() < zeros { 0 } else { (sign * magnitude.min(largest)) as i32 }
    };
    (0..WEIGHTS).map(|_| weight()).collect()
}

fn codec(criterion: &mut Criterion) {
    for (name, largest, zeros) in [("4-bit-90", 7.0, 0.9), ("5-bit-dense", 15.0, 0.0)] {
        let values = weights(largest, zeros);
        let mut group = criterion.benchmark_group(format!("codec/{name}"));
        group.throughput(Throughput::Elements(WEIGHTS as u64)).sample_size(10);
        group.bench_function("read", |bench| {
            bench.iter(|| black_box(&values).iter().map(|&value| i64::from(value)).sum::<i64>());
        });
        for (id, search) in [("best", Search::Best), ("reference", Search::Reference), ("off", Search::Off)] {
            let settings = EncodeSettings { search, ..EncodeSettings::default() };
            group.bench_function(format!("encode-{id}"), |bench| {
                bench.iter(|| encode_integers("w", &[1024, 1024], black_box(&values), settings).unwrap());
            });
        }
        let unit = encode_integers("w", &[1024, 1024], &values, EncodeSettings::default()).unwrap();
        let file = join_units([unit.as_slice()]);
        group.bench_function("decode", |bench| {
            bench.iter(|| decode(black_box(&file), Generation::Second).unwrap());
        });
        group.finish();
    }
}

criterion_group!(benches, codec);
criterion_main!(benches);
