//! The core's matrix product alone, over the shapes and transpositions that layers call it with.

use ecqx_core::matmul::{Output, Pack, Update, matmul};
use ecqx_core::rng::Rng;
use ndarray::Array2;
use wasm_bindgen::prelude::*;

/// One product c [rows, columns] += a [rows, depth]·b [depth, columns] in memory of its own, filled at random.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Product {
    a: Array2<f32>,
    b: Array2<f32>,
    c: Vec<f32>,
    pack: Pack,
}

#[wasm_bindgen]
impl Product {
    /// A factor that is transposed lies in memory as its transpose.
    #[wasm_bindgen(constructor)]
    pub fn new(rows: usize, depth: usize, columns: usize, transposed_a: bool, transposed_b: bool) -> Self {
        let mut rng = Rng::new(1, 0);
        let mut random = |rows: usize, columns: usize, transposed: bool| {
            let shape = if transposed { (columns, rows) } else { (rows, columns) };
            let matrix = Array2::from_shape_simple_fn(shape, || rng.uniform() as f32 - 0.5);
            if transposed { matrix.reversed_axes() } else { matrix }
        };
        let (a, b) = (random(rows, depth, transposed_a), random(depth, columns, transposed_b));
        Self { a, b, c: vec![0.0; rows * columns], pack: Pack::default() }
    }

    /// Multiplications and additions in one product.
    pub fn flop(&self) -> f64 {
        2.0 * (self.a.len() * self.b.ncols()) as f64
    }

    /// Computes the product so many times, each added to what is there.
    pub fn run(&mut self, times: usize) {
        for _ in 0..times {
            matmul(
                self.a.view(),
                &self.b.view(),
                &mut Output::new(&mut self.c, self.b.ncols()),
                Update::Add,
                &mut self.pack,
            );
        }
    }
}
