//! Which rule applies where.

use std::collections::BTreeMap;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::LrpError;
use super::rules::{AlphaBeta, Epsilon, Flat, Gamma, Rule, ZBox, ZPlus, parse};
use crate::model::LayerKind;

/// The first affine layer from the input, and the first that is a convolution.
pub(super) const FIRST: &str = "first";
pub(super) const FIRST_CONVOLUTION: &str = "first_conv2d";

/// A choice of rules by place: a layer's name, `first` (the first dense or convolution layer from the input),
/// `first_conv2d`, or a kind of layer. A name wins over `first`, which wins over a kind. Dense and convolution layers
/// that nothing names have the ε-rule, `add` and pooling by mean `norm`, max pooling sends to the winner, ReLU and
/// flatten pass; what batch norm does then is [`super::BatchNormMode`].
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Composite {
    name: String,
    places: Vec<Place>,
}

/// A rule where it applies, as it was written.
#[derive(Debug, Clone)]
pub(super) struct Place {
    name: String,
    pub(super) rule: Arc<dyn Rule>,
    pub(super) text: String,
}

impl Place {
    fn new(name: &str, rule: Arc<dyn Rule>) -> Self {
        Self { name: name.into(), text: format!("{rule:?}"), rule }
    }
}

impl Default for Composite {
    /// `epsilon-plus`: in convolutions, ε alone divides by outputs near zero and tells little.
    fn default() -> Self {
        Self { name: "epsilon-plus".into(), places: vec![Place::new("conv2d", Arc::new(ZPlus))] }
    }
}

impl Composite {
    /// All names that [`Self::named`] knows. `epsilon` is the ε-rule everywhere; the others are zennit's, with
    /// `epsilon-gamma-box` for pixels from 0 to 1.
    pub const NAMES: [&'static str; 8] = [
        "epsilon",
        "epsilon-plus",
        "epsilon-plus-flat",
        "epsilon-alpha2-beta1",
        "epsilon-alpha2-beta1-flat",
        "epsilon-gamma-flat",
        "epsilon-gamma-box",
        "excitation-backprop",
    ];

    /// A composite by its published name.
    ///
    /// # Errors
    /// [`LrpError::UnknownComposite`] lists the known ones.
    pub fn named(name: &str) -> Result<Self, LrpError> {
        if !Self::NAMES.contains(&name) {
            return Err(LrpError::UnknownComposite { name: name.into(), known: Self::NAMES.join(", ") });
        }
        let mut places = Vec::new();
        let mut at = |place: &str, rule: Arc<dyn Rule>| places.push(Place::new(place, rule));
        if name.ends_with("-flat") {
            at(FIRST, Arc::new(Flat { bias: true }));
        }
        if name.contains("-box") {
            at(FIRST_CONVOLUTION, Arc::new(ZBox::UNIT));
        }
        if name.contains("-plus") {
            at("conv2d", Arc::new(ZPlus));
        } else if name.contains("-alpha2") {
            at("conv2d", Arc::new(AlphaBeta::TWO_ONE));
        } else if name.contains("-gamma") {
            at("conv2d", Arc::new(Gamma::PUBLISHED));
        } else if name.starts_with("excitation") {
            at("conv2d", Arc::new(ZPlus));
            at("dense", Arc::new(ZPlus));
        }
        Ok(Self { name: name.into(), places })
    }

    /// The name or JSON it was made from.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The rule of a place.
    pub(super) fn at(&self, name: &str) -> Option<&Place> {
        self.places.iter().find(|place| place.name == name)
    }

    /// The rule of affine layers that nothing names.
    pub(super) fn fallback() -> Arc<dyn Rule> {
        Arc::new(Epsilon::DEFAULT)
    }

    /// Places that are neither a kind nor a layer in this list.
    pub(super) fn unknown_place<'a>(&'a self, layers: &[&str]) -> Option<&'a str> {
        let is_known = |place: &str| {
            place == FIRST || place == FIRST_CONVOLUTION || LayerKind::NAMES.contains(&place) || layers.contains(&place)
        };
        self.places.iter().map(|place| place.name.as_str()).find(|place| !is_known(place))
    }

    /// What a composite may name, for errors.
    pub(super) fn known_places(layers: &[&str]) -> String {
        [&[FIRST, FIRST_CONVOLUTION], &LayerKind::NAMES[..], layers].concat().join(", ")
    }
}

/// A composite by its name, or as a JSON object from place to rule, such as
/// `{"first": "flat", "conv2d": "alpha-beta(2,1)", "dense": "epsilon(1e-6)"}`.
impl FromStr for Composite {
    type Err = LrpError;

    fn from_str(text: &str) -> Result<Self, LrpError> {
        if !text.trim_start().starts_with('{') {
            return Self::named(text);
        }
        let places: BTreeMap<String, String> = serde_json::from_slice(text.as_bytes())
            .map_err(|error| LrpError::CompositeJson { reason: error.to_string() })?;
        let places = places.into_iter().map(|(name, text)| Ok(Place { name, rule: parse(&text)?, text }));
        Ok(Self { name: text.trim().into(), places: places.collect::<Result<_, LrpError>>()? })
    }
}

impl TryFrom<String> for Composite {
    type Error = LrpError;

    fn try_from(text: String) -> Result<Self, LrpError> {
        text.parse()
    }
}

impl From<Composite> for String {
    fn from(composite: Composite) -> Self {
        composite.name
    }
}

/// Composites of the same name have the same rules.
impl PartialEq for Composite {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_names_are_answered_with_the_known_ones() {
        let error = Composite::named("epsilon-minus").unwrap_err().to_string();
        assert!(error.contains("epsilon-minus") && error.contains("choose one of: epsilon, epsilon-plus"), "{error}");
        assert!(Composite::NAMES.iter().all(|name| Composite::named(name).unwrap().name() == *name));
    }

    #[test]
    fn json_names_places_and_rules() {
        let composite: Composite = r#"{"first": "flat", "conv2d": "alpha-beta(2,1)"}"#.parse().unwrap();
        assert_eq!(format!("{:?}", composite.at("first").unwrap().rule), "Flat { bias: false }");
        assert!(composite.at("dense").is_none());
        assert_eq!("{1}".parse::<Composite>().unwrap_err().code(), "lrp/composite");
        assert_eq!(r#"{"first": "best"}"#.parse::<Composite>().unwrap_err().code(), "lrp/rule");
    }
}
