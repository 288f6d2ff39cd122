//! Compressed sparse rows: of each row how many values are not 0, and of those the column and the value, each with a fixed
//! number of bits.

use super::super::CodecError;
use super::super::bits::{BitReader, BitWriter};
use super::Coder;
use super::fixed::Fixed;

/// Counts by row, columns, then the values as [`Fixed`] writes them.
#[derive(Debug)]
pub(super) struct Csr;

/// Bits of a number from 0 to `most`.
fn width(most: usize) -> u32 {
    most.checked_ilog2().map_or(0, |bits| bits + 1)
}

impl Coder for Csr {
    fn name(&self) -> &'static str {
        "csr"
    }

    fn encode(&self, values: &[i32], columns: usize) -> Vec<u8> {
        let mut bits = BitWriter::default();
        let rows = || values.chunks(columns.max(1));
        for row in rows() {
            bits.u(width(columns), row.iter().filter(|&&value| value != 0).count() as u64);
        }
        for row in rows() {
            for (column, _) in row.iter().enumerate().filter(|&(_, &value)| value != 0) {
                bits.u(width(columns.saturating_sub(1)), column as u64);
            }
        }
        let rest: Vec<i32> = values.iter().copied().filter(|&value| value != 0).collect();
        Fixed::write(&rest, &mut bits);
        bits.into_bytes()
    }

    fn decode(&self, bytes: &[u8], count: usize, columns: usize) -> Result<Vec<i32>, CodecError> {
        let mut bits = BitReader::new(bytes);
        let rows = count.div_ceil(columns.max(1));
        let counts = (0..rows).map(|_| bits.u(width(columns))).collect::<Result<Vec<_>, _>>()?;
        let mut places = Vec::new();
        for (row, &count) in counts.iter().enumerate() {
            for _ in 0..count {
                places.push(row * columns + bits.u(width(columns.saturating_sub(1)))? as usize);
            }
        }
        let rest = Fixed::read(&mut bits, places.len())?;
        let mut values = vec![0; count];
        for (place, value) in places.into_iter().zip(rest) {
            *values.get_mut(place).ok_or(CodecError::Damaged { what: "a column" })? = value;
        }
        Ok(values)
    }
}
