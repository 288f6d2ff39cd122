//! What the page and the command share: a net with its data and relevances, quantized again and again.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::CoreError;
use crate::data::Dataset;
use crate::lrp::{ExplainSettings, explain};
use crate::model::Model;
use crate::nn::{Evaluation, Network, Tape};
use crate::quant::{QuantizeReport, QuantizeSettings, QuantizedNet, UnitRelevance, quantize};

/// A loaded net, quantized by changing settings. Bad settings change nothing.
#[derive(Debug)]
pub struct Session {
    model: Model,
    data: Dataset,
    relevance: BTreeMap<usize, UnitRelevance>,
    float: Evaluation,
    /// Carries the weights of the last quantization.
    quantized: Network,
    tape: Tape,
}

/// What a loaded net is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelReport {
    /// The model's name.
    pub name: String,
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
    /// training set (composite `epsilon`, output relevance `logit`).
    ///
    /// # Errors
    /// Either file is bad, they do not fit together, or relevance overflows.
    pub fn from_bytes(model: &[u8], dataset: &[u8]) -> Result<Self, CoreError> {
        let (model, data) = (Model::from_bytes(model)?, Dataset::from_bytes(dataset)?);
        data.expect_fit(model.network.input(), model.network.outputs())?;
        let mut tape = model.network.evaluation_tape();
        let float = model.network.evaluate(data.test()?, &mut tape, |_| ())?;
        let explained = explain(&model.network, data.train()?, &ExplainSettings::default(), &mut tape)?;
        let mut relevance = BTreeMap::new();
        for (node, values) in explained.weights {
            let layer = &model.network.nodes()[node].name;
            relevance.insert(node, UnitRelevance::new(layer, &values)?);
        }
        Ok(Self { quantized: model.network.clone(), model, data, relevance, float, tape })
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
        let quantized: QuantizedNet = quantize(&self.model.network, |node| self.relevance.get(&node), settings)?;
        quantized.write_into(&mut self.quantized);
        Ok(quantized.report())
    }

    /// Evaluates the net of the last [`Self::quantize`] (before the first one, the float net) on the test set.
    ///
    /// # Errors
    /// Where a logit is not finite.
    pub fn evaluate(&mut self) -> Result<Evaluation, CoreError> {
        Ok(self.quantized.evaluate(self.data.test()?, &mut self.tape, |_| ())?)
    }
}
