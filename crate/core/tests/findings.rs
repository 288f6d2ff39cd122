//! Each file that once broke a reader, through all of them (`tests/findings`).

#![allow(clippy::unwrap_used)] // helpers of tests may panic

use std::path::PathBuf;

use ecqx_core::codec::{Generation, decode_file};
use ecqx_core::data::Dataset;
use ecqx_core::model::{Architecture, Model};
use ecqx_core::tensors::TensorFile;

#[test]
fn nothing_that_was_found_breaks_again() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/findings");
    for entry in std::fs::read_dir(folder).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        if let Ok(data) = Dataset::from_bytes(&bytes) {
            assert_eq!(Dataset::from_bytes(&data.to_bytes()).unwrap(), data);
        }
        if let Ok(file) = TensorFile::from_bytes(&bytes) {
            let written = file.to_bytes();
            assert_eq!(TensorFile::from_bytes(&written).unwrap().to_bytes(), written);
        }
        if let Ok(model) = Model::from_bytes(&bytes) {
            assert_eq!(Model::from_bytes(&model.to_bytes()).unwrap().to_bytes(), model.to_bytes());
        }
        for generation in [Generation::First, Generation::Second] {
            if let Ok(file) = decode_file(&bytes, generation, &mut |_| ()) {
                assert!(TensorFile::from_bytes(&file).is_ok());
            }
        }
        if let Some(architecture) = std::str::from_utf8(&bytes).ok().and_then(|text| Architecture::from_json(text).ok())
        {
            assert_eq!(Architecture::from_json(&architecture.to_json()).unwrap(), architecture);
        }
    }
}
