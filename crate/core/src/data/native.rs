//! Our own dataset format: a safetensors file with `train.x`, `train.y`, `test.x`, `test.y`.

use serde_json::json;

use super::content::{Classes, Content, Labels, Samples, Which};
use super::{DataError, Dataset};
use crate::tensors::{Tensor, TensorData, TensorError, TensorFile};

/// What bytes are divided by when a file is written, in the order in which it is tried: counts, the grey levels of
/// scanned digits, those of images.
const SCALES: [f32; 3] = [1.0, 16.0, 255.0];

/// Whether the bytes begin as a safetensors file: the length of a JSON object, and the object.
pub(super) fn is_safetensors(bytes: &[u8]) -> bool {
    let Some((length, header)) = bytes.split_first_chunk() else { return false };
    // The length may point past the end of a file that is cut short, but never so far.
    header.starts_with(b"{") && u64::from_le_bytes(*length) < 1 << 32
}

/// Metadata keys that are written from the dataset itself; all others are kept as they are.
const OWN_KEYS: [&str; 5] = ["format", "version", "name", "classes", "x_scale"];

/// Reads `train.x`, `train.y`, `test.x`, `test.y` and the metadata `name`, `classes`, `x_scale`; keeps the rest of it.
/// `x` is f32, or u8 divided by `x_scale`; `y` is i64 or u8.
///
/// # Errors
/// Another format, values that are not finite, labels outside the classes, counts that disagree, empty splits.
pub(super) fn read(bytes: &[u8]) -> Result<Content, DataError> {
    let mut file = TensorFile::from_bytes(bytes)?;
    let text = |key: &str| file.metadata.get(key).map(String::as_str);
    if text("format") != Some("ecqx-dataset") {
        return Err(DataError::NotADataset { got: text("format").unwrap_or_default().into() });
    }
    if let Some(got) = text("version").filter(|&version| version != "1") {
        return Err(DataError::Metadata { key: "version", got: got.into(), expected: "1" });
    }
    let classes_text = text("classes").unwrap_or_default();
    let classes: Vec<String> = serde_json::from_slice(classes_text.as_bytes())
        .ok()
        .filter(|c: &Vec<String>| !c.is_empty())
        .ok_or(DataError::Metadata { key: "classes", got: classes_text.into(), expected: "a JSON list of names" })?;
    let scale = match text("x_scale") {
        None => 1.0,
        Some(given) => given
            .parse()
            .ok()
            .filter(|s: &f32| s.is_finite() && *s > 0.0 && (f32::from(u8::MAX) / s).is_finite())
            .ok_or(DataError::Metadata {
                key: "x_scale",
                got: given.into(),
                expected: "a number above 0, large enough for bytes to be divided by",
            })?,
    };
    let mut samples = Vec::new();
    for which in [Which::Train, Which::Test] {
        samples.extend(read_split(&file, which, scale, classes.len())?);
    }
    let (name, classes) = (Some(text("name").unwrap_or("unnamed").to_owned()), Classes::Known(classes));
    file.metadata.retain(|key, _| !OWN_KEYS.contains(&key.as_str()));
    Ok(Content { format: "safetensors", name, classes, samples, metadata: file.metadata })
}

fn read_split(file: &TensorFile, which: Which, scale: f32, classes: usize) -> Result<Option<Samples>, DataError> {
    let split = which.name();
    let (x_name, y_name) = (format!("{split}.x"), format!("{split}.y"));
    if file.find(&x_name).is_none() && file.find(&y_name).is_none() {
        return Ok(None);
    }
    let (x, y) = (file.get(&x_name)?, file.get(&y_name)?);
    let values: Vec<f32> = match &x.data {
        TensorData::U8(bytes) => bytes.iter().map(|&v| f32::from(v) / scale).collect(),
        _ => x.finite_f32()?.to_vec(),
    };
    let labels: Vec<i64> = match &y.data {
        TensorData::I64(labels) => labels.clone(),
        TensorData::U8(labels) => labels.iter().copied().map(i64::from).collect(),
        _ => return Err(TensorError::WrongType { name: y_name, expected: "I64 or U8" }.into()),
    };
    let Some((&samples, shape)) = x.shape.split_first().filter(|(_, shape)| !shape.is_empty()) else {
        return Err(DataError::NoSamples { split, shape: x.shape.clone() });
    };
    if y.shape != [samples] {
        return Err(DataError::Counts { split, samples, labels: y.shape.clone() });
    }
    // Here too, and not only over all files: with its position in this one.
    let outside = |&(_, &label): &(usize, &i64)| usize::try_from(label).map_or(true, |label| label >= classes);
    if let Some((position, &label)) = labels.iter().enumerate().find(outside) {
        return Err(DataError::Label { split, position, label, classes });
    }
    Ok(Some(Samples { split: Some(which), shape: shape.to_vec(), x: Some(values), y: Some(Labels::Numbers(labels)) }))
}

impl Dataset {
    /// The dataset as a safetensors file; same dataset, same bytes. Values that are bytes divided by 1, 16 or 255, in
    /// both splits and to the last bit, are written as these bytes with `x_scale`, all others as f32. Labels take u8
    /// where all classes fit, else i64. A file of both splits reads back equal.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut file = TensorFile { metadata: self.metadata.clone(), tensors: vec![] };
        let classes = json!(self.classes).to_string();
        let own = [("format", "ecqx-dataset"), ("version", "1"), ("name", &self.name), ("classes", &classes)];
        file.metadata.extend(own.map(|(key, value)| (key.to_owned(), value.to_owned())));
        file.metadata.remove("x_scale");
        let splits = [("train", &self.train), ("test", &self.test)];
        let splits = splits.into_iter().filter_map(|(name, split)| Some((name, split.as_ref()?)));
        let values = || splits.clone().flat_map(|(_, split)| &split.x);
        let scale = SCALES.into_iter().find(|&scale| values().all(|&value| as_byte(value, scale).is_some()));
        if let Some(scale) = scale {
            file.metadata.insert("x_scale".into(), scale.to_string());
        }
        for (name, split) in splits.clone() {
            let x = match scale {
                Some(scale) => TensorData::U8(split.x.iter().filter_map(|&value| as_byte(value, scale)).collect()),
                None => TensorData::F32(split.x.iter().copied().collect()),
            };
            let y = if self.classes.len() <= 1 << 8 {
                TensorData::U8(split.y.iter().map(|&label| label as u8).collect())
            } else {
                TensorData::I64(split.y.iter().map(|&label| i64::try_from(label).unwrap_or(i64::MAX)).collect())
            };
            let shape = [&[split.len()], &*self.input].concat();
            file.tensors.push(Tensor { name: format!("{name}.x"), shape, data: x });
            file.tensors.push(Tensor { name: format!("{name}.y"), shape: vec![split.len()], data: y });
        }
        file.to_bytes()
    }
}

/// The byte that gives exactly this value when it is divided by the scale.
fn as_byte(value: f32, scale: f32) -> Option<u8> {
    let byte = (value * scale).round() as u8;
    (f32::from(byte) / scale).to_bits().eq(&value.to_bits()).then_some(byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file() -> TensorFile {
        let metadata = [("format", "ecqx-dataset"), ("version", "1"), ("classes", "[\"a\",\"b\"]"), ("x_scale", "2")];
        TensorFile {
            metadata: metadata.map(|(k, v)| (k.into(), v.into())).into(),
            tensors: vec![
                Tensor { name: "train.x".into(), shape: vec![3, 2], data: TensorData::U8(vec![0, 1, 2, 3, 4, 5]) },
                Tensor { name: "train.y".into(), shape: vec![3], data: TensorData::I64(vec![0, 1, 0]) },
            ],
        }
    }

    fn code(change: impl FnOnce(&mut TensorFile)) -> &'static str {
        let mut file = file();
        change(&mut file);
        Dataset::from_bytes(&file.to_bytes()).unwrap_err().code()
    }

    #[test]
    fn bytes_are_scaled_and_labelled() {
        let data = Dataset::from_bytes(&file().to_bytes()).unwrap();
        assert_eq!(data.train().unwrap().x, ndarray::array![[0.0, 0.5], [1.0, 1.5], [2.0, 2.5]]);
        assert_eq!((data.input.as_slice(), data.test().unwrap_err().code()), (&[2][..], "data/no-split"));
        let chunks: Vec<_> = data.train().unwrap().chunks(2).map(|(x, y)| (x.nrows(), y.to_vec())).collect();
        assert_eq!(chunks, [(2, vec![0, 1]), (1, vec![0])]);
    }

    #[test]
    fn metadata_are_kept() {
        let mut file = file();
        let given = [("license", "CC-BY-4.0"), ("source", "drawn; twice")];
        file.metadata.extend(given.map(|(k, v)| (k.into(), v.into())));
        let mut data = Dataset::from_bytes(&file.to_bytes()).unwrap();
        assert_eq!(data.metadata, given.map(|(k, v)| (k.into(), v.into())).into());
        assert_eq!(Dataset::from_bytes(&data.to_bytes()).unwrap(), data);
        // The dataset's own values win.
        data.metadata.extend(OWN_KEYS.map(|key| (key.into(), "9".into())));
        let back = Dataset::from_bytes(&data.to_bytes()).unwrap();
        data.metadata.retain(|key, _| given.iter().any(|(k, _)| k == key));
        assert_eq!(back, data);
        // Of several files, all are told.
        file.metadata.extend([("license", "MIT"), ("year", "1998")].map(|(k, v)| (k.into(), v.into())));
        let [first, second] = [data.to_bytes(), file.to_bytes()];
        let parts = [&first, &second, &first].map(|bytes| crate::data::NamedBytes { name: "", bytes });
        let metadata = Dataset::from_parts(&parts).unwrap().metadata;
        assert_eq!(metadata["license"], "CC-BY-4.0; MIT");
        assert_eq!((metadata["source"].as_str(), metadata["year"].as_str()), ("drawn; twice", "1998"));
    }

    #[test]
    fn bad_files_are_named() {
        assert_eq!(code(|f| f.metadata.clear()), "data/format");
        assert_eq!(code(|f| _ = f.metadata.insert("classes".into(), "[]".into())), "data/metadata");
        assert_eq!(code(|f| _ = f.metadata.insert("x_scale".into(), "0".into())), "data/metadata");
        assert_eq!(code(|f| _ = f.metadata.insert("version".into(), "2".into())), "data/metadata");
        assert_eq!(code(|f| f.tensors.clear()), "data/no-split");
        assert_eq!(code(|f| _ = f.tensors.pop()), "data/missing-tensor");
        assert_eq!(code(|f| f.tensors[1].data = TensorData::I64(vec![0, 2, 0])), "data/label");
        assert_eq!(code(|f| f.tensors[1].data = TensorData::I64(vec![0, -1, 0])), "data/label");
        assert_eq!(code(|f| f.tensors[1] = Tensor::f32("train.y", &[3], vec![0.0; 3])), "data/tensor-type");
        assert_eq!(
            code(|f| f.tensors[1] = Tensor { name: "train.y".into(), shape: vec![2], data: TensorData::U8(vec![0, 1]) }),
            "data/counts"
        );
        assert_eq!(
            code(|f| f.tensors[0] = Tensor::f32("train.x", &[3, 1], vec![0.0, f32::NAN, 1.0])),
            "data/not-finite"
        );
        assert_eq!(code(|f| f.tensors[0] = Tensor::f32("train.x", &[3, 0], vec![])), "data/empty");
        assert_eq!(code(|f| f.tensors[0] = Tensor::f32("train.x", &[], vec![1.0])), "data/counts");
        assert_eq!(code(|f| f.tensors[1].shape = vec![3, 1]), "data/counts");
        assert_eq!(code(|f| _ = f.metadata.insert("x_scale".into(), "1e-40".into())), "data/metadata");
        assert_eq!(
            code(|f| {
                f.tensors.push(Tensor::f32("test.x", &[1, 3], vec![0.0; 3]));
                f.tensors.push(Tensor { name: "test.y".into(), shape: vec![1], data: TensorData::U8(vec![0]) });
            }),
            "data/tensor-shape"
        );
    }

    #[test]
    fn a_written_dataset_reads_back_equal() {
        let mut data = Dataset::from_bytes(&file().to_bytes()).unwrap();
        data.input = vec![1, 2];
        for (values, bytes) in [
            ([0.0, 1.0, 2.0], true),
            ([0.0, 1.0 / 255.0, 1.0], true),
            ([0.5, 0.0625, 1.0], true),
            ([0.5, -0.0, 1.0], false),
            ([0.1, 0.2, 0.3], false),
        ] {
            let x = ndarray::Array2::from_shape_fn((3, 2), |(n, _)| values[n]);
            data.train = Some(crate::data::Split { x, y: vec![1, 0, 1] });
            data.test.clone_from(&data.train);
            let written = data.to_bytes();
            assert_eq!(Dataset::from_bytes(&written).unwrap(), data);
            assert_eq!(
                matches!(TensorFile::from_bytes(&written).unwrap().tensors[0].data, TensorData::U8(_)),
                bytes,
                "{values:?}"
            );
        }
        data.classes = (0..300).map(|n| n.to_string()).collect();
        data.test.as_mut().unwrap().y[0] = 299;
        assert_eq!(Dataset::from_bytes(&data.to_bytes()).unwrap(), data);
    }
}
