//! Other ways to write the same integers down, to compare with: each a real coder that gives the integers back, tables and
//! all it needs included.
//!
//! To add one: a file with a type that implements [`Coder`], its line in [`CODERS`].

mod alphabet;
mod ans;
mod csr;
mod fixed;
mod huffman;

use std::collections::BTreeMap;

use serde::Serialize;

use super::{CodecError, EncodeSettings, encode_integers};
use crate::stats::entropy_bits;

/// A lossless coder of a tensor's integers. Shapes are known to both sides.
pub trait Coder: std::fmt::Debug + Sync {
    /// What tables call it.
    fn name(&self) -> &'static str;
    /// Writes integers, rows of so many columns.
    fn encode(&self, values: &[i32], columns: usize) -> Vec<u8>;
    /// Reads so many of them.
    ///
    /// # Errors
    /// [`CodecError::Damaged`] where the bytes end too soon or make no sense.
    fn decode(&self, bytes: &[u8], count: usize, columns: usize) -> Result<Vec<i32>, CodecError>;
}

/// All of them.
pub const CODERS: [&dyn Coder; 4] = [&fixed::Fixed, &huffman::Huffman, &ans::Ans, &csr::Csr];

/// What a tensor takes, in bytes, by coder.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Sizes {
    /// As 32-bit floats.
    pub float: usize,
    /// The bound of all coders that know nothing but how frequent each integer is, and are told that for nothing:
    /// first-order entropy.
    pub entropy: f64,
    /// By name: `fixed` (as few bits as hold them all), `huffman` (canonical), `ans` (asymmetric numeral system with a
    /// fixed table), `csr` (rows of those that are not 0).
    pub coders: BTreeMap<&'static str, usize>,
    /// As a unit of an NNC file.
    pub nnc: usize,
}

/// The sizes of one tensor of integers.
///
/// # Errors
/// As [`encode_integers`].
pub fn compare(name: &str, shape: &[usize], values: &[i32]) -> Result<Sizes, CodecError> {
    let nnc = encode_integers(name, shape, values, EncodeSettings::default())?.len();
    let columns = columns(shape);
    let size = |coder: &dyn Coder| (coder.name(), coder.encode(values, columns).len());
    let counts: Vec<u32> = alphabet::count(values).into_iter().map(|(_, count)| count).collect();
    let entropy = entropy_bits(&counts) * values.len() as f64 / 8.0;
    Ok(Sizes { float: 4 * values.len(), entropy, coders: CODERS.map(size).into(), nnc })
}

fn columns(shape: &[usize]) -> usize {
    shape.split_first().map_or(1, |(_, rest)| rest.iter().product())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn integers() -> impl Strategy<Value = Vec<i32>> {
        let few = prop_oneof![9 => Just(0), 2 => -3..4_i32, 1 => Just(100)];
        prop_oneof![
            proptest::collection::vec(few, 1..400),
            proptest::collection::vec(any::<i32>(), 1..40),
            proptest::collection::vec(Just(7), 1..40),
        ]
    }

    proptest! {
        #[test]
        fn every_coder_gives_the_integers_back(values in integers(), columns in 1..20_usize, cut in any::<proptest::sample::Index>()) {
            let columns = columns.min(values.len());
            let values = &values[..values.len() / columns * columns];
            for coder in CODERS {
                let bytes = coder.encode(values, columns);
                prop_assert_eq!(coder.decode(&bytes, values.len(), columns).unwrap(), values, "{}", coder.name());
                // Damage is an error or other integers.
                let _ = coder.decode(&bytes[..cut.index(bytes.len())], values.len(), columns);
            }
        }
    }

    #[test]
    fn sizes_by_hand() {
        // 96 zeros, 16 times each of ±1: 1.061 bits a weight.
        let values: Vec<i32> = (0..128).map(|at| [0, 0, 0, 1, 0, 0, 0, -1][at % 8]).collect();
        let sizes = compare("w", &[16, 8], &values).unwrap();
        assert_eq!(sizes.float, 512);
        assert!((sizes.entropy - 16.98).abs() < 0.01, "{}", sizes.entropy);
        let table = |name| sizes.coders[name];
        // 2 bits each, the least value in 3 bits and the width in 6; codes of 1, 2, 2 bits and a table; of 16 rows 2 values
        // each, 4 + 2·(3 + 2) bits, and again 9.
        assert_eq!(table("fixed"), 34);
        assert!((20..26).contains(&table("huffman")), "{sizes:?}");
        assert!((17..34).contains(&table("ans")), "{sizes:?}");
        assert_eq!(table("csr"), 30);
        assert!(sizes.nnc > 0);
    }
}
