//! Safetensors files to NNC files and back: a quantized model whole, of any other file its tensors.

use super::file::{EncodeSettings, Grid, Tensors, encode_floats, encode_integers, join_units};
use super::model::{TEXT, encode_rest, quantized_weights, restore};
use super::{CodecError, Generation};
use crate::model::Model;
use crate::tensors::{Tensor, TensorData, TensorFile};

/// Where the command's progress comes from: values (encoding) or bytes (decoding) that are done.
pub type Progress<'a> = &'a mut dyn FnMut(usize);

/// A file as it was written.
#[derive(Debug, Clone, PartialEq)]
pub struct Encoded {
    /// The file.
    pub bytes: Vec<u8>,
    /// Whether it is a quantized model, whole.
    pub model: bool,
    /// Tensors of the safetensors file that are not in it.
    pub left_out: Vec<String>,
}

/// The NNC file of a safetensors file. A quantized model comes out whole (see `model`). Of any other file integers (i8,
/// i16, i32) are coded as they are and floats put on a grid: steps of 2^−10 where there are two dimensions or more, else
/// of 5·2^−21, as the published ECQx has them, and larger ones where that leaves 32 bits. A scalar gets the shape `[1]`.
///
/// # Errors
/// Not a safetensors file, or a tensor the format has no place for.
pub fn encode_file(bytes: &[u8], settings: EncodeSettings, progress: Progress<'_>) -> Result<Encoded, CodecError> {
    let file = TensorFile::from_bytes(bytes)?;
    if file.metadata.get("format").is_some_and(|format| format == "ecqx-model") {
        let model = Model::from_bytes(bytes)?;
        let weights = quantized_weights(&model, &file)?;
        if !weights.is_empty() {
            let mut units = Vec::new();
            for weight in &weights {
                units.push(weight.unit(settings)?);
                progress(weight.integers.len());
            }
            units.extend(encode_rest(&model, &weights, settings)?);
            let bytes = join_units(units.iter().map(Vec::as_slice));
            let own = |name: &str| {
                let of = |owner: &str| owner == name || name.strip_prefix(owner).is_some_and(is_scale);
                model.network.tensors().any(|parameter| of(&parameter.name))
            };
            let left_out = file.tensors.iter().filter(|tensor| !own(&tensor.name)).map(|t| t.name.clone()).collect();
            return Ok(Encoded { bytes, model: true, left_out });
        }
    }
    let mut units = Vec::new();
    for tensor in &file.tensors {
        units.push(encode_tensor(tensor, settings)?);
        progress(tensor.shape.iter().product());
    }
    Ok(Encoded { bytes: join_units(units.iter().map(Vec::as_slice)), model: false, left_out: Vec::new() })
}

fn is_scale(ending: &str) -> bool {
    matches!(ending, ".index" | ".step" | ".codebook")
}

fn encode_tensor(tensor: &Tensor, settings: EncodeSettings) -> Result<Vec<u8>, CodecError> {
    let Tensor { name, shape, data } = tensor;
    if name == TEXT {
        return Err(CodecError::Name { name: name.clone(), why: "it marks the file of a quantized model" });
    }
    let shape = if shape.is_empty() { &[1] } else { shape.as_slice() };
    let integers = |values: Vec<i32>| encode_integers(name, shape, &values, settings);
    match data {
        TensorData::I32(values) => encode_integers(name, shape, values, settings),
        TensorData::I16(values) => integers(values.iter().copied().map(i32::from).collect()),
        TensorData::I8(values) => integers(values.iter().copied().map(i32::from).collect()),
        TensorData::F32(values) => encode_floats(name, shape, values, grid(shape, values), settings),
        TensorData::I64(_) | TensorData::U8(_) => Err(CodecError::Type { name: name.clone(), dtype: data.dtype() }),
    }
}

/// The published ECQx's grid for a tensor of this shape, or the finest that holds its values.
fn grid(shape: &[usize], values: &[f32]) -> Grid {
    /// Steps, well within 32 bits.
    const FARTHEST: f32 = (1 << 30) as f32;
    let largest = values.iter().fold(0.0_f32, |max, value| max.max(value.abs()));
    let usual = if shape.len() > 1 { -40 } else { -75 };
    let grid = |qp| Grid { qp, dependent: true };
    (usual..=i8::MAX).map(grid).find(|grid| largest / grid.step_size() < FARTHEST).unwrap_or(grid(usual))
}

/// The safetensors file of an NNC file: of a quantized model the model, else its tensors as i32 and f32.
///
/// # Errors
/// Bytes that are no whole NNC file of this generation.
pub fn decode_file(bytes: &[u8], generation: Generation, progress: Progress<'_>) -> Result<Vec<u8>, CodecError> {
    let mut reader = Tensors::new(bytes, generation)?;
    let (mut tensors, mut left) = (Vec::new(), bytes.len());
    while let Some(tensor) = reader.next() {
        tensors.push(tensor?);
        progress(left - reader.left());
        left = reader.left();
    }
    let tensors = super::file::unique(tensors);
    match restore(&tensors)? {
        Some(model) => Ok(model),
        None => Ok(TensorFile { tensors, ..TensorFile::default() }.to_bytes()),
    }
}
