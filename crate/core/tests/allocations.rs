//! A training step in steady state takes no memory. Alone in its binary, since it counts what all threads allocate.

#![allow(clippy::unwrap_used)] // helpers of tests may panic
#![allow(unsafe_code)] // an allocator that counts can be written no other way

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

use ecqx_core::data::Split;
use ecqx_core::model::Architecture;
use ecqx_core::nn::Network;
use ecqx_core::qat::{Order, QatSettings, QatTrainer};
use ecqx_core::quant::{Method, Mode, QuantizeSettings};
use ecqx_core::rng::Rng;
use ndarray::Array2;

struct Counting;

static COUNT: AtomicUsize = AtomicUsize::new(0);

// SAFETY: all work is the system allocator's.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.fetch_add(1, Ordering::Relaxed);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        COUNT.fetch_add(1, Ordering::Relaxed);
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const NET: &str = r#"{"input": [1, 6, 6], "layers": [
    {"name": "a", "kind": "conv2d", "filters": 3, "kernel": [3, 3], "padding": [1, 1], "bias": false},
    {"name": "b", "kind": "batch_norm"}, {"name": "c", "kind": "relu"},
    {"name": "d", "kind": "max_pool2d", "kernel": [2, 2]}, {"name": "e", "kind": "flatten"},
    {"name": "f", "kind": "dense", "units": 40}, {"name": "g", "kind": "relu"}, {"name": "h", "kind": "dense", "units": 3}]}"#;

#[test]
fn a_step_takes_no_memory() {
    let mut network = Network::new(&Architecture::from_json(NET).unwrap()).unwrap();
    network.initialise(1);
    let mut rng = Rng::new(2, 2);
    let x = Array2::from_shape_simple_fn((320, 36), || rng.uniform() as f32);
    let data = Split { x, y: (0..320).map(|_| rng.below(3)).collect() };
    for mode in [Mode::Exact, Mode::Reference] {
        let quantize = QuantizeSettings { mode, ..QuantizeSettings::new(Method::Ecqx, 4, 0.05, 0.1) };
        let order = Order { batch_size: 16, shuffle: Some(3) };
        let mut trainer = QatTrainer::new(&network, QatSettings::new(quantize), order, &data).unwrap();
        let mut allocations = Vec::new();
        for _ in 0..40 {
            let before = COUNT.load(Ordering::Relaxed);
            let is_last = trainer.step(&data, &data).unwrap().ended.is_some();
            allocations.extend((!is_last).then_some(COUNT.load(Ordering::Relaxed) - before));
        }
        // What is kept is made in the first steps.
        assert!(allocations[0] > 0 && allocations[3..].iter().all(|&count| count == 0), "{mode:?}: {allocations:?}");
    }
}
