//! One error type over all modules, each with a stable code that callers can branch on.

use crate::codec::CodecError;
use crate::data::DataError;
use crate::lrp::LrpError;
use crate::model::ModelError;
use crate::nn::NetError;
use crate::qat::QatError;
use crate::quant::QuantError;
use crate::tensors::TensorError;

/// Whatever can go wrong in the core. The text says what happened, with what, and what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[allow(missing_docs)] // each variant's text is its documentation
pub enum CoreError {
    #[error(transparent)]
    Tensor(#[from] TensorError),
    #[error(transparent)]
    Model(#[from] ModelError),
    #[error(transparent)]
    Data(#[from] DataError),
    #[error(transparent)]
    Net(#[from] NetError),
    #[error(transparent)]
    Lrp(#[from] LrpError),
    #[error(transparent)]
    Quant(#[from] QuantError),
    #[error(transparent)]
    Codec(#[from] CodecError),
    #[error(transparent)]
    Qat(#[from] QatError),
}

impl CoreError {
    /// A stable word for programs: `module/what`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Tensor(error) => error.code(),
            Self::Model(error) => error.code(),
            Self::Data(error) => error.code(),
            Self::Net(error) => error.code(),
            Self::Lrp(error) => error.code(),
            Self::Quant(error) => error.code(),
            Self::Codec(error) => error.code(),
            Self::Qat(error) => error.code(),
        }
    }
}
