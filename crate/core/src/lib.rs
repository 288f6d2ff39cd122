//! ECQx Explorer's core: nets, relevance, quantizers and training. It knows no files, no clock and no web page;
//! bytes go in, plain reports come out, and the same input and seed give the same bits natively and in WebAssembly.
//!
//! Read on in [`quant`] (the method), [`lrp`] (relevance), [`nn`] (nets), [`codec`] (compressed files), [`session`] (what
//! page and command share).
//!
//! | word | unit |
//! | --- | --- |
//! | weight, centroid, step size, threshold | weight units |
//! | Λ (`lagrange`) | squared weight units per bit |
//! | λ (`lambda`), p, β (`beta`), sparsity, accuracy | none; shares are 0 to 1 |
//! | information content, entropy | bits, bits per weight |
//! | loss | nats |
//! | relevance | the explained output's; [`quant::UnitRelevance`] is scaled to [0, 1] |
//!
//! ```
//! use ecqx_core::quant::{Codebook, Ecq, LayerInput, Mode, Quantizer, Workspace};
//!
//! let weights = [-0.9, -0.1, 0.05, 0.2, 0.3, 1.0];
//! let codebook = Codebook::uniform("fc1", &weights, 3)?;
//! let layer = LayerInput::new("fc1", &weights, None, &codebook, weights.len())?;
//! let mut work = Workspace::default();
//! Ecq::new(0.0, Mode::Exact)?.assign(&layer, &mut work)?; // nearest neighbour
//! assert!(work.assignment().sparsity() < 1.0);
//! Ecq::new(1.0, Mode::Exact)?.assign(&layer, &mut work)?; // λ = 1 leaves nothing but zeros
//! assert_eq!(work.assignment().sparsity(), 1.0);
//! # Ok::<(), ecqx_core::CoreError>(())
//! ```

#![warn(missing_docs)]
#![cfg_attr(test, allow(clippy::disallowed_methods))] // twins in tests are compared with a tolerance

pub mod codec;
pub mod data;
mod error;
pub mod lrp;
mod math;
pub mod matmul;
pub mod model;
pub mod nn;
pub mod qat;
pub mod quant;
pub mod rng;
pub mod session;
pub mod stats;
pub mod tensors;

pub use error::CoreError;
