//! What can be wrong with a net or with the numbers given to it.

use crate::tensors::TensorError;

/// Errors of building, filling and running a net.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[allow(missing_docs)] // each variant's text is its documentation
pub enum NetError {
    #[error(transparent)]
    Tensor(#[from] TensorError),
    #[error("the architecture has no layers; it needs at least one")]
    NoLayers,
    #[error("input shape {shape:?} is empty or has a dimension of 0")]
    InputShape { shape: Vec<usize> },
    #[error(
        "layer name {name:?} is empty, taken twice, reserved or unprintable; give each layer a name of its own other than \"input\""
    )]
    Name { name: String },
    #[error(
        "layer {layer} reads {input:?}, which is no layer before it; use \"input\" or the name of an earlier layer"
    )]
    UnknownInput { layer: String, input: String },
    #[error("layer {layer} reads {got} inputs; a {kind} layer needs {expected}")]
    InputCount { layer: String, kind: &'static str, got: usize, expected: &'static str },
    #[error("layer {layer} ({kind}) cannot read shape {got:?}; it needs {expected}")]
    Shape { layer: String, kind: &'static str, got: Vec<usize>, expected: &'static str },
    #[error("the architecture has {layers} layers; the limit is {limit}")]
    TooManyLayers { layers: usize, limit: usize },
    #[error("up to layer {layer} the net holds {parameters} parameters; the limit here is {limit}")]
    TooLarge { layer: String, parameters: u128, limit: u128 },
    #[error("up to layer {layer} one sample takes {numbers} numbers; the limit is {limit}")]
    TooWide { layer: String, numbers: u128, limit: u128 },
    #[error("{what} of the net is not a finite number; its weights or inputs are too large")]
    NotFinite { what: String },
    #[error("layer {layer} is read by no other; remove it, or name it in the inputs of a later layer")]
    Unread { layer: String },
    #[error("the last layer gives shape {shape:?}; a list of logits is needed: end with a dense layer")]
    Logits { shape: Vec<usize> },
    #[error("{name} of layer {layer} is {got}; it must be {range}")]
    LayerSetting { layer: String, name: &'static str, got: f64, range: &'static str },
    #[error("{name} is {got}; it must be {range}")]
    Setting { name: &'static str, got: f64, range: &'static str },
    #[error("batch size {got} is too large for this net; at most {most} samples fit into memory at once")]
    BatchSize { got: usize, most: usize },
    #[error("{what} holds {got} at position {position}; a variance is 0 or more")]
    Variance { what: String, position: usize, got: f32 },
    #[error("training diverged: the loss is {loss} at step {step}; lower the learning rate")]
    Diverged { step: usize, loss: f64 },
}

impl NetError {
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::Tensor(error) => error.code(),
            Self::NoLayers
            | Self::InputShape { .. }
            | Self::InputCount { .. }
            | Self::Name { .. }
            | Self::UnknownInput { .. }
            | Self::Unread { .. } => "net/graph",
            Self::Shape { .. } | Self::Logits { .. } => "net/shape",
            Self::TooManyLayers { .. } | Self::TooLarge { .. } | Self::TooWide { .. } => "net/too-large",
            Self::NotFinite { .. } => "net/not-finite",
            Self::Setting { .. } | Self::LayerSetting { .. } | Self::BatchSize { .. } => "net/setting",
            Self::Variance { .. } => "net/variance",
            Self::Diverged { .. } => "net/diverged",
        }
    }
}
