//! A quantized model's file: the dequantized weights that any reader can use, and beside them the integers and step
//! sizes they are made of.

use super::Model;
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
}

impl QuantizedTensor {
    /// `<name>.index` (i8 where it fits, else i16) and `<name>.step` (a scalar).
    fn tensors(&self) -> [Tensor; 2] {
        let bytes: Result<Vec<i8>, _> = self.levels.iter().map(|&level| i8::try_from(level)).collect();
        let data = bytes.map_or_else(|_| TensorData::I16(self.levels.clone()), TensorData::I8);
        [
            Tensor { name: format!("{}.index", self.name), shape: self.shape.clone(), data },
            Tensor::f32(format!("{}.step", self.name), &[], vec![self.step]),
        ]
    }
}

impl Model {
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
        };
        let [index, step] = tensor(&[-128, 127]).tensors();
        assert_eq!((index.name.as_str(), &index.data), ("fc.weight.index", &TensorData::I8(vec![-128, 127])));
        assert_eq!((step.shape.len(), &step.data), (0, &TensorData::F32(vec![0.5])));
        assert_eq!(tensor(&[128]).tensors()[0].data, TensorData::I16(vec![128]));
    }
}
