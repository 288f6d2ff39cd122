//! The arithmetic coder: bins (yes or no) with their probabilities become one long binary fraction, and back.
//!
//! The range R (9 bits, 256 to 511) is divided into a lower part for the more probable value of a bin and an upper part
//! of size P for the other; the part that occurred becomes the new range, doubled until it has 9 bits again. `states`
//! says how P is learned, [`Encoder`] and [`Decoder`] are the two directions.
//!
//! Source: ISO/IEC 15938-17 (DeepCABAC).

mod decoder;
mod encoder;
mod states;
#[cfg(test)]
mod twin;

pub(super) use decoder::Decoder;
pub(super) use encoder::Encoder;
pub(super) use states::State;

/// R at the start.
const START: u32 = 510;
/// R after a row of blocks (see `scan`), the least that has 9 bits.
const RESTART: u32 = 256;
