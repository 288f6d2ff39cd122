//! What can be wrong with settings, weights and relevances.

/// Errors of the quantizers.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[allow(missing_docs)] // each variant's text is its documentation
pub enum QuantError {
    #[error("bit width is {got}; it must be a whole number from 2 to 8")]
    Bits { got: u8 },
    #[error("{name} is {got}; it must be {range}")]
    Setting { name: &'static str, got: f64, range: &'static str },
    #[error("method {name:?} is not known; choose one of: {known}")]
    UnknownMethod { name: String, known: String },
    #[error("layer {layer} has no weights to quantize")]
    NoWeights { layer: String },
    #[error("the net has no layer with weights to quantize")]
    NoLayers,
    #[error("layer {layer:?} is not quantized; choose one of: {known}")]
    UnknownLayer { layer: String, known: String },
    #[error("weight {position} of layer {layer} is {got}; only finite numbers can be quantized")]
    WeightNotFinite { layer: String, position: usize, got: f32 },
    #[error(
        "the weights of layer {layer} are too large: their grid leaves the range of 32-bit floats; scale them down"
    )]
    TooLarge { layer: String },
    #[error("relevance {position} of layer {layer} is {got}; only finite numbers can be used")]
    RelevanceNotFinite { layer: String, position: usize, got: f32 },
    #[error("layer {layer} has {expected} weights but {got} relevances; compute them for this model")]
    RelevanceLength { layer: String, got: usize, expected: usize },
    #[error("ECQx needs the relevance of layer {layer}; compute it first, or use ECQ")]
    NoRelevance { layer: String },
}

impl QuantError {
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::Bits { .. } => "settings/bits",
            Self::Setting { name, .. } => match *name {
                "lambda" => "settings/lambda",
                _ => "settings/p",
            },
            Self::UnknownMethod { .. } => "settings/method",
            Self::NoWeights { .. } | Self::NoLayers => "quant/no-weights",
            Self::UnknownLayer { .. } => "quant/layer",
            Self::WeightNotFinite { .. } | Self::TooLarge { .. } | Self::RelevanceNotFinite { .. } => {
                "quant/not-finite"
            }
            Self::RelevanceLength { .. } | Self::NoRelevance { .. } => "quant/relevance",
        }
    }
}

/// At least one weight, all finite.
pub(super) fn expect_weights(layer: &str, weights: &[f32]) -> Result<(), QuantError> {
    if weights.is_empty() {
        return Err(QuantError::NoWeights { layer: layer.into() });
    }
    match weights.iter().position(|w| !w.is_finite()) {
        Some(position) => Err(QuantError::WeightNotFinite { layer: layer.into(), position, got: weights[position] }),
        None => Ok(()),
    }
}

/// A share from 0 to 1.
pub(super) fn expect_share(name: &'static str, got: f64) -> Result<f64, QuantError> {
    if (0.0..=1.0).contains(&got) {
        return Ok(got);
    }
    Err(QuantError::Setting { name, got, range: "from 0 to 1" })
}
