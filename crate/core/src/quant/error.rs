//! What can be wrong with settings, weights and relevances.

use std::ops::RangeInclusive;

use super::kernel;

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
    #[error("mode {name:?} is not known; choose exact or reference")]
    UnknownMode { name: String },
    #[error("there is no layer {name:?} with weights to quantize; the net has: {known}")]
    UnknownLayer { name: String, known: String },
    #[error("layer {name:?} has settings of its own twice; join them")]
    LayerTwice { name: String },
    #[error(
        "{text:?} is no setting of a layer; write NAME:exclude, or NAME:bits=B, NAME:lambda=L, NAME:bits=B,lambda=L"
    )]
    LayerSetting { text: String },
    #[error("every layer is excluded; leave at least one to quantize")]
    AllExcluded,
    #[error("layer {layer} has no weights to quantize")]
    NoWeights { layer: String },
    #[error("the net has no layer with weights to quantize")]
    NoLayers,
    #[error("layer {layer} has no weight {position}; it has {weights}, from 0 to {}", weights.saturating_sub(1))]
    UnknownWeight { layer: String, position: usize, weights: usize },
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
                "beta" => "settings/beta",
                "rho" => "settings/rho",
                _ => "settings/p",
            },
            Self::UnknownMethod { .. } => "settings/method",
            Self::UnknownMode { .. } => "settings/mode",
            Self::UnknownLayer { .. } | Self::LayerTwice { .. } | Self::LayerSetting { .. } | Self::AllExcluded => {
                "settings/layers"
            }
            Self::NoWeights { .. } | Self::NoLayers => "quant/no-weights",
            Self::UnknownWeight { .. } => "quant/weight",
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
    if kernel::all_finite(weights) {
        return Ok(());
    }
    let found = weights.iter().copied().enumerate().find(|(_, w)| !w.is_finite());
    let (position, got) = found.unwrap_or_default();
    Err(QuantError::WeightNotFinite { layer: layer.into(), position, got })
}

/// A bit width that a codebook can have.
pub(super) fn expect_bits(got: u8) -> Result<(), QuantError> {
    if (2..=8).contains(&got) { Ok(()) } else { Err(QuantError::Bits { got }) }
}

/// A number in a range, said in words.
pub(super) fn expect_in(
    name: &'static str,
    got: f64,
    allowed: RangeInclusive<f64>,
    range: &'static str,
) -> Result<f64, QuantError> {
    if allowed.contains(&got) { Ok(got) } else { Err(QuantError::Setting { name, got, range }) }
}

/// A share from 0 to 1.
pub(super) fn expect_share(name: &'static str, got: f64) -> Result<f64, QuantError> {
    expect_in(name, got, 0.0..=1.0, "from 0 to 1")
}
