//! The readers of foreign dataset formats, which the page's engine leaves out.

use ecqx_core::data::{Dataset, NamedBytes};
use js_sys::Uint8Array;
use wasm_bindgen::prelude::*;

/// Several files as one dataset of this name in our own format, as the command `ecqx data convert` makes it.
///
/// # Errors
/// Files that the core refuses.
#[wasm_bindgen(js_name = convertDataset)]
pub fn convert_dataset(names: Vec<String>, files: Vec<Uint8Array>, name: &str) -> Result<Vec<u8>, JsError> {
    let files: Vec<Vec<u8>> = files.iter().map(Uint8Array::to_vec).collect();
    let parts: Vec<NamedBytes<'_>> = names.iter().zip(&files).map(|(name, bytes)| NamedBytes { name, bytes }).collect();
    let mut dataset = Dataset::from_parts(&parts)?;
    name.clone_into(&mut dataset.name);
    Ok(dataset.to_bytes())
}
