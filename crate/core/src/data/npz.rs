//! `.npz`: a zip archive of arrays, with samples `x` and labels `y`, for one split or for both.

use std::collections::BTreeMap;

use super::DataError;
use super::compressed::{Archive, archive, unpack};
use super::content::{Classes, Content, Labels, Samples, Which};
use super::npy::Npy;

const FORMAT: &str = "npz";
/// Names that people save samples and labels under, in the order in which they are looked for.
const X: [&str; 2] = ["x", "images"];
const Y: [&str; 2] = ["y", "labels"];

/// Reads `x` and `y` (or `images` and `labels`), alone or with `train` or `test` before or after: `x_train`,
/// `test_labels`. Other arrays are left alone.
///
/// `x` is [n, …one sample's shape]; uint8 is divided by 255, as grey levels are, other types are kept as they are.
/// Images without channels [n, height, width] get one channel, images with their 1, 3 or 4 channels last
/// [n, height, width, channels] get them first. `y` holds class numbers from 0, [n] or [n, 1].
///
/// # Errors
/// Archives or arrays that cannot be read, `x` without `y`, labels that are no class numbers.
pub(super) fn read(bytes: &[u8]) -> Result<Content, DataError> {
    let mut archive = archive(bytes)?;
    let mut samples = Vec::new();
    for split in [None, Some(Which::Train), Some(Which::Test)] {
        let (x, y) = (find(&archive, &X, split), find(&archive, &Y, split));
        let name = split.unwrap_or(Which::Train).name();
        match (x, y) {
            (None, None) => {}
            (Some(x), Some(y)) => samples.push(read_split(&mut archive, [x, y], split, name)?),
            (x, _) => {
                let (have, missing) = if x.is_some() { ("x", "y") } else { ("y", "x") };
                return Err(DataError::Unpaired { split: name, have, missing });
            }
        }
    }
    if samples.is_empty() {
        let names: Vec<_> = archive.file_names().take(6).map(|name| name.escape_debug().to_string()).collect();
        let got = format!("[{}]", names.join(", ").chars().take(120).collect::<String>());
        let supported = "save samples as x and labels as y, or x_train, y_train, x_test, y_test";
        return Err(DataError::Unsupported { format: FORMAT, what: "an archive of", got, supported });
    }
    let classes = Classes::Numbered { at_least: 0 };
    Ok(Content { format: FORMAT, name: None, classes, samples, metadata: BTreeMap::new() })
}

/// The number of the member of one of these names.
fn find(archive: &Archive<'_>, words: &[&str], split: Option<Which>) -> Option<usize> {
    let is = |name: &str| {
        let name = name.strip_suffix(".npy").unwrap_or_default().to_ascii_lowercase();
        words.iter().any(|word| match split {
            None => name == *word,
            Some(split) => {
                let split = split.name();
                name == format!("{word}_{split}") || name == format!("{split}_{word}")
            }
        })
    };
    archive.file_names().position(is)
}

fn read_split(
    archive: &mut Archive<'_>,
    [x, y]: [usize; 2],
    split: Option<Which>,
    name: &'static str,
) -> Result<Samples, DataError> {
    // Labels first: they are small, and what is wrong with them is known before memory is taken.
    let y = unpack(archive, y)?;
    let y = Npy::from_bytes(&y)?;
    let x = unpack(archive, x)?;
    let x = Npy::from_bytes(&x)?;
    let Some((&samples, shape)) = x.shape.split_first() else {
        return Err(DataError::NoSamples { split: name, shape: x.shape });
    };
    if samples == 0 {
        return Err(DataError::Empty { split: name });
    }
    if y.shape != [samples] && y.shape != [samples, 1] {
        return Err(DataError::Counts { split: name, samples, labels: y.shape });
    }
    let Some(labels) = y.to_i64() else {
        let (got, supported) = ("a fraction".to_owned(), "labels are class numbers from 0");
        return Err(DataError::Unsupported { format: FORMAT, what: "the label", got, supported });
    };
    let mut values = x.to_f32();
    let is_channels = |n: usize| matches!(n, 1 | 3 | 4);
    let shape = match *shape {
        [height, width] => vec![1, height, width],
        [height, width, channels] if is_channels(channels) && !is_channels(height) => {
            values = channels_first(&values, channels, height * width);
            vec![channels, height, width]
        }
        _ => shape.to_vec(),
    };
    Ok(Samples { split, shape, x: Some(values), y: Some(Labels::Numbers(labels)) })
}

/// [n, pixels, channels] to [n, channels, pixels].
fn channels_first(values: &[f32], channels: usize, pixels: usize) -> Vec<f32> {
    let images = values.chunks_exact((channels * pixels).max(1));
    images.flat_map(|image| (0..channels).flat_map(move |c| image.iter().skip(c).step_by(channels).copied())).collect()
}

#[cfg(test)]
mod tests {
    use crate::data::Dataset;
    use crate::data::compressed::tests::zip;
    use crate::data::npy::tests::npy;

    fn code(files: &[(&str, &[u8])]) -> &'static str {
        Dataset::from_bytes(&zip(files, true)).unwrap_err().code()
    }

    #[test]
    fn both_splits_under_several_names() {
        let x = npy("'|u1'", "False", "(2, 1, 2)", &[0, 51, 102, 255]);
        let y = npy("'<i8'", "False", "(2,)", &[1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0]);
        let column = npy("'|u1'", "False", "(2, 1)", &[3, 0]);
        let names =
            [("x_train.npy", "y_train.npy"), ("train_X.npy", "train_Y.npy"), ("train_images.npy", "train_labels.npy")];
        for (x_name, y_name) in names {
            let files = [(x_name, &*x), ("test_x.npy", &*x), (y_name, &*y), ("y_test.npy", &*column), ("z.npy", b"?")];
            let data = Dataset::from_bytes(&zip(&files, x_name.contains('X'))).unwrap();
            assert_eq!((data.input.as_slice(), data.classes.join("")), (&[1, 1, 2][..], "0123".into()));
            assert_eq!(data.train().unwrap().x, ndarray::array![[0.0, 0.2], [0.4, 1.0]]);
            assert_eq!((&*data.train().unwrap().y, &*data.test().unwrap().y), (&[1, 2][..], &[3, 0][..]));
        }
    }

    #[test]
    fn channels_come_first() {
        let x = npy("'|i1'", "False", "(1, 2, 2, 3)", &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
        let y = npy("'|u1'", "False", "(1,)", &[1]);
        let data = Dataset::from_bytes(&zip(&[("x.npy", &x), ("y.npy", &y)], false)).unwrap();
        assert_eq!(data.input, [3, 2, 2]);
        let expected = [1.0, 4.0, 7.0, 10.0, 2.0, 5.0, 8.0, 11.0, 3.0, 6.0, 9.0, 12.0];
        assert_eq!(data.train().unwrap().x.row(0).to_vec(), expected);
    }

    #[test]
    fn what_is_wrong_is_named() {
        let (x, y) = (npy("'<f4'", "False", "(1, 1)", &[0; 4]), npy("'|i1'", "False", "(1,)", &[0]));
        let changed =
            |other: &[u8]| (code(&[("x.npy", other), ("y.npy", &y)]), code(&[("x.npy", &x), ("y.npy", other)]));
        assert_eq!(code(&[]), "data/unsupported");
        assert_eq!(code(&[("a.npy", &x)]), "data/unsupported");
        assert_eq!(code(&[("x.npy", &x)]), "data/unpaired");
        assert_eq!(code(&[("y_test.npy", &y)]), "data/unpaired");
        assert_eq!(changed(&[]), ("data/damaged", "data/damaged"));
        assert_eq!(changed(&npy("'|i1'", "False", "()", &[0])), ("data/counts", "data/counts"));
        assert_eq!(changed(&npy("'|i1'", "False", "(2, 1)", &[0, 0])), ("data/counts", "data/counts"));
        assert_eq!(
            changed(&npy("'<f4'", "False", "(1,)", &0.5_f32.to_le_bytes())),
            ("data/counts", "data/unsupported")
        );
        assert_eq!(changed(&npy("'|i1'", "False", "(1, 0)", &[])).0, "data/empty");
        assert_eq!(changed(&npy("'<f4'", "False", "(1, 1)", &f32::NAN.to_le_bytes())).0, "data/not-finite");
        assert_eq!(changed(&npy("'|i1'", "False", "(1,)", &[255])).1, "data/label");
        assert_eq!(changed(&npy("'<i4'", "False", "(1,)", &(1_i32 << 20).to_le_bytes())).1, "data/label");
        let none = npy("'|i1'", "False", "(0, 1)", &[]);
        assert_eq!(code(&[("x.npy", &none), ("y.npy", &npy("'|i1'", "False", "(0,)", &[]))]), "data/empty");
    }
}
