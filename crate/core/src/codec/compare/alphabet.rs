//! The different integers of a tensor, as coders with tables write them down.

use std::collections::BTreeMap;

use super::super::CodecError;
use super::super::bits::{BitReader, BitWriter};

/// Each different integer in rising order, and how often it occurs.
pub(super) fn count(values: &[i32]) -> Vec<(i32, u32)> {
    let mut counts = BTreeMap::new();
    for &value in values {
        *counts.entry(value).or_default() += 1;
    }
    counts.into_iter().collect()
}

/// How many there are, the first, and the gaps between them.
pub(super) fn write(symbols: impl ExactSizeIterator<Item = i32>, bits: &mut BitWriter) {
    bits.ue(3, symbols.len() as u64);
    let mut before = None;
    for symbol in symbols.map(i64::from) {
        match before {
            None => bits.ie(3, symbol),
            Some(before) => bits.ue(0, (symbol - before - 1) as u64),
        }
        before = Some(symbol);
    }
}

pub(super) fn read(bits: &mut BitReader<'_>) -> Result<Vec<i32>, CodecError> {
    let (count, mut symbols, mut next) = (bits.ue(3)?, Vec::new(), 0_i64);
    for at in 0..count {
        next = if at == 0 { bits.ie(3)? } else { next + 1 + bits.ue(0)? as i64 };
        symbols.push(next as i32);
    }
    Ok(symbols)
}
