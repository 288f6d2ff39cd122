//! A quantized model's file: the dequantized weights that any reader can use, and beside them the integers and step
//! sizes they are made of.

use super::Model;
use crate::nn::Network;
use crate::quant::QuantizeReport;
use crate::tensors::{Tensor, TensorData};

/// Integers W/Δ of one weight on a uniform grid.
#[derive(Debug, Clone, PartialEq)]
pub struct QuantizedTensor {
    /// Name of the weight, `<layer>.weight`.
    pub name: String,
    /// As the weight.
    pub shape: Vec<usize>,
    /// Level of each weight; the weight is `level · step`.
    pub levels: Vec<i16>,
    /// Δ, in weight units.
    pub step: f32,
    /// The full-precision weights behind it, where it was trained so.
    pub latent: Option<Vec<f32>>,
}

impl QuantizedTensor {
    /// The layers of a report, from the net that carries their centroids.
    pub fn all(network: &Network, report: &QuantizeReport) -> Vec<Self> {
        let tensors = report.layers.iter().filter_map(|layer| {
            let (index, step) = (network.find(&layer.name)?, layer.step_size as f32);
            let node = network.nodes().get(index)?;
            Some(Self {
                name: format!("{}.weight", layer.name),
                shape: node.layer.weight_shape()?,
                // Exact: a centroid is its level times Δ, rounded once.
                levels: node.layer.affine()?.weight().iter().map(|w| (w / step).round() as i16).collect(),
                step,
                latent: None,
            })
        });
        tensors.collect()
    }

    /// The same with the weights of another net behind them: those that were trained.
    pub fn with_latent(network: &Network, latent: &Network, report: &QuantizeReport) -> Vec<Self> {
        let mut tensors = Self::all(network, report);
        for tensor in &mut tensors {
            let weight = latent.parameters().find(|parameter| parameter.name == tensor.name);
            tensor.latent = weight.map(|weight| weight.values.to_vec());
        }
        tensors
    }

    /// `<name>.index` (i8 where it fits, else i16), `<name>.step` (a scalar), and `<name>.latent` where there is one.
    fn tensors(&self) -> impl Iterator<Item = Tensor> {
        let bytes: Result<Vec<i8>, _> = self.levels.iter().map(|&level| i8::try_from(level)).collect();
        let data = bytes.map_or_else(|_| TensorData::I16(self.levels.clone()), TensorData::I8);
        let index = Tensor { name: format!("{}.index", self.name), shape: self.shape.clone(), data };
        let step = Tensor::f32(format!("{}.step", self.name), &[], vec![self.step]);
        let latent = self.latent.clone();
        let latent = latent.map(|latent| Tensor::f32(format!("{}.latent", self.name), &self.shape, latent));
        [index, step].into_iter().chain(latent)
    }
}

impl Model {
    /// The file of this model once it carries the centroids of this report.
    pub fn to_post_training_bytes(&self, report: &QuantizeReport) -> Vec<u8> {
        let tensors = QuantizedTensor::all(&self.network, report);
        // Settings are plain numbers and words, which JSON always has a place for.
        let how = serde_json::to_string(&report.settings).unwrap_or_default();
        // That of the float weights is no longer true.
        let metadata = self.metadata.iter().filter(|(key, _)| *key != "accuracy");
        let metadata = metadata.map(|(key, value)| (key.clone(), value.clone())).collect();
        Self { metadata, ..self.clone() }.to_quantized_bytes(&tensors, how)
    }

    /// The file of this model, which carries the dequantized weights, with the integers they came from. `how` is the
    /// JSON of metadata `quantization`: method and settings.
    pub fn to_quantized_bytes(&self, quantized: &[QuantizedTensor], how: String) -> Vec<u8> {
        let mut file = self.to_file();
        file.metadata.insert("quantization".into(), how);
        file.tensors.extend(quantized.iter().flat_map(QuantizedTensor::tensors));
        file.to_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_take_the_smallest_type_that_holds_them() {
        let tensor = |levels: &[i16]| QuantizedTensor {
            name: "fc.weight".into(),
            shape: vec![levels.len()],
            levels: levels.to_vec(),
            step: 0.5,
            latent: None,
        };
        let all: Vec<Tensor> = tensor(&[-128, 127]).tensors().collect();
        let [index, step] = &all[..] else { panic!("{all:?}") };
        assert_eq!((index.name.as_str(), &index.data), ("fc.weight.index", &TensorData::I8(vec![-128, 127])));
        assert_eq!((step.shape.len(), &step.data), (0, &TensorData::F32(vec![0.5])));
        let trained = QuantizedTensor { latent: Some(vec![64.25]), ..tensor(&[128]) };
        let all: Vec<Tensor> = trained.tensors().collect();
        assert_eq!(all[0].data, TensorData::I16(vec![128]));
        assert_eq!(all[2], Tensor::f32("fc.weight.latent", &[1], vec![64.25]));
    }
}
