//! As few bits for each as hold them all.

use super::super::CodecError;
use super::super::bits::{BitReader, BitWriter};
use super::Coder;

/// The least value and the width, then each value less the least.
#[derive(Debug)]
pub(super) struct Fixed;

impl Coder for Fixed {
    fn name(&self) -> &'static str {
        "fixed"
    }

    fn encode(&self, values: &[i32], _: usize) -> Vec<u8> {
        let mut bits = BitWriter::default();
        Self::write(values, &mut bits);
        bits.into_bytes()
    }

    fn decode(&self, bytes: &[u8], count: usize, _: usize) -> Result<Vec<i32>, CodecError> {
        Self::read(&mut BitReader::new(bytes), count)
    }
}

impl Fixed {
    pub(super) fn write(values: &[i32], bits: &mut BitWriter) {
        let least = values.iter().copied().min().map_or(0, i64::from);
        let most = values.iter().copied().max().map_or(0, i64::from);
        let width = ((most - least) as u64).checked_ilog2().map_or(0, |bits| bits + 1);
        bits.ie(0, least);
        bits.u(6, width.into());
        for &value in values {
            bits.u(width, (i64::from(value) - least) as u64);
        }
    }

    pub(super) fn read(bits: &mut BitReader<'_>, count: usize) -> Result<Vec<i32>, CodecError> {
        let least = bits.ie(0)?;
        let width = bits.u(6)?.min(33) as u32;
        (0..count).map(|_| Ok((least + bits.u(width)? as i64) as i32)).collect()
    }
}
