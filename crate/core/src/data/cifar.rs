//! CIFAR-10's binary batches: records of 3,073 bytes, a label and 32×32 pixels, first all red, then green, then blue.
//!
//! Source: A. Krizhevsky, "The CIFAR-10 dataset", binary version.

use std::collections::BTreeMap;

use super::content::{Classes, Content, Labels, Samples};

const PIXELS: usize = 3 * 32 * 32;
const CLASSES: [&str; 10] = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"];

/// Samples [3, 32, 32] of values from 0 to 1 (divided by 255). The format has no mark of its own: `None` unless the
/// length is a whole number of records and every label one of the ten. Ask last, after all formats that have one.
pub(super) fn read(bytes: &[u8]) -> Option<Content> {
    let (records, rest) = bytes.as_chunks::<{ PIXELS + 1 }>();
    if records.is_empty() || !rest.is_empty() || records.iter().any(|record| usize::from(record[0]) >= CLASSES.len()) {
        return None;
    }
    let samples = Samples {
        split: None,
        shape: vec![3, 32, 32],
        x: Some(records.iter().flat_map(|record| &record[1..]).map(|&value| f32::from(value) / 255.0).collect()),
        y: Some(Labels::Numbers(records.iter().map(|record| i64::from(record[0])).collect())),
    };
    let classes = Classes::Known(CLASSES.map(str::to_owned).into());
    let (name, samples) = (Some("CIFAR-10".into()), vec![samples]);
    Some(Content { format: "CIFAR-10", name, classes, samples, metadata: BTreeMap::new() })
}

#[cfg(test)]
mod tests {
    use crate::data::{Dataset, NamedBytes};

    fn batch(labels: &[u8]) -> Vec<u8> {
        labels.iter().flat_map(|&label| [vec![label], vec![label * 20; 1024], vec![255; 2048]].concat()).collect()
    }

    #[test]
    fn batches_are_joined_by_their_names() {
        let (first, second, test) = (batch(&[3]), batch(&[0, 9]), batch(&[5]));
        let parts = [("data_batch_1.bin", &first), ("data_batch_2.bin", &second), ("test_batch.bin", &test)];
        let data = Dataset::from_parts(&parts.map(|(name, bytes)| NamedBytes { name, bytes })).unwrap();
        assert_eq!((data.name.as_str(), data.input.as_slice()), ("CIFAR-10", &[3, 32, 32][..]));
        assert_eq!((data.classes[9].as_str(), data.classes.len()), ("truck", 10));
        assert_eq!((&*data.train().unwrap().y, &*data.test().unwrap().y), (&[3, 0, 9][..], &[5][..]));
        let x = &data.train().unwrap().x;
        assert_eq!((x[[0, 0]], x[[0, 1023]], x[[0, 1024]]), (60.0 / 255.0, 60.0 / 255.0, 1.0));
    }

    #[test]
    fn no_other_bytes_are_taken_for_it() {
        let whole = batch(&[3, 4]);
        for bytes in [&whole[..3072], &whole[..6145], &[&whole[..], &[0]].concat(), &batch(&[3, 10]), &[], &[1]] {
            assert_eq!(Dataset::from_bytes(bytes).unwrap_err().code(), "data/file-format");
        }
    }
}
