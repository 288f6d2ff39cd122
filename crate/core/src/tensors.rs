//! Safetensors: bytes <-> named tensors with string metadata. Models, datasets and relevances are all such files.

use std::collections::BTreeMap;

use safetensors::{Dtype, SafeTensors};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

/// Values of one tensor, in the types our files use.
#[derive(Debug, Clone, PartialEq)]
pub enum TensorData {
    /// 32-bit floats.
    F32(Vec<f32>),
    /// 64-bit integers.
    I64(Vec<i64>),
    /// 32-bit integers.
    I32(Vec<i32>),
    /// 16-bit integers.
    I16(Vec<i16>),
    /// 8-bit integers.
    I8(Vec<i8>),
    /// Bytes.
    U8(Vec<u8>),
}

/// A named, shaped array in row-major order.
#[derive(Debug, Clone, PartialEq)]
pub struct Tensor {
    /// Unique in its file.
    pub name: String,
    /// Empty for a scalar.
    pub shape: Vec<usize>,
    /// The values.
    pub data: TensorData,
}

/// A whole file: metadata by key, tensors in file order.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TensorFile {
    /// Text by key.
    pub metadata: BTreeMap<String, String>,
    /// In file order.
    pub tensors: Vec<Tensor>,
}

/// What a file holds, by its header alone: tensors of every type that safetensors knows, not their values.
#[derive(Debug, Clone, PartialEq)]
pub struct TensorHeader {
    /// Text by key.
    pub metadata: BTreeMap<String, String>,
    /// In file order.
    pub tensors: Vec<TensorInfo>,
}

/// A tensor without its values.
#[derive(Debug, Clone, PartialEq)]
pub struct TensorInfo {
    /// Unique in its file.
    pub name: String,
    /// As safetensors names it: `F32`, `BF16`.
    pub dtype: String,
    /// Empty for a scalar.
    pub shape: Vec<usize>,
}

/// Why bytes are not a file we can use, or lack what was asked of them.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[allow(missing_docs)] // each variant's text is its documentation
pub enum TensorError {
    #[error("not a whole safetensors file ({0}); the file may be cut short or of another format")]
    Format(safetensors::SafeTensorError),
    #[error("tensor {name} has type {dtype}; supported are F32, I64, I32, I16, I8 and U8: convert it before saving")]
    Dtype { name: String, dtype: String },
    #[error("tensor {name} is missing; the file holds {held}")]
    Missing { name: String, held: String },
    #[error("tensor {name} must have type {expected}; save it as that")]
    WrongType { name: String, expected: &'static str },
    #[error("tensor {name} has shape {got:?}; {expected:?} is needed here")]
    Shape { name: String, got: Vec<usize>, expected: Vec<usize> },
    #[error("tensor {name} holds a value that is not a finite number at position {position}")]
    NotFinite { name: String, position: usize },
}

// Not `#[from]`: that would make it the source too, and a chain of causes would say the same twice.
impl From<safetensors::SafeTensorError> for TensorError {
    fn from(error: safetensors::SafeTensorError) -> Self {
        Self::Format(error)
    }
}

impl TensorError {
    pub(crate) fn code(&self) -> &'static str {
        self.codes()[0]
    }

    /// The code for a file as such, for a model's file and for a dataset's: callers tell by it which file is to blame.
    pub(crate) fn codes(&self) -> [&'static str; 3] {
        match self {
            Self::Format(_) => ["file/format", "model/file-format", "data/file-format"],
            Self::Dtype { .. } | Self::WrongType { .. } => ["file/type", "model/tensor-type", "data/tensor-type"],
            Self::Missing { .. } => ["file/missing-tensor", "model/missing-tensor", "data/missing-tensor"],
            Self::Shape { .. } => ["file/shape", "model/tensor-shape", "data/tensor-shape"],
            Self::NotFinite { .. } => ["file/not-finite", "model/not-finite", "data/not-finite"],
        }
    }
}

impl TensorData {
    /// The type's name, as safetensors has it.
    pub fn dtype(&self) -> &'static str {
        match self {
            Self::F32(_) => "F32",
            Self::I64(_) => "I64",
            Self::I32(_) => "I32",
            Self::I16(_) => "I16",
            Self::I8(_) => "I8",
            Self::U8(_) => "U8",
        }
    }
}

impl Tensor {
    /// A tensor of 32-bit floats.
    pub fn f32(name: impl Into<String>, shape: &[usize], values: Vec<f32>) -> Self {
        Self { name: name.into(), shape: shape.to_vec(), data: TensorData::F32(values) }
    }

    /// # Errors
    /// [`TensorError::WrongType`] unless the values are 32-bit floats, [`TensorError::NotFinite`] for NaN or infinity.
    pub fn finite_f32(&self) -> Result<&[f32], TensorError> {
        let TensorData::F32(values) = &self.data else {
            return Err(TensorError::WrongType { name: self.name.clone(), expected: "F32" });
        };
        match values.iter().position(|v| !v.is_finite()) {
            Some(position) => Err(TensorError::NotFinite { name: self.name.clone(), position }),
            None => Ok(values),
        }
    }

    fn bytes(&self) -> Vec<u8> {
        fn bytes<T: Copy, const N: usize>(values: &[T], to: impl Fn(T) -> [u8; N]) -> Vec<u8> {
            values.iter().flat_map(|&v| to(v)).collect()
        }
        match &self.data {
            TensorData::F32(v) => bytes(v, f32::to_le_bytes),
            TensorData::I64(v) => bytes(v, i64::to_le_bytes),
            TensorData::I32(v) => bytes(v, i32::to_le_bytes),
            TensorData::I16(v) => bytes(v, i16::to_le_bytes),
            TensorData::I8(v) => bytes(v, i8::to_le_bytes),
            TensorData::U8(v) => v.clone(),
        }
    }
}

/// The header of a file, in the order in which it is written.
struct Header<'a> {
    metadata: &'a BTreeMap<String, String>,
    places: Vec<(&'a str, Place<'a>)>,
}

/// Where a tensor's values lie.
#[derive(Serialize)]
struct Place<'a> {
    dtype: &'static str,
    shape: &'a [usize],
    data_offsets: [usize; 2],
}

impl Serialize for Header<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        if !self.metadata.is_empty() {
            map.serialize_entry("__metadata__", self.metadata)?;
        }
        for (name, place) in &self.places {
            map.serialize_entry(name, place)?;
        }
        map.end()
    }
}

impl TensorHeader {
    /// Reads the header of a safetensors file and checks that the file is whole.
    ///
    /// # Errors
    /// [`TensorError::Format`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, TensorError> {
        let (_, header) = SafeTensors::read_metadata(bytes)?;
        let mut metadata = BTreeMap::new();
        for (key, text) in header.metadata().iter().flatten() {
            metadata.insert(key.clone(), text.clone());
        }
        // The header is read into a hash map: sort, and let names order empty tensors that share a place.
        let mut tensors: Vec<_> = header.tensors().into_iter().collect();
        tensors
            .sort_unstable_by(|(a_name, a), (b_name, b)| (a.data_offsets.0, a_name).cmp(&(b.data_offsets.0, b_name)));
        let tensors = tensors.into_iter().map(|(name, info)| {
            let (dtype, shape) = (info.dtype.to_string(), info.shape.clone());
            TensorInfo { name, dtype, shape }
        });
        Ok(Self { metadata, tensors: tensors.collect() })
    }
}

impl TensorFile {
    /// Reads a safetensors file. Memory stays within a small multiple of `bytes`.
    ///
    /// # Errors
    /// [`TensorError::Format`] for anything that is not a whole file, [`TensorError::Dtype`] for types we do not use.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, TensorError> {
        let TensorHeader { metadata, tensors } = TensorHeader::from_bytes(bytes)?;
        let file = SafeTensors::deserialize(bytes)?;
        let tensors = tensors.into_iter().map(|TensorInfo { name, dtype, shape }| {
            let view = file.tensor(&name)?;
            let data = match view.dtype() {
                Dtype::F32 => TensorData::F32(numbers(view.data(), f32::from_le_bytes)),
                Dtype::I64 => TensorData::I64(numbers(view.data(), i64::from_le_bytes)),
                Dtype::I32 => TensorData::I32(numbers(view.data(), i32::from_le_bytes)),
                Dtype::I16 => TensorData::I16(numbers(view.data(), i16::from_le_bytes)),
                Dtype::I8 => TensorData::I8(numbers(view.data(), i8::from_le_bytes)),
                Dtype::U8 => TensorData::U8(view.data().to_vec()),
                _ => return Err(TensorError::Dtype { name: name.escape_default().to_string(), dtype }),
            };
            Ok(Tensor { name, shape, data })
        });
        Ok(Self { metadata, tensors: tensors.collect::<Result<_, _>>()? })
    }

    /// Writes the file. The `safetensors` crate orders metadata by a random hash; here the same content always gives
    /// the same bytes: metadata by key, tensors as they come, header padded to 8 bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut data = Vec::new();
        let mut places = Vec::new();
        for tensor in &self.tensors {
            let (dtype, bytes) = (tensor.data.dtype(), tensor.bytes());
            let data_offsets = [data.len(), data.len() + bytes.len()];
            places.push((tensor.name.as_str(), Place { dtype, shape: &tensor.shape, data_offsets }));
            data.extend(bytes);
        }
        // Names and numbers always serialise; an empty header would be refused by every reader.
        let mut header = serde_json::to_vec(&Header { metadata: &self.metadata, places }).unwrap_or_default();
        header.resize(header.len().next_multiple_of(8), b' ');
        let mut file = (header.len() as u64).to_le_bytes().to_vec();
        file.extend(header);
        file.extend(data);
        file
    }

    /// The tensor of that name, if the file holds one.
    pub fn find(&self, name: &str) -> Option<&Tensor> {
        self.tensors.iter().find(|tensor| tensor.name == name)
    }

    /// # Errors
    /// [`TensorError::Missing`] names what the file holds instead.
    pub fn get(&self, name: &str) -> Result<&Tensor, TensorError> {
        self.find(name).ok_or_else(|| TensorError::Missing { name: name.into(), held: self.list() })
    }

    /// Finite 32-bit floats of a given shape.
    ///
    /// # Errors
    /// Missing, of another type or shape, or not finite.
    pub fn weights(&self, name: &str, shape: &[usize]) -> Result<&[f32], TensorError> {
        let tensor = self.get(name)?;
        if tensor.shape != shape {
            let (got, expected) = (tensor.shape.clone(), shape.to_vec());
            return Err(TensorError::Shape { name: name.into(), got, expected });
        }
        tensor.finite_f32()
    }

    fn list(&self) -> String {
        const SHOWN: usize = 6;
        // Escaped: a name may hold anything, an error is one line.
        let names: Vec<String> = self.tensors.iter().take(SHOWN).map(|t| t.name.escape_default().to_string()).collect();
        match (names.len(), self.tensors.len()) {
            (0, _) => "no tensors".into(),
            (shown, all) if shown < all => format!("{} and {} more", names.join(", "), all - shown),
            _ => names.join(", "),
        }
    }
}

fn numbers<T, const N: usize>(bytes: &[u8], from: impl Fn([u8; N]) -> T) -> Vec<T> {
    bytes.as_chunks::<N>().0.iter().map(|&chunk| from(chunk)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn example() -> TensorFile {
        let metadata = [("format", "test"), ("another", "value \"quoted\"")];
        TensorFile {
            metadata: metadata.map(|(k, v)| (k.into(), v.into())).into(),
            tensors: vec![
                Tensor::f32("b.weight", &[2, 2], vec![1.0, -2.5, 0.0, 3.25]),
                Tensor { name: "a.index".into(), shape: vec![3], data: TensorData::I8(vec![-4, 0, 3]) },
                Tensor { name: "y".into(), shape: vec![2], data: TensorData::I64(vec![7, -1]) },
                Tensor { name: "i".into(), shape: vec![1, 2], data: TensorData::I32(vec![i32::MIN, 70000]) },
                Tensor { name: "z".into(), shape: vec![1], data: TensorData::I16(vec![-300]) },
                Tensor { name: "x".into(), shape: vec![0, 4], data: TensorData::U8(vec![]) },
            ],
        }
    }

    #[test]
    fn files_come_back_whole_and_in_order() {
        let file = example();
        let bytes = file.to_bytes();
        assert_eq!(TensorFile::from_bytes(&bytes).unwrap(), file);
        assert_eq!(TensorFile::from_bytes(&bytes).unwrap().to_bytes(), bytes);
    }

    #[test]
    fn a_header_lists_every_type() {
        let header = r#"{"__metadata__":{"format":"pt"},"a":{"dtype":"BF16","shape":[2,1],"data_offsets":[0,4]},
            "b":{"dtype":"BOOL","shape":[],"data_offsets":[4,5]}}"#;
        let bytes = [&(header.len() as u64).to_le_bytes(), header.as_bytes(), &[0; 5]].concat();
        let info = |name: &str, dtype: &str, shape: &[usize]| TensorInfo {
            name: name.into(),
            dtype: dtype.into(),
            shape: shape.to_vec(),
        };
        let header = TensorHeader::from_bytes(&bytes).unwrap();
        assert_eq!(header.tensors, [info("a", "BF16", &[2, 1]), info("b", "BOOL", &[])]);
        assert_eq!(header.metadata["format"], "pt");
        assert_eq!(TensorHeader::from_bytes(&bytes[1..]).unwrap_err().code(), "file/format");
        let text = TensorFile::from_bytes(&bytes).unwrap_err().to_string();
        assert!(text.contains("tensor a has type BF16"), "{text}");
    }

    #[test]
    fn every_truncation_is_an_error() {
        let bytes = example().to_bytes();
        for length in 0..bytes.len() {
            let error = TensorFile::from_bytes(&bytes[..length]).unwrap_err();
            assert_eq!(error.code(), "file/format", "cut at {length}");
        }
    }

    #[test]
    fn errors_name_the_tensor_and_what_to_do() {
        let file = example();
        let text = file.get("c.weight").unwrap_err().to_string();
        assert!(text.contains("c.weight") && text.contains("b.weight, a.index"), "{text}");
        let text = file.weights("b.weight", &[4]).unwrap_err().to_string();
        assert!(text.contains("[2, 2]") && text.contains("[4]"), "{text}");
        assert_eq!(file.weights("y", &[2]).unwrap_err().code(), "file/type");
        let nan = Tensor::f32("w", &[2], vec![1.0, f32::NAN]);
        assert!(matches!(nan.finite_f32(), Err(TensorError::NotFinite { position: 1, .. })));
    }

    proptest! {
        #[test]
        fn damaged_bytes_never_panic(flips in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 1..8)) {
            let mut bytes = example().to_bytes();
            for (index, byte) in flips {
                let at = index.index(bytes.len());
                bytes[at] = byte;
            }
            let _ = TensorFile::from_bytes(&bytes);
        }
    }
}
