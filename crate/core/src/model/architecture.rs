//! The architecture as written in a model file: a list of layers, each reading the one before it or the named ones.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use super::ModelError;

/// Layers in order, from the net's input to its logits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Architecture {
    /// Shape of one sample: `[features]` or `[channels, height, width]`.
    pub input: Vec<usize>,
    /// In an order in which each reads only earlier ones.
    pub layers: Vec<LayerSpec>,
}

/// One layer.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LayerSpec {
    /// Unique; prefix of its tensors in a file.
    pub name: String,
    #[serde(flatten)]
    /// What it does.
    pub kind: LayerKind,
    /// Names of the layers it reads (`input` is the net's input); `None`: the layer before it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inputs: Option<Vec<String>>,
}

/// What a layer does, with its settings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum LayerKind {
    /// Fully connected.
    Dense {
        /// Number of outputs.
        units: usize,
        /// Whether a bias is added.
        #[serde(default = "yes")]
        bias: bool,
    },
    /// Convolution over images [channels, height, width]. Extents are [height, width].
    Conv2d {
        /// Number of output channels.
        filters: usize,
        /// Extent of a filter.
        kernel: [usize; 2],
        /// Steps from position to position.
        #[serde(default = "one")]
        stride: [usize; 2],
        /// Border of zeros on each side.
        #[serde(default)]
        padding: [usize; 2],
        /// Parts that channels and filters are divided into; each filter reads one.
        #[serde(default = "one_group")]
        groups: usize,
        /// Whether a bias is added.
        #[serde(default = "yes")]
        bias: bool,
    },
    /// Normalisation of each channel over batch and positions.
    BatchNorm {
        /// Added to the variance.
        #[serde(default = "usual_eps")]
        eps: f64,
        /// Weight of a batch in the running statistics.
        #[serde(default = "usual_momentum")]
        momentum: f64,
    },
    /// max(0, x).
    Relu {},
    /// Largest value of each window.
    #[serde(rename = "max_pool2d")]
    MaxPool2d {
        /// Extent of the window.
        kernel: [usize; 2],
        /// Steps from position to position; `None`: the window's extent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        stride: Option<[usize; 2]>,
    },
    /// Mean of each window.
    #[serde(rename = "avg_pool2d")]
    AvgPool2d {
        /// Extent of the window.
        kernel: [usize; 2],
        /// Steps from position to position; `None`: the window's extent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        stride: Option<[usize; 2]>,
    },
    /// Mean of each channel: [channels, height, width] to [channels].
    GlobalAvgPool {},
    /// Any shape to `[features]`.
    Flatten {},
    /// Sum of the layers named in `inputs`.
    Add {},
}

/// By hand, since a flattened field could not refuse unknown names: a misspelt `bias` would silently be the default.
impl<'de> Deserialize<'de> for LayerSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut fields = Map::deserialize(deserializer)?;
        let name = fields.remove("name").ok_or_else(|| D::Error::missing_field("name"))?;
        let name: String = serde_json::from_value(name).map_err(D::Error::custom)?;
        let inputs = fields.remove("inputs").map_or(Ok(None), serde_json::from_value);
        let kind = serde_json::from_value(Value::Object(fields));
        let in_layer = |error: serde_json::Error| D::Error::custom(format_args!("layer {name:?}: {error}"));
        Ok(Self { inputs: inputs.map_err(in_layer)?, kind: kind.map_err(in_layer)?, name })
    }
}

fn yes() -> bool {
    true
}

fn one() -> [usize; 2] {
    [1, 1]
}

fn one_group() -> usize {
    1
}

fn usual_eps() -> f64 {
    1e-5
}

fn usual_momentum() -> f64 {
    0.1
}

impl LayerKind {
    /// The kind's name in an architecture.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Dense { .. } => "dense",
            Self::Conv2d { .. } => "conv2d",
            Self::BatchNorm { .. } => "batch_norm",
            Self::Relu {} => "relu",
            Self::MaxPool2d { .. } => "max_pool2d",
            Self::AvgPool2d { .. } => "avg_pool2d",
            Self::GlobalAvgPool {} => "global_avg_pool",
            Self::Flatten {} => "flatten",
            Self::Add {} => "add",
        }
    }
}

impl Architecture {
    /// # Errors
    /// [`ModelError::Architecture`] with the position and what was expected there.
    pub fn from_json(text: &str) -> Result<Self, ModelError> {
        serde_json::from_str(text).map_err(|error| ModelError::Architecture { reason: error.to_string() })
    }

    /// One line of JSON.
    pub fn to_json(&self) -> String {
        // Strings and whole numbers always serialise; an empty text would be refused by every reader.
        serde_json::to_string(self).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_may_be_left_out() {
        let text = r#"{"input": [4], "layers": [{"name": "a", "kind": "dense", "units": 2},
            {"name": "b", "kind": "relu", "inputs": ["a"]}]}"#;
        let architecture = Architecture::from_json(text).unwrap();
        assert_eq!(architecture.layers[0].kind, LayerKind::Dense { units: 2, bias: true });
        assert_eq!(Architecture::from_json(&architecture.to_json()).unwrap(), architecture);
    }

    #[test]
    fn unknown_kinds_are_answered_with_the_known_ones() {
        let text = r#"{"input": [4], "layers": [{"name": "a", "kind": "lstm"}]}"#;
        let error = Architecture::from_json(text).unwrap_err().to_string();
        assert!(error.contains("lstm") && error.contains("dense") && error.contains("flatten"), "{error}");
        let misspelt = [r#""dense", "units": 2, "bais": false"#, r#""relu", "units": 2"#, r#""flatten", "input": []"#];
        for kind in misspelt {
            let text = format!(r#"{{"input": [4], "layers": [{{"name": "a", "kind": {kind}}}]}}"#);
            let error = Architecture::from_json(&text).unwrap_err().to_string();
            assert!(error.contains("unknown field") && error.contains("layer \"a\""), "{error}");
        }
        assert!(Architecture::from_json("{}").is_err());
        assert!(Architecture::from_json(r#"{"input": [4], "layers": [], "laters": 1}"#).is_err());
    }
}
