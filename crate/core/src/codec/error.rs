//! What can be wrong with a compressed file, or with tensors that are to become one.

use crate::model::ModelError;
use crate::tensors::TensorError;

/// Errors of the codec.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[allow(missing_docs)] // each variant's text is its documentation
pub enum CodecError {
    #[error("nnc: not a file of this format; its first bytes are no start and no model unit")]
    NotNnc,
    #[error("nnc: {what} is cut short or damaged; fetch or write the file again")]
    Damaged { what: &'static str },
    #[error("nnc: tensor {name:?}: {what}; the file is damaged, or of the other generation of the format (1 or 2)")]
    Payload { name: String, what: &'static str },
    #[error("nnc: {what} is not read here; write the file without it")]
    Unsupported { what: &'static str },
    #[error("nnc: tensor {name:?} has shape {shape:?}, which its {bytes} bytes cannot hold; the file is damaged")]
    TooLarge { name: String, shape: Vec<usize>, bytes: usize },
    #[error("nnc: the name {name:?} cannot be written: {why}; rename the tensor")]
    Name { name: String, why: &'static str },
    #[error("nnc: tensor {name:?} of shape {shape:?} holds {values} values; it needs at least one, and one a position")]
    Shape { name: String, shape: Vec<usize>, values: usize },
    #[error("nnc: tensor {name:?} has type {dtype}, which the format has no place for; convert it to i32 or f32")]
    Type { name: String, dtype: &'static str },
    #[error("nnc: {name} is {got}; it must be {range}")]
    Setting { name: &'static str, got: i64, range: &'static str },
    #[error(
        "nnc: value {got} at position {position} of tensor {name:?} leaves the range of its step size; choose a larger one"
    )]
    Range { name: String, position: usize, got: f32 },
    #[error("nnc: tensor {name:?} becomes {bytes} bytes, more than the format's 2^31 − 1; divide it")]
    Unit { name: String, bytes: usize },
    #[error(
        "nnc: weight {position} of {name:?} is {got}, not {expected} as its integer and step size say; quantize again"
    )]
    NotQuantized { name: String, position: usize, got: f32, expected: f32 },
    #[error("nnc: the model in the file cannot be read: {what}; write the file again")]
    Content { what: &'static str },
    #[error("nnc: {0}")]
    Tensor(TensorError),
    #[error("nnc: {0}")]
    Model(ModelError),
}

// Not `#[from]`: that would make them sources too, and a chain of causes would say the same twice.
impl From<TensorError> for CodecError {
    fn from(error: TensorError) -> Self {
        Self::Tensor(error)
    }
}

impl From<ModelError> for CodecError {
    fn from(error: ModelError) -> Self {
        Self::Model(error)
    }
}

impl CodecError {
    /// A stable word for programs: `codec/what`.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::NotNnc => "codec/format",
            Self::Damaged { .. } | Self::Payload { .. } | Self::Content { .. } => "codec/damaged",
            Self::Unsupported { .. } => "codec/unsupported",
            Self::TooLarge { .. } | Self::Unit { .. } => "codec/too-large",
            Self::Name { .. } => "codec/name",
            Self::Shape { .. } => "codec/shape",
            Self::Type { .. } => "codec/type",
            Self::Setting { .. } => "codec/setting",
            Self::Range { .. } => "codec/range",
            Self::NotQuantized { .. } => "codec/not-quantized",
            Self::Tensor(error) => error.code(),
            Self::Model(error) => error.code(),
        }
    }
}
