//! Any bytes as a compressed file of either generation: an error, or tensors that come back from a file of our own; and a
//! safetensors file that can be read, where they make one.
#![no_main]

use ecqx_core::codec::{EncodeSettings, Generation, decode, decode_file, encode_integers, encode_raw, join_units};
use ecqx_core::tensors::{TensorData, TensorFile};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    for generation in [Generation::First, Generation::Second] {
        if let Ok(file) = decode_file(bytes, generation, &mut |_| ()) {
            assert!(TensorFile::from_bytes(&file).is_ok());
        }
        let Ok(tensors) = decode(bytes, generation) else { continue };
        let settings = EncodeSettings { generation, ..EncodeSettings::default() };
        let unit = |tensor: &ecqx_core::tensors::Tensor| match &tensor.data {
            TensorData::I32(values) => encode_integers(&tensor.name, &tensor.shape, values, settings).ok(),
            TensorData::F32(values) => encode_raw(&tensor.name, &tensor.shape, values).ok(),
            _ => unreachable!("no other type is decoded"),
        };
        // Names that end as halves of a factorised matrix can be read but not written.
        let Some(units) = tensors.iter().map(unit).collect::<Option<Vec<_>>>() else { continue };
        let again = decode(&join_units(units.iter().map(Vec::as_slice)), generation).unwrap();
        for (tensor, again) in tensors.iter().zip(&again) {
            assert!((&tensor.name, &tensor.shape) == (&again.name, &again.shape));
            match (&tensor.data, &again.data) {
                (TensorData::F32(a), TensorData::F32(b)) => assert!(a.iter().map(|v| v.to_bits()).eq(b.iter().map(|v| v.to_bits()))),
                (a, b) => assert!(a == b),
            }
        }
    }
});
