//! What can be wrong with a dataset.

use crate::tensors::TensorError;

const KNOWN: &str = if cfg!(feature = "formats") {
    "safetensors, MNIST IDX, CIFAR-10 batches (records of 3073 bytes), .npz and CSV with the label in the last column"
} else {
    "safetensors; `ecqx data convert` makes them of others"
};

/// Why bytes are not a dataset, or lack the split that was asked for.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[allow(missing_docs)] // each variant's text is its documentation
pub enum DataError {
    #[error("{name}: {error}")]
    Part { name: String, error: Box<DataError> },
    #[error("dataset: {0}")]
    Tensor(TensorError),
    #[error("dataset: not a format that is read here, or cut short; known are {KNOWN}")]
    Unknown,
    #[error("dataset: metadata format is {got:?}, not \"ecqx-dataset\"; is this a dataset file?")]
    NotADataset { got: String },
    #[error("dataset: metadata {key} is {got:?}; {expected} is needed")]
    Metadata { key: &'static str, got: String, expected: &'static str },
    #[error("dataset: {format}: {what}; fetch or save the file again")]
    Damaged { format: &'static str, what: &'static str },
    #[error(
        "dataset: {format}: {got} bytes of data, where the header asks for {expected}; fetch or save the file again"
    )]
    Length { format: &'static str, got: usize, expected: usize },
    #[error("dataset: {format}: {what} {got} is not read here; {supported}")]
    Unsupported { format: &'static str, what: &'static str, got: String, supported: &'static str },
    #[error("dataset: {what} needs more than {limit}; take fewer samples")]
    TooLarge { what: &'static str, limit: u64 },
    #[error("dataset: line {line} has {got} columns, the first one {expected}; all need the same")]
    Columns { line: u64, got: usize, expected: usize },
    #[error("dataset: line {line}, column {column}: {got:?} is not a finite number")]
    Number { line: u64, column: usize, got: String },
    #[error(
        "dataset: line {line}: the label {got:?} is no class; a class is a whole number or a word, in the last column"
    )]
    Word { line: u64, got: String },
    #[error("dataset: {split} has {have} without {missing}; give the file of {missing} too")]
    Unpaired { split: &'static str, have: &'static str, missing: &'static str },
    #[error("dataset: {got} cannot be joined with {first}; give files of one format and the same classes")]
    Mixed { first: String, got: String },
    #[error("dataset: {split}.x has shape {shape:?}; it must be [samples, …one sample's shape]")]
    NoSamples { split: &'static str, shape: Vec<usize> },
    #[error(
        "dataset: {split}.x holds {samples} samples, but {split}.y has shape {labels:?}; it must be one label a sample"
    )]
    Counts { split: &'static str, samples: usize, labels: Vec<usize> },
    #[error("dataset: label {label} at position {position} of {split}.y is not a class; there are {classes} classes")]
    Label { split: &'static str, position: usize, label: i64, classes: usize },
    #[error(
        "dataset: it holds no {split} split; choose the other one, or add a file: those of formats without splits \
         are training samples unless their name says test"
    )]
    NoSplit { split: &'static str },
    #[error("dataset: {split} is empty; it needs at least one sample")]
    Empty { split: &'static str },
    #[error("dataset: {name} is {got}; it must be {range}")]
    Setting { name: &'static str, got: f64, range: &'static str },
    #[error("image {index} is not in the test set; it has {images} images, from 0 to {}", images.saturating_sub(1))]
    NoImage { index: usize, images: usize },
    #[error("an image of {got} values does not fit a net that reads {expected} finite numbers")]
    Pixels { got: usize, expected: usize },
    #[error("dataset: samples of shape {got:?} do not fit a net that reads {expected:?}")]
    Input { got: Vec<usize>, expected: Vec<usize> },
    #[error("dataset: {got} classes do not fit a net with {expected} outputs")]
    Classes { got: usize, expected: usize },
}

// Not `#[from]`: that would make it the source too, and a chain of causes would say the same twice.
impl From<TensorError> for DataError {
    fn from(error: TensorError) -> Self {
        Self::Tensor(error)
    }
}

impl DataError {
    /// A stable word for programs: `data/what`.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::Part { error, .. } => error.code(),
            Self::Tensor(error) => error.codes()[2],
            // As for a safetensors file that is cut short: no reader can tell the two apart.
            Self::Unknown => "data/file-format",
            Self::NotADataset { .. } => "data/format",
            Self::Metadata { .. } => "data/metadata",
            Self::Damaged { .. } | Self::Length { .. } => "data/damaged",
            Self::Unsupported { .. } => "data/unsupported",
            Self::TooLarge { .. } => "data/too-large",
            Self::Columns { .. } | Self::Number { .. } | Self::Word { .. } => "data/csv",
            Self::Unpaired { .. } => "data/unpaired",
            Self::Mixed { .. } => "data/mixed",
            Self::NoSamples { .. } | Self::Counts { .. } => "data/counts",
            Self::Label { .. } => "data/label",
            Self::NoSplit { .. } => "data/no-split",
            Self::Empty { .. } => "data/empty",
            Self::Setting { .. } => "data/setting",
            Self::NoImage { .. } | Self::Pixels { .. } => "data/image",
            Self::Input { .. } | Self::Classes { .. } => "data/mismatch",
        }
    }

    /// The same error with the name of the file it is about; unnamed bytes leave it as it is.
    pub(super) fn in_part(self, name: &str) -> Self {
        if name.is_empty() { self } else { Self::Part { name: name.to_owned(), error: Box::new(self) } }
    }
}
