//! Any text as an architecture: an error, or layers that read back equal and a net that is built or refused.
#![no_main]

use ecqx_core::model::{Architecture, Model};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let Ok(architecture) = Architecture::from_json(text) else { return };
    assert!(Architecture::from_json(&architecture.to_json()).unwrap() == architecture);
    // A net may hold 2^26 parameters: a quarter of a gigabyte, for which a run has neither memory nor time.
    let small = |n: &str| n.len() < 4;
    if text.split(|c: char| !c.is_ascii_digit()).all(small) {
        let _ = Model::initialise(architecture, 0);
    }
});
