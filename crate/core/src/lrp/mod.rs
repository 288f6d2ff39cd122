//! Layer-wise relevance propagation: how much each weight and each input contributed to an answer. Rules are in
//! [`rules`], which rule applies where in [`Composite`]; [`explain`] runs them over a net, [`Explainer`] again and again.

mod composite;
mod explain;
mod mean;
mod output;
mod plan;
pub mod rules;
mod stabilize;

pub use composite::Composite;
pub use explain::{ExplainSettings, Explainer, Flow, KeepInputs, Relevances, explain};
pub use mean::RelevanceMean;
pub use output::OutputRelevance;
pub use plan::BatchNormMode;
pub use stabilize::stabilize;

/// Errors of composites, rules and explanations.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[allow(missing_docs)] // each variant's text is its documentation
pub enum LrpError {
    #[error("composite {name:?} is not known; choose one of: {known}, or a JSON object from layer to rule")]
    UnknownComposite { name: String, known: String },
    #[error("the composite is no JSON object from layer to rule, such as {{\"first\": \"flat\"}}: {reason}")]
    CompositeJson { reason: String },
    #[error("the composite names {place:?}, which the net does not have; choose from: {known}")]
    UnknownPlace { place: String, known: String },
    #[error("rule {rule:?} is not known; choose one of: {known}")]
    UnknownRule { rule: String, known: &'static str },
    #[error("rule {rule} does not fit layer {layer} ({kind}); possible: {possible}")]
    Misplaced { rule: String, layer: String, kind: &'static str, possible: &'static str },
    #[error("output relevance {name:?} is not known; choose one of: logit, one, probability")]
    UnknownOutput { name: String },
    #[error("batch norm {name:?} is not known; choose one of: merge, pass, rule, fold")]
    UnknownBatchNorm { name: String },
    #[error("{name} is {got}; it must be {range}")]
    Setting { name: &'static str, got: f32, range: &'static str },
    #[error("label {label} is no output of the net; labels from 0 to {} are possible", classes.saturating_sub(1))]
    Label { label: usize, classes: usize },
    #[error("the output of layer {layer} is not finite; its weights or inputs are too large")]
    Activation { layer: String },
    #[error("the relevance of layer {layer} is not finite; its weights or activations are too large")]
    NotFinite { layer: String },
}

impl LrpError {
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::UnknownComposite { .. } | Self::CompositeJson { .. } | Self::UnknownPlace { .. } => "lrp/composite",
            Self::UnknownRule { .. } | Self::Misplaced { .. } => "lrp/rule",
            Self::UnknownOutput { .. } => "lrp/output",
            Self::UnknownBatchNorm { .. } => "lrp/batch-norm",
            Self::Setting { .. } => "lrp/setting",
            Self::Label { .. } => "lrp/label",
            Self::Activation { .. } | Self::NotFinite { .. } => "lrp/not-finite",
        }
    }
}
