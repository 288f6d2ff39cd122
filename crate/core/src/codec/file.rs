//! A file: the fixed units, then one unit a tensor.

use std::collections::BTreeSet;

use super::binarize::{EscapeLength, Transitions};
use super::payload::{self, INDEPENDENT, Layout};
use super::scan::Scan;
use super::search::{Coded, choose};
use super::unit::{self, Carried, Header, Kind, PREFIX, Quantization};
use super::{CodecError, Generation, Search, float};
use crate::tensors::{Tensor, TensorData};

/// A tensor of more values is not decoded: 1 GiB of them.
const MOST_VALUES: usize = 1 << 28;

/// Choices of an encoder. The defaults give the smallest file that `pip install nncodec` reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct EncodeSettings {
    /// Who is to read the file.
    pub generation: Generation,
    /// How much is tried.
    pub search: Search,
    /// 0: row after row; 1 to 4: blocks with an edge of 8, 16, 32, 64, in tensors that have more than one row of them.
    pub scan: u8,
}

/// How floats are put on a grid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grid {
    /// Step size (4 + (qp mod 4))·2^(⌊qp / 4⌋ − 2), in weight units.
    pub qp: i8,
    /// Dependent quantization, with less error for the bits.
    pub dependent: bool,
}

impl Grid {
    /// The distance of neighbouring grid points, in weight units.
    pub fn step_size(self) -> f32 {
        float::step_size(self.qp.into(), float::DENSITY)
    }
}

/// A whole file of units that `encode_*` gave, in this order.
pub fn join_units<'a>(units: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut file = PREFIX.to_vec();
    units.into_iter().for_each(|unit| file.extend(unit));
    file
}

/// The unit of a tensor of integers.
///
/// # Errors
/// A name the format has no place for, a shape that is not that of the values, no values, a scan order out of range.
pub fn encode_integers(
    name: &str,
    shape: &[usize],
    values: &[i32],
    settings: EncodeSettings,
) -> Result<Vec<u8>, CodecError> {
    check_shape(name, shape, values.len())?;
    let scan = Scan::for_encoder(settings.scan, shape)?;
    let reordered = (scan.order() > 0).then(|| scan.apply(values));
    let values = reordered.as_deref().unwrap_or(values);
    coded_unit(header(name, shape, Carried::Integers, scan), [values, values], None, settings)
}

/// The unit of a tensor of floats that are put on a grid; what is decoded differs from them by up to about a step.
///
/// # Errors
/// As [`encode_integers`], and [`CodecError::Range`] for values that are no numbers or farther than 2^31 steps.
pub fn encode_floats(
    name: &str,
    shape: &[usize],
    values: &[f32],
    grid: Grid,
    settings: EncodeSettings,
) -> Result<Vec<u8>, CodecError> {
    check_shape(name, shape, values.len())?;
    let scan = Scan::for_encoder(settings.scan, shape)?;
    let reordered = (scan.order() > 0).then(|| scan.apply(values));
    // The quantizer's states follow the order in which weights are coded.
    let values = reordered.as_deref().unwrap_or(values);
    let path = if grid.dependent { float::shortest_path } else { float::nearest }(name, values, grid.step_size())?;
    // NNCodec counts grid points where it codes other numbers.
    let counted = if settings.search == Search::Reference { &path.grid } else { &path.coded };
    let carried = Carried::Grid { dependent: grid.dependent };
    coded_unit(header(name, shape, carried, scan), [&path.coded, counted], Some(grid.qp), settings)
}

/// The unit of a tensor of floats as they are, to the last bit; four bytes each.
///
/// # Errors
/// As [`encode_integers`].
pub fn encode_raw(name: &str, shape: &[usize], values: &[f32]) -> Result<Vec<u8>, CodecError> {
    check_shape(name, shape, values.len())?;
    let payload: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    header(name, shape, Carried::Raw, Scan::new(0, shape)?).unit(&payload)
}

fn check_shape(name: &str, shape: &[usize], values: usize) -> Result<(), CodecError> {
    let product = shape.iter().try_fold(1_usize, |product, &n| product.checked_mul(n));
    if shape.is_empty() || values == 0 || product != Some(values) {
        return Err(CodecError::Shape { name: name.into(), shape: shape.to_vec(), values });
    }
    Ok(())
}

fn header(name: &str, shape: &[usize], carried: Carried, scan: Scan) -> Header {
    let escape_length = EscapeLength::USUAL;
    Header { name: name.into(), shape: shape.to_vec(), carried, escape_length, scan, entries: Vec::new() }
}

/// The unit of numbers in the order in which they are coded, and what is counted in their place.
fn coded_unit(
    mut header: Header,
    [values, counted]: [&[i32]; 2],
    qp: Option<i8>,
    settings: EncodeSettings,
) -> Result<Vec<u8>, CodecError> {
    let EncodeSettings { generation, search, .. } = settings;
    let blocks = header.scan.order() > 0;
    let (dependent, transitions) = transitions(header.carried);
    let stretches: Vec<usize> = header.scan.stretches().collect();
    let coded = Coded { values, counted, stretches: &stretches, transitions, dependent, generation };
    let choice = choose(search, coded);
    let payload = payload::encode(coded, &choice, qp, blocks);
    header.escape_length = choice.escape_length;
    if blocks {
        // What a decoder holds at the start of each row of blocks is known to a decoder alone.
        let qp_bits = if qp.is_some() { 8 } else { 0 };
        let decoded = payload::decode(&payload, layout(&header, generation), qp_bits);
        header.entries = decoded.map_err(|what| payload_error(&header.name, what))?.entries;
    }
    header.unit(&payload)
}

fn transitions(carried: Carried) -> (bool, &'static Transitions) {
    match carried {
        Carried::Grid { dependent: true } => (true, &float::DEPENDENT),
        _ => (false, &INDEPENDENT),
    }
}

fn layout(header: &Header, generation: Generation) -> Layout<'_> {
    let (dependent, transitions) = transitions(header.carried);
    Layout { escape_length: header.escape_length, scan: header.scan, transitions, dependent, generation }
}

fn payload_error(name: &str, what: &'static str) -> CodecError {
    CodecError::Payload { name: name.into(), what }
}

/// Tensors of a file, one after the other.
#[derive(Debug)]
pub struct Tensors<'a> {
    rest: &'a [u8],
    quantization: Quantization,
    generation: Generation,
}

impl<'a> Tensors<'a> {
    /// # Errors
    /// [`CodecError::NotNnc`] without a start and a model unit, [`CodecError::Unsupported`] for another profile than 0, or
    /// what the model unit asks for.
    pub fn new(bytes: &'a [u8], generation: Generation) -> Result<Self, CodecError> {
        let Ok((Kind::Start, profile, rest)) = unit::split(bytes) else { return Err(CodecError::NotNnc) };
        let Ok((Kind::Parameters, body, mut rest)) = unit::split(rest) else { return Err(CodecError::NotNnc) };
        if profile != [0] {
            return Err(CodecError::Unsupported { what: "a profile other than 0, which NNCodec 2.x writes," });
        }
        let quantization = Quantization::read(body)?;
        if let Ok((Kind::Topology, _, after)) = unit::split(rest) {
            rest = after;
        }
        Ok(Self { rest, quantization, generation })
    }

    /// Bytes that are still to be read.
    pub fn left(&self) -> usize {
        self.rest.len()
    }

    fn read(&mut self) -> Result<Tensor, CodecError> {
        let (kind, body, rest) = unit::split(self.rest)?;
        self.rest = rest;
        if kind != Kind::Tensor {
            return Err(CodecError::Damaged { what: "the order of the units" });
        }
        let (header, payload) = Header::read(body)?;
        let data = self.values(&header, payload)?;
        Ok(Tensor { name: header.name, shape: header.shape, data })
    }

    fn values(&self, header: &Header, payload: &[u8]) -> Result<TensorData, CodecError> {
        let (values, bytes) = (header.values(), payload.len());
        let fits = match header.carried {
            Carried::Raw => values.checked_mul(4) == Some(bytes),
            _ => values / payload::MOST_WEIGHTS_PER_BYTE <= bytes && values <= MOST_VALUES,
        };
        if !fits {
            return Err(CodecError::TooLarge { name: header.name.clone(), shape: header.shape.clone(), bytes });
        }
        if header.carried == Carried::Raw {
            let floats = payload.as_chunks::<4>().0.iter().map(|&four| f32::from_le_bytes(four));
            return Ok(TensorData::F32(floats.collect()));
        }
        let Carried::Grid { dependent } = header.carried else {
            return Ok(TensorData::I32(header.scan.undo(self.decode(header, payload, 0)?.values)));
        };
        let Quantization { density, base } = self.quantization;
        let decoded = self.decode(header, payload, 6 + density)?;
        let step = float::step_size(base + decoded.qp, density);
        let floats = float::reconstruct(&decoded.values, step, transitions(header.carried).1, dependent);
        Ok(TensorData::F32(header.scan.undo(floats)))
    }

    fn decode(&self, header: &Header, payload: &[u8], qp_bits: u32) -> Result<payload::Decoded, CodecError> {
        let layout = layout(header, self.generation);
        payload::decode(payload, layout, qp_bits).map_err(|what| payload_error(&header.name, what))
    }
}

impl Iterator for Tensors<'_> {
    type Item = Result<Tensor, CodecError>;

    /// The next tensor: 32-bit integers or floats. Nothing follows an error.
    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let read = self.read();
        if read.is_err() {
            self.rest = &[];
        }
        Some(read)
    }
}

/// All tensors of a file, in its order; of two with one name only the later.
///
/// # Errors
/// Bytes that are no whole file of this generation. Damage is noticed where the arithmetic coder does not end with the
/// tensor; the format has no checksum.
pub fn decode(bytes: &[u8], generation: Generation) -> Result<Vec<Tensor>, CodecError> {
    Ok(unique(Tensors::new(bytes, generation)?.collect::<Result<_, _>>()?))
}

/// The later of two tensors with one name.
pub(super) fn unique(mut tensors: Vec<Tensor>) -> Vec<Tensor> {
    let mut seen = BTreeSet::new();
    let first: Vec<bool> = tensors.iter().rev().map(|tensor| seen.insert(tensor.name.clone())).collect();
    let mut kept = first.into_iter().rev();
    tensors.retain(|_| kept.next().unwrap_or(true));
    tensors
}
