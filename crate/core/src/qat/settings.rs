//! What people choose for training, in the names of the command's flags. All but [`Order`] may change between steps.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::QatError;
use crate::CoreError;
use crate::lrp::{BatchNormMode, Composite, ExplainSettings, KeepInputs, OutputRelevance};
use crate::nn::Adam;
use crate::quant::{Method, Mode, QuantizeSettings};

/// How the gradient of a quantized weight becomes that of the latent weight behind it (straight-through estimator).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Ste {
    /// As it is.
    #[default]
    Plain,
    /// Times the centroid's magnitude; as it is where the centroid is 0. Source: Zhu et al. 2017, section 3.
    Scaled,
    /// Times the centroid, so that negative ones turn it round: as the published code does.
    Signed,
}

/// Which weights the relevances of a batch are measured on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RelevanceOn {
    /// The latent weights, after their step.
    #[default]
    Latent,
    /// The quantized weights. R_w contains the factor w: a weight at zero has no relevance and stays there.
    Quantized,
    /// The quantized weights after a step of their own, as the published code does.
    Stepped,
}

impl FromStr for Ste {
    type Err = QatError;

    fn from_str(name: &str) -> Result<Self, QatError> {
        match name {
            "plain" => Ok(Self::Plain),
            "scaled" => Ok(Self::Scaled),
            "signed" => Ok(Self::Signed),
            _ => Err(QatError::UnknownSte { name: name.into() }),
        }
    }
}

impl FromStr for RelevanceOn {
    type Err = QatError;

    fn from_str(name: &str) -> Result<Self, QatError> {
        match name {
            "latent" => Ok(Self::Latent),
            "quantized" => Ok(Self::Quantized),
            "stepped" => Ok(Self::Stepped),
            _ => Err(QatError::UnknownRelevanceOn { name: name.into() }),
        }
    }
}

/// Batches of a training: fixed from its first step on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// At least 1; the last batch of an epoch may be smaller.
    pub batch_size: usize,
    /// Seed of the order of samples; `None` takes them as they come.
    pub shuffle: Option<u64>,
}

/// Everything that decides a training, besides the net, the data and their [`Order`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct QatSettings {
    /// How latent weights find their centroid.
    #[serde(flatten)]
    pub quantize: QuantizeSettings,
    /// Learning rate of both optimizers.
    pub lr: f64,
    /// α, in [0, 1): the share of the old relevance in the running mean.
    pub alpha: f64,
    /// Which rule applies where.
    pub composite: Composite,
    /// Where relevance starts.
    pub output_relevance: OutputRelevance,
    /// What batch norm does with relevance.
    pub batch_norm: BatchNormMode,
    /// What latent weights get of the gradient.
    pub ste: Ste,
    /// Where relevance is measured.
    pub relevance_on: RelevanceOn,
    /// Weights are assigned anew at each so many-th step, and at the end of each epoch.
    pub assign_every: u32,
    /// After so many it is over.
    pub epochs: u32,
    /// Also after so many epochs without a gain of 0.1 points of validation accuracy; 0 never stops early.
    pub patience: u32,
}

impl QatSettings {
    /// Published defaults: learning rate 1e-3, α = 0.1, composite `epsilon-plus-flat` on logits, batch norm passed, 10
    /// epochs, patience 4, assigned at each step. The mode decides the rest: *exact* has the plain estimator and
    /// relevances of latent weights; *reference* the signed one and stepped weights.
    pub fn new(quantize: QuantizeSettings) -> Self {
        let (ste, relevance_on) = match quantize.mode {
            Mode::Exact => (Ste::Plain, RelevanceOn::Latent),
            Mode::Reference => (Ste::Signed, RelevanceOn::Stepped),
        };
        Self {
            quantize,
            lr: 1e-3,
            alpha: 0.1,
            composite: Composite::named("epsilon-plus-flat").unwrap_or_default(),
            output_relevance: OutputRelevance::Logit,
            batch_norm: BatchNormMode::Pass,
            ste,
            relevance_on,
            assign_every: 1,
            epochs: 10,
            patience: 4,
        }
    }

    /// # Errors
    /// Whatever is out of range for any net.
    pub fn check(&self) -> Result<(), CoreError> {
        let at_least_one = |name, got: u32| match got {
            0 => Err(QatError::Setting { name, got: 0.0, range: "1 or more" }),
            _ => Ok(()),
        };
        self.quantize.quantizer()?;
        Adam::new(self.lr, 0.0)?;
        if !(0.0..1.0).contains(&self.alpha) {
            return Err(QatError::Setting { name: "alpha", got: self.alpha, range: "0 or more and below 1" }.into());
        }
        at_least_one("assign-every", self.assign_every)?;
        Ok(at_least_one("epochs", self.epochs)?)
    }

    /// Whether relevance plays a part.
    pub fn needs_relevance(&self) -> bool {
        self.quantize.method == Method::Ecqx
    }

    pub(super) fn explain(&self) -> ExplainSettings {
        ExplainSettings {
            composite: self.composite.clone(),
            output: self.output_relevance,
            batch_norm: self.batch_norm,
            inputs: KeepInputs::None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mode_decides_what_is_not_said() {
        let settings =
            |mode| QatSettings::new(QuantizeSettings { mode, ..QuantizeSettings::new(Method::Ecqx, 4, 0.05, 0.1) });
        let of = |mode| (settings(mode).ste, settings(mode).relevance_on);
        assert_eq!(of(Mode::Exact), ("plain".parse().unwrap(), "latent".parse().unwrap()));
        assert_eq!(of(Mode::Reference), ("signed".parse().unwrap(), "stepped".parse().unwrap()));
        assert_eq!(settings(Mode::Exact).composite.name(), "epsilon-plus-flat");
        let text = serde_json::to_string(&settings(Mode::Reference)).unwrap();
        assert!(text.starts_with(r#"{"method":"ecqx","bits":4,"lambda":0.05,"p":0.1,"mode":"reference""#), "{text}");
        assert_eq!(serde_json::from_str::<QatSettings>(&text).unwrap(), settings(Mode::Reference));
    }

    #[test]
    fn what_is_out_of_range_is_named() {
        let good = QatSettings::new(QuantizeSettings::new(Method::Ecq, 4, 0.05, 0.1));
        let error = |change: fn(&mut QatSettings)| {
            let mut settings = good.clone();
            change(&mut settings);
            settings.check().unwrap_err().to_string()
        };
        assert!(good.check().is_ok());
        assert_eq!(error(|s| s.alpha = 1.0), "alpha is 1; it must be 0 or more and below 1");
        assert!(error(|s| s.alpha = f64::NAN).contains("NaN"));
        assert_eq!(error(|s| s.assign_every = 0), "assign-every is 0; it must be 1 or more");
        assert_eq!(error(|s| s.epochs = 0), "epochs is 0; it must be 1 or more");
        assert!(error(|s| s.lr = 0.0).contains("learning rate is 0"));
        assert!(error(|s| s.quantize.lambda = 2.0).contains("lambda is 2"));
        assert!("best".parse::<Ste>().unwrap_err().to_string().contains("plain, scaled, signed"));
        assert!("best".parse::<RelevanceOn>().unwrap_err().to_string().contains("latent, quantized, stepped"));
    }
}
