//! Datasets: labelled samples in one or two splits. They come from bytes, never from a path. Order of samples for
//! training is in [`Batches`].

mod batches;

pub use batches::Batches;

use ndarray::{Array2, ArrayView2, s};

use crate::tensors::{TensorData, TensorError, TensorFile};

/// Samples of one split.
#[derive(Debug, Clone, PartialEq)]
pub struct Split {
    /// [n, features]; a sample's own shape is [`Dataset::input`].
    pub x: Array2<f32>,
    /// Class of each sample.
    pub y: Vec<usize>,
}

/// A labelled dataset. A file may hold one split only.
#[derive(Debug, Clone, PartialEq)]
pub struct Dataset {
    /// The name in its metadata, or `unnamed`.
    pub name: String,
    /// Names of the classes; labels count from 0.
    pub classes: Vec<String>,
    /// Shape of one sample, for images [channels, height, width].
    pub input: Vec<usize>,
    /// Samples to learn from.
    pub train: Option<Split>,
    /// Samples to evaluate on.
    pub test: Option<Split>,
}

/// Why bytes are not a dataset, or lack the split that was asked for.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[allow(missing_docs)] // each variant's text is its documentation
pub enum DataError {
    #[error("dataset: {0}")]
    Tensor(TensorError),
    #[error("dataset: metadata format is {got:?}, not \"ecqx-dataset\"; is this a dataset file?")]
    NotADataset { got: String },
    #[error("dataset: metadata {key} is {got:?}; {expected} is needed")]
    Metadata { key: &'static str, got: String, expected: &'static str },
    #[error("dataset: {split}.x has shape {shape:?}; it must be [samples, …one sample's shape]")]
    NoSamples { split: &'static str, shape: Vec<usize> },
    #[error(
        "dataset: {split}.x holds {samples} samples, but {split}.y has shape {labels:?}; it must be one label a sample"
    )]
    Counts { split: &'static str, samples: usize, labels: Vec<usize> },
    #[error("dataset: label {label} at position {position} of {split}.y is not a class; there are {classes} classes")]
    Label { split: &'static str, position: usize, label: i64, classes: usize },
    #[error("dataset: it holds no {split} split; choose the other one")]
    NoSplit { split: &'static str },
    #[error("dataset: {split} is empty; it needs at least one sample")]
    Empty { split: &'static str },
    #[error("dataset: samples of shape {got:?} do not fit a net that reads {expected:?}")]
    Input { got: Vec<usize>, expected: Vec<usize> },
    #[error("dataset: {got} classes do not fit a net with {expected} outputs")]
    Classes { got: usize, expected: usize },
}

// Not `#[from]`: that would make it the source too, and a chain of causes would say the same twice.
impl From<TensorError> for DataError {
    fn from(error: TensorError) -> Self {
        Self::Tensor(error)
    }
}

impl DataError {
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::Tensor(error) => error.codes()[2],
            Self::NotADataset { .. } => "data/format",
            Self::Metadata { .. } => "data/metadata",
            Self::NoSamples { .. } | Self::Counts { .. } => "data/counts",
            Self::Label { .. } => "data/label",
            Self::NoSplit { .. } => "data/no-split",
            Self::Empty { .. } => "data/empty",
            Self::Input { .. } | Self::Classes { .. } => "data/mismatch",
        }
    }
}

impl Split {
    /// Number of samples.
    pub fn len(&self) -> usize {
        self.y.len()
    }

    /// Never true for a split that was read from a file.
    pub fn is_empty(&self) -> bool {
        self.y.is_empty()
    }

    /// The split in pieces of at most `size` samples, in order.
    pub fn chunks(&self, size: usize) -> impl Iterator<Item = (ArrayView2<'_, f32>, &[usize])> {
        self.y.chunks(size.max(1)).scan(0, |start, labels| {
            let x = self.x.slice(s![*start..*start + labels.len(), ..]);
            *start += labels.len();
            Some((x, labels))
        })
    }
}

impl Dataset {
    /// Reads `train.x`, `train.y`, `test.x`, `test.y` and the metadata `name`, `classes`, `x_scale`.
    /// `x` is f32, or u8 divided by `x_scale`; `y` is i64 or u8.
    ///
    /// # Errors
    /// Another format, values that are not finite, labels outside the classes, counts that disagree, empty splits.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DataError> {
        let file = TensorFile::from_bytes(bytes)?;
        let text = |key: &str| file.metadata.get(key).map(String::as_str);
        if text("format") != Some("ecqx-dataset") {
            return Err(DataError::NotADataset { got: text("format").unwrap_or_default().into() });
        }
        if let Some(got) = text("version").filter(|&version| version != "1") {
            return Err(DataError::Metadata { key: "version", got: got.into(), expected: "1" });
        }
        let classes_text = text("classes").unwrap_or_default();
        let classes: Vec<String> =
            serde_json::from_str(classes_text).ok().filter(|c: &Vec<String>| !c.is_empty()).ok_or(
                DataError::Metadata { key: "classes", got: classes_text.into(), expected: "a JSON list of names" },
            )?;
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
        let mut input = None;
        let mut read = |split: &'static str| read_split(&file, split, scale, classes.len(), &mut input);
        let (train, test) = (read("train")?, read("test")?);
        let Some(input) = input else { return Err(DataError::NoSplit { split: "train or test" }) };
        let name = text("name").unwrap_or("unnamed").to_owned();
        Ok(Self { name, classes, input, train, test })
    }

    /// # Errors
    /// [`DataError::NoSplit`].
    pub fn train(&self) -> Result<&Split, DataError> {
        self.train.as_ref().ok_or(DataError::NoSplit { split: "train" })
    }

    /// # Errors
    /// [`DataError::NoSplit`].
    pub fn test(&self) -> Result<&Split, DataError> {
        self.test.as_ref().ok_or(DataError::NoSplit { split: "test" })
    }

    /// # Errors
    /// [`DataError::Input`] or [`DataError::Classes`] where the net reads other samples or tells other classes apart.
    pub fn expect_fit(&self, input: &[usize], outputs: usize) -> Result<(), DataError> {
        if self.input != input {
            return Err(DataError::Input { got: self.input.clone(), expected: input.to_vec() });
        }
        if self.classes.len() != outputs {
            return Err(DataError::Classes { got: self.classes.len(), expected: outputs });
        }
        Ok(())
    }
}

fn read_split(
    file: &TensorFile,
    split: &'static str,
    scale: f32,
    classes: usize,
    input: &mut Option<Vec<usize>>,
) -> Result<Option<Split>, DataError> {
    let (x_name, y_name) = (format!("{split}.x"), format!("{split}.y"));
    if file.find(&x_name).is_none() && file.find(&y_name).is_none() {
        return Ok(None);
    }
    let (x, y) = (file.get(&x_name)?, file.get(&y_name)?);
    let values = match &x.data {
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
    if values.is_empty() {
        return Err(DataError::Empty { split });
    }
    let expected = input.get_or_insert_with(|| shape.to_vec());
    if expected != shape {
        return Err(TensorError::Shape { name: x_name, got: shape.to_vec(), expected: expected.clone() }.into());
    }
    let class = |(position, &label): (usize, &i64)| {
        let known = usize::try_from(label).ok().filter(|&label| label < classes);
        known.ok_or(DataError::Label { split, position, label, classes })
    };
    let y = labels.iter().enumerate().map(class).collect::<Result<_, _>>()?;
    let features = values.len() / samples;
    let x = Array2::from_shape_vec((samples, features), values).map_err(|_| TensorError::Shape {
        name: x_name,
        got: x.shape.clone(),
        expected: vec![samples, features],
    })?;
    Ok(Some(Split { x, y }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensors::Tensor;

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
}
