//! Any bytes as a dataset of one file or several: an error or a dataset that holds together and reads back equal.
#![no_main]

use ecqx_core::data::{Dataset, NamedBytes};
use libfuzzer_sys::fuzz_target;

/// Ends a file; what follows is the next.
const BETWEEN_PARTS: &[u8] = b"\xffPART\xff";

fuzz_target!(|bytes: &[u8]| {
    let mut parts = Vec::new();
    let mut rest = bytes;
    for name in ["train-1", "2", "test-3"] {
        let at = rest.windows(BETWEEN_PARTS.len()).position(|window| window == BETWEEN_PARTS);
        parts.push(NamedBytes { name, bytes: &rest[..at.unwrap_or(rest.len())] });
        let Some(at) = at else { break };
        rest = &rest[at + BETWEEN_PARTS.len()..];
    }
    let Ok(data) = Dataset::from_parts(&parts) else { return };
    for split in [&data.train, &data.test].into_iter().flatten() {
        assert!(!split.is_empty() && split.x.nrows() == split.len());
        assert!(split.x.ncols() == data.input.iter().product::<usize>());
        assert!(split.y.iter().all(|&label| label < data.classes.len()));
        assert!(split.x.iter().all(|value| value.is_finite()));
    }
    assert!(Dataset::from_bytes(&data.to_bytes()).unwrap() == data);
});
