//! Datasets: labelled samples in one or two splits. They come from bytes, never from a path.
//!
//! [`Dataset::from_bytes`] knows formats by their content: `native` (our own, in safetensors), `idx` (MNIST), `cifar`,
//! `npz` over `npy`, `csv`, each also within gzip (`compressed`). A file becomes `content`, and `join` makes a
//! dataset of one or several ([`Dataset::from_parts`]). Without the feature `formats` only our own is read. [`Toy`]
//! draws small sets in the plane. Order of samples for training is in [`Batches`].

mod batches;
#[cfg(feature = "formats")]
mod cifar;
#[cfg(feature = "formats")]
mod compressed;
#[cfg_attr(not(feature = "formats"), allow(dead_code))]
mod content;
#[cfg(feature = "formats")]
mod csv;
mod error;
#[cfg(feature = "formats")]
mod idx;
mod join;
mod native;
#[cfg(feature = "formats")]
mod npy;
#[cfg(feature = "formats")]
mod npz;
#[cfg(all(test, feature = "formats"))]
mod properties;
mod toy;

pub use batches::Batches;
pub use error::DataError;
pub use toy::{Shape, Toy};

use std::collections::BTreeMap;

use ndarray::{Array2, ArrayView2, Axis, s};

use crate::rng::Rng;
use join::Joiner;

/// Samples of one split.
#[derive(Debug, Clone, PartialEq)]
pub struct Split {
    /// [n, features]; a sample's own shape is [`Dataset::input`].
    pub x: Array2<f32>,
    /// Class of each sample.
    pub y: Vec<usize>,
}

/// A labelled dataset. A file may hold one split only.
#[derive(Debug, Clone, PartialEq)]
pub struct Dataset {
    /// The name in its metadata or from its file's name, or `unnamed`.
    pub name: String,
    /// Names of the classes; labels count from 0.
    pub classes: Vec<String>,
    /// Shape of one sample, for images [channels, height, width].
    pub input: Vec<usize>,
    /// Samples to learn from.
    pub train: Option<Split>,
    /// Samples to evaluate on.
    pub test: Option<Split>,
    /// `license`, `source` and whatever else the file held.
    pub metadata: BTreeMap<String, String>,
}

/// A file's bytes with its name. Only words in the name count: `train`, `test` and `t10k` say which split the samples
/// of a format without splits are.
#[derive(Debug, Clone, Copy)]
pub struct NamedBytes<'a> {
    /// As errors name it; a path may stand before it. Empty for bytes without a name.
    pub name: &'a str,
    /// The whole file.
    pub bytes: &'a [u8],
}

impl Split {
    /// Number of samples.
    pub fn len(&self) -> usize {
        self.y.len()
    }

    /// Never true for a split that was read from a file.
    pub fn is_empty(&self) -> bool {
        self.y.is_empty()
    }

    /// The split in two: what remains, and a share of the samples, at least one, drawn from the seed. Both keep the order
    /// of samples.
    ///
    /// # Errors
    /// [`DataError::Setting`] unless 0 < `share` < 1 and a sample remains.
    pub fn hold_out(&self, share: f64, seed: u64) -> Result<(Self, Self), DataError> {
        /// Apart from those that draw weights and the order of batches.
        const STREAM: u64 = 2;
        let count = ((share * self.len() as f64).round() as usize).max(1);
        if !(share > 0.0 && share < 1.0 && count < self.len()) {
            let range = "above 0 and below 1, with a sample left to learn from";
            return Err(DataError::Setting { name: "the share held out", got: share, range });
        }
        let mut order: Vec<usize> = (0..self.len()).collect();
        Rng::new(seed, STREAM).shuffle(&mut order);
        let mut kept = order.split_off(count);
        let part = |chosen: &mut Vec<usize>| {
            chosen.sort_unstable();
            let y = chosen.iter().filter_map(|&sample| self.y.get(sample).copied()).collect();
            Self { x: self.x.select(Axis(0), chosen), y }
        };
        Ok((part(&mut kept), part(&mut order)))
    }

    /// The split in pieces of at most `size` samples, in order.
    pub fn chunks(&self, size: usize) -> impl Iterator<Item = (ArrayView2<'_, f32>, &[usize])> {
        self.y.chunks(size.max(1)).scan(0, |start, labels| {
            let x = self.x.slice(s![*start..*start + labels.len(), ..]);
            *start += labels.len();
            Some((x, labels))
        })
    }
}

impl Dataset {
    /// Reads a dataset by its content, within gzip or not:
    ///
    /// | format | samples | classes |
    /// | --- | --- | --- |
    /// | safetensors | `train.x`, `test.x` (f32, or u8 divided by metadata `x_scale`), `train.y`, `test.y` | metadata `classes` |
    /// | CIFAR-10 batch | records of 3,073 bytes, [3, 32, 32], divided by 255 | `airplane` to `truck` |
    /// | `.npz` | `x` and `y`, or `x_train`, `y_train`, `x_test`, `y_test`; uint8 is divided by 255 | `0` to the highest label |
    /// | CSV | numbers, and the label in the last column; comma, semicolon or tab | labels found, sorted |
    ///
    /// All but safetensors need the feature `formats`. MNIST's IDX needs two files at least: [`Self::from_parts`].
    /// Samples of formats without splits become `train`.
    ///
    /// # Errors
    /// Another format, values that are not finite, labels outside the classes, counts that disagree, empty splits,
    /// files that are damaged, cut short or too large. Memory is taken only for data that is really there.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DataError> {
        Self::from_parts(&[NamedBytes { name: "", bytes }])
    }

    /// Joins files of one format to a dataset: MNIST's pairs of images and labels, CIFAR's batches, a file to learn
    /// from and one to test with. Samples of the same split follow each other in the order given.
    /// Where metadata differ, all values are kept, separated by `; `.
    ///
    /// # Errors
    /// As for [`Self::from_bytes`], with the name of the file in [`DataError::Part`]; and files that do not belong
    /// together.
    pub fn from_parts(parts: &[NamedBytes<'_>]) -> Result<Self, DataError> {
        let mut joiner = Joiner::default();
        for &NamedBytes { name, bytes } in parts {
            let added = content::read(bytes).and_then(|content| joiner.add(name, content));
            added.map_err(|error| error.in_part(name))?;
        }
        joiner.finish()
    }

    /// # Errors
    /// [`DataError::NoSplit`].
    pub fn train(&self) -> Result<&Split, DataError> {
        self.train.as_ref().ok_or(DataError::NoSplit { split: "train" })
    }

    /// # Errors
    /// [`DataError::NoSplit`].
    pub fn test(&self) -> Result<&Split, DataError> {
        self.test.as_ref().ok_or(DataError::NoSplit { split: "test" })
    }

    /// # Errors
    /// [`DataError::Input`] or [`DataError::Classes`] where the net reads other samples or tells other classes apart.
    pub fn expect_fit(&self, input: &[usize], outputs: usize) -> Result<(), DataError> {
        if self.input != input {
            return Err(DataError::Input { got: self.input.clone(), expected: input.to_vec() });
        }
        if self.classes.len() != outputs {
            return Err(DataError::Classes { got: self.classes.len(), expected: outputs });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_held_out_and_nothing_is_lost() {
        let split = Split { x: Array2::from_shape_fn((20, 2), |(i, j)| (2 * i + j) as f32), y: (0..20).collect() };
        let (rest, held) = split.hold_out(0.25, 3).unwrap();
        assert_eq!((rest.len(), held.len()), (15, 5));
        assert!(rest.y.is_sorted() && held.y.is_sorted() && held.x[[1, 0]] == 2.0 * held.y[1] as f32);
        let mut all = [&rest.y[..], &held.y].concat();
        all.sort_unstable();
        assert_eq!(all, split.y);
        assert_eq!(split.hold_out(0.25, 3).unwrap(), (rest, held.clone()));
        assert_ne!(split.hold_out(0.25, 4).unwrap().1, held);
        assert_eq!(split.hold_out(0.001, 0).unwrap().1.len(), 1);
        for share in [0.0, 1.0, -0.5, f64::NAN, 0.99] {
            assert!(split.hold_out(share, 0).unwrap_err().to_string().contains("below 1"), "{share}");
        }
    }
}
