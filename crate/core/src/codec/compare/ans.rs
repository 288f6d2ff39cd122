//! An asymmetric numeral system with a fixed table (rANS): within a thousandth of the entropy, but for the table.
//! Source: Duda 2013, arXiv:1311.2540.

use std::collections::BTreeMap;

use super::super::CodecError;
use super::super::bits::{BitReader, BitWriter};
use super::{Coder, alphabet};

/// Symbols with their frequencies, then the last state and the words it left behind.
#[derive(Debug)]
pub(super) struct Ans;

const BROKEN: CodecError = CodecError::Damaged { what: "a table" };
/// The state is at least this between two symbols.
const LEAST: u64 = 1 << 31;

impl Coder for Ans {
    fn name(&self) -> &'static str {
        "ans"
    }

    fn encode(&self, values: &[i32], _: usize) -> Vec<u8> {
        let mut bits = BitWriter::default();
        let counts = alphabet::count(values);
        let precision = precision(counts.len());
        let frequencies = frequencies(&counts, precision);
        alphabet::write(counts.iter().map(|&(symbol, _)| symbol), &mut bits);
        for &frequency in &frequencies {
            bits.ue(4, u64::from(frequency) - 1);
        }
        let slots = counts.iter().map(|&(symbol, _)| symbol).zip(slots(&frequencies));
        let slots: BTreeMap<i32, (u64, u64)> = slots.collect();
        let (mut state, mut words) = (LEAST, Vec::new());
        // The last symbol first, so that the first can be read first.
        for &(start, frequency) in values.iter().rev().filter_map(|value| slots.get(value)) {
            if state >= frequency << (63 - precision) {
                words.push(state & 0xffff_ffff);
                state >>= 32;
            }
            state = ((state / frequency) << precision) + start + state % frequency;
        }
        bits.u(63, state);
        words.iter().rev().for_each(|&word| bits.u(32, word));
        bits.into_bytes()
    }

    fn decode(&self, bytes: &[u8], count: usize, _: usize) -> Result<Vec<i32>, CodecError> {
        let mut bits = BitReader::new(bytes);
        let symbols = alphabet::read(&mut bits)?;
        let precision = precision(symbols.len());
        let frequencies = symbols.iter().map(|_| u32::try_from(bits.ue(4)? + 1).map_err(|_| BROKEN));
        let frequencies = frequencies.collect::<Result<Vec<_>, _>>()?;
        let by_start: BTreeMap<u64, (u64, i32)> =
            slots(&frequencies).zip(symbols).map(|((start, frequency), symbol)| (start, (frequency, symbol))).collect();
        let mut state = bits.u(31)? << 32 | bits.u(32)?;
        let next = |_| {
            let slot = state & ((1 << precision) - 1);
            let (&start, &(frequency, symbol)) = by_start.range(..=slot).next_back().ok_or(BROKEN)?;
            state = frequency.wrapping_mul(state >> precision).wrapping_add(slot - start);
            if state < LEAST {
                state = state << 32 | bits.u(32)?;
            }
            Ok(symbol)
        };
        (0..count).map(next).collect()
    }
}

/// Frequencies add up to 2^precision: fine enough for rare symbols, and at least four for each on average.
fn precision(symbols: usize) -> u32 {
    (symbols.next_power_of_two().ilog2() + 2).clamp(12, 30)
}

/// Shares of 2^precision, each at least 1; what rounding leaves goes to the most frequent.
fn frequencies(counts: &[(i32, u32)], precision: u32) -> Vec<u32> {
    let all: u64 = counts.iter().map(|&(_, count)| u64::from(count)).sum();
    let share = |&(_, count): &(i32, u32)| ((u64::from(count) << precision) / all.max(1)).max(1) as i64;
    let mut shares: Vec<i64> = counts.iter().map(share).collect();
    let mut left = (1_i64 << precision) - shares.iter().sum::<i64>();
    while left != 0 {
        // More than once only where many rare symbols were lifted to 1.
        let Some(largest) = shares.iter_mut().max() else { break };
        let change = left.max(-*largest / 2);
        *largest += change;
        left -= change;
    }
    shares.into_iter().map(|share| share as u32).collect()
}

/// Where each symbol's part begins, and how long it is.
fn slots(frequencies: &[u32]) -> impl Iterator<Item = (u64, u64)> {
    frequencies.iter().scan(0_u64, |end, &frequency| {
        let start = *end;
        *end += u64::from(frequency);
        Some((start, u64::from(frequency)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frequencies_add_up() {
        for counts in
            [vec![(0, 1)], vec![(0, 1_000_000), (1, 1), (2, 1)], (0..4000).map(|s| (s, 1 + s as u32)).collect()]
        {
            let precision = precision(counts.len());
            let frequencies = frequencies(&counts, precision);
            assert!(frequencies.iter().all(|&frequency| frequency > 0));
            assert_eq!(frequencies.iter().sum::<u32>(), 1 << precision);
        }
    }

    #[test]
    fn long_messages_come_near_the_entropy() {
        let mut rng = crate::rng::Rng::new(2, 0);
        let values: Vec<i32> = (0..20_000).map(|_| i32::from(rng.uniform() < 0.1)).collect();
        let ones = f64::from(values.iter().sum::<i32>()) / 20_000.0;
        let entropy = -(ones * ones.log2() + (1.0 - ones) * (1.0 - ones).log2()) * 20_000.0 / 8.0;
        let bytes = Ans.encode(&values, 1).len() as f64;
        assert!(bytes > entropy && bytes < entropy * 1.001 + 20.0, "{bytes} bytes, entropy {entropy}");
    }
}
