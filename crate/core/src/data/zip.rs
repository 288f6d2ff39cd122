//! A zip archive's table of contents and its members, as `.npz` files need them: stored or deflated, no encryption,
//! below 4 GB. Over `flate2` these are some hundred lines; the `zip` crate would cost the page several times as much.
//!
//! Source: PKWARE's APPNOTE 6.3, sections 4.3.7 (local header), 4.3.12 (central directory), 4.3.16 (end).

use super::DataError;
use super::inflate::{MOST_BYTES, crc32, inflate};

const FORMAT: &str = "zip";

/// One file of the archive, still compressed.
#[derive(Debug)]
pub(super) struct Member<'a> {
    pub(super) name: &'a [u8],
    data: &'a [u8],
    method: u16,
    size: usize,
    checksum: u32,
}

/// All members, from the table at the archive's end.
///
/// # Errors
/// [`DataError::Damaged`] where the table or a member does not lie within the file, [`DataError::Unsupported`] for
/// encryption and archives of 4 GB or more.
pub(super) fn members(bytes: &[u8]) -> Result<Vec<Member<'_>>, DataError> {
    let (count, start) = table(bytes).ok_or(damaged("its table of contents is missing, so the file is cut short"))?;
    if count == usize::from(u16::MAX) || start == u32::MAX as usize {
        let got = "of 4 GB or more".to_owned();
        return Err(DataError::Unsupported {
            format: FORMAT,
            what: "an archive",
            got,
            supported: "save fewer samples",
        });
    }
    let mut at = start;
    let mut found = Vec::new();
    for _ in 0..count {
        let (member, next) = member(bytes, at)?;
        found.push(member);
        at = next;
    }
    Ok(found)
}

/// Number of members and where their table starts. The end record is found from behind, since a comment may follow it.
fn table(bytes: &[u8]) -> Option<(usize, usize)> {
    const SIZE: usize = 22;
    let last = bytes.len().checked_sub(SIZE)?;
    let first = last.saturating_sub(usize::from(u16::MAX));
    let is_end = |&at: &usize| {
        let comment = number::<2>(bytes, at + 20);
        bytes.get(at..).is_some_and(|end| end.starts_with(b"PK\x05\x06"))
            && comment.is_some_and(|comment| at + SIZE + comment == bytes.len())
    };
    let end = (first..=last).rev().find(is_end)?;
    Some((number::<2>(bytes, end + 10)?, number::<4>(bytes, end + 16)?))
}

/// The member whose entry is at `at`, and where the next entry is.
fn member(bytes: &[u8], at: usize) -> Result<(Member<'_>, usize), DataError> {
    const ENCRYPTED: usize = 1;
    let read = || {
        bytes.get(at..)?.strip_prefix(b"PK\x01\x02")?;
        let lengths = [28, 30, 32].map(|offset| number::<2>(bytes, at + offset));
        let [Some(name), Some(extra), Some(comment)] = lengths else { return None };
        let (packed, local) = (number::<4>(bytes, at + 20)?, number::<4>(bytes, at + 42)?);
        bytes.get(local..)?.strip_prefix(b"PK\x03\x04")?;
        let start = local.checked_add(30 + number::<2>(bytes, local + 26)? + number::<2>(bytes, local + 28)?)?;
        let member = Member {
            name: bytes.get(at + 46..at + 46 + name)?,
            data: bytes.get(start..start.checked_add(packed)?)?,
            method: number::<2>(bytes, at + 10)? as u16,
            size: number::<4>(bytes, at + 24)?,
            checksum: number::<4>(bytes, at + 16)? as u32,
        };
        Some((member, number::<2>(bytes, at + 8)?, at + 46 + name + extra + comment))
    };
    let (member, flags, next) = read().ok_or(damaged("an entry of its table of contents is wrong"))?;
    if flags & ENCRYPTED != 0 {
        let got = "a password".to_owned();
        return Err(DataError::Unsupported {
            format: FORMAT,
            what: "an archive with",
            got,
            supported: "save it without",
        });
    }
    Ok((member, next))
}

impl Member<'_> {
    /// The file itself.
    ///
    /// # Errors
    /// [`DataError::Damaged`] where length or checksum are wrong, [`DataError::Unsupported`] for other methods than
    /// stored and deflated, [`DataError::TooLarge`].
    pub(super) fn unpack(&self) -> Result<Vec<u8>, DataError> {
        let data = match self.method {
            0 => self.data.to_vec(),
            8 => {
                let (data, used) =
                    inflate(FORMAT, self.data, self.size.min(MOST_BYTES)).map_err(|error| match error {
                        DataError::TooLarge { .. } if self.size < MOST_BYTES => {
                            damaged("a member is longer than it says")
                        }
                        error => error,
                    })?;
                if used != self.data.len() {
                    return Err(damaged("a member is followed by other bytes"));
                }
                data
            }
            other => {
                let (got, supported) = (other.to_string(), "save it with numpy.savez or savez_compressed");
                return Err(DataError::Unsupported { format: FORMAT, what: "compression method", got, supported });
            }
        };
        if data.len() != self.size || crc32(&data) != self.checksum {
            return Err(damaged("the checksum of a member does not fit its data"));
        }
        Ok(data)
    }
}

fn damaged(what: &'static str) -> DataError {
    DataError::Damaged { format: FORMAT, what }
}

/// A little-endian number of N bytes.
fn number<const N: usize>(bytes: &[u8], at: usize) -> Option<usize> {
    let bytes = bytes.get(at..at.checked_add(N)?)?;
    Some(bytes.iter().rev().fold(0, |number, &byte| number << 8 | usize::from(byte)))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::data::inflate::tests::deflate;

    /// An archive of these files, each deflated or stored.
    pub(in crate::data) fn zip(files: &[(&str, &[u8])], deflated: bool) -> Vec<u8> {
        let (mut bytes, mut table) = (Vec::new(), Vec::new());
        for (name, data) in files {
            let packed = if deflated { deflate(data) } else { data.to_vec() };
            let mut common = if deflated { vec![20, 0, 0, 0, 8, 0] } else { vec![20, 0, 0, 0, 0, 0] };
            common.extend([0; 4]); // time and date
            common.extend(crc32(data).to_le_bytes());
            common.extend((packed.len() as u32).to_le_bytes());
            common.extend((data.len() as u32).to_le_bytes());
            common.extend((name.len() as u16).to_le_bytes());
            let local = bytes.len() as u32;
            bytes.extend(b"PK\x03\x04");
            bytes.extend(&common);
            bytes.extend([4, 0]); // as numpy, which leaves room for sizes of 64 bits here alone
            bytes.extend(name.as_bytes());
            bytes.extend([1, 0, 0, 0]);
            bytes.extend(packed);
            table.extend(b"PK\x01\x02\x14\0");
            table.extend(&common);
            table.extend([0; 12]);
            table.extend(local.to_le_bytes());
            table.extend(name.as_bytes());
        }
        let (start, count) = (bytes.len() as u32, files.len() as u16);
        bytes.extend(&table);
        bytes.extend(b"PK\x05\x06\0\0\0\0");
        bytes.extend([count.to_le_bytes(), count.to_le_bytes()].concat());
        bytes.extend((table.len() as u32).to_le_bytes());
        bytes.extend(start.to_le_bytes());
        bytes.extend([0, 0]);
        bytes
    }

    fn unpack(bytes: &[u8]) -> Result<Vec<Vec<u8>>, DataError> {
        members(bytes)?.iter().map(Member::unpack).collect()
    }

    #[test]
    fn members_come_back_stored_and_deflated() {
        let data = [7_u8; 3000];
        for deflated in [false, true] {
            let bytes = zip(&[("a.npy", b"first"), ("b.npy", &data)], deflated);
            let names: Vec<_> = members(&bytes).unwrap().iter().map(|m| m.name.to_vec()).collect();
            assert_eq!(names, [b"a.npy", b"b.npy"]);
            assert_eq!(unpack(&bytes).unwrap(), [b"first".to_vec(), data.to_vec()]);
        }
        let mut commented = zip(&[("a", b"x")], true);
        let length = commented.len();
        commented[length - 2] = 3;
        assert_eq!(unpack(&[&commented[..], b"abc"].concat()).unwrap(), [b"x"]);
    }

    #[test]
    fn damage_is_told() {
        let bytes = zip(&[("a", b"some data, some data")], true);
        for length in 0..bytes.len() {
            assert_eq!(members(&bytes[..length]).unwrap_err().code(), "data/damaged", "cut at {length}");
        }
        assert_eq!(unpack(&[&bytes[..], b"x"].concat()).unwrap_err().code(), "data/damaged");
        let entry = bytes.windows(4).position(|w| w == b"PK\x01\x02").unwrap();
        for (offset, code) in [
            (0, "data/damaged"),
            (8, "data/unsupported"),
            (10, "data/unsupported"),
            (16, "data/damaged"),
            (20, "data/damaged"),
            (24, "data/damaged"),
            (42, "data/damaged"),
        ] {
            let mut bytes = bytes.clone();
            bytes[entry + offset] ^= 1;
            assert_eq!(unpack(&bytes).unwrap_err().code(), code, "at {offset}");
        }
    }

    #[test]
    fn larger_archives_are_refused() {
        let mut bytes = zip(&[("a", b"x")], true);
        let end = bytes.len() - 22;
        bytes[end + 16..end + 20].fill(0xff);
        assert_eq!(members(&bytes).unwrap_err().code(), "data/unsupported");
    }
}
