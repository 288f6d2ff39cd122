//! Units, of which a file is made: a size, a type, a header, a payload. The header of a tensor is [`Header`].

use super::binarize::EscapeLength;
use super::bits::{BitReader, BitWriter};
use super::payload::Entry;
use super::scan::Scan;
use super::{CodecError, float};

/// Start, parameters of the model, and an empty topology: what every file begins with. Quantization is uniform, its
/// density 2 and its base 0; tensors have names.
pub(super) const PREFIX: [u8; 18] = [0, 4, 2, 0, 0, 8, 6, 0x81, 0, 0x40, 0, 0x80, 0, 6, 0xe, 0, 0, 0];
/// Largest unit whose size has 15 bits.
const LONGEST_SHORT: usize = 0x7fff;
const LONGEST: usize = 0x7fff_ffff;
/// More dimensions are no tensor of a net.
const MOST_DIMENSIONS: u64 = 16;
/// The 8 bits after the type of a unit: independently decodable, no counter of parts.
const WHOLE: u64 = 0b10;

/// What a unit is. Others are not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Start,
    Parameters,
    Topology,
    Tensor,
}

/// The first unit of some bytes, without its size and type, and the bytes after it.
pub(super) fn split(bytes: &[u8]) -> Result<(Kind, &[u8], &[u8]), CodecError> {
    const CUT: CodecError = CodecError::Damaged { what: "a unit" };
    let mut reader = BitReader::new(bytes);
    let bits = if reader.flag()? { 31 } else { 15 };
    let size = reader.u(bits)? as usize;
    let (unit, rest) = bytes.split_at_checked(size).ok_or(CUT)?;
    let body = unit.get(bits as usize / 8 + 1..).ok_or(CUT)?;
    let mut reader = BitReader::new(body);
    let kind = match reader.u(6)? {
        0 => Kind::Start,
        1 => Kind::Parameters,
        3 => Kind::Topology,
        5 => Kind::Tensor,
        _ => {
            return Err(CodecError::Unsupported { what: "a unit of another type than start, model, topology, tensor" });
        }
    };
    if reader.u(2)? & 1 == 1 {
        return Err(CodecError::Unsupported { what: "a unit in parts" });
    }
    Ok((kind, reader.rest(), rest))
}

/// What the unit of the model says about quantized floats.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Quantization {
    pub(super) density: u32,
    pub(super) base: i32,
}

impl Quantization {
    /// Reads the body of a [`Kind::Parameters`] unit.
    pub(super) fn read(body: &[u8]) -> Result<Self, CodecError> {
        let mut reader = BitReader::new(body);
        reader.flag()?; // whether topology is carried: we read none
        if reader.u(4)? > 0 {
            return Err(CodecError::Unsupported { what: "a performance map" });
        }
        let methods = reader.u(3)?;
        if reader.flag()? {
            return Err(CodecError::Unsupported { what: "naming tensors by number" });
        }
        reader.u(7)?;
        if methods == 0 {
            return Ok(Self { density: float::DENSITY, base: 0 });
        }
        let density = reader.u(3)? as u32;
        let base = reader.u(13)? as i32;
        Ok(Self { density, base: if base >> 12 == 1 { base - (1 << 13) } else { base } })
    }
}

/// How a tensor's values are carried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Carried {
    /// 32-bit integers.
    Integers,
    /// Floats on a grid, by dependent quantization or not.
    Grid { dependent: bool },
    /// Floats as they are, four bytes each.
    Raw,
}

/// The header of a tensor.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Header {
    pub(super) name: String,
    pub(super) shape: Vec<usize>,
    pub(super) carried: Carried,
    pub(super) escape_length: EscapeLength,
    pub(super) scan: Scan,
    /// One a row of blocks but the first. We pass over them when reading.
    pub(super) entries: Vec<Entry>,
}

impl Header {
    /// The whole unit.
    ///
    /// # Errors
    /// A name that cannot be written, or a unit of 2^31 bytes.
    pub(super) fn unit(&self, payload: &[u8]) -> Result<Vec<u8>, CodecError> {
        let error = |why| Err(CodecError::Name { name: self.name.clone(), why });
        if self.name.contains('\0') {
            return error("it holds a zero byte");
        }
        if self.name.ends_with("_G") || self.name.ends_with("_H") {
            return error("endings _G and _H mean halves of a factorised matrix");
        }
        let mut bits = BitWriter::default();
        bits.u(8, 5 << 2 | WHOLE);
        bits.u(
            8,
            match self.carried {
                Carried::Integers => 0x01,
                Carried::Grid { .. } => 0x09,
                Carried::Raw => 0x11,
            },
        );
        bits.st(&self.name);
        match self.carried {
            Carried::Integers => bits.u(1, 0),
            Carried::Grid { dependent } => bits.u(2, u64::from(dependent)),
            Carried::Raw => {}
        }
        let escapes = self.carried != Carried::Raw;
        bits.u(6, 1 << 5 | u64::from(escapes) << 4);
        bits.ue(1, self.shape.len() as u64);
        self.shape.iter().for_each(|&n| bits.ue(7, n as u64));
        if escapes {
            bits.u(8, self.escape_length.get() as u64 - 1);
        }
        if self.shape.len() > 1 {
            bits.u(4, self.scan.order().into());
        }
        self.write_entries(&mut bits);
        bits.align();
        let rest = [bits.into_bytes().as_slice(), payload].concat();
        let (short, long) = (rest.len() + 2, rest.len() + 4);
        let size = match short {
            ..=LONGEST_SHORT => (short as u16).to_be_bytes().to_vec(),
            _ if long <= LONGEST => (long as u32 | 1 << 31).to_be_bytes().to_vec(),
            _ => return Err(CodecError::Unit { name: self.name.clone(), bytes: long }),
        };
        Ok([size, rest].concat())
    }

    fn write_entries(&self, bits: &mut BitWriter) {
        let mut before = None;
        for entry in &self.entries {
            bits.u(8, entry.window.into());
            if self.carried == (Carried::Grid { dependent: true }) {
                bits.u(3, entry.quantizer.into());
            }
            match before {
                None => bits.ue(11, entry.distance.unsigned_abs()),
                Some(before) => bits.ie(7, entry.distance - before),
            }
            before = Some(entry.distance);
        }
    }

    /// Reads the body of a [`Kind::Tensor`] unit; also gives its payload.
    pub(super) fn read(body: &[u8]) -> Result<(Self, &[u8]), CodecError> {
        let unsupported = |what| Err(CodecError::Unsupported { what });
        let mut reader = BitReader::new(body);
        let payload_type = reader.u(5)?;
        if reader.flag()? {
            return unsupported("a unit of several tensors");
        }
        if reader.flag()? {
            return unsupported("an output format");
        }
        if !reader.flag()? {
            return unsupported("a tensor without its parameters");
        }
        let name = reader.st()?.to_owned();
        let carried = match payload_type {
            0 => {
                if reader.flag()? {
                    return unsupported("dependent quantization of integers");
                }
                Carried::Integers
            }
            1 => {
                if reader.flag()? {
                    return unsupported("a codebook");
                }
                Carried::Grid { dependent: reader.flag()? }
            }
            2 => Carried::Raw,
            _ => return unsupported("a block of tensors"),
        };
        if !reader.flag()? {
            return unsupported("a tensor without dimensions");
        }
        let escapes = reader.flag()?;
        if reader.u(4)? > 0 {
            return unsupported("a block of tensors");
        }
        let dimensions = reader.ue(1)?;
        if dimensions > MOST_DIMENSIONS {
            return unsupported("a tensor of more than 16 dimensions");
        }
        let shape = (0..dimensions).map(|_| Ok(usize::try_from(reader.ue(7)?).unwrap_or(usize::MAX)));
        let shape = shape.collect::<Result<Vec<_>, CodecError>>()?;
        let values = shape.iter().try_fold(1_usize, |product, &n| product.checked_mul(n));
        if values.is_none_or(|values| values == 0) {
            return Err(CodecError::TooLarge { name, shape, bytes: body.len() });
        }
        let escape_length = if escapes { EscapeLength::near(reader.u(8)? as u32 + 1) } else { EscapeLength::USUAL };
        let order = if dimensions > 1 { reader.u(4)? } else { 0 };
        let scan = Scan::new(order as u8, &shape)?;
        let dependent = carried == Carried::Grid { dependent: true };
        for at in 0..scan.entries() {
            reader.u(if dependent { 11 } else { 8 })?;
            if at == 0 {
                reader.ue(11)?;
            } else {
                reader.ie(7)?;
            }
        }
        reader.align()?;
        let header = Self { name, shape, carried, escape_length, scan, entries: Vec::new() };
        Ok((header, reader.rest()))
    }

    /// How many values the tensor has; the shape was checked.
    pub(super) fn values(&self) -> usize {
        self.shape.iter().product()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_prefix_is_read_as_it_is_meant() {
        let (start, body, rest) = split(&PREFIX).unwrap();
        assert_eq!((start, body), (Kind::Start, &[0][..]));
        let (parameters, body, rest) = split(rest).unwrap();
        assert_eq!(
            (parameters, Quantization::read(body).unwrap()),
            (Kind::Parameters, Quantization { density: 2, base: 0 })
        );
        let (topology, body, rest) = split(rest).unwrap();
        assert_eq!((topology, body, rest), (Kind::Topology, &[0, 0, 0][..], &[][..]));
    }

    #[test]
    fn negative_bases_are_read() {
        // density 3, base −10
        let read = Quantization::read(&[0x81, 0, 0x7f, 0xf6, 0x80]).unwrap();
        assert_eq!(read, Quantization { density: 3, base: -10 });
    }

    #[test]
    fn sizes_are_short_where_they_fit() {
        let header = Header {
            name: "w".into(),
            shape: vec![8],
            carried: Carried::Integers,
            escape_length: EscapeLength::USUAL,
            scan: Scan::new(0, &[8]).unwrap(),
            entries: Vec::new(),
        };
        let unit = |payload: usize| header.unit(&vec![7; payload]).unwrap();
        assert_eq!(unit(6)[..10], [0, 0x10, 0x16, 1, b'w', 0, 0x61, 0xc4, 5, 0x40]);
        let fits = LONGEST_SHORT - 10;
        assert_eq!(
            (unit(fits)[..2].to_vec(), unit(fits + 1)[..4].to_vec()),
            (vec![0x7f, 0xff], vec![0x80, 0, 0x80, 2])
        );
        for payload in [0, fits, fits + 1] {
            let unit = unit(payload);
            let (kind, body, rest) = split(&unit).unwrap();
            let (read, found) = Header::read(body).unwrap();
            assert_eq!((kind, read, found.len(), rest.len()), (Kind::Tensor, header.clone(), payload, 0));
        }
    }
}
