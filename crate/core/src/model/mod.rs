//! A model is a net with its architecture and what its file says about it. The architecture is in [`Architecture`],
//! quantized weights in a file in [`QuantizedTensor`].

mod architecture;
mod quantized;

pub use architecture::{Architecture, LayerKind, LayerSpec};
pub use quantized::QuantizedTensor;

use std::collections::BTreeMap;

use crate::nn::{NetError, Network};
use crate::tensors::{Tensor, TensorError, TensorFile};

const FORMAT: &str = "ecqx-model";
/// Metadata keys that are written from the model itself; all others are kept as they are.
const OWN_KEYS: [&str; 3] = ["format", "version", "architecture"];

/// A net and its file's metadata. If it was read from a quantized model, the net carries the dequantized weights.
#[derive(Debug, Clone)]
pub struct Model {
    /// As written in the file.
    pub architecture: Architecture,
    /// The net with its parameters.
    pub network: Network,
    /// `name`, `dataset`, `classes`, `accuracy`, `quantization`, `license`, `source` and whatever else the file held.
    pub metadata: BTreeMap<String, String>,
}

/// Why bytes are not a model.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[allow(missing_docs)] // each variant's text is its documentation
pub enum ModelError {
    #[error("model: {0}")]
    Tensor(TensorError),
    #[error("model: {0}")]
    Net(NetError),
    #[error("model: metadata format is {got:?}, not \"ecqx-model\"; is this a model file?")]
    NotAModel { got: String },
    #[error("model: version {got:?} is not known; this release reads version 1")]
    Version { got: String },
    #[error("model: the architecture cannot be read: {}", one_line(reason))]
    Architecture { reason: String },
    #[error("model: metadata classes is {got:?}; a JSON list of {outputs} names is needed")]
    Classes { got: String, outputs: usize },
}

/// Text that may quote a file, with its line breaks and other control characters made visible.
fn one_line(text: &str) -> String {
    text.chars().fold(String::new(), |mut line, c| {
        if c.is_control() {
            line.extend(c.escape_default());
        } else {
            line.push(c);
        }
        line
    })
}

// Not `#[from]`: that would make them sources too, and a chain of causes would say the same twice.
impl From<TensorError> for ModelError {
    fn from(error: TensorError) -> Self {
        Self::Tensor(error)
    }
}

impl From<NetError> for ModelError {
    fn from(error: NetError) -> Self {
        match error {
            NetError::Tensor(error) => Self::Tensor(error),
            error => Self::Net(error),
        }
    }
}

impl ModelError {
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::Tensor(error) => error.codes()[1],
            Self::Net(error) => error.code(),
            Self::NotAModel { .. } => "model/format",
            Self::Version { .. } => "model/version",
            Self::Architecture { .. } => "model/architecture",
            Self::Classes { .. } => "model/classes",
        }
    }
}

impl Model {
    /// A fresh net with He-initialised weights, seeded.
    ///
    /// # Errors
    /// [`ModelError::Net`] where layers do not fit together.
    pub fn initialise(architecture: Architecture, seed: u64) -> Result<Self, ModelError> {
        let mut network = Network::new(&architecture)?;
        network.initialise(seed);
        Ok(Self { architecture, network, metadata: BTreeMap::new() })
    }

    /// Reads a model file (`formats`: metadata `architecture`, tensors `<layer>.weight`, `<layer>.bias`).
    ///
    /// # Errors
    /// Not a model, an architecture we cannot build, tensors missing, of other shape, or not finite.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ModelError> {
        let TensorFile { mut metadata, tensors } = TensorFile::from_bytes(bytes)?;
        let format = metadata.remove("format");
        if format.as_deref() != Some(FORMAT) {
            return Err(ModelError::NotAModel { got: format.unwrap_or_default() });
        }
        if let Some(got) = metadata.remove("version").filter(|version| version != "1") {
            return Err(ModelError::Version { got });
        }
        let architecture = Architecture::from_json(&metadata.remove("architecture").unwrap_or_default())?;
        let mut network = Network::within(&architecture, bytes.len() as u128 / 4)?;
        let file = TensorFile { metadata: BTreeMap::new(), tensors };
        network.try_fill(|name, shape| file.weights(name, shape))?;
        let model = Self { architecture, network, metadata };
        model.check_classes()?;
        Ok(model)
    }

    /// The file of this model. Same model, same bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.to_file().to_bytes()
    }

    pub(crate) fn to_file(&self) -> TensorFile {
        let mut metadata = self.metadata.clone();
        metadata.extend(Self::own_metadata(&self.architecture));
        let tensors = self.network.tensors().map(|p| Tensor::f32(p.name, &p.shape, p.values.to_vec())).collect();
        TensorFile { metadata, tensors }
    }

    /// What the file of a model of this architecture says of itself.
    pub(crate) fn own_metadata(architecture: &Architecture) -> impl Iterator<Item = (String, String)> {
        let own = [FORMAT.to_owned(), "1".to_owned(), architecture.to_json()];
        OWN_KEYS.map(str::to_owned).into_iter().zip(own)
    }

    /// The model's name, or `unnamed`.
    pub fn name(&self) -> &str {
        self.metadata.get("name").map_or("unnamed", String::as_str)
    }

    fn check_classes(&self) -> Result<(), ModelError> {
        let (Some(got), outputs) = (self.metadata.get("classes"), self.network.outputs()) else { return Ok(()) };
        match serde_json::from_slice::<Vec<String>>(got.as_bytes()) {
            Ok(names) if names.len() == outputs => Ok(()),
            _ => Err(ModelError::Classes { got: got.clone(), outputs }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model() -> Model {
        let text = r#"{"input": [1, 2, 2], "layers": [{"name": "flat", "kind": "flatten"},
            {"name": "fc1", "kind": "dense", "units": 3}, {"name": "relu1", "kind": "relu"},
            {"name": "fc2", "kind": "dense", "units": 2, "bias": false}]}"#;
        let mut model = Model::initialise(Architecture::from_json(text).unwrap(), 4).unwrap();
        model.metadata.insert("name".into(), "tiny".into());
        model.metadata.insert("classes".into(), r#"["no","yes"]"#.into());
        model
    }

    fn changed(change: impl FnOnce(&mut TensorFile)) -> Vec<u8> {
        let mut file = model().to_file();
        change(&mut file);
        file.to_bytes()
    }

    fn code(change: impl FnOnce(&mut TensorFile)) -> &'static str {
        Model::from_bytes(&changed(change)).unwrap_err().code()
    }

    #[test]
    fn a_model_comes_back_whole() {
        let model = model();
        let names: Vec<String> = model.network.parameters().map(|p| p.name).collect();
        assert_eq!(names, ["fc1.weight", "fc1.bias", "fc2.weight"]);
        let back = Model::from_bytes(&model.to_bytes()).unwrap();
        assert_eq!((back.to_bytes(), back.name()), (model.to_bytes(), "tiny"));
    }

    #[test]
    fn bad_files_are_named() {
        assert_eq!(code(|f| _ = f.metadata.insert("format".into(), "pt".into())), "model/format");
        assert_eq!(code(|f| _ = f.metadata.insert("version".into(), "9".into())), "model/version");
        assert_eq!(code(|f| _ = f.metadata.remove("architecture")), "model/architecture");
        assert_eq!(code(|f| _ = f.metadata.insert("classes".into(), r#"["one"]"#.into())), "model/classes");
        let text = r#"{"input": [1], "layers": [{"name": "a", "kind": "relu", "x\ny": 1}]}"#;
        let error =
            Model::from_bytes(&changed(|f| _ = f.metadata.insert("architecture".into(), text.into()))).unwrap_err();
        assert_eq!(error.to_string().lines().count(), 1, "{error}");
        assert_eq!(code(|f| _ = f.tensors.pop()), "model/missing-tensor");
        assert_eq!(code(|f| f.tensors[0].shape = vec![4, 3]), "model/tensor-shape");
        assert_eq!(
            code(|f| f.tensors[1] = Tensor::f32("fc1.bias", &[3], vec![0.0, f32::INFINITY, 0.0])),
            "model/not-finite"
        );
    }

    #[test]
    fn a_negative_variance_is_named() {
        let text = r#"{"input": [2], "layers": [{"name": "bn", "kind": "batch_norm"}]}"#;
        let mut file = Model::initialise(Architecture::from_json(text).unwrap(), 0).unwrap().to_file();
        assert_eq!(file.tensors[3].name, "bn.running_var");
        file.tensors[3] = Tensor::f32("bn.running_var", &[2], vec![1.0, -0.5]);
        let error = Model::from_bytes(&file.to_bytes()).unwrap_err();
        assert_eq!(error.code(), "net/variance");
        assert!(error.to_string().contains("bn.running_var holds -0.5 at position 1"), "{error}");
    }
}
