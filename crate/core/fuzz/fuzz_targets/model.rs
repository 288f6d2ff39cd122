//! Any bytes as a model: an error or a model that reads back as it was written.
#![no_main]

use ecqx_core::model::Model;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(model) = Model::from_bytes(bytes) else { return };
    let written = model.to_bytes();
    assert!(Model::from_bytes(&written).unwrap().to_bytes() == written);
});
