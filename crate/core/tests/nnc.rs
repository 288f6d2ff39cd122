//! The codec against files of the official tool (`tests/vectors/nnc`), and its own promises.

#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests may panic

use std::path::PathBuf;

use ecqx_core::CoreError;
use ecqx_core::codec::{
    CodecError, EncodeSettings, Generation, Grid, Search, decode, encode_floats, encode_integers, encode_raw,
    join_units,
};
use ecqx_core::tensors::{Tensor, TensorData};
use proptest::prelude::*;
use serde_json::Value;

fn read(name: &str) -> Vec<u8> {
    std::fs::read(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors/nnc").join(name)).unwrap()
}

/// Values of a numpy file of version 1; small integers take a byte each there.
fn npy(name: &str) -> TensorData {
    let bytes = read(name);
    let data = 10 + usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    let four = bytes[data..].as_chunks::<4>().0.iter();
    let header = String::from_utf8_lossy(&bytes[10..data]);
    if header.contains("'|i1'") {
        return TensorData::I32(bytes[data..].iter().map(|&byte| i32::from(byte.cast_signed())).collect());
    }
    if header.contains("'<i4'") {
        return TensorData::I32(four.map(|&b| i32::from_le_bytes(b)).collect());
    }
    assert!(header.contains("'<f4'"), "{header}");
    TensorData::F32(four.map(|&b| f32::from_le_bytes(b)).collect())
}

/// A file of the official tool, or one that it reads: its bytes, what was encoded and what it decodes to.
struct Vector {
    name: String,
    bytes: Vec<u8>,
    generation: Generation,
    scan: u8,
    given: Vec<Tensor>,
    decoded: Vec<Tensor>,
}

fn vectors() -> Vec<Vector> {
    let manifest: Value = serde_json::from_slice(&read("manifest.json")).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let vector = |entry: &Value| {
        // Several tensors stand in a list, a single one in the entry itself.
        let tensors = entry["tensors"].as_array().cloned().unwrap_or_else(|| vec![entry.clone()]);
        let tensor = |entry: &Value, file: &str| {
            let name = entry.get("tensor_name").or(entry.get("name")).unwrap();
            let shape = entry["shape"].as_array().unwrap().iter().map(|n| n.as_u64().unwrap() as usize).collect();
            Tensor { name: text(name), shape, data: npy(file) }
        };
        let file = |entry: &Value, keys: [&str; 2]| text(keys.iter().find_map(|key| entry.get(*key)).unwrap());
        let all = |keys| tensors.iter().map(|entry| tensor(entry, &file(entry, keys))).collect();
        Vector {
            name: text(&entry["name"]),
            bytes: read(&text(&entry["nnc"])),
            generation: if entry["generation"] == 2 { Generation::Second } else { Generation::First },
            scan: tensors[0]["scan"].as_u64().map_or(0, |scan| scan as u8),
            given: all(["npy_in", "npy"]),
            decoded: all(["npy_decoded", "npy"]),
        }
    };
    manifest["vectors"].as_array().unwrap().iter().map(vector).collect()
}

/// The file of these tensors; floats as ECQx's `run.py` puts them on a grid.
fn encode(tensors: &[Tensor], settings: EncodeSettings) -> Vec<u8> {
    let unit = |Tensor { name, shape, data }: &Tensor| match data {
        TensorData::I32(values) => encode_integers(name, shape, values, settings).unwrap(),
        TensorData::F32(values) => {
            let qp = if shape.len() > 1 { -40 } else { -75 };
            encode_floats(name, shape, values, Grid { qp, dependent: true }, settings).unwrap()
        }
        other => panic!("{name} is {other:?}"),
    };
    let units: Vec<Vec<u8>> = tensors.iter().map(unit).collect();
    join_units(units.iter().map(Vec::as_slice))
}

#[test]
fn official_files_are_read() {
    let vectors = vectors();
    assert_eq!(vectors.len(), 20);
    for Vector { name, bytes, generation, decoded, .. } in vectors {
        assert_eq!(decode(&bytes, generation).unwrap(), decoded, "{name}");
    }
}

#[test]
fn the_reference_search_gives_the_official_bytes() {
    for Vector { name, bytes, generation, scan, given, .. } in vectors() {
        let ours = encode(&given, EncodeSettings { generation, search: Search::Reference, scan });
        assert!(ours == bytes, "{name}: {} bytes, official {}", ours.len(), bytes.len());
    }
}

#[test]
fn the_best_search_is_never_larger_and_smaller_on_average() {
    for generation in [Generation::First, Generation::Second] {
        let (mut shares, mut count) = (0.0, 0.0);
        for Vector { name, bytes, given, decoded, .. } in vectors() {
            let ours = encode(&given, EncodeSettings { generation, ..EncodeSettings::default() });
            assert!(ours.len() <= bytes.len(), "{name}: {} bytes, official {}", ours.len(), bytes.len());
            let read = decode(&ours, generation).unwrap();
            // With another scan order floats take another path.
            assert!(read == decoded || name == "b03_blocks8_floats", "{name}");
            shares += ours.len() as f64 / bytes.len() as f64;
            count += 1.0;
        }
        assert!(shares / count < 0.99, "{} of the official size on average", shares / count);
    }
}

#[test]
fn generations_are_told_apart() {
    for Vector { name, bytes, generation, .. } in vectors() {
        // One flag too many or too few: where little follows, that may go unnoticed.
        if ["v15_model4", "g01_generation2"].contains(&name.as_str()) {
            let other = if generation == Generation::First { Generation::Second } else { Generation::First };
            let error = decode(&bytes, other).unwrap_err();
            assert!(error.to_string().contains("of the other generation of the format (1 or 2)"), "{error}");
        }
    }
}

/// Tensors as nets have them, and as they have not.
fn tensors() -> impl Strategy<Value = (Vec<usize>, Vec<i32>)> {
    let shape = prop_oneof![
        proptest::collection::vec(1..600_usize, 1),
        proptest::collection::vec(1..30_usize, 2),
        proptest::collection::vec(1..7_usize, 3..6),
    ];
    let value = prop_oneof![Just(1), Just(7), Just(40), Just(1000), Just(i32::MAX)];
    (shape, value, 0.0..=1.0_f64).prop_flat_map(|(shape, most, density)| {
        let count: usize = shape.iter().product();
        let nonzero = prop_oneof![6 => -most..=most, 1 => Just(i32::MIN), 1 => -2..3_i32];
        let weight =
            (proptest::bool::weighted(density), nonzero).prop_map(|(keep, value)| if keep { value } else { 0 });
        (Just(shape), proptest::collection::vec(weight, count))
    })
}

fn settings() -> impl Strategy<Value = EncodeSettings> {
    let generation = prop_oneof![Just(Generation::First), Just(Generation::Second)];
    let search = prop_oneof![Just(Search::Off), Just(Search::Reference), Just(Search::Best)];
    (generation, search, 0..=4_u8).prop_map(|(generation, search, scan)| EncodeSettings { generation, search, scan })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn integers_come_back((shape, values) in tensors(), settings in settings(), name in "[a-zü._]{0,12}") {
        let unit = encode_integers(&name, &shape, &values, settings).unwrap();
        let second = encode_raw("other", &[1], &[0.5]).unwrap();
        let read = decode(&join_units([unit.as_slice(), second.as_slice()]), settings.generation).unwrap();
        prop_assert_eq!(&read[0], &Tensor { name, shape, data: TensorData::I32(values) });
        prop_assert_eq!(&read[1], &Tensor::f32("other", &[1], vec![0.5]));
    }

    #[test]
    fn floats_come_back_within_their_grid(
        values in proptest::collection::vec(-2.0..2.0_f32, 1..300), qp in -50..=-8_i8, dependent: bool, settings in settings(),
    ) {
        let grid = Grid { qp, dependent };
        let shape = if values.len() % 2 == 0 && values.len() > 2 { vec![2, values.len() / 2] } else { vec![values.len()] };
        let unit = encode_floats("f", &shape, &values, grid, settings).unwrap();
        let TensorData::F32(read) = &decode(&join_units([unit.as_slice()]), settings.generation).unwrap()[0].data else {
            panic!("no floats")
        };
        // The nearest point is half a step away; a path may have to take the second nearest of its own coarser grid.
        let most = grid.step_size() * if dependent { 2.001 } else { 0.501 };
        for (value, read) in values.iter().zip(read) {
            prop_assert!((value - read).abs() <= most, "{value} became {read}, step {}", grid.step_size());
        }
    }

    #[test]
    fn raw_floats_keep_every_bit(bits in proptest::collection::vec(any::<u32>(), 1..50)) {
        let values: Vec<f32> = bits.iter().copied().map(f32::from_bits).collect();
        let unit = encode_raw("f", &[1, bits.len()], &values).unwrap();
        let TensorData::F32(read) = &decode(&join_units([unit.as_slice()]), Generation::First).unwrap()[0].data else {
            panic!("no floats")
        };
        prop_assert_eq!(read.iter().map(|value| value.to_bits()).collect::<Vec<_>>(), bits);
    }
}

/// Units of every kind of tensor, blocks included.
fn small_units() -> [Vec<u8>; 4] {
    let blocks = EncodeSettings { scan: 1, ..EncodeSettings::default() };
    let values: Vec<i32> = (0..90).map(|at| if at % 3 == 0 { at % 11 - 5 } else { 0 }).collect();
    let floats: Vec<f32> = values.iter().map(|&value| value as f32 * 0.3).collect();
    [
        encode_integers("a.weight", &[10, 9], &values, blocks).unwrap(),
        encode_integers("large", &[3], &[1 << 30, -7, 0], EncodeSettings::default()).unwrap(),
        encode_floats("b", &[9, 10], &floats, Grid { qp: -20, dependent: true }, blocks).unwrap(),
        encode_raw("c", &[2], &[1.5, -0.0]).unwrap(),
    ]
}

#[test]
fn every_prefix_that_cuts_a_unit_is_an_error() {
    let units = small_units();
    let bytes = join_units(units.iter().map(Vec::as_slice));
    // Cut between two units a file looks whole: it does not say how many there are. The topology, 6 bytes, is optional.
    let mut whole = vec![(12, 0), (18, 0)];
    whole.extend((1..=units.len()).map(|count| (18 + units[..count].iter().map(Vec::len).sum::<usize>(), count)));
    for length in 0..=bytes.len() {
        let expected = whole.iter().find(|(end, _)| *end == length).map(|(_, count)| *count);
        let read = decode(&bytes[..length], Generation::Second).map(|tensors| tensors.len()).ok();
        assert_eq!(read, expected, "cut at {length}");
    }
}

#[test]
fn damaged_bytes_are_errors_or_other_tensors() {
    let bytes = join_units(small_units().iter().map(Vec::as_slice));
    for at in 0..bytes.len() {
        for flip in [0x01, 0x10, 0x80, 0xff] {
            let mut damaged = bytes.clone();
            damaged[at] ^= flip;
            for generation in [Generation::First, Generation::Second] {
                if let Ok(tensors) = decode(&damaged, generation) {
                    // What is small stays small.
                    assert!(
                        tensors.iter().map(|tensor| tensor.shape.iter().product::<usize>()).sum::<usize>() < 1 << 20
                    );
                }
            }
        }
    }
}

fn code(error: CodecError) -> &'static str {
    CoreError::from(error).code()
}

#[test]
fn a_short_file_does_not_ask_for_much_memory() {
    // A tensor of 32768 × 32768 weights: the header of the format's document, bit by bit, and 4 bytes for the weights.
    let side = "00000000".to_owned() + "1000000010000000"; // ue(7): 32768 + 128, in 16 bits
    let bits = ["0", "11", "0000", "0100", &side, &side, "00001010", "0000", "1"].concat();
    let bits = format!("{bits:0<width$}", width = bits.len().next_multiple_of(8));
    let byte = |bits: &[u8]| bits.iter().fold(0, |byte, bit| byte << 1 | (bit - b'0'));
    let header: Vec<u8> = bits.as_bytes().chunks(8).map(byte).collect();
    let rest = [&[0x16, 1, b'w', 0], header.as_slice(), &[0x8d, 0, 0x3d, 0x80]].concat();
    let unit = [&[0, rest.len() as u8 + 2], rest.as_slice()].concat();
    let file = join_units([unit.as_slice()]);
    let error = decode(&file, Generation::Second).unwrap_err();
    assert!(error.to_string().contains("[32768, 32768], which its 4 bytes cannot hold"), "{error}");
    assert_eq!(code(error), "codec/too-large");
}

#[test]
fn what_the_format_has_no_place_for_is_named() {
    let settings = EncodeSettings::default();
    let integers = |name: &str, shape: &[usize], values: &[i32], scan| {
        code(encode_integers(name, shape, values, EncodeSettings { scan, ..settings }).unwrap_err())
    };
    assert_eq!(integers("w_G", &[1], &[1], 0), "codec/name");
    assert_eq!(integers("w_H", &[1], &[1], 0), "codec/name");
    assert_eq!(integers("a\0b", &[1], &[1], 0), "codec/name");
    assert_eq!(integers("w", &[], &[1], 0), "codec/shape");
    assert_eq!(integers("w", &[0], &[], 0), "codec/shape");
    assert_eq!(integers("w", &[2, 2], &[1; 3], 0), "codec/shape");
    assert_eq!(integers("w", &[usize::MAX, 4], &[1; 3], 0), "codec/shape");
    assert_eq!(integers("w", &[2, 2], &[1; 4], 5), "codec/setting");
    let nan = encode_floats("f", &[1], &[f32::NAN], Grid { qp: 0, dependent: true }, settings).unwrap_err();
    assert_eq!(code(nan), "codec/range");
    assert_eq!(code(decode(b"PK", Generation::Second).unwrap_err()), "codec/format");
    // A start unit and nothing else; then one of another profile; then a unit of quantization after the model's.
    assert_eq!(code(decode(&[0, 4, 2, 0], Generation::Second).unwrap_err()), "codec/format");
    let mut bytes = join_units([]);
    bytes[3] = 1;
    assert_eq!(code(decode(&bytes, Generation::Second).unwrap_err()), "codec/unsupported");
    let other = [join_units([]), vec![0, 4, 0x12, 0]].concat();
    assert_eq!(code(decode(&other, Generation::Second).unwrap_err()), "codec/unsupported");
    assert!(decode(&join_units([]), Generation::Second).unwrap().is_empty());
}

#[test]
fn of_two_tensors_with_one_name_the_later_is_kept() {
    let unit = |name: &str, value| encode_raw(name, &[1], &[value]).unwrap();
    let units = [unit("a", 1.0), unit("b", 2.0), unit("a", 3.0)];
    let read = decode(&join_units(units.iter().map(Vec::as_slice)), Generation::Second).unwrap();
    assert_eq!(read, [Tensor::f32("b", &[1], vec![2.0]), Tensor::f32("a", &[1], vec![3.0])]);
}
