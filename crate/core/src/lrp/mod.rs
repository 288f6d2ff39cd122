//! Layer-wise relevance propagation: how much each weight and each input contributed to an answer. Rules are in
//! [`rules`], which rule applies where in [`Composite`]; [`explain`] runs them over a net.

mod composite;
mod explain;
pub mod rules;
mod stabilize;

pub use composite::Composite;
pub use explain::{OutputRelevance, Relevances, explain};
pub use stabilize::stabilize;

/// Errors of composites, rules and explanations.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[allow(missing_docs)] // each variant's text is its documentation
pub enum LrpError {
    #[error("composite {name:?} is not known; choose one of: {known}")]
    UnknownComposite { name: String, known: String },
    #[error("output relevance {name:?} is not known; choose one of: logit, one, probability")]
    UnknownOutput { name: String },
    #[error("{name} is {got}; it must be {range}")]
    Setting { name: &'static str, got: f32, range: &'static str },
    #[error("the relevance of layer {layer} is not finite; its weights or activations are too large")]
    NotFinite { layer: String },
}

impl LrpError {
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::UnknownComposite { .. } => "lrp/composite",
            Self::UnknownOutput { .. } => "lrp/output",
            Self::Setting { .. } => "lrp/setting",
            Self::NotFinite { .. } => "lrp/not-finite",
        }
    }
}
