//! The architecture as written in a model file: a list of layers, each reading the one before it or the named ones.

use serde::de::{DeserializeOwned, Error as _};
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
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum LayerKind {
    /// Fully connected.
    Dense {
        /// Number of outputs.
        units: usize,
        /// Whether a bias is added.
        bias: bool,
    },
    /// Convolution over images [channels, height, width]. Extents are [height, width].
    Conv2d {
        /// Number of output channels.
        filters: usize,
        /// Extent of a filter.
        kernel: [usize; 2],
        /// Steps from position to position.
        stride: [usize; 2],
        /// Border of zeros on each side.
        padding: [usize; 2],
        /// Parts that channels and filters are divided into; each filter reads one.
        groups: usize,
        /// Whether a bias is added.
        bias: bool,
    },
    /// Normalisation of each channel over batch and positions.
    BatchNorm {
        /// Added to the variance.
        eps: f64,
        /// Weight of a batch in the running statistics.
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
        #[serde(skip_serializing_if = "Option::is_none")]
        stride: Option<[usize; 2]>,
    },
    /// Mean of each window.
    #[serde(rename = "avg_pool2d")]
    AvgPool2d {
        /// Extent of the window.
        kernel: [usize; 2],
        /// Steps from position to position; `None`: the window's extent.
        #[serde(skip_serializing_if = "Option::is_none")]
        stride: Option<[usize; 2]>,
    },
    /// Mean of each channel: `[channels, height, width]` to `[channels]`.
    GlobalAvgPool {},
    /// Any shape to `[features]`.
    Flatten {},
    /// Sum of the layers named in `inputs`.
    Add {},
}

/// By hand: derived code could not refuse unknown names beside a flattened field (a misspelt `bias` would silently be
/// the default), and would be a tenth of the page's whole engine.
impl<'de> Deserialize<'de> for LayerSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut fields = Fields(Map::deserialize(deserializer)?);
        let name: String =
            fields.take("name").and_then(|name| name.ok_or_else(|| missing("name"))).map_err(D::Error::custom)?;
        let mut read = || {
            let inputs = fields.take("inputs")?;
            let kind = fields.kind()?;
            fields.finish()?;
            Ok((inputs, kind))
        };
        let in_layer = |error: String| D::Error::custom(format_args!("layer {name:?}: {error}"));
        let (inputs, kind) = read().map_err(in_layer)?;
        Ok(Self { name, kind, inputs })
    }
}

/// The fields of one layer that nobody has read yet. Errors are sentences.
struct Fields(Map<String, Value>);

fn missing(name: &str) -> String {
    format!("missing field `{name}`")
}

impl Fields {
    /// A field, if it is there.
    fn take<T: DeserializeOwned>(&mut self, name: &str) -> Result<Option<T>, String> {
        let Some(value) = self.0.remove(name) else { return Ok(None) };
        serde_json::from_value(value).map(Some).map_err(|error| format!("field `{name}`: {error}"))
    }

    fn count(&mut self, name: &str) -> Result<usize, String> {
        self.take(name)?.ok_or_else(|| missing(name))
    }

    fn pair(&mut self, name: &str) -> Result<Option<[usize; 2]>, String> {
        self.take(name)
    }

    fn kernel(&mut self) -> Result<[usize; 2], String> {
        self.pair("kernel")?.ok_or_else(|| missing("kernel"))
    }

    fn bias(&mut self) -> Result<bool, String> {
        Ok(self.take("bias")?.unwrap_or(true))
    }

    fn number(&mut self, name: &str, usual: f64) -> Result<f64, String> {
        Ok(self.take(name)?.unwrap_or(usual))
    }

    fn kind(&mut self) -> Result<LayerKind, String> {
        let kind: String = self.take("kind")?.ok_or_else(|| missing("kind"))?;
        Ok(match kind.as_str() {
            "dense" => LayerKind::Dense { units: self.count("units")?, bias: self.bias()? },
            "conv2d" => LayerKind::Conv2d {
                filters: self.count("filters")?,
                kernel: self.kernel()?,
                stride: self.pair("stride")?.unwrap_or([1, 1]),
                padding: self.pair("padding")?.unwrap_or([0, 0]),
                groups: self.take("groups")?.unwrap_or(1),
                bias: self.bias()?,
            },
            "batch_norm" => {
                LayerKind::BatchNorm { eps: self.number("eps", 1e-5)?, momentum: self.number("momentum", 0.1)? }
            }
            "relu" => LayerKind::Relu {},
            "max_pool2d" => LayerKind::MaxPool2d { kernel: self.kernel()?, stride: self.pair("stride")? },
            "avg_pool2d" => LayerKind::AvgPool2d { kernel: self.kernel()?, stride: self.pair("stride")? },
            "global_avg_pool" => LayerKind::GlobalAvgPool {},
            "flatten" => LayerKind::Flatten {},
            "add" => LayerKind::Add {},
            _ => return Err(format!("unknown kind {kind:?}; choose one of: {}", LayerKind::NAMES.join(", "))),
        })
    }

    fn finish(&self) -> Result<(), String> {
        match self.0.keys().next() {
            Some(name) => Err(format!("unknown field `{name}`; remove it, or check its spelling")),
            None => Ok(()),
        }
    }
}

impl LayerKind {
    /// The names of all kinds.
    pub const NAMES: [&'static str; 9] =
        ["dense", "conv2d", "batch_norm", "relu", "max_pool2d", "avg_pool2d", "global_avg_pool", "flatten", "add"];

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
        serde_json::from_slice(text.as_bytes()).map_err(|error| ModelError::Architecture { reason: error.to_string() })
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
        let shortest = r#""conv2d", "filters": 2, "kernel": [3, 1]|"batch_norm"|"max_pool2d", "kernel": [2, 2]|"avg_pool2d", "kernel": [2, 1], "stride": [1, 1]|"global_avg_pool"|"flatten"|"add", "inputs": ["a", "b"]"#;
        for (kind, name) in shortest.split('|').zip([
            "conv2d",
            "batch_norm",
            "max_pool2d",
            "avg_pool2d",
            "global_avg_pool",
            "flatten",
            "add",
        ]) {
            let text = format!(r#"{{"input": [4], "layers": [{{"name": "x", "kind": {kind}}}]}}"#);
            let architecture = Architecture::from_json(&text).unwrap();
            assert_eq!(architecture.layers[0].kind.name(), name);
            assert!(LayerKind::NAMES.contains(&name));
            assert_eq!(Architecture::from_json(&architecture.to_json()).unwrap(), architecture);
        }
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
