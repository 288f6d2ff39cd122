//! What an integer becomes: bins, each with its context.
//!
//! ```text
//! v ≠ 0                              zero[q][n]      q: state of the quantizer (0 to 7), n: the weight before
//! v < 0                              sign[n]         (0: none or zero, 1: negative, 2: positive)
//! |v| > j + 1 for j = 0 … U − 1      greater[j][t]   t: 1 for negative weights; ends at the first 0
//! r = |v| − U − 1, k = ⌊log2(r + 1)⌋: k bins 1 and one 0, escape[0 … k], then r + 1 − 2^k in k bits without context
//! ```
//! U is the escape length. Source: ISO/IEC 15938-17 (DeepCABAC).

use super::cabac::{Decoder, Encoder, State};

/// U, 1 to 256.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct EscapeLength(u16);

impl EscapeLength {
    /// What NNCodec takes.
    pub(super) const USUAL: Self = Self(11);
    /// The most that headers can say.
    pub(super) const MOST: Self = Self(256);

    /// The nearest that is allowed.
    pub(super) fn near(length: u32) -> Self {
        Self(length.clamp(1, u32::from(Self::MOST.0)) as u16)
    }

    pub(super) fn get(self) -> usize {
        usize::from(self.0)
    }
}

/// One thing per context.
#[derive(Debug, Clone)]
pub(super) struct Contexts<C> {
    pub(super) zero: [[C; 3]; 8],
    pub(super) sign: [C; 3],
    pub(super) greater: Vec<[C; 2]>,
    pub(super) escape: [C; 32],
}

/// Takes bins: the encoder, or whoever counts what it would do.
pub(super) trait Bins {
    /// What it keeps for each context.
    type Context;
    fn bin(&mut self, context: &mut Self::Context, bin: bool);
    fn bypass(&mut self, bits: u32, value: u32);
}

impl Bins for Encoder {
    type Context = State;

    #[inline(always)]
    fn bin(&mut self, context: &mut State, bin: bool) {
        Self::bin(self, context, bin);
    }

    fn bypass(&mut self, bits: u32, value: u32) {
        Self::bypass(self, bits, value);
    }
}

impl<C> Contexts<C> {
    pub(super) fn new(escape_length: EscapeLength, mut new: impl FnMut() -> C) -> Self {
        Self {
            zero: std::array::from_fn(|_| std::array::from_fn(|_| new())),
            sign: std::array::from_fn(|_| new()),
            greater: (0..escape_length.get()).map(|_| [new(), new()]).collect(),
            escape: std::array::from_fn(|_| new()),
        }
    }

    /// All of them in the order of their numbers; those of the quantizer's states 1 to 7 only where it is used.
    pub(super) fn iter_mut(&mut self, dependent: bool) -> impl Iterator<Item = &mut C> {
        let states = if dependent { 8 } else { 1 };
        let zero = self.zero.iter_mut().take(states).flatten();
        zero.chain(&mut self.sign).chain(self.greater.iter_mut().flatten()).chain(&mut self.escape)
    }
}

/// What the next weight's contexts depend on.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Past {
    /// q: state of the quantizer.
    pub(super) quantizer: usize,
    /// n: the weight before is none or zero, negative, positive.
    pub(super) sign: usize,
}

/// N: the quantizer's next state by the parity of the coded number; without dependent quantization it stays 0.
pub(super) type Transitions = [[u8; 2]; 8];

impl Past {
    /// After this number; `moved` is what the quantizer sees of it.
    #[inline(always)]
    pub(super) fn next(self, value: i32, moved: i32, transitions: &Transitions) -> Self {
        let quantizer = usize::from(transitions[self.quantizer & 7][(moved & 1) as usize]);
        Self { quantizer, sign: usize::from(value < 0) + 2 * usize::from(value > 0) }
    }
}

/// The bins of one number. Those that code how far it is beyond the escape length are [`write_escape`].
#[inline(always)]
pub(super) fn write<B: Bins>(bins: &mut B, contexts: &mut Contexts<B::Context>, past: Past, value: i32) {
    let Some(zero) = contexts.zero[past.quantizer & 7].get_mut(past.sign) else { return };
    bins.bin(zero, value != 0);
    if value == 0 {
        return;
    }
    if let Some(sign) = contexts.sign.get_mut(past.sign) {
        bins.bin(sign, value < 0);
    }
    let (magnitude, side) = (value.unsigned_abs(), usize::from(value < 0));
    for (pair, reached) in contexts.greater.iter_mut().zip(1..) {
        bins.bin(&mut pair[side], magnitude > reached);
        if magnitude <= reached {
            return;
        }
    }
    write_escape(bins, &mut contexts.escape, magnitude - contexts.greater.len() as u32 - 1);
}

/// r: how far a number is beyond the escape length.
pub(super) fn write_escape<B: Bins>(bins: &mut B, contexts: &mut [B::Context; 32], rest: u32) {
    // At most 2^31 − 1, since U is at least 1.
    let suffix = rest + 1;
    let bits = suffix.ilog2();
    for (context, at) in contexts.iter_mut().zip(0..=bits) {
        bins.bin(context, at < bits);
    }
    bins.bypass(bits, suffix - (1 << bits));
}

/// One number; `None` where it leaves 32 bits.
#[inline(always)]
pub(super) fn read(decoder: &mut Decoder<'_>, contexts: &mut Contexts<State>, past: Past) -> Option<i32> {
    if !decoder.bin(contexts.zero[past.quantizer & 7].get_mut(past.sign)?) {
        return Some(0);
    }
    let negative = decoder.bin(contexts.sign.get_mut(past.sign)?);
    let mut magnitude = 1_u32;
    for pair in &mut contexts.greater {
        if !decoder.bin(&mut pair[usize::from(negative)]) {
            // At most 256.
            let value = magnitude as i32;
            return Some(if negative { -value } else { value });
        }
        magnitude += 1;
    }
    let magnitude = magnitude.checked_add(read_escape(decoder, &mut contexts.escape)?)?;
    let value = i64::from(magnitude);
    i32::try_from(if negative { -value } else { value }).ok()
}

fn read_escape(decoder: &mut Decoder<'_>, contexts: &mut [State; 32]) -> Option<u32> {
    let mut bits = 0;
    while decoder.bin(contexts.get_mut(bits)?) {
        bits += 1;
        if bits > 30 {
            return None;
        }
    }
    let bits = bits as u32;
    Some((1 << bits | decoder.bypass(bits)) - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes down which context got which bin.
    struct Notes(String);

    impl Bins for Notes {
        type Context = String;

        fn bin(&mut self, context: &mut String, bin: bool) {
            self.0.extend([context.as_str(), "=", if bin { "1 " } else { "0 " }]);
        }

        fn bypass(&mut self, bits: u32, value: u32) {
            (0..bits).rev().for_each(|at| self.0.push(if value >> at & 1 == 1 { '1' } else { '0' }));
        }
    }

    fn notes(value: i32, past: Past) -> String {
        let mut number = 0;
        let mut contexts = Contexts::new(EscapeLength::USUAL, || {
            number += 1;
            (number - 1).to_string()
        });
        let mut notes = Notes(String::new());
        write(&mut notes, &mut contexts, past, value);
        notes.0.trim_end().to_owned()
    }

    #[test]
    fn bins_by_hand() {
        let past = |quantizer, sign| Past { quantizer, sign };
        assert_eq!(notes(0, past(0, 0)), "0=0");
        assert_eq!(notes(1, past(0, 2)), "2=1 26=0 27=0");
        assert_eq!(notes(-2, past(5, 1)), "16=1 25=1 28=1 30=0");
        // Eleven bins for 11 and more, the last of context 47; escapes begin at 49.
        let after = |value| notes(value, Past::default()).split_once("45=1 ").unwrap().1.to_owned();
        assert_eq!(after(11), "47=0");
        assert_eq!(after(12), "47=1 49=0");
        assert_eq!(after(13), "47=1 49=1 50=0 0");
        assert_eq!(after(14), "47=1 49=1 50=0 1");
        assert_eq!(after(15), "47=1 49=1 50=1 51=0 00");
        assert_eq!(after(100), "47=1 49=1 50=1 51=1 52=1 53=1 54=1 55=0 011001");
    }
}
