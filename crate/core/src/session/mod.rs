//! What the page and the command share: a net with its data and relevances, quantized again and again. Beside it, the
//! two close looks: at one image ([`Explanation`]) and at the weights of one layer ([`LayerWeights`]).

mod image;
mod weights;

pub use image::{Answer, Explanation};
pub use weights::{ClusterCost, Fate, LayerWeights, WeightCosts};

use serde::{Deserialize, Serialize};

use crate::CoreError;
use crate::data::Dataset;
use crate::lrp::{Composite, ExplainSettings, explain};
use crate::model::Model;
use crate::nn::{Evaluation, Network, Tape};
use crate::quant::{NetQuantizer, QuantizeReport, QuantizeSettings};

/// A loaded net, quantized by changing settings. Bad settings change nothing.
#[derive(Debug)]
pub struct Session {
    model: Model,
    data: Dataset,
    composite: Composite,
    quantizer: NetQuantizer,
    float: Evaluation,
    /// Those of the last quantization, and the net that carries its weights.
    settings: Option<QuantizeSettings>,
    quantized: Network,
    tape: Tape,
}

/// What a loaded net is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelReport {
    /// The model's name.
    pub name: String,
    /// Shape of one sample, for images [channels, height, width].
    pub input: Vec<usize>,
    /// Names of the dataset's classes.
    pub classes: Vec<String>,
    /// All parameters, biases included.
    pub parameters: usize,
    /// Weights that are quantized.
    pub weights: usize,
    /// Those that are quantized.
    pub layers: Vec<LayerInfo>,
    /// The float net on the test set.
    pub float: Evaluation,
}

/// A layer that is quantized.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LayerInfo {
    /// As in the model.
    pub name: String,
    /// [out, in] for a dense layer.
    pub shape: Vec<usize>,
    /// How many it has.
    pub weights: usize,
}

impl Session {
    /// Reads both files, evaluates the float net on the test set, and measures the relevance of its weights on the
    /// training set (the default composite, output relevance `logit`).
    ///
    /// # Errors
    /// Either file is bad, they do not fit together, or relevance overflows.
    pub fn from_bytes(model: &[u8], dataset: &[u8]) -> Result<Self, CoreError> {
        let (model, data) = (Model::from_bytes(model)?, Dataset::from_bytes(dataset)?);
        data.expect_fit(model.network.input(), model.network.outputs())?;
        let mut tape = model.network.evaluation_tape();
        let float = model.network.evaluate(data.test()?, &mut tape, |_| ())?;
        let (composite, quantizer) = (Composite::default(), NetQuantizer::new(&model.network)?);
        let quantized = model.network.clone();
        let mut session = Self { model, data, composite, quantizer, float, settings: None, quantized, tape };
        session.measure(&Composite::default())?;
        Ok(session)
    }

    /// Measures the relevance of the weights anew, by the composite of this name ([`Composite::NAMES`]), which also
    /// explains images from now on.
    ///
    /// # Errors
    /// An unknown name, or relevance that overflows; the last composite then stays.
    pub fn set_composite(&mut self, name: &str) -> Result<(), CoreError> {
        if name == self.composite.name() {
            return Ok(());
        }
        let composite = Composite::named(name)?;
        self.measure(&composite)?;
        self.composite = composite;
        Ok(())
    }

    fn measure(&mut self, composite: &Composite) -> Result<(), CoreError> {
        let settings = ExplainSettings { composite: composite.clone(), ..ExplainSettings::default() };
        let explained = explain(&self.model.network, self.data.train()?, &settings, &mut self.tape)?;
        for (node, relevance) in explained.weights {
            self.quantizer.set_relevance(node, &relevance)?;
        }
        Ok(())
    }

    /// What was loaded.
    pub fn describe(&self) -> ModelReport {
        let network = &self.model.network;
        let layers: Vec<LayerInfo> = network
            .weights()
            .map(|(node, weights)| {
                let node = &network.nodes()[node];
                let shape = node.layer.weight_shape().unwrap_or_default();
                LayerInfo { name: node.name.clone(), shape, weights: weights.len() }
            })
            .collect();
        ModelReport {
            name: self.model.name().to_owned(),
            input: network.input().to_vec(),
            classes: self.data.classes.clone(),
            parameters: network.parameters().map(|p| p.values.len()).sum(),
            weights: layers.iter().map(|layer| layer.weights).sum(),
            layers,
            float: self.float,
        }
    }

    /// Quantizes the float net anew.
    ///
    /// # Errors
    /// Settings out of range; the last quantized net then stays.
    pub fn quantize(&mut self, settings: QuantizeSettings) -> Result<QuantizeReport, CoreError> {
        self.quantizer.assign(&self.model.network, &settings)?;
        // A layer that is now excluded may still carry centroids.
        for (node, weights) in self.model.network.weights() {
            if let Some(carried) = self.quantized.weight_mut(node) {
                carried.copy_from_slice(weights);
            }
        }
        self.quantizer.write_into(&mut self.quantized);
        let report = self.quantizer.report(settings.clone());
        self.settings = Some(settings);
        Ok(report)
    }

    /// Evaluates the net of the last [`Self::quantize`] (before the first one, the float net) on the test set.
    ///
    /// # Errors
    /// Where a logit is not finite.
    pub fn evaluate(&mut self) -> Result<Evaluation, CoreError> {
        Ok(self.quantized.evaluate(self.data.test()?, &mut self.tape, |_| ())?)
    }
}
