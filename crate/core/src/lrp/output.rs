//! Where relevance starts.

use std::str::FromStr;

use ndarray::{ArrayView2, ArrayViewMut2};
use serde::{Deserialize, Serialize};

use super::LrpError;
use crate::nn::softmax;

/// Where relevance starts at the label's output.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OutputRelevance {
    /// The logit itself.
    #[default]
    Logit,
    /// 1 for every sample.
    One,
    /// The softmax probability of the label.
    Probability,
}

impl OutputRelevance {
    const ALL: [Self; 3] = [Self::Logit, Self::One, Self::Probability];

    /// As people write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Logit => "logit",
            Self::One => "one",
            Self::Probability => "probability",
        }
    }
}

impl FromStr for OutputRelevance {
    type Err = LrpError;

    fn from_str(name: &str) -> Result<Self, LrpError> {
        let found = Self::ALL.into_iter().find(|own| own.name() == name);
        found.ok_or_else(|| LrpError::UnknownOutput { name: name.into() })
    }
}

impl OutputRelevance {
    /// Relevance of the logits [n, classes]: the label's output over `batch` samples, all others 0.
    pub(super) fn start(
        self,
        logits: ArrayView2<'_, f32>,
        labels: &[usize],
        batch: usize,
        mut relevance: ArrayViewMut2<'_, f32>,
    ) {
        match self {
            Self::Logit => relevance.assign(&logits),
            Self::One => relevance.fill(1.0),
            Self::Probability => softmax(logits, relevance.view_mut()),
        }
        for (mut row, label) in relevance.rows_mut().into_iter().zip(labels) {
            for (class, value) in row.iter_mut().enumerate() {
                *value = if class == *label { *value / batch as f32 } else { 0.0 };
            }
        }
    }
}
