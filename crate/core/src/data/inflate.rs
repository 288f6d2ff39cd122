//! Deflate and gzip with an end to growth: a file of a megabyte can claim a gigabyte, and memory is taken only as far
//! as data really comes and the limit allows.
//!
//! The checksum is our own: that of `flate2` brings 16 kB of tables, more than all readers together.

use flate2::{Decompress, FlushDecompress, Status};

use super::DataError;

/// Bytes that one compressed file or member may grow to: CIFAR-10 as 32-bit floats fits.
pub(super) const MOST_BYTES: usize = 1 << 30;

const GZIP: &str = "gzip";

/// Undoes raw deflate. Returns the data and how many bytes of `input` it took.
///
/// # Errors
/// [`DataError::Damaged`] for data that is cut short or wrong, [`DataError::TooLarge`] where it grows past `limit`.
pub(super) fn inflate(format: &'static str, input: &[u8], limit: usize) -> Result<(Vec<u8>, usize), DataError> {
    let mut state = Decompress::new(false);
    let mut out = Vec::new();
    loop {
        let used = usize::try_from(state.total_in()).unwrap_or(usize::MAX);
        let rest = input.get(used..).unwrap_or_default();
        // One byte above the limit: with it full, the data is too long, not just as long as allowed.
        let room = (limit + 1).saturating_sub(out.len()).min(out.len().clamp(1 << 15, 1 << 26));
        if room == 0 {
            return Err(DataError::TooLarge { what: "the uncompressed data, in bytes,", limit: limit as u64 });
        }
        out.reserve_exact(room);
        let before = (state.total_in(), out.len());
        let status = state.decompress_vec(rest, &mut out, FlushDecompress::None);
        match status {
            Ok(Status::StreamEnd) if out.len() <= limit => {
                return Ok((out, usize::try_from(state.total_in()).unwrap_or(usize::MAX)));
            }
            Ok(_) if before != (state.total_in(), out.len()) => {}
            Ok(_) => return Err(DataError::Damaged { format, what: "the compressed data is cut short" }),
            Err(_) => return Err(DataError::Damaged { format, what: "the compressed data cannot be undone" }),
        }
    }
}

/// Undoes gzip (RFC 1952), with one or more members.
///
/// # Errors
/// As [`inflate`], and where header, length or checksum are wrong.
pub(super) fn gunzip(bytes: &[u8]) -> Result<Vec<u8>, DataError> {
    let mut out = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        let body = skip_header(rest).ok_or(DataError::Damaged { format: GZIP, what: "its header is wrong" })?;
        let (data, used) = inflate(GZIP, body, MOST_BYTES - out.len())?;
        let cut = DataError::Damaged { format: GZIP, what: "the end is missing" };
        let (trailer, after) = body.get(used..).and_then(<[u8]>::split_first_chunk::<8>).ok_or(cut)?;
        let [c0, c1, c2, c3, n0, n1, n2, n3] = *trailer;
        if crc32(&data) != u32::from_le_bytes([c0, c1, c2, c3])
            || data.len() as u32 != u32::from_le_bytes([n0, n1, n2, n3])
        {
            return Err(DataError::Damaged { format: GZIP, what: "the checksum does not fit the data" });
        }
        if out.is_empty() {
            out = data;
        } else {
            out.extend(data);
        }
        rest = after;
    }
    Ok(out)
}

/// What follows a gzip header, past its optional fields.
fn skip_header(bytes: &[u8]) -> Option<&[u8]> {
    const CHECKSUM: u8 = 2;
    const EXTRA: u8 = 4;
    const NAME: u8 = 8;
    const COMMENT: u8 = 16;
    let ([0x1f, 0x8b, 8, flags, ..], mut rest) = bytes.split_first_chunk::<10>()? else { return None };
    if flags & EXTRA != 0 {
        let (length, after) = rest.split_first_chunk::<2>()?;
        rest = after.get(usize::from(u16::from_le_bytes(*length))..)?;
    }
    for field in [NAME, COMMENT] {
        if flags & field != 0 {
            let end = rest.iter().position(|&byte| byte == 0)?;
            rest = rest.get(end + 1..)?;
        }
    }
    if flags & CHECKSUM != 0 { rest.get(2..) } else { Some(rest) }
}

/// CRC-32 of gzip and zip (polynomial 0xEDB88320, reflected).
pub(super) fn crc32(bytes: &[u8]) -> u32 {
    const TABLE: [u32; 256] = table();
    !bytes.iter().fold(u32::MAX, |crc, &byte| (crc >> 8) ^ TABLE[usize::from(crc as u8 ^ byte)])
}

const fn table() -> [u32; 256] {
    let mut table = [0; 256];
    let mut index = 0;
    while index < 256 {
        let mut crc = index as u32;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0xEDB8_8320 } else { crc >> 1 };
            bit += 1;
        }
        table[index] = crc;
        index += 1;
    }
    table
}

#[cfg(test)]
pub(super) mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder};

    use super::*;

    pub(in crate::data) fn gzip(data: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(data).unwrap();
        encoder.finish().unwrap()
    }

    pub(in crate::data) fn deflate(data: &[u8]) -> Vec<u8> {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(data).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn the_checksum_is_that_of_the_standard() {
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
    }

    #[test]
    fn members_are_joined_and_optional_fields_skipped() {
        let data: Vec<u8> = (0..200_000_u32).map(|i| (i.wrapping_mul(i) >> 7) as u8).collect();
        assert_eq!(gunzip(&gzip(&data)).unwrap(), data);
        let mut fields = gzip(b"two");
        fields[3] = 2 | 4 | 8 | 16;
        fields.splice(10..10, *b"\x03\0abcname\0comment\0hh");
        assert_eq!(gunzip(&[gzip(b"one "), fields, gzip(b"")].concat()).unwrap(), b"one two");
    }

    #[test]
    fn a_bomb_stops_at_the_limit() {
        let bomb = deflate(&vec![0; 1 << 20]);
        assert_eq!(inflate("zip", &bomb, 1 << 20).unwrap().0.len(), 1 << 20);
        assert_eq!(inflate("zip", &bomb, (1 << 20) - 1).unwrap_err().code(), "data/too-large");
        assert_eq!(inflate("zip", &deflate(b""), 0).unwrap(), (vec![], 2));
    }

    #[test]
    fn damage_is_told() {
        let whole = gzip(b"some data, some data, some data");
        for length in 1..whole.len() {
            assert_eq!(gunzip(&whole[..length]).unwrap_err().code(), "data/damaged", "cut at {length}");
        }
        assert_eq!(gunzip(&[&whole[..], b"x"].concat()).unwrap_err().code(), "data/damaged");
        for (position, expected) in [(1, "header"), (whole.len() - 8, "checksum"), (whole.len() - 1, "checksum")] {
            let mut bytes = whole.clone();
            bytes[position] ^= 1;
            assert!(gunzip(&bytes).unwrap_err().to_string().contains(expected));
        }
    }
}
