//! What an .nnc file holds: part of `ecqx info`.

use std::collections::BTreeMap;

use anyhow::Result;
use ecqx_core::codec::{CodecError, Generation, Tensors, decode_file};
use ecqx_core::tensors::{TensorData, TensorHeader};
use serde::Serialize;

use super::info::metadata_lines;
use super::sizes::{self, NamedSizes};
use crate::output::printable;

#[derive(Debug, Serialize)]
pub(super) struct NncInfo {
    bytes: usize,
    /// 1 or 2: the one it can be decoded as.
    generation: u8,
    /// Whether it is a quantized model, whole.
    model: bool,
    tensors: Vec<UnitInfo>,
    /// The integers in other coders.
    sizes: Vec<NamedSizes>,
    /// What the model says of itself.
    metadata: BTreeMap<String, String>,
}

#[derive(Debug, Serialize)]
struct UnitInfo {
    name: String,
    #[serde(rename = "type")]
    kind: String,
    shape: Vec<usize>,
    /// Of its unit in the file.
    bytes: usize,
    bits_per_value: f64,
    /// Share of zeros, 0 to 1.
    sparsity: f64,
}

/// Whether the bytes begin as an .nnc file does.
pub(super) fn is_nnc(bytes: &[u8]) -> bool {
    !matches!(Tensors::new(bytes, Generation::default()), Err(CodecError::NotNnc))
}

impl NncInfo {
    pub(super) fn new(bytes: &[u8]) -> Result<Self> {
        // The file does not say its generation; decoded as the other one, its tensors do not end where they should.
        match Self::of(bytes, Generation::Second) {
            Err(error) if error.is::<CodecError>() => Self::of(bytes, Generation::First).map_err(|_| error),
            result => result,
        }
    }

    fn of(bytes: &[u8], generation: Generation) -> Result<Self> {
        let whole = decode_file(bytes, generation, &mut |_| ())?;
        let header = TensorHeader::from_bytes(&whole)?;
        let model = header.metadata.get("format").is_some_and(|format| format == "ecqx-model");
        let mut reader = Tensors::new(bytes, generation)?;
        let (mut tensors, mut integers, mut left) = (Vec::new(), Vec::new(), reader.left());
        while let Some(tensor) = reader.next() {
            let tensor = tensor?;
            let bytes = left - reader.left();
            left = reader.left();
            let count = tensor.shape.iter().product::<usize>();
            let zeros = match &tensor.data {
                TensorData::I32(values) => values.iter().filter(|&&value| value == 0).count(),
                TensorData::F32(values) => values.iter().filter(|&&value| value == 0.0).count(),
                _ => 0,
            };
            // A model's description is no tensor to compare coders with.
            if !(model && tensor.name == "ecqx")
                && let Some(mut one) = sizes::of(&tensor.name, &tensor.shape, &tensor.data)?
            {
                one.sizes.nnc = bytes;
                integers.push(one);
            }
            tensors.push(UnitInfo {
                kind: tensor.data.dtype().to_lowercase(),
                bits_per_value: 8.0 * bytes as f64 / count as f64,
                sparsity: zeros as f64 / count as f64,
                name: tensor.name,
                shape: tensor.shape,
                bytes,
            });
        }
        let generation = if generation == Generation::First { 1 } else { 2 };
        Ok(Self { bytes: bytes.len(), generation, model, tensors, sizes: integers, metadata: header.metadata })
    }

    pub(super) fn text(&self) -> String {
        let Self { bytes, generation, model, tensors, .. } = self;
        let what = if *model { "compressed model" } else { "compressed tensors" };
        let mut lines = vec![format!("{what}: {} tensors, {bytes} bytes, nnc generation {generation}", tensors.len())];
        lines.push(format!(
            "\n{:<16} {:>4} {:>16} {:>9} {:>9} {:>10}",
            "tensor", "type", "shape", "bytes", "bits/v", "zeros"
        ));
        for UnitInfo { name, kind, shape, bytes, bits_per_value, sparsity } in tensors {
            let (name, shape, zeros) = (printable(name), format!("{shape:?}"), sparsity * 100.0);
            lines.push(format!("{name:<16} {kind:>4} {shape:>16} {bytes:>9} {bits_per_value:>9.3} {zeros:>8.2} %"));
        }
        lines.extend(sizes::lines(&self.sizes));
        lines.extend(metadata_lines(&self.metadata));
        lines.join("\n")
    }
}
