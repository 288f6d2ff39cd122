//! IDX, the format of MNIST: images and labels in files of their own.
//!
//! ```text
//! 0, 0, type, d, then d sizes (32 bits, big-endian), then the values
//! ```
//! Source: Y. LeCun, C. Cortes, C. Burges, "The MNIST database of handwritten digits".

use std::collections::BTreeMap;

use super::DataError;
use super::content::{Classes, Content, Labels, MOST_VALUES, Samples};

const FORMAT: &str = "IDX";

/// Whether the bytes begin as such a file.
pub(super) fn is_idx(bytes: &[u8]) -> bool {
    matches!(bytes, [0, 0, 8..=14, 1..=8, ..])
}

/// Images [n, h, w] of bytes become samples [1, h, w] of values from 0 to 1 (divided by 255); one dimension holds
/// labels. There are at least ten classes, `0` to `9`; sets with more (letters) count on.
///
/// # Errors
/// Other types and numbers of dimensions, a length that is not what the header says.
pub(super) fn read(bytes: &[u8]) -> Result<Content, DataError> {
    const UNSIGNED: u8 = 8;
    let cut = || DataError::Damaged { format: FORMAT, what: "its header is cut short" };
    let ([_, _, kind, dimensions], rest) = bytes.split_first_chunk::<4>().ok_or_else(cut)?;
    let (sizes, data) = rest.split_at_checked(4 * usize::from(*dimensions)).ok_or_else(cut)?;
    if *kind != UNSIGNED {
        let supported = "values must be unsigned bytes, type 0x08";
        return Err(DataError::Unsupported {
            format: FORMAT,
            what: "the type",
            got: format!("{kind:#04x}"),
            supported,
        });
    }
    let sizes: Vec<usize> = sizes.as_chunks().0.iter().map(|&size| u32::from_be_bytes(size) as usize).collect();
    let values = sizes.iter().try_fold(1_usize, |product, &size| product.checked_mul(size));
    let Some(expected) = values.filter(|&values| values <= MOST_VALUES) else {
        return Err(DataError::TooLarge { what: "an array, in values,", limit: MOST_VALUES as u64 });
    };
    if data.len() != expected {
        return Err(DataError::Length { format: FORMAT, got: data.len(), expected });
    }
    let (shape, x, y) = match *sizes {
        [_] => (vec![], None, Some(Labels::Numbers(data.iter().copied().map(i64::from).collect()))),
        [_, height, width] => {
            (vec![1, height, width], Some(data.iter().map(|&value| f32::from(value) / 255.0).collect()), None)
        }
        _ => {
            let supported = "images have three, labels one";
            let got = sizes.len().to_string();
            return Err(DataError::Unsupported { format: FORMAT, what: "a number of dimensions of", got, supported });
        }
    };
    let samples = vec![Samples { split: None, shape, x, y }];
    let classes = Classes::Numbered { at_least: 10 };
    Ok(Content { format: FORMAT, name: None, classes, samples, metadata: BTreeMap::new() })
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::data::{Dataset, NamedBytes};

    /// A file of bytes with these sizes.
    pub(in crate::data) fn idx(sizes: &[u32], data: &[u8]) -> Vec<u8> {
        let header = [0, 0, 8, sizes.len() as u8];
        let sizes: Vec<u8> = sizes.iter().flat_map(|size| size.to_be_bytes()).collect();
        [&header, &*sizes, data].concat()
    }

    fn code(bytes: &[u8]) -> &'static str {
        Dataset::from_bytes(bytes).unwrap_err().code()
    }

    fn join(files: &[(&str, &[u8])]) -> Result<Dataset, DataError> {
        let parts: Vec<_> = files.iter().map(|&(name, bytes)| NamedBytes { name, bytes }).collect();
        Dataset::from_parts(&parts)
    }

    #[test]
    fn four_files_are_one_dataset_in_any_order() {
        let (train, test) = (idx(&[2, 1, 3], &[0, 51, 102, 153, 204, 255]), idx(&[1, 1, 3], &[255, 0, 0]));
        let (train_y, test_y) = (idx(&[2], &[7, 0]), idx(&[1], &[9]));
        let test_y = crate::data::compressed::tests::gzip(&test_y);
        let files = [
            ("t10k-labels-idx1-ubyte.gz", &*test_y),
            ("train-images-idx3-ubyte", &train),
            ("t10k-images-idx3-ubyte", &test),
            ("train-labels-idx1-ubyte", &train_y),
        ];
        let data = join(&files).unwrap();
        assert_eq!((data.input.as_slice(), data.classes.concat()), (&[1, 1, 3][..], "0123456789".into()));
        assert_eq!(data.train().unwrap().x, ndarray::array![[0.0, 0.2, 0.4], [0.6, 0.8, 1.0]]);
        assert_eq!((&*data.train().unwrap().y, &*data.test().unwrap().y), (&[7, 0][..], &[9][..]));
        assert_eq!(join(&files[..3]).unwrap_err().code(), "data/unpaired");
        let text = join(&files[1..3]).unwrap_err().to_string();
        assert!(text.contains("images without labels"), "{text}");
    }

    #[test]
    fn letters_count_past_nine() {
        let data = join(&[("a", &idx(&[1, 1, 1], &[0])), ("b", &idx(&[1], &[25]))]).unwrap();
        assert_eq!(data.classes.len(), 26);
    }

    #[test]
    fn what_is_wrong_is_named() {
        let images = idx(&[2, 1, 1], &[0, 0]);
        assert_eq!(code(&images), "data/unpaired");
        assert_eq!(code(&idx(&[2], &[0, 0])), "data/unpaired");
        assert_eq!(code(&idx(&[2, 1], &[0, 0])), "data/unsupported");
        assert_eq!(code(&idx(&[2], &[0, 0, 0])), "data/damaged");
        assert_eq!(code(&idx(&[u32::MAX; 3], &[])), "data/too-large");
        assert_eq!(code(&[0, 0, 13, 1, 0, 0, 0, 1, 0, 0, 0, 0]), "data/unsupported");
        for length in 0..images.len() {
            let error = Dataset::from_bytes(&images[..length]).unwrap_err();
            assert!(matches!(error.code(), "data/damaged" | "data/file-format"), "cut at {length}: {error}");
        }
        let two = |x: &[u8], y: &[u8]| join(&[("images", x), ("labels", y)]).unwrap_err().code();
        assert_eq!(two(&images, &idx(&[3], &[0; 3])), "data/counts");
        assert_eq!(two(&idx(&[0, 1, 1], &[]), &idx(&[0], &[])), "data/empty");
        assert_eq!(two(&idx(&[1, 0, 1], &[]), &idx(&[1], &[0])), "data/empty");
    }
}
