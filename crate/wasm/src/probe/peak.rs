//! The rate of 128-bit multiply-adds that one thread reaches here: what every share of the peak refers to.

use std::array;
use std::hint::black_box;

use core::arch::wasm32::{f32x4_add, f32x4_extract_lane, f32x4_mul, f32x4_splat};
use wasm_bindgen::prelude::*;

/// Independent sums: enough to hide the latency of a multiplication and an addition, few enough for the registers.
const CHAINS: usize = 13;
/// Numbers in a vector.
const LANES: usize = 4;

/// Multiplications and additions in one step of [`run_peak`].
#[wasm_bindgen(js_name = peakFlopPerStep)]
pub fn peak_flop_per_step() -> usize {
    CHAINS * LANES * 2
}

/// Runs so many steps of multiply-adds on registers alone. The result keeps the compiler from leaving them out.
#[wasm_bindgen(js_name = runPeak)]
pub fn run_peak(steps: u32) -> f32 {
    // Converges to 1 from any start: neither too large nor denormal numbers, which some processors are slow at.
    let (factor, addend) = (f32x4_splat(black_box(0.5)), f32x4_splat(black_box(0.5)));
    let mut sums: [_; CHAINS] = array::from_fn(|chain| f32x4_splat(black_box(1.0 + chain as f32)));
    for _ in 0..steps {
        sums = sums.map(|sum| f32x4_add(f32x4_mul(sum, factor), addend));
    }
    f32x4_extract_lane::<0>(sums.into_iter().fold(factor, |total, sum| f32x4_add(total, sum)))
}
