//! The core's matrix product alone, over the shapes, transpositions and updates that layers call it with. Of a
//! convolution only the size is the same: there the right factor is laid out from the image as it is needed, here it is
//! a plain matrix.

use ecqx_core::matmul::{Output, Pack, Update, matmul};
use ecqx_core::rng::Rng;
use ndarray::Array2;
use wasm_bindgen::prelude::*;

/// What becomes of c: a·b, c + a·b, or a·b and a bias for each column or row.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Replace,
    Add,
    ColumnBias,
    RowBias,
}

/// One product c [rows, columns] of a [rows, depth] and b [depth, columns] in memory of its own, filled at random.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Product {
    a: Array2<f32>,
    b: Array2<f32>,
    c: Vec<f32>,
    bias: Vec<f32>,
    update: Kind,
    pack: Pack,
}

#[wasm_bindgen]
impl Product {
    /// A factor that is transposed lies in memory as its transpose. `update` is `replace`, `add`,
    /// `column bias` or `row bias`.
    ///
    /// # Errors
    /// Another update.
    #[wasm_bindgen(constructor)]
    pub fn new(
        rows: usize,
        depth: usize,
        columns: usize,
        transposed_a: bool,
        transposed_b: bool,
        update: &str,
    ) -> Result<Self, JsError> {
        let update = match update {
            "replace" => Kind::Replace,
            "add" => Kind::Add,
            "column bias" => Kind::ColumnBias,
            "row bias" => Kind::RowBias,
            other => return Err(JsError::new(&format!("there is no update {other:?}"))),
        };
        let mut rng = Rng::new(1, 0);
        let mut random = |rows: usize, columns: usize, transposed: bool| {
            let shape = if transposed { (columns, rows) } else { (rows, columns) };
            let matrix = Array2::from_shape_simple_fn(shape, || rng.uniform() as f32 - 0.5);
            if transposed { matrix.reversed_axes() } else { matrix }
        };
        let (a, b) = (random(rows, depth, transposed_a), random(depth, columns, transposed_b));
        let (c, bias) = (vec![0.0; rows * columns], vec![0.5; rows.max(columns)]);
        Ok(Self { a, b, c, bias, update, pack: Pack::default() })
    }

    /// Multiplications and additions in one product.
    pub fn flop(&self) -> f64 {
        2.0 * (self.a.len() * self.b.ncols()) as f64
    }

    /// Computes the product so many times.
    pub fn run(&mut self, times: usize) {
        let update = match self.update {
            Kind::Replace => Update::Replace,
            Kind::Add => Update::Add,
            Kind::ColumnBias => Update::ColumnBias(&self.bias),
            Kind::RowBias => Update::RowBias(&self.bias),
        };
        for _ in 0..times {
            matmul(
                self.a.view(),
                &self.b.view(),
                &mut Output::new(&mut self.c, self.b.ncols()),
                update,
                &mut self.pack,
            );
        }
    }
}
