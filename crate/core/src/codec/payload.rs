//! The arithmetic-coded part of a tensor: parameter sets, then the weights, then the end.

use super::binarize::{self, EscapeLength, Past, Transitions};
use super::cabac::{Decoder, Encoder, State};
use super::scan::Scan;
use super::search::{Choice, Coded};
use super::{Generation, parameters};

/// A tensor takes at least this part of a byte a weight: a bin narrows the range of 256 or more by 2 or more, so that a
/// bit holds 128 weights at most.
pub(super) const MOST_WEIGHTS_PER_BYTE: usize = 8 * 128;

/// N where there is no dependent quantization: the state stays 0.
pub(super) const INDEPENDENT: Transitions = [[0; 2]; 8];

/// Where a row of blocks begins: the decoder's window, the quantizer's state, and bits since the row before.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Entry {
    pub(super) window: u32,
    pub(super) quantizer: u32,
    pub(super) distance: i64,
}

/// How a payload is to be read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Layout<'a> {
    pub(super) escape_length: EscapeLength,
    pub(super) scan: Scan,
    pub(super) transitions: &'a Transitions,
    pub(super) dependent: bool,
    pub(super) generation: Generation,
}

/// Encodes weights; `qp` goes before them where there is one.
pub(super) fn encode(coded: Coded<'_>, choice: &Choice, qp: Option<i8>, blocks: bool) -> Vec<u8> {
    let mut encoder = Encoder::new();
    if let Some(qp) = qp {
        encoder.bypass(8, u32::from(qp as u8));
    }
    parameters::write(&mut encoder, &mut State::default(), &choice.sets);
    let start = parameters::start(&choice.sets, choice.escape_length, coded.dependent);
    let (mut rest, mut past) = (coded.values, Past::default());
    for &stretch in coded.stretches {
        let (now, later) = rest.split_at(stretch.min(rest.len()));
        rest = later;
        if blocks {
            encoder.restart();
        }
        let mut contexts = start.clone();
        past.sign = 0;
        for &value in now {
            binarize::write(&mut encoder, &mut contexts, past, value);
            past = past.next(value, value, coded.transitions);
        }
    }
    encoder.finish()
}

/// What a payload holds.
#[derive(Debug)]
pub(super) struct Decoded {
    /// In the order in which they are coded.
    pub(super) values: Vec<i32>,
    /// 0 where none was asked for.
    pub(super) qp: i32,
    /// One a row of blocks but the first.
    pub(super) entries: Vec<Entry>,
}

/// Decodes weights, and before them a qp of so many bits; the error says what is wrong.
pub(super) fn decode(bytes: &[u8], layout: Layout<'_>, qp_bits: u32) -> Result<Decoded, &'static str> {
    let Layout { escape_length, scan, transitions, dependent, generation } = layout;
    let mut decoder = Decoder::new(bytes);
    // Two's complement.
    let qp = decoder.bypass(qp_bits) as i32;
    let qp = if qp_bits > 0 && qp >> (qp_bits - 1) == 1 { qp - (1 << qp_bits) } else { qp };
    let sets = parameters::read(&mut decoder, parameters::count(escape_length, dependent, generation));
    let start = parameters::start(&sets, escape_length, dependent);
    let (mut values, mut entries) = (Vec::new(), Vec::new());
    let (mut past, mut position) = (Past::default(), 0);
    for stretch in scan.stretches() {
        if scan.order() > 0 {
            let entry = decoder.restart();
            let distance = entry.position as i64 - position;
            position = entry.position as i64;
            entries.push(Entry { window: entry.window, quantizer: past.quantizer as u32, distance });
        }
        let mut contexts = start.clone();
        past.sign = 0;
        values.reserve(stretch);
        for _ in 0..stretch {
            let value = binarize::read(&mut decoder, &mut contexts, past).ok_or("a weight leaves 32 bits")?;
            values.push(value);
            past = past.next(value, value, transitions);
        }
    }
    if !decoder.finish(bytes) {
        return Err("its weights do not end where the tensor does");
    }
    // The first row begins where the parameter sets end: nobody needs to be told.
    entries.drain(..entries.len().min(1));
    Ok(Decoded { values, qp, entries })
}

#[cfg(test)]
mod tests {
    use super::super::float;
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Whatever an encoder may choose, a decoder follows.
        #[test]
        fn every_choice_decodes(
            (rows, columns) in (1..20_usize, 1..20_usize), scan in 0..=4_u8, dependent: bool, second: bool, qp: Option<i8>,
            length in 1..=256_u32, seed: u64, most in prop_oneof![Just(2_i64), Just(40), Just(1 << 31)],
        ) {
            let mut rng = crate::rng::Rng::new(seed, 0);
            let scan = Scan::new(if rows > 1 && columns > 1 { scan } else { 0 }, &[rows, columns]).unwrap();
            let mut below = |limit: i64| (rng.uniform() * limit as f64) as i64;
            let values: Vec<i32> = (0..rows * columns).map(|_| (below(2 * most) - most) as i32).collect();
            let escape_length = EscapeLength::near(length);
            let generation = if second { Generation::Second } else { Generation::First };
            let sets = (0..parameters::count(escape_length, dependent, generation)).map(|_| below(9) as u8).collect();
            let transitions = if dependent { &float::DEPENDENT } else { &INDEPENDENT };
            let (coded, stretches) = (scan.apply(&values), scan.stretches().collect::<Vec<_>>());
            let coded = Coded { values: &coded, counted: &coded, stretches: &stretches, transitions, dependent, generation };
            let bytes = encode(coded, &Choice { escape_length, sets }, qp, scan.order() > 0);
            let layout = Layout { escape_length, scan, transitions, dependent, generation };
            let decoded = decode(&bytes, layout, if qp.is_some() { 8 } else { 0 }).unwrap();
            prop_assert_eq!(scan.undo(decoded.values), values);
            prop_assert_eq!(decoded.qp, i32::from(qp.unwrap_or(0)));
            prop_assert_eq!(decoded.entries.len(), scan.entries());
            prop_assert!(decoded.entries.iter().all(|entry| entry.window < 256 && entry.distance > 0));
        }
    }
}
