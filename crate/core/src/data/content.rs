//! What one file holds, whatever its format, and which format that is.

use std::collections::BTreeMap;

use super::{DataError, native};
#[cfg(feature = "formats")]
use super::{cifar, compressed, csv, idx, npy, npz};

/// Numbers that a dataset may hold: a gigabyte as 32-bit floats, CIFAR-10 fits.
pub(super) const MOST_VALUES: usize = 1 << 28;
/// Classes that a dataset may tell apart, far above what a net here has outputs for.
pub(super) const MOST_CLASSES: usize = 1 << 14;

/// One of the two splits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Which {
    Train,
    Test,
}

impl Which {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Test => "test",
        }
    }

    /// By the words in the last part of a path: `train…`, `test…` or `t10k`. Other words that hold these letters
    /// (`latest`, `contest`) do not count.
    pub(super) fn of_name(path: &str) -> Option<Self> {
        let name = path.rsplit(['/', '\\']).next().unwrap_or_default().as_bytes();
        let has = |starts: &[&[u8]]| {
            let mut words = name.split(|byte| byte.is_ascii() && !byte.is_ascii_alphanumeric());
            words.any(|word| {
                starts.iter().any(|start| word.get(..start.len()).is_some_and(|word| word.eq_ignore_ascii_case(start)))
            })
        };
        match (has(&[b"train"]), has(&[b"test", b"t10k"])) {
            (true, false) => Some(Self::Train),
            (false, true) => Some(Self::Test),
            _ => None,
        }
    }
}

/// A file's samples.
#[derive(Debug)]
pub(super) struct Content {
    /// Its format, in errors.
    pub(super) format: &'static str,
    /// Its own name, where it has one.
    pub(super) name: Option<String>,
    pub(super) classes: Classes,
    pub(super) samples: Vec<Samples>,
    /// What else it says of itself.
    pub(super) metadata: BTreeMap<String, String>,
}

/// Samples of one split. IDX keeps `x` and `y` in files of their own.
#[derive(Debug)]
pub(super) struct Samples {
    /// As the file says; `None`: its name must.
    pub(super) split: Option<Which>,
    /// Shape of one sample.
    pub(super) shape: Vec<usize>,
    /// Samples after each other.
    pub(super) x: Option<Vec<f32>>,
    pub(super) y: Option<Labels>,
}

#[derive(Debug)]
pub(super) enum Labels {
    /// Classes counted from 0.
    Numbers(Vec<i64>),
    /// Names of classes.
    Words(Vec<String>),
}

impl Labels {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Numbers(labels) => labels.len(),
            Self::Words(labels) => labels.len(),
        }
    }
}

/// Where the names of classes come from.
#[derive(Debug, PartialEq)]
pub(super) enum Classes {
    /// The file or its format names them.
    Known(Vec<String>),
    /// `0`, `1` and so on, to the highest label.
    Numbered { at_least: usize },
    /// The words found, sorted.
    Found,
}

/// Reads a file of any known format, by its content. A gzip wrapper is undone first.
#[cfg(feature = "formats")]
pub(super) fn read(bytes: &[u8]) -> Result<Content, DataError> {
    if bytes.starts_with(b"\x1f\x8b") { read_plain(&compressed::gunzip(bytes)?) } else { read_plain(bytes) }
}

/// Reads a file of our own format.
#[cfg(not(feature = "formats"))]
pub(super) fn read(bytes: &[u8]) -> Result<Content, DataError> {
    if native::is_safetensors(bytes) { native::read(bytes) } else { Err(DataError::Unknown) }
}

#[cfg(feature = "formats")]
fn read_plain(bytes: &[u8]) -> Result<Content, DataError> {
    // Formats with a mark first, then text, then the one that is only recognised by its length.
    if native::is_safetensors(bytes) {
        native::read(bytes)
    } else if bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"PK\x05\x06") {
        npz::read(bytes)
    } else if bytes.starts_with(npy::MAGIC) {
        let (what, got) = ("an array", "without labels".to_owned());
        let supported = "save both with numpy.savez, as x and y";
        Err(DataError::Unsupported { format: "npy", what, got, supported })
    } else if idx::is_idx(bytes) {
        idx::read(bytes)
    } else if let Some(text) = csv::text(bytes) {
        csv::read(text)
    } else {
        cifar::read(bytes).ok_or(DataError::Unknown)
    }
}

#[cfg(all(test, feature = "formats"))]
mod tests {
    use super::*;

    #[test]
    fn names_tell_the_split() {
        for (name, expected) in [
            ("train-images-idx3-ubyte.gz", Some(Which::Train)),
            ("t10k-labels.idx1-ubyte", Some(Which::Test)),
            ("data/train/mnist_test.csv", Some(Which::Test)),
            ("C:\\test\\Training.csv", Some(Which::Train)),
            ("test_batch.bin", Some(Which::Test)),
            ("latest.csv", None),
            ("train_test.npz", None),
            ("tests/data_batch_1.bin", None),
            ("", None),
        ] {
            assert_eq!(Which::of_name(name), expected, "{name}");
        }
    }

    #[test]
    fn gzip_is_undone_once() {
        let csv = compressed::tests::gzip(b"1,2,a\n3,4,b\n");
        assert_eq!(read(&csv).unwrap().format, "CSV");
        assert_eq!(read(&compressed::tests::gzip(&csv)).unwrap_err().code(), "data/file-format");
    }

    #[test]
    fn a_lone_array_says_what_to_do() {
        let error = read(b"\x93NUMPY\x01\0").unwrap_err();
        assert!(error.code() == "data/unsupported" && error.to_string().contains("numpy.savez"), "{error}");
    }
}
