//! The probe module: the core as tests and benches in a browser need it, and as the page does not. Never shipped.
//! `net` and `vectors` hold all calls of the core's nets, `product` those of its matrix product, `readers` those of
//! foreign files; `peak` measures what the processor could do.

mod assignment;
mod net;
mod peak;
mod product;
mod readers;
mod vectors;

pub use assignment::Assignment;
pub use net::{Net, train_file};
pub use peak::{peak_flop_per_step, run_peak};
pub use product::Product;
pub use readers::convert_dataset;
pub use vectors::run_vector;

use wasm_bindgen::prelude::*;

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = include_str!("types.ts");
