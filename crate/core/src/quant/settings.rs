//! What people choose: method, bit width, λ, p; in the names of the command's flags.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

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

/// Everything that decides a quantized net, besides its weights and relevances.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct QuantizeSettings {
    /// How weights find their centroid.
    pub method: Method,
    /// 2 to 8.
    pub bits: u8,
    /// λ, 0 to 1.
    pub lambda: f64,
    /// p, 0 to 1: the share of sparsity that the relevance correction may give back.
    pub p: f64,
}

impl QuantizeSettings {
    /// The method with its settings checked.
    ///
    /// # Errors
    /// Whatever is out of range, also where the method does not use it.
    pub fn quantizer(&self) -> Result<Box<dyn Quantizer>, QuantError> {
        let (ecq, ecqx) = (Ecq::new(self.lambda)?, Ecqx::new(self.lambda, self.p)?);
        Ok(match self.method {
            Method::Nearest => Box::new(Nearest),
            Method::Ecq => Box::new(ecq),
            Method::Ecqx => Box::new(ecqx),
        })
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
        let settings = |lambda, p| QuantizeSettings { method: Method::Nearest, bits: 4, lambda, p };
        let code = |lambda, p| settings(lambda, p).quantizer().unwrap_err().code();
        assert_eq!(
            (code(-0.1, 0.0), code(f64::NAN, 0.0), code(0.1, 1.1)),
            ("settings/lambda", "settings/lambda", "settings/p")
        );
        assert!(settings(0.0, 1.0).quantizer().is_ok() && settings(1.0, 0.0).quantizer().is_ok());
    }
}
