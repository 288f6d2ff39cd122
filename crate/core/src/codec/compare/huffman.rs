//! Canonical Huffman codes: the lengths are the whole table. Source: Huffman 1952; Schwartz and Kallick 1964.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use super::super::CodecError;
use super::super::bits::{BitReader, BitWriter};
use super::{Coder, alphabet};

/// Symbols with their code lengths, then the codes.
#[derive(Debug)]
pub(super) struct Huffman;

const BROKEN: CodecError = CodecError::Damaged { what: "a code" };
/// Codes of 2^32 weights are no longer.
const LONGEST: u32 = 48;

impl Coder for Huffman {
    fn name(&self) -> &'static str {
        "huffman"
    }

    fn encode(&self, values: &[i32], _: usize) -> Vec<u8> {
        let mut bits = BitWriter::default();
        let counts = alphabet::count(values);
        let lengths = lengths(&counts.iter().map(|&(_, count)| count).collect::<Vec<_>>());
        alphabet::write(counts.iter().map(|&(symbol, _)| symbol), &mut bits);
        for &length in &lengths {
            bits.ue(1, length.into());
        }
        let codes: BTreeMap<i32, (u64, u32)> =
            counts.iter().map(|&(symbol, _)| symbol).zip(codes(&lengths).into_iter().zip(lengths)).collect();
        for (code, length) in values.iter().filter_map(|value| codes.get(value)) {
            bits.u(*length, *code);
        }
        bits.into_bytes()
    }

    fn decode(&self, bytes: &[u8], count: usize, _: usize) -> Result<Vec<i32>, CodecError> {
        let mut bits = BitReader::new(bytes);
        let symbols = alphabet::read(&mut bits)?;
        let lengths = symbols.iter().map(|_| Ok(bits.ue(1)?.min(LONGEST.into()) as u32));
        let lengths = lengths.collect::<Result<Vec<_>, CodecError>>()?;
        let by_code: BTreeMap<(u32, u64), i32> = lengths.iter().copied().zip(codes(&lengths)).zip(symbols).collect();
        let next = |_| {
            let (mut length, mut code) = (0, 0);
            loop {
                if let Some(&symbol) = by_code.get(&(length, code)) {
                    return Ok(symbol);
                }
                if length == LONGEST {
                    return Err(BROKEN);
                }
                code = code << 1 | bits.u(1)?;
                length += 1;
            }
        };
        (0..count).map(next).collect()
    }
}

/// Length of each symbol's code. A single symbol needs none.
fn lengths(counts: &[u32]) -> Vec<u32> {
    // Nodes by number: symbols first, then the pairs; each but the last knows the pair it is in.
    let mut heap: BinaryHeap<Reverse<(u64, usize)>> =
        counts.iter().enumerate().map(|(node, &count)| Reverse((count.into(), node))).collect();
    let mut parents = vec![0; counts.len()];
    while let (Some(Reverse((a, one))), Some(Reverse((b, other)))) = (heap.pop(), heap.pop()) {
        let pair = parents.len();
        parents.push(0);
        for node in [one, other] {
            if let Some(parent) = parents.get_mut(node) {
                *parent = pair;
            }
        }
        heap.push(Reverse((a + b, pair)));
    }
    let mut depths = vec![0; parents.len()];
    for node in (0..parents.len().saturating_sub(1)).rev() {
        depths[node] = depths[parents[node]] + 1;
    }
    depths.truncate(counts.len());
    depths
}

/// Codes of given lengths: rising with length, then with place.
fn codes(lengths: &[u32]) -> Vec<u64> {
    let mut order: Vec<usize> = (0..lengths.len()).collect();
    order.sort_by_key(|&at| lengths.get(at));
    let (mut codes, mut code, mut before) = (vec![0; lengths.len()], 0_u64, 0);
    for (place, &at) in order.iter().enumerate() {
        let length = lengths[at];
        code = (code + u64::from(place > 0)).wrapping_shl(length - before);
        codes[at] = code;
        before = length;
    }
    codes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_and_codes_by_hand() {
        let lengths = lengths(&[1, 8, 2, 4]);
        assert_eq!(lengths, [3, 1, 3, 2]);
        assert_eq!(codes(&lengths), [0b110, 0b0, 0b111, 0b10]);
        assert_eq!(super::lengths(&[5]), [0]);
    }
}
