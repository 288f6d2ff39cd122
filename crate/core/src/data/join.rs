//! Puts the contents of several files together: splits, pairs of images and labels, classes.

use std::collections::BTreeMap;

use ndarray::Array2;

use super::content::{Classes, Content, Labels, MOST_CLASSES, MOST_VALUES, Samples, Which};
use super::{DataError, Dataset, Split};
use crate::tensors::TensorError;

/// What was read so far.
#[derive(Debug, Default)]
pub(super) struct Joiner {
    first: Option<First>,
    /// Shape of one sample.
    input: Option<Vec<usize>>,
    train: Gathered,
    test: Gathered,
    metadata: BTreeMap<String, String>,
}

/// What later files must agree with.
#[derive(Debug)]
struct First {
    file: String,
    format: &'static str,
    name: Option<String>,
    classes: Classes,
}

/// Samples of one split. Of IDX several files of images may come before their labels; they are paired in order.
#[derive(Debug, Default)]
struct Gathered {
    x: Vec<f32>,
    y: Vec<Labels>,
    /// Samples in each file with `x`, and labels in each with `y`.
    counts: (Vec<usize>, Vec<usize>),
}

impl Joiner {
    /// Takes in a file. Its name says which split, unless the file itself does; without either it is `train`.
    ///
    /// # Errors
    /// Another format, classes or shape than before, empty, not finite, or too many values in all.
    pub(super) fn add(&mut self, file: &str, content: Content) -> Result<(), DataError> {
        let Content { format, name, classes, samples, metadata } = content;
        match &self.first {
            None => self.first = Some(First { file: file.to_owned(), format, name, classes }),
            Some(first) if first.format == format && first.classes == classes => {}
            Some(First { file, format: before, .. }) => {
                let first = if file.is_empty() { "the first file".into() } else { format!("{file} ({before})") };
                return Err(DataError::Mixed { first, got: format!("this {format} file") });
            }
        }
        for (key, value) in metadata {
            let held = self.metadata.entry(key).or_insert_with(|| value.clone());
            if !format!("; {held}; ").contains(&format!("; {value}; ")) {
                *held = format!("{held}; {value}");
            }
        }
        samples.into_iter().try_for_each(|samples| self.add_samples(file, samples))
    }

    fn add_samples(&mut self, file: &str, samples: Samples) -> Result<(), DataError> {
        let which = samples.split.or_else(|| Which::of_name(file)).unwrap_or(Which::Train);
        let split = which.name();
        let held = self.train.x.len() + self.test.x.len();
        let gathered = match which {
            Which::Train => &mut self.train,
            Which::Test => &mut self.test,
        };
        if let Some(x) = samples.x {
            let shape = samples.shape;
            if shape.is_empty() {
                return Err(DataError::NoSamples { split, shape: vec![x.len()] });
            }
            if x.is_empty() {
                return Err(DataError::Empty { split });
            }
            if held + x.len() > MOST_VALUES {
                return Err(DataError::TooLarge { what: "a dataset, in values,", limit: MOST_VALUES as u64 });
            }
            if let Some(position) = x.iter().position(|value| !value.is_finite()) {
                return Err(TensorError::NotFinite { name: format!("{split}.x"), position }.into());
            }
            let expected = self.input.get_or_insert_with(|| shape.clone());
            if *expected != shape {
                let (name, expected) = (format!("{split}.x"), expected.clone());
                return Err(TensorError::Shape { name, got: shape, expected }.into());
            }
            gathered.counts.0.push(x.len() / shape.iter().product::<usize>().max(1));
            if gathered.x.is_empty() {
                gathered.x = x;
            } else {
                gathered.x.extend(x);
            }
        }
        if let Some(y) = samples.y {
            gathered.counts.1.push(y.len());
            gathered.y.push(y);
        }
        Ok(())
    }

    /// The dataset, with classes known from all files.
    ///
    /// # Errors
    /// Images without labels or the reverse, counts that disagree, labels that are no classes.
    pub(super) fn finish(self) -> Result<Dataset, DataError> {
        let Some(first) = self.first else { return Err(DataError::NoSplit { split: "train or test" }) };
        for (split, gathered) in [("train", &self.train), ("test", &self.test)] {
            gathered.check(split)?;
        }
        let classes = match first.classes {
            Classes::Known(classes) => classes,
            Classes::Numbered { at_least } => {
                let labels = self.train.numbers().chain(self.test.numbers());
                // Labels outside are named below, with their position.
                let highest = labels.max().and_then(|label| usize::try_from(label).ok()).unwrap_or_default();
                (0..(highest.saturating_add(1)).clamp(at_least, MOST_CLASSES)).map(|n| n.to_string()).collect()
            }
            Classes::Found => sorted(self.train.words().chain(self.test.words()))?,
        };
        let Some(input) = self.input else { return Err(DataError::NoSplit { split: "train or test" }) };
        let features = input.iter().product();
        let finish = |gathered: Gathered, split| gathered.finish(split, features, &classes);
        let (train, test) = (finish(self.train, "train")?, finish(self.test, "test")?);
        let name = first.name.unwrap_or_else(|| stem(&first.file));
        Ok(Dataset { name, classes, input, train, test, metadata: self.metadata })
    }
}

impl Gathered {
    fn check(&self, split: &'static str) -> Result<(), DataError> {
        let (x, y) = &self.counts;
        if x.len() != y.len() {
            let (have, missing) = if x.len() > y.len() { ("images", "labels") } else { ("labels", "images") };
            return Err(DataError::Unpaired { split, have, missing });
        }
        match x.iter().zip(y).find(|(x, y)| x != y) {
            Some((&samples, &labels)) => Err(DataError::Counts { split, samples, labels: vec![labels] }),
            None => Ok(()),
        }
    }

    fn numbers(&self) -> impl Iterator<Item = i64> {
        self.y.iter().filter_map(|y| if let Labels::Numbers(y) = y { Some(y) } else { None }).flatten().copied()
    }

    fn words(&self) -> impl Iterator<Item = &str> {
        self.y
            .iter()
            .filter_map(|y| if let Labels::Words(y) = y { Some(y) } else { None })
            .flatten()
            .map(String::as_str)
    }

    fn finish(self, split: &'static str, features: usize, classes: &[String]) -> Result<Option<Split>, DataError> {
        if self.y.is_empty() {
            return Ok(None);
        }
        let number = |(position, label): (usize, i64)| {
            let known = usize::try_from(label).ok().filter(|&label| label < classes.len());
            known.ok_or(DataError::Label { split, position, label, classes: classes.len() })
        };
        let mut y: Vec<usize> = self.numbers().enumerate().map(number).collect::<Result<_, _>>()?;
        // Few classes are told apart among many samples: a search in the short list costs nothing.
        y.extend(self.words().filter_map(|word| classes.binary_search_by(|class| order(class, word)).ok()));
        let (samples, values) = (y.len(), self.x.len());
        let x = Array2::from_shape_vec((samples, features), self.x).map_err(|_| TensorError::Shape {
            name: format!("{split}.x"),
            got: vec![values],
            expected: vec![samples, features],
        })?;
        Ok(Some(Split { x, y }))
    }
}

/// Numbers by their value, before words by their letters.
fn order(a: &str, b: &str) -> std::cmp::Ordering {
    let number = |word: &str| word.parse::<i64>().map_or((1, 0), |number| (0, number));
    number(a).cmp(&number(b)).then_with(|| a.cmp(b))
}

/// Each word once. Kept in order as they come: classes are few, and a sort would cost the page more code than all else
/// here.
fn sorted<'a>(words: impl Iterator<Item = &'a str>) -> Result<Vec<String>, DataError> {
    let mut found: Vec<&str> = Vec::new();
    for word in words {
        if let Err(place) = found.binary_search_by(|class| order(class, word)) {
            if found.len() == MOST_CLASSES {
                return Err(DataError::TooLarge { what: "the number of classes", limit: MOST_CLASSES as u64 });
            }
            found.insert(place, word);
        }
    }
    Ok(found.into_iter().map(str::to_owned).collect())
}

/// A dataset's name from its first file's: without folders, endings, and the words for splits and parts.
fn stem(path: &str) -> String {
    let file = path.rsplit(['/', '\\']).next().unwrap_or_default();
    let mut name = String::new();
    for word in file.trim_start_matches('.').split('.').next().unwrap_or_default().split(['-', '_']) {
        if Which::of_name(word).is_none() && !matches!(word, "" | "images" | "labels" | "idx1" | "idx3" | "ubyte") {
            if !name.is_empty() {
                name.push('-');
            }
            name.push_str(word);
        }
    }
    if name.is_empty() { "unnamed".into() } else { name }
}

#[cfg(all(test, feature = "formats"))]
mod tests {
    use super::*;
    use crate::data::{Dataset, NamedBytes};

    fn join(files: &[(&str, &str)]) -> Result<Dataset, DataError> {
        let parts: Vec<_> = files.iter().map(|(name, text)| NamedBytes { name, bytes: text.as_bytes() }).collect();
        Dataset::from_parts(&parts)
    }

    #[test]
    fn classes_are_those_of_all_files() {
        let data =
            join(&[("iris_train.csv", "1,10\n2,9\n"), ("iris_test.csv", "3,9\n4,b\n"), ("more_train.csv", "5,a\n")]);
        let data = data.unwrap();
        assert_eq!((data.name.as_str(), data.classes.join(" ")), ("iris", "9 10 a b".into()));
        assert_eq!((&*data.train().unwrap().y, &*data.test().unwrap().y), (&[1, 0, 2][..], &[0, 3][..]));
        assert_eq!(data.train().unwrap().x, ndarray::array![[1.0], [2.0], [5.0]]);
    }

    #[test]
    fn files_that_do_not_belong_together_are_named() {
        let code = |files: &[(&str, &str)]| join(files).unwrap_err().code();
        assert_eq!(code(&[]), "data/no-split");
        assert_eq!(code(&[("a", "1,a\n"), ("b", "1,2,a\n")]), "data/tensor-shape");
        let error = join(&[("a.csv", "1,a\n"), ("b.idx", "\0\0\u{8}\u{1}\0\0\0\u{1}\0")]).unwrap_err();
        assert_eq!(error.code(), "data/mixed");
        let text = error.to_string();
        assert!(text.contains("a.csv (CSV)") && text.contains("b.idx: ") && text.contains("IDX"), "{text}");
        assert!(join(&[("a", "1,a\n"), ("bad.csv", "1,a\n2\n")]).unwrap_err().to_string().starts_with("bad.csv: "));
    }

    #[test]
    fn a_name_comes_from_the_file() {
        for (path, expected) in [
            ("a/b/iris.csv", "iris"),
            ("train-images-idx3-ubyte.gz", "unnamed"),
            ("fashion_train-images.gz", "fashion"),
            ("", "unnamed"),
        ] {
            assert_eq!(stem(path), expected);
        }
    }
}
