//! What can be wrong with a training that is aware of quantization.

/// Errors of settings, data and snapshots; those of nets, relevances and quantizers keep their own types.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[allow(missing_docs)] // each variant's text is its documentation
pub enum QatError {
    #[error("{name} is {got}; it must be {range}")]
    Setting { name: &'static str, got: f64, range: &'static str },
    #[error("straight-through estimator {name:?} is not known; choose one of: plain, scaled, signed")]
    UnknownSte { name: String },
    #[error("relevance cannot be measured on {name:?}; choose one of: latent, quantized, stepped")]
    UnknownRelevanceOn { name: String },
    #[error("the {what} samples do not fit the net or are not those that training began with")]
    Data { what: &'static str },
    #[error("not a whole snapshot of this training: {reason}")]
    Snapshot { reason: String },
}

impl QatError {
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::Setting { .. } | Self::UnknownSte { .. } | Self::UnknownRelevanceOn { .. } => "qat/setting",
            Self::Data { .. } => "qat/data",
            Self::Snapshot { .. } => "qat/snapshot",
        }
    }
}
