//! One numpy array (`.npy`, versions 1 to 3): a line of Python that says type, order and shape, then the values.
//!
//! Source: numpy.lib.format, "NumPy format" (NEP 1).

use super::DataError;
use super::content::MOST_VALUES;

const FORMAT: &str = "npy";
/// The first bytes of such a file.
pub(super) const MAGIC: &[u8] = b"\x93NUMPY";

/// An array whose values are still bytes.
#[derive(Debug)]
pub(super) struct Npy<'a> {
    pub(super) shape: Vec<usize>,
    dtype: Dtype,
    fortran: bool,
    data: &'a [u8],
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Dtype {
    F4,
    F8,
    U1,
    I1,
    I2,
    I4,
    I8,
}

impl Dtype {
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "<f4" => Self::F4,
            "<f8" => Self::F8,
            "|u1" | "<u1" => Self::U1,
            "|i1" | "<i1" => Self::I1,
            "<i2" => Self::I2,
            "<i4" => Self::I4,
            "<i8" => Self::I8,
            _ => return None,
        })
    }

    fn size(self) -> usize {
        match self {
            Self::U1 | Self::I1 => 1,
            Self::I2 => 2,
            Self::F4 | Self::I4 => 4,
            Self::F8 | Self::I8 => 8,
        }
    }
}

impl<'a> Npy<'a> {
    /// Reads the header and checks that the values are there, all of them and nothing else.
    ///
    /// # Errors
    /// [`DataError::Damaged`], [`DataError::Length`], [`DataError::Unsupported`] for other types, and
    /// [`DataError::TooLarge`].
    pub(super) fn from_bytes(bytes: &'a [u8]) -> Result<Self, DataError> {
        const HEADER: DataError = DataError::Damaged { format: FORMAT, what: "its header cannot be read" };
        let (header, data) = split(bytes).ok_or(HEADER)?;
        let header = Header::parse(header).ok_or(HEADER)?;
        let Some(dtype) = Dtype::named(header.descr) else {
            let got = header.descr.escape_debug().take(40).collect();
            let supported = "save as float32, float64, uint8, int8, int16, int32 or int64, little-endian";
            return Err(DataError::Unsupported { format: FORMAT, what: "the type", got, supported });
        };
        let values = header.shape.iter().try_fold(1_usize, |product, &n| product.checked_mul(n));
        let Some(values) = values.filter(|&values| values <= MOST_VALUES) else {
            return Err(DataError::TooLarge { what: "an array, in values,", limit: MOST_VALUES as u64 });
        };
        // Never overflows where usize has 32 bits either: 2^28 values of 8 bytes.
        let expected = values * dtype.size();
        if data.len() != expected {
            return Err(DataError::Length { format: FORMAT, got: data.len(), expected });
        }
        Ok(Self { shape: header.shape, dtype, fortran: header.fortran, data })
    }

    /// The values in row-major order. Bytes (uint8) are grey levels: divided by 255.
    pub(super) fn to_f32(&self) -> Vec<f32> {
        let data = self.data;
        let values = match self.dtype {
            Dtype::F4 => numbers(data, f32::from_le_bytes),
            Dtype::F8 => numbers(data, |b| f64::from_le_bytes(b) as f32),
            Dtype::U1 => numbers(data, |[b]| f32::from(b) / 255.0),
            Dtype::I1 => numbers(data, |b| f32::from(i8::from_le_bytes(b))),
            Dtype::I2 => numbers(data, |b| f32::from(i16::from_le_bytes(b))),
            Dtype::I4 => numbers(data, |b| i32::from_le_bytes(b) as f32),
            Dtype::I8 => numbers(data, |b| i64::from_le_bytes(b) as f32),
        };
        if self.fortran { row_major(&self.shape, &values) } else { values }
    }

    /// The values as whole numbers; `None` where one is none.
    pub(super) fn to_i64(&self) -> Option<Vec<i64>> {
        let data = self.data;
        // Above 2^53 neighbours of whole numbers are no longer told apart, and no such label is a class.
        let whole = |v: f64| (v.trunc() == v && v.abs() < 9e15).then_some(v as i64);
        Some(match self.dtype {
            Dtype::F4 => {
                numbers(data, f32::from_le_bytes).into_iter().map(|v| whole(v.into())).collect::<Option<_>>()?
            }
            Dtype::F8 => numbers(data, f64::from_le_bytes).into_iter().map(whole).collect::<Option<_>>()?,
            Dtype::U1 => numbers(data, |[b]| i64::from(b)),
            Dtype::I1 => numbers(data, |b| i8::from_le_bytes(b).into()),
            Dtype::I2 => numbers(data, |b| i16::from_le_bytes(b).into()),
            Dtype::I4 => numbers(data, |b| i32::from_le_bytes(b).into()),
            Dtype::I8 => numbers(data, i64::from_le_bytes),
        })
    }
}

fn numbers<T, const N: usize>(bytes: &[u8], from: impl Fn([u8; N]) -> T) -> Vec<T> {
    bytes.as_chunks::<N>().0.iter().map(|&chunk| from(chunk)).collect()
}

/// The header's text and the values.
fn split(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let (&[major, _minor], rest) = bytes.strip_prefix(MAGIC)?.split_first_chunk::<2>()?;
    let (length, rest) = match major {
        1 => rest.split_first_chunk::<2>().map(|(n, rest)| (u32::from(u16::from_le_bytes(*n)), rest))?,
        2 | 3 => rest.split_first_chunk::<4>().map(|(n, rest)| (u32::from_le_bytes(*n), rest))?,
        _ => return None,
    };
    let (header, data) = rest.split_at_checked(length as usize)?;
    Some((std::str::from_utf8(header).ok()?, data))
}

/// `{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }`
struct Header<'a> {
    descr: &'a str,
    fortran: bool,
    shape: Vec<usize>,
}

impl<'a> Header<'a> {
    /// The three entries, each once, in any order.
    fn parse(text: &'a str) -> Option<Self> {
        let (mut descr, mut fortran, mut shape) = (None, None, None);
        let mut rest = text.trim().strip_prefix('{')?.strip_suffix('}')?.trim_start();
        while !rest.is_empty() {
            let (key, after) = quoted(rest)?;
            let value = after.trim_start().strip_prefix(':')?.trim_start();
            rest = match key {
                "descr" if descr.is_none() => {
                    // A list of fields instead of a name: shown as it stands, and refused as a type.
                    let (name, after) =
                        quoted(value).or_else(|| value.rfind(']').map(|end| value.split_at(end + 1)))?;
                    descr = Some(name);
                    after
                }
                "fortran_order" if fortran.is_none() => {
                    let (word, after) = value.split_at_checked(value.find(|c: char| !c.is_alphabetic())?)?;
                    fortran = Some(word == "True");
                    matches!(word, "True" | "False").then_some(after)?
                }
                "shape" if shape.is_none() => {
                    let (inner, after) = value.strip_prefix('(')?.split_once(')')?;
                    let sizes = inner.trim().trim_end_matches(',').split(',').map(str::trim);
                    let sizes = sizes.filter(|_| !inner.trim().is_empty()).map(|n| n.parse().ok());
                    shape = Some(sizes.collect::<Option<Vec<usize>>>()?);
                    after
                }
                _ => return None,
            };
            rest = rest.trim_start();
            rest = rest.strip_prefix(',').or_else(|| rest.is_empty().then_some(rest))?.trim_start();
        }
        Some(Self { descr: descr?, fortran: fortran?, shape: shape? })
    }
}

/// The text between quotes, and what follows.
fn quoted(text: &str) -> Option<(&str, &str)> {
    let quote = text.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
    text.get(1..)?.split_once(quote)
}

/// From first-index-fastest to last-index-fastest.
fn row_major(shape: &[usize], values: &[f32]) -> Vec<f32> {
    // Like an odometer: one step of the last index jumps over the sizes before it.
    let strides: Vec<usize> = shape.iter().scan(1, |stride, &n| Some(std::mem::replace(stride, *stride * n))).collect();
    let (mut index, mut at) = (vec![0; shape.len()], 0);
    let step = |_| {
        let value = values.get(at).copied().unwrap_or_default();
        for ((index, &n), &stride) in index.iter_mut().zip(shape).zip(&strides).rev() {
            *index += 1;
            at += stride;
            if *index < n {
                break;
            }
            at -= stride * n;
            *index = 0;
        }
        value
    };
    (0..values.len()).map(step).collect()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A file of version 1 with this header and these values.
    pub(in crate::data) fn npy(descr: &str, order: &str, shape: &str, values: &[u8]) -> Vec<u8> {
        let header = format!("{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, }}      \n");
        let length = (header.len() as u16).to_le_bytes();
        [MAGIC, &[1, 0], &length, header.as_bytes(), values].concat()
    }

    fn code(bytes: &[u8]) -> &'static str {
        Npy::from_bytes(bytes).unwrap_err().code()
    }

    #[test]
    fn every_type_is_read() {
        let floats = |descr: &str, shape: &str, bytes: &[u8]| {
            let bytes = npy(descr, "False", shape, bytes);
            let npy = Npy::from_bytes(&bytes).unwrap();
            (npy.to_f32(), npy.to_i64())
        };
        assert_eq!(floats("'|u1'", "(2,)", &[0, 255]), (vec![0.0, 1.0], Some(vec![0, 255])));
        assert_eq!(floats("'|i1'", "(2,)", &[1, 255]), (vec![1.0, -1.0], Some(vec![1, -1])));
        assert_eq!(floats("'<i2'", "(1, 1)", &[0, 1]), (vec![256.0], Some(vec![256])));
        assert_eq!(floats("'<i4'", "(1,)", &(-7_i32).to_le_bytes()), (vec![-7.0], Some(vec![-7])));
        assert_eq!(floats("'<i8'", "()", &9_i64.to_le_bytes()), (vec![9.0], Some(vec![9])));
        assert_eq!(floats("'<f4'", "(1,)", &0.5_f32.to_le_bytes()), (vec![0.5], None));
        assert_eq!(floats("'<f8'", "(1,)", &3.0_f64.to_le_bytes()), (vec![3.0], Some(vec![3])));
        assert_eq!(floats("'<f8'", "(1,)", &f64::NAN.to_le_bytes()).1, None);
        assert_eq!(floats("'<f8'", "(1,)", &1e300_f64.to_le_bytes()), (vec![f32::INFINITY], None));
    }

    #[test]
    fn versions_differ_in_the_length_of_their_header() {
        let one = npy("'|u1'", "False", "(1,)", &[3]);
        let mut two = [MAGIC, &[2, 0], &one[8..10], &[0, 0], &one[10..]].concat();
        assert_eq!(Npy::from_bytes(&two).unwrap().to_i64(), Some(vec![3]));
        two[6] = 4;
        assert_eq!(code(&two), "data/damaged");
    }

    #[test]
    fn fortran_order_is_turned_into_c_order() {
        // [[[1, 2], [3, 4], [5, 6]], [[7, 8], [9, 10], [11, 12]]], first index fastest
        let bytes = npy("'|i1'", "True", "(2, 3, 2)", &[1, 7, 3, 9, 5, 11, 2, 8, 4, 10, 6, 12]);
        let expected: Vec<f32> = (1..=12_i8).map(f32::from).collect();
        assert_eq!(Npy::from_bytes(&bytes).unwrap().to_f32(), expected);
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        assert_eq!(code(&npy("'>f4'", "False", "(1,)", &[0; 4])), "data/unsupported");
        assert_eq!(code(&npy("'|O'", "False", "(1,)", &[0; 4])), "data/unsupported");
        assert_eq!(code(&npy("[('a', '<f4'), ('b', '<i4')]", "False", "(1,)", &[0; 8])), "data/unsupported");
        assert_eq!(code(&npy("'|u1'", "false", "(1,)", &[0])), "data/damaged");
        assert_eq!(code(&npy("'|u1'", "False", "(-1,)", &[0])), "data/damaged");
        assert_eq!(code(&npy("'|u1'", "False", "(1,)", &[])), "data/damaged");
        assert_eq!(code(&npy("'|u1'", "False", "(1,)", &[0, 0])), "data/damaged");
        assert_eq!(code(&npy("'|u1'", "False", "(4294967296, 4294967296, 16)", &[])), "data/too-large");
        assert_eq!(code(&npy("'<f8'", "False", "(268435457,)", &[])), "data/too-large");
        let whole = npy("'<i2'", "False", "(2, 3)", &[0; 12]);
        for length in 0..whole.len() {
            assert_eq!(code(&whole[..length]), "data/damaged", "cut at {length}");
        }
    }
}
