//! Parameter sets in the stream: before the weights, every context gets one of nine (rates and start of its estimators).
//!
//! Per context, in the order of their numbers: one bin, with a state of its own that all these bins share; 0 is set 0,
//! 1 is followed by (set − 1) in three bits without context.

use super::Generation;
use super::binarize::{Bins, Contexts, EscapeLength};
use super::cabac::{Decoder, State};

/// How many contexts are told their set. Generation 2 leaves out the last one, which no 32-bit number can reach.
pub(super) fn count(escape_length: EscapeLength, dependent: bool, generation: Generation) -> usize {
    let zero = if dependent { 24 } else { 3 };
    zero + 3 + 2 * escape_length.get() + 32 - usize::from(generation == Generation::Second)
}

/// Writes the sets of all contexts; `state` is fresh.
pub(super) fn write<B: Bins>(bins: &mut B, state: &mut B::Context, sets: &[u8]) {
    for &set in sets {
        bins.bin(state, set > 0);
        if set > 0 {
            bins.bypass(3, u32::from(set) - 1);
        }
    }
}

/// Reads the sets of so many contexts.
pub(super) fn read(decoder: &mut Decoder<'_>, count: usize) -> Vec<u8> {
    let mut state = State::default();
    let set = |_| if decoder.bin(&mut state) { decoder.bypass(3) as u8 + 1 } else { 0 };
    (0..count).map(set).collect()
}

/// Contexts at the start of their sets.
pub(super) fn start(sets: &[u8], escape_length: EscapeLength, dependent: bool) -> Contexts<State> {
    let mut contexts = Contexts::new(escape_length, State::default);
    for (state, &set) in contexts.iter_mut(dependent).zip(sets) {
        *state = State::of_set(set);
    }
    contexts
}
