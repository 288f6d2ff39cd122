//! A quantized model as a file, in the fewest bytes that bring it back whole.
//!
//! | tensor | holds |
//! | --- | --- |
//! | `<layer>.weight`, integers | the integers of a quantized weight: W/Δ on a grid, else the place in the codebook, counted from that of 0 |
//! | `<layer>.weight.codebook`, raw floats | the values of a codebook |
//! | `float`, raw floats | in the order of the net's tensors: Δ of a weight on a grid, all values of what is not quantized |
//! | `ecqx`, integers | the architecture as JSON without usual values, then keys and values of the metadata, as `text` codes them |
//!
//! So NNCodec gives the integers under the names of the weights, as from a file of the published ECQx, and all floats to
//! the last bit; shapes and names of those in `float` follow from the architecture. What training keeps beside a model
//! (latent weights) and tensors the net has no place for are left out.

use std::collections::BTreeMap;

use super::file::{EncodeSettings, encode_integers, encode_raw};
use super::{CodecError, brief, text};
use crate::model::{Architecture, Model};
use crate::nn::Network;
use crate::tensors::{Tensor, TensorData, TensorFile};

/// Name of the tensor that makes a file a model.
pub(super) const TEXT: &str = "ecqx";
const FLOATS: &str = "float";
const CODEBOOK: &str = ".codebook";

/// A weight and the integers it is made of.
#[derive(Debug, Clone, PartialEq)]
pub struct QuantizedWeight {
    /// `<layer>.weight`.
    pub name: String,
    /// As the weight.
    pub shape: Vec<usize>,
    /// One a weight.
    pub integers: Vec<i32>,
    /// What they mean.
    pub scale: Scale,
}

/// How an integer becomes a weight.
#[derive(Debug, Clone, PartialEq)]
pub enum Scale {
    /// By multiplication with Δ, in weight units.
    Step(f32),
    /// By its place in a list.
    Codebook(Vec<f32>),
}

impl QuantizedWeight {
    /// The weight of an integer; `None` behind the end of a codebook.
    fn value(&self, integer: i32) -> Option<f32> {
        match &self.scale {
            Scale::Step(step) => Some(integer as f32 * step),
            Scale::Codebook(values) => values.get(usize::try_from(integer).ok()?).copied(),
        }
    }

    /// What is coded less than the integer: the place of the value 0, so that the most frequent number is 0.
    fn zero(&self) -> i32 {
        match &self.scale {
            Scale::Step(_) => 0,
            Scale::Codebook(values) => values.iter().position(|&value| value == 0.0).unwrap_or(0) as i32,
        }
    }

    /// The unit of the integers; it depends on nothing else, so it may be kept until they change.
    ///
    /// # Errors
    /// As [`encode_integers`].
    pub fn unit(&self, settings: EncodeSettings) -> Result<Vec<u8>, CodecError> {
        match self.zero() {
            0 => encode_integers(&self.name, &self.shape, &self.integers, settings),
            zero => {
                let moved: Vec<i32> = self.integers.iter().map(|integer| integer.wrapping_sub(zero)).collect();
                encode_integers(&self.name, &self.shape, &moved, settings)
            }
        }
    }

    /// `<name>.index` (i8 where it fits, else i16) and `<name>.step` or `<name>.codebook`.
    fn tensors(&self) -> Result<[Tensor; 2], CodecError> {
        let index = |data| Tensor { name: format!("{}.index", self.name), shape: self.shape.clone(), data };
        let small: Result<Vec<i8>, _> = self.integers.iter().map(|&integer| i8::try_from(integer)).collect();
        let index = if let Ok(small) = small {
            index(TensorData::I8(small))
        } else {
            let wide: Result<Vec<i16>, _> = self.integers.iter().map(|&integer| i16::try_from(integer)).collect();
            index(TensorData::I16(wide.map_err(|_| CodecError::Content { what: "an integer leaves 16 bits" })?))
        };
        let scale = match &self.scale {
            Scale::Step(step) => Tensor::f32(format!("{}.step", self.name), &[], vec![*step]),
            Scale::Codebook(values) => Tensor::f32(self.name.clone() + CODEBOOK, &[values.len()], values.clone()),
        };
        Ok([index, scale])
    }
}

/// The quantized weights of a model's file, in its order. None: it is no quantized model.
///
/// # Errors
/// Integers without step size or codebook, of another type than i8 or i16, or that do not give the weights.
pub fn quantized_weights(model: &Model, file: &TensorFile) -> Result<Vec<QuantizedWeight>, CodecError> {
    let mut found = Vec::new();
    for parameter in model.network.tensors() {
        let Some(index) = file.find(&format!("{}.index", parameter.name)) else { continue };
        let integers = match &index.data {
            TensorData::I8(integers) => integers.iter().copied().map(i32::from).collect(),
            TensorData::I16(integers) => integers.iter().copied().map(i32::from).collect(),
            other => return Err(CodecError::Type { name: index.name.clone(), dtype: other.dtype() }),
        };
        let scale = match file.find(&format!("{}.step", parameter.name)) {
            Some(step) => match step.finite_f32()? {
                &[step] => Scale::Step(step),
                values => {
                    let (shape, values) = (step.shape.clone(), values.len());
                    return Err(CodecError::Shape { name: step.name.clone(), shape, values });
                }
            },
            None => Scale::Codebook(file.get(&(parameter.name.clone() + CODEBOOK))?.finite_f32()?.to_vec()),
        };
        let weight = QuantizedWeight { name: parameter.name, shape: parameter.shape, integers, scale };
        if weight.integers.len() != parameter.values.len() {
            let (shape, values) = (weight.shape, weight.integers.len());
            return Err(CodecError::Shape { name: index.name.clone(), shape, values });
        }
        for (position, (&integer, &got)) in weight.integers.iter().zip(parameter.values).enumerate() {
            let expected = weight.value(integer).unwrap_or(f32::NAN);
            if expected != got {
                return Err(CodecError::NotQuantized { name: weight.name, position, got, expected });
            }
        }
        found.push(weight);
    }
    Ok(found)
}

/// The units of a model beside those of its quantized weights' integers; a file has all of them, in any order.
///
/// # Errors
/// As [`encode_raw`].
pub fn encode_rest(
    model: &Model,
    weights: &[QuantizedWeight],
    settings: EncodeSettings,
) -> Result<Vec<Vec<u8>>, CodecError> {
    let (mut units, mut floats) = (Vec::new(), Vec::new());
    for parameter in model.network.tensors() {
        match weights.iter().find(|weight| weight.name == parameter.name).map(|weight| &weight.scale) {
            Some(Scale::Step(step)) => floats.push(*step),
            Some(Scale::Codebook(values)) => {
                units.push(encode_raw(&(parameter.name + CODEBOOK), &[values.len()], values)?);
            }
            None => floats.extend(parameter.values),
        }
    }
    if !floats.is_empty() {
        units.push(encode_raw(FLOATS, &[floats.len()], &floats)?);
    }
    let mut description = brief::to_json(&model.architecture).into_bytes();
    for (key, value) in &model.metadata {
        for text in [key, value] {
            description.push(text::SEPARATOR);
            description.extend(text.as_bytes());
        }
    }
    let integers = text::to_integers(&description);
    units.push(encode_integers(TEXT, &[integers.len()], &integers, settings)?);
    Ok(units)
}

/// The model's file, if the tensors of an NNC file are those of a model.
///
/// # Errors
/// [`CodecError::Content`] where they are, but not whole, and [`CodecError::Model`] where the model cannot be built.
pub(super) fn restore(tensors: &[Tensor]) -> Result<Option<Vec<u8>>, CodecError> {
    let by_name: BTreeMap<&str, &TensorData> = tensors.iter().map(|t| (t.name.as_str(), &t.data)).collect();
    let Some(TensorData::I32(description)) = by_name.get(TEXT) else { return Ok(None) };
    let (architecture, metadata) =
        describe(description).ok_or(CodecError::Content { what: "its description is damaged" })?;
    let architecture = Architecture::from_json(&architecture)?;
    let values: usize = tensors.iter().map(|tensor| tensor.shape.iter().product::<usize>()).sum();
    let network = Network::within(&architecture, values as u128).map_err(crate::model::ModelError::from)?;
    let mut floats = match by_name.get(FLOATS) {
        Some(TensorData::F32(floats)) => floats.as_slice(),
        _ => &[],
    };
    let mut take = |count: usize| {
        let (now, later) = floats.split_at_checked(count).ok_or(CodecError::Content { what: "floats are missing" })?;
        floats = later;
        Ok::<_, CodecError>(now)
    };
    let mut file = TensorFile { metadata, tensors: Vec::new() };
    let mut beside = Vec::new();
    for parameter in network.tensors() {
        let (name, shape) = (parameter.name, parameter.shape);
        let Some(TensorData::I32(coded)) = by_name.get(name.as_str()) else {
            let values = take(parameter.values.len())?.to_vec();
            file.tensors.push(Tensor::f32(name, &shape, values));
            continue;
        };
        let codebook = by_name.get(format!("{name}{CODEBOOK}").as_str());
        let scale = match codebook {
            Some(TensorData::F32(values)) => Scale::Codebook(values.clone()),
            _ => Scale::Step(take(1)?.first().copied().unwrap_or_default()),
        };
        let mut weight = QuantizedWeight { name, shape, integers: coded.clone(), scale };
        let zero = weight.zero();
        weight.integers.iter_mut().for_each(|integer| *integer = integer.wrapping_add(zero));
        let values: Option<Vec<f32>> = weight.integers.iter().map(|&integer| weight.value(integer)).collect();
        let values = values.filter(|values| values.len() == parameter.values.len());
        let values = values.ok_or(CodecError::Content { what: "a weight's integers do not fit it" })?;
        file.tensors.push(Tensor::f32(weight.name.clone(), &weight.shape, values));
        beside.extend(weight.tensors()?);
    }
    if !floats.is_empty() {
        return Err(CodecError::Content { what: "there are more floats than the net has" });
    }
    file.tensors.extend(beside);
    file.metadata.extend(Model::own_metadata(&architecture));
    let bytes = file.to_bytes();
    // What the reader of models refuses is not passed on.
    Model::from_bytes(&bytes)?;
    Ok(Some(bytes))
}

/// Architecture and metadata.
fn describe(integers: &[i32]) -> Option<(String, BTreeMap<String, String>)> {
    let bytes = text::to_bytes(integers)?;
    let mut texts = bytes.split(|&byte| byte == text::SEPARATOR).map(|text| String::from_utf8(text.to_vec()).ok());
    let architecture = texts.next()??;
    let mut metadata = BTreeMap::new();
    while let Some(key) = texts.next() {
        metadata.insert(key?, texts.next()??);
    }
    Some((architecture, metadata))
}
