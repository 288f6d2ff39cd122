//! What is within gzip and zip, unpacked by `flate2` and `zip`. A file of a megabyte can claim a gigabyte: memory is
//! taken only as far as data really comes and the limit allows.

use std::io::{Cursor, ErrorKind, Read};

use flate2::bufread::MultiGzDecoder;
use zip::read::{ArchiveOffset, Config};
use zip::result::ZipError;
use zip::{CompressionMethod, ZipArchive};

use super::DataError;

/// Bytes that one compressed file or member may grow to: CIFAR-10 as 32-bit floats fits.
const MOST_BYTES: u64 = 1 << 30;

const ZIP: &str = "zip";

/// An archive whose members are still compressed.
pub(super) type Archive<'a> = ZipArchive<Cursor<&'a [u8]>>;

/// Undoes gzip, with one or more members.
///
/// # Errors
/// [`DataError::Damaged`], [`DataError::TooLarge`].
pub(super) fn gunzip(bytes: &[u8]) -> Result<Vec<u8>, DataError> {
    read("gzip", MultiGzDecoder::new(bytes), MOST_BYTES)
}

/// A zip archive, by the table at its end.
///
/// # Errors
/// [`DataError::Damaged`] where the table is missing or wrong.
pub(super) fn archive(bytes: &[u8]) -> Result<Archive<'_>, DataError> {
    let config = Config { archive_offset: ArchiveOffset::Known(0) };
    ZipArchive::with_config(config, Cursor::new(bytes)).map_err(damaged)
}

/// The archive's member of that number.
///
/// # Errors
/// [`DataError::Damaged`], [`DataError::TooLarge`], and [`DataError::Unsupported`] for encryption and for compression
/// that numpy does not use.
pub(super) fn unpack(archive: &mut Archive<'_>, index: usize) -> Result<Vec<u8>, DataError> {
    let unsupported = |what, got, supported| Err(DataError::Unsupported { format: ZIP, what, got, supported });
    let member = archive.by_index_raw(index).map_err(damaged)?;
    if member.encrypted() {
        return unsupported("an archive with", "a password".to_owned(), "save it without");
    }
    if !matches!(member.compression(), CompressionMethod::Stored | CompressionMethod::Deflated) {
        let got = member.compression().to_string();
        return unsupported("compression method", got, "save it with numpy.savez or savez_compressed");
    }
    drop(member);
    read(ZIP, archive.by_index(index).map_err(damaged)?, MOST_BYTES)
}

fn damaged(_: ZipError) -> DataError {
    DataError::Damaged { format: ZIP, what: "its table of contents is missing or wrong, so the file may be cut short" }
}

/// All that comes, if that is at most `limit` bytes.
fn read(format: &'static str, from: impl Read, limit: u64) -> Result<Vec<u8>, DataError> {
    let mut data = Vec::new();
    // One byte above the limit: with it, the data is too long, not just as long as allowed.
    let result = from.take(limit + 1).read_to_end(&mut data).map_err(|error| error.kind());
    match result {
        Ok(_) if data.len() as u64 <= limit => Ok(data),
        Ok(_) | Err(ErrorKind::OutOfMemory) => {
            Err(DataError::TooLarge { what: "the uncompressed data, in bytes,", limit })
        }
        Err(ErrorKind::UnexpectedEof) => Err(DataError::Damaged { format, what: "the compressed data is cut short" }),
        Err(_) => Err(DataError::Damaged { format, what: "the compressed data or its checksum is wrong" }),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;
    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    use super::*;

    pub(in crate::data) fn gzip(data: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(data).unwrap();
        encoder.finish().unwrap()
    }

    /// An archive of these files, each deflated or stored.
    pub(in crate::data) fn zip(files: &[(&str, &[u8])], deflated: bool) -> Vec<u8> {
        let method = if deflated { CompressionMethod::Deflated } else { CompressionMethod::Stored };
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, data) in files {
            writer.start_file(*name, SimpleFileOptions::default().compression_method(method)).unwrap();
            writer.write_all(data).unwrap();
        }
        writer.finish().unwrap().into_inner()
    }

    fn unzip(bytes: &[u8]) -> Result<Vec<Vec<u8>>, DataError> {
        let mut archive = archive(bytes)?;
        (0..archive.len()).map(|index| unpack(&mut archive, index)).collect()
    }

    #[test]
    fn what_was_packed_comes_back() {
        let data: Vec<u8> = (0..200_000_u32).map(|i| (i.wrapping_mul(i) >> 7) as u8).collect();
        assert_eq!(gunzip(&gzip(&data)).unwrap(), data);
        assert_eq!(gunzip(&[gzip(b"one "), gzip(b"two"), gzip(b"")].concat()).unwrap(), b"one two");
        for deflated in [false, true] {
            let bytes = zip(&[("a.npy", b"first"), ("b.npy", &data)], deflated);
            assert!(archive(&bytes).unwrap().file_names().eq(["a.npy", "b.npy"]));
            assert_eq!(unzip(&bytes).unwrap(), [b"first".to_vec(), data.clone()]);
        }
    }

    #[test]
    fn a_bomb_stops_at_the_limit() {
        let bomb = gzip(&vec![0; 1 << 20]);
        let read = |limit| read("gzip", MultiGzDecoder::new(&*bomb), limit);
        assert_eq!(read(1 << 20).unwrap().len(), 1 << 20);
        assert_eq!(read((1 << 20) - 1).unwrap_err().code(), "data/too-large");
        assert_eq!(read(0).unwrap_err().code(), "data/too-large");
    }

    #[test]
    fn damaged_gzip_is_told() {
        let whole = gzip(b"some data, some data, some data");
        for length in 1..whole.len() {
            assert_eq!(gunzip(&whole[..length]).unwrap_err().code(), "data/damaged", "cut at {length}");
        }
        assert_eq!(gunzip(&[&whole[..], b"x"].concat()).unwrap_err().code(), "data/damaged");
        for position in [1, whole.len() - 8, whole.len() - 1] {
            let mut bytes = whole.clone();
            bytes[position] ^= 1;
            assert_eq!(gunzip(&bytes).unwrap_err().code(), "data/damaged", "at {position}");
        }
    }

    #[test]
    fn damaged_zip_is_told() {
        let bytes = zip(&[("a", b"some data, some data")], true);
        for length in 0..bytes.len() {
            assert_eq!(archive(&bytes[..length]).unwrap_err().code(), "data/damaged", "cut at {length}");
        }
        for position in 0..bytes.len() {
            for bit in 0..8 {
                let mut bytes = bytes.clone();
                bytes[position] ^= 1 << bit;
                match unzip(&bytes) {
                    // In a date, a name, or in sizes that the data itself corrects; in the count, nothing is left.
                    Ok(data) => assert!(data.is_empty() || data == [b"some data, some data"], "at {position}"),
                    Err(error) => assert!(matches!(error.code(), "data/damaged" | "data/unsupported"), "{error}"),
                }
            }
        }
    }

    #[test]
    fn what_is_not_read_is_named() {
        let mut bytes = zip(&[("a", b"data")], false);
        let entry = bytes.windows(4).position(|w| w == b"PK\x01\x02").unwrap();
        bytes[entry + 8] |= 1;
        let text = unzip(&bytes).unwrap_err().to_string();
        assert!(text.contains("an archive with a password is not read here; save it without"), "{text}");
        bytes[entry + 8] = 0;
        bytes[entry + 10] = 12;
        let text = unzip(&bytes).unwrap_err().to_string();
        assert!(text.contains("numpy.savez"), "{text}");
    }

    #[test]
    fn claims_take_no_memory() {
        let mut bytes = zip(&[("a", b"data")], false);
        let end = bytes.len() - 22;
        bytes[end + 8..end + 12].fill(0xfe);
        assert_eq!(archive(&bytes).unwrap_err().code(), "data/damaged");
    }
}
