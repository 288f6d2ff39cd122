//! Any bytes as a safetensors file: an error or tensors that read back equal.
#![no_main]

use ecqx_core::tensors::TensorFile;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(file) = TensorFile::from_bytes(bytes) else { return };
    let written = file.to_bytes();
    // Written twice, since NaN is not equal to itself.
    assert!(TensorFile::from_bytes(&written).unwrap().to_bytes() == written);
});
