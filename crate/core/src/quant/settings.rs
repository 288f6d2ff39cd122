//! What people choose: method, bit width, λ, p, and what single layers do otherwise; in the names of the command's flags.
//! Loose numbers here become a checked [`Quantizer`], which alone can run.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::error::expect_bits;
use super::{Ecq, Ecqx, Nearest, QuantError, Quantizer};

/// A quantization method.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Method {
    /// Nearest neighbour.
    Nearest,
    /// Entropy-constrained.
    Ecq,
    /// Entropy-constrained, relevance-corrected.
    Ecqx,
}

/// Which of two readings of a method.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// What the paper means, with β found exactly.
    #[default]
    Exact,
    /// What the published code computes, number for number.
    Reference,
}

impl Method {
    /// Every method with its name.
    pub const ALL: [(&'static str, Self); 3] = [("nearest", Self::Nearest), ("ecq", Self::Ecq), ("ecqx", Self::Ecqx)];
}

impl FromStr for Method {
    type Err = QuantError;

    fn from_str(name: &str) -> Result<Self, QuantError> {
        let known = || Self::ALL.map(|(name, _)| name).join(", ");
        let found = Self::ALL.into_iter().find(|(own, _)| *own == name);
        found.map(|(_, method)| method).ok_or_else(|| QuantError::UnknownMethod { name: name.into(), known: known() })
    }
}

impl FromStr for Mode {
    type Err = QuantError;

    fn from_str(name: &str) -> Result<Self, QuantError> {
        match name {
            "exact" => Ok(Self::Exact),
            "reference" => Ok(Self::Reference),
            _ => Err(QuantError::UnknownMode { name: name.into() }),
        }
    }
}

/// Everything that decides a quantized net, besides its weights and relevances.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct QuantizeSettings {
    /// How weights find their centroid.
    pub method: Method,
    /// 2 to 8.
    pub bits: u8,
    /// λ, 0 to 1.
    pub lambda: f64,
    /// p, 0 to 1: the share of sparsity that the relevance correction may give back.
    pub p: f64,
    /// Exact where it is not said.
    #[serde(default)]
    pub mode: Mode,
    /// β, 0 to 1, set by hand instead of found from p.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub beta: Option<f64>,
    /// ρ, 0.01 to 100, where it is not 2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rho: Option<f64>,
    /// What single layers do otherwise.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub layers: Vec<LayerOverride>,
}

/// What one layer does otherwise than the net.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct LayerOverride {
    /// The layer's.
    pub name: String,
    /// 2 to 8.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bits: Option<u8>,
    /// λ, 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lambda: Option<f64>,
    /// It keeps its weights, and no longer counts as the largest layer.
    #[serde(default)]
    pub exclude: bool,
}

impl QuantizeSettings {
    /// Mode *exact*, β found from p, ρ = 2, all layers alike.
    pub fn new(method: Method, bits: u8, lambda: f64, p: f64) -> Self {
        Self { method, bits, lambda, p, mode: Mode::Exact, beta: None, rho: None, layers: Vec::new() }
    }

    /// The method with its settings checked.
    ///
    /// # Errors
    /// Whatever is out of range, also where the method does not use it.
    pub fn quantizer(&self) -> Result<Box<dyn Quantizer>, QuantError> {
        expect_bits(self.bits)?;
        self.with_lambda(self.lambda)
    }

    fn with_lambda(&self, lambda: f64) -> Result<Box<dyn Quantizer>, QuantError> {
        let mut ecqx = Ecqx::new(lambda, self.p, self.mode)?;
        if let Some(beta) = self.beta {
            ecqx = ecqx.with_beta(beta)?;
        }
        if let Some(rho) = self.rho {
            ecqx = ecqx.with_rho(rho)?;
        }
        Ok(match self.method {
            Method::Nearest => Box::new(Nearest),
            Method::Ecq => Box::new(Ecq::new(lambda, self.mode)?),
            Method::Ecqx => Box::new(ecqx),
        })
    }

    /// Bit width, λ and checked method of one layer; `None` where it is excluded.
    ///
    /// # Errors
    /// Whatever is out of range.
    pub(super) fn of_layer(&self, name: &str) -> Result<Option<LayerChoice>, QuantError> {
        let own = self.layers.iter().find(|layer| layer.name == name);
        let bits = own.and_then(|own| own.bits).unwrap_or(self.bits);
        let lambda = own.and_then(|own| own.lambda).unwrap_or(self.lambda);
        expect_bits(bits)?;
        let quantizer = self.with_lambda(lambda)?;
        Ok(if own.is_some_and(|own| own.exclude) { None } else { Some(LayerChoice { bits, lambda, quantizer }) })
    }
}

/// What holds for one layer.
#[derive(Debug)]
pub(super) struct LayerChoice {
    pub(super) bits: u8,
    pub(super) lambda: f64,
    pub(super) quantizer: Box<dyn Quantizer>,
}

/// `NAME:exclude`, `NAME:bits=3`, `NAME:bits=3,lambda=0.1`.
impl FromStr for LayerOverride {
    type Err = QuantError;

    fn from_str(text: &str) -> Result<Self, QuantError> {
        let bad = || QuantError::LayerSetting { text: text.into() };
        let (name, settings) = text.rsplit_once(':').ok_or_else(bad)?;
        let mut layer = Self { name: name.into(), ..Self::default() };
        for setting in settings.split(',') {
            let is_new = match setting.split_once('=').unwrap_or((setting, "")) {
                ("bits", value) => layer.bits.replace(value.parse().map_err(|_| bad())?).is_none(),
                ("lambda", value) => layer.lambda.replace(value.parse().map_err(|_| bad())?).is_none(),
                ("exclude", "") => !std::mem::replace(&mut layer.exclude, true),
                _ => false,
            };
            if !is_new {
                return Err(bad());
            }
        }
        let has_numbers = layer.bits.is_some() || layer.lambda.is_some();
        if name.is_empty() || (layer.exclude && has_numbers) { Err(bad()) } else { Ok(layer) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_ranges() {
        for (name, method) in Method::ALL {
            assert_eq!(name.parse::<Method>().unwrap(), method);
            assert_eq!(serde_json::to_value(method).unwrap(), name);
        }
        assert!("foo".parse::<Method>().unwrap_err().to_string().contains("nearest, ecq, ecqx"));
        assert_eq!("reference".parse::<Mode>().unwrap(), Mode::Reference);
        assert!("foo".parse::<Mode>().unwrap_err().to_string().contains("exact or reference"));
        let settings = |lambda, p| QuantizeSettings::new(Method::Nearest, 4, lambda, p);
        let code = |settings: QuantizeSettings| settings.quantizer().unwrap_err().code();
        assert_eq!(code(settings(-0.1, 0.0)), "settings/lambda");
        assert_eq!(code(settings(f64::NAN, 0.0)), "settings/lambda");
        assert_eq!(code(settings(0.1, 1.1)), "settings/p");
        assert_eq!(code(QuantizeSettings { bits: 9, ..settings(0.1, 0.1) }), "settings/bits");
        assert_eq!(code(QuantizeSettings { bits: 1, ..settings(0.1, 0.1) }), "settings/bits");
        assert_eq!(code(QuantizeSettings { beta: Some(1.5), ..settings(0.1, 0.1) }), "settings/beta");
        assert_eq!(code(QuantizeSettings { rho: Some(0.0), ..settings(0.1, 0.1) }), "settings/rho");
        assert!(settings(0.0, 1.0).quantizer().is_ok() && settings(1.0, 0.0).quantizer().is_ok());
    }

    #[test]
    fn four_fields_are_enough() {
        let text = r#"{"method": "ecqx", "bits": 4, "lambda": 0.08, "p": 0.1}"#;
        let settings: QuantizeSettings = serde_json::from_str(text).unwrap();
        assert_eq!(settings, QuantizeSettings::new(Method::Ecqx, 4, 0.08, 0.1));
        let own = r#"{"method": "ecq", "bits": 4, "lambda": 0, "p": 0, "mode": "reference",
            "layers": [{"name": "fc1", "bits": 3}]}"#;
        let settings: QuantizeSettings = serde_json::from_str(own).unwrap();
        assert_eq!(settings.mode, Mode::Reference);
        assert_eq!(settings.of_layer("fc1").unwrap().unwrap().bits, 3);
        assert_eq!(settings.of_layer("fc2").unwrap().unwrap().bits, 4);
    }

    #[test]
    fn layers_in_words() {
        let parsed = |text: &str| text.parse::<LayerOverride>().ok();
        let layer = |bits, lambda, exclude| Some(LayerOverride { name: "fc1".into(), bits, lambda, exclude });
        assert_eq!(parsed("fc1:exclude"), layer(None, None, true));
        assert_eq!(parsed("fc1:bits=3,lambda=0.1"), layer(Some(3), Some(0.1), false));
        assert_eq!(parsed("block:1:bits=3").unwrap().name, "block:1");
        let bad =
            ["fc1", "fc1:", ":bits=3", "fc1:bits", "fc1:bits=x", "fc1:p=1", "fc1:bits=3,bits=4", "fc1:exclude=no"];
        for text in bad.into_iter().chain(["fc1:exclude,bits=3"]) {
            assert!(parsed(text).is_none(), "{text}");
        }
    }
}
