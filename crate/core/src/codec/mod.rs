//! NNC, the standard's compressed bitstream for neural networks (ISO/IEC 15938-17, DeepCABAC): tensors of integers and
//! floats, coded by an adaptive arithmetic coder. NNCodec reads what is written here, and the other way round.
//!
//! From the inside out: `cabac` (bins to bits), `binarize` (integers to bins), `parameters` and `search` (how contexts
//! learn), `scan`, `payload` (a tensor's weights), `float` (dependent quantization), `bits` and `unit` (headers), `file`.
//! Then what we make of it: `model` (a quantized model, with `brief` and `text` for its description) and `convert` (from
//! and to safetensors). `compare` writes the same integers in other ways.

// A bin is a few instructions: a call would double its time.
#![allow(clippy::inline_always)]
// Bits become signed numbers and back on purpose; all are far from the ends of their types, or checked.
#![allow(clippy::cast_possible_wrap)]

mod binarize;
mod bits;
mod brief;
mod cabac;
mod compare;
mod convert;
mod error;
mod file;
mod float;
mod model;
mod parameters;
mod payload;
mod scan;
mod search;
mod text;
mod unit;

pub use compare::{CODERS, Coder, Sizes, compare};
pub use convert::{Encoded, Progress, decode_file, encode_file};
pub use error::CodecError;
pub use file::{EncodeSettings, Grid, Tensors, decode, encode_floats, encode_integers, encode_raw, join_units};
pub use model::{QuantizedWeight, Scale, encode_rest, quantized_weights};
pub use search::Search;

/// Of the format as tools write it. They differ in one flag of each coded tensor, and neither says which it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Generation {
    /// NNCodec 1.x, which the published ECQx writes.
    First,
    /// NNCodec 2.x: what `pip install nncodec` reads.
    #[default]
    Second,
}
