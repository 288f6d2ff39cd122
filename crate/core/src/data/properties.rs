//! What holds for every format: values come back as they were written, and damage never panics.

#![allow(clippy::unwrap_used)] // helpers of tests may panic

use std::fmt::Write;

use ndarray::Array2;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use super::compressed::tests::{gzip, zip};
use super::idx::tests::idx;
use super::npy::tests::npy;
use super::{DataError, Dataset, NamedBytes, Shape, Toy};

type Parts = Vec<(&'static str, Vec<u8>)>;

fn join(parts: &Parts) -> Result<Dataset, DataError> {
    let parts: Vec<_> = parts.iter().map(|(name, bytes)| NamedBytes { name, bytes }).collect();
    Dataset::from_parts(&parts)
}

/// A small dataset in each format: one file, or a pair.
fn samples() -> Vec<Parts> {
    let toy = Toy { shape: Shape::Moons, samples: 5, test_samples: 2, noise: 0.1, seed: 0 };
    let ours = toy.make().unwrap().to_bytes();
    let (images, labels) = (idx(&[2, 1, 2], &[0, 1, 2, 3]), idx(&[2], &[1, 0]));
    let x = npy("'<f4'", "True", "(2, 2)", &[0.5_f32, 1.0, 2.0, 3.0].map(f32::to_le_bytes).concat());
    let y = npy("'<i2'", "False", "(2,)", &[1, 0, 0, 0]);
    let arrays: [(&str, &[u8]); 2] = [("x.npy", &x), ("y.npy", &y)];
    let cifar = [vec![9], vec![7; 3072]].concat();
    vec![
        vec![("", gzip(&ours))],
        vec![("", ours)],
        vec![("images.gz", gzip(&images)), ("labels.gz", gzip(&labels))],
        vec![("images", images), ("labels", labels)],
        vec![("", zip(&arrays, false))],
        vec![("", zip(&arrays, true))],
        vec![("", cifar)],
        vec![("train.csv", b"a,b,label\n1,2,x\n3,4,\"y\"\n".to_vec()), ("test.csv", b"5,6,x\n".to_vec())],
    ]
}

#[test]
fn every_truncation_is_an_error() {
    for parts in samples() {
        join(&parts).unwrap();
        for part in 0..parts.len() {
            for length in 0..parts[part].1.len() {
                let mut cut = parts.clone();
                cut[part].1.truncate(length);
                // Text has no end of its own: what is left of a table is one, too.
                let may_hold = parts[part].0.ends_with("csv");
                let result = join(&cut);
                assert!(result.is_err() || may_hold, "{:?} cut at {length}", parts[part].0);
            }
        }
    }
}

#[test]
fn every_flipped_bit_is_an_error_or_a_dataset() {
    for parts in samples() {
        for part in 0..parts.len() {
            for position in 0..parts[part].1.len() {
                for bit in 0..8 {
                    let mut damaged = parts.clone();
                    damaged[part].1[position] ^= 1 << bit;
                    let _ = join(&damaged);
                }
            }
        }
    }
}

proptest! {
    #[test]
    fn images_come_back(
        (h, w, pixels, y) in (1..5_usize, 1..5_usize, 1..9_usize)
            .prop_flat_map(|(h, w, n)| (Just(h), Just(w), vec(any::<u8>(), n * h * w), vec(0..10_u8, n))),
        zipped: bool,
    ) {
        let n = y.len();
        let (images, labels) = (idx(&[n as u32, h as u32, w as u32], &pixels), idx(&[n as u32], &y));
        let wrap = |bytes: Vec<u8>| if zipped { gzip(&bytes) } else { bytes };
        let data = join(&vec![("t10k-images", wrap(images)), ("t10k-labels", wrap(labels))]).unwrap();
        prop_assert_eq!(&data.input, &[1, h, w]);
        let expected = pixels.iter().map(|&p| f32::from(p) / 255.0).collect();
        prop_assert_eq!(&data.test().unwrap().x, &Array2::from_shape_vec((n, h * w), expected).unwrap());
        prop_assert_eq!(&data.test().unwrap().y, &y.iter().map(|&y| usize::from(y)).collect::<Vec<_>>());
    }

    #[test]
    fn arrays_come_back(
        (a, b, values, y) in (1..5_usize, 1..5_usize, 1..9_usize).prop_flat_map(|(a, b, n)| {
            (Just(a), Just(b), vec(-1e30..1e30_f32, n * a * b), vec(0..300_i32, n))
        }),
        fortran: bool,
        wide: bool,
        deflated: bool,
    ) {
        let n = y.len();
        let c_order = |at: usize| (at / (a * b), at / b % a, at % b);
        let mut stored = values.clone();
        if fortran {
            for (at, &value) in values.iter().enumerate() {
                let (i, j, k) = c_order(at);
                stored[i + n * (j + a * k)] = value;
            }
        }
        let bytes: Vec<u8> = if wide {
            stored.iter().flat_map(|&v| f64::from(v).to_le_bytes()).collect()
        } else {
            stored.iter().flat_map(|&v| v.to_le_bytes()).collect()
        };
        let order = if fortran { "True" } else { "False" };
        let x = npy(if wide { "'<f8'" } else { "'<f4'" }, order, &format!("({n}, {a}, {b})"), &bytes);
        let labels: Vec<u8> = y.iter().flat_map(|y| y.to_le_bytes()).collect();
        let labels = npy("'<i4'", "False", &format!("({n},)"), &labels);
        let data = Dataset::from_bytes(&zip(&[("y.npy", &labels), ("x.npy", &x)], deflated)).unwrap();
        prop_assert_eq!(&data.input, &[1, a, b]);
        prop_assert_eq!(&data.train().unwrap().x, &Array2::from_shape_vec((n, a * b), values).unwrap());
        prop_assert_eq!(&data.train().unwrap().y, &y.iter().map(|&y| y as usize).collect::<Vec<_>>());
    }

    #[test]
    fn tables_come_back(
        (columns, values, y) in (1..6_usize, 1..9_usize)
            .prop_flat_map(|(columns, n)| (Just(columns), vec(-1e30..1e30_f32, n * columns), vec("[a-z ,\"]{0,6}z", n))),
        header: bool,
        separator in prop_oneof![Just(','), Just(';'), Just('\t')],
        end in prop_oneof![Just("\n"), Just("\r\n")],
    ) {
        let mut text = String::new();
        if header {
            text += &(format!("x{separator}").repeat(columns) + "label" + end);
        }
        for (row, label) in values.chunks(columns).zip(&y) {
            for value in row {
                write!(text, "{value}{separator}").unwrap();
            }
            write!(text, "\"{}\"{end}", label.replace('"', "\"\"")).unwrap();
        }
        let data = Dataset::from_bytes(text.as_bytes()).unwrap();
        let train = data.train().unwrap();
        prop_assert_eq!(&train.x, &Array2::from_shape_vec((y.len(), columns), values).unwrap());
        let words: Vec<&str> = train.y.iter().map(|&label| data.classes[label].as_str()).collect();
        prop_assert_eq!(words, y.iter().map(|label| label.trim()).collect::<Vec<_>>());
    }

    #[test]
    fn damaged_bytes_never_panic(file: Index, flips in vec((any::<Index>(), any::<u8>()), 1..8)) {
        let mut parts = file.get(&samples()).clone();
        for (index, byte) in flips {
            let part = index.get(&[0, parts.len() - 1]).to_owned();
            let at = index.index(parts[part].1.len());
            parts[part].1[at] = byte;
        }
        let _ = join(&parts);
    }
}
