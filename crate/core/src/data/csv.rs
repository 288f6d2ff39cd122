//! CSV: one sample a line, numbers and in the last column the label. The `csv` crate tells fields apart.

use std::collections::BTreeMap;

use csv::{ReaderBuilder, StringRecord, Trim};

use super::DataError;
use super::content::{Classes, Content, Labels, MOST_VALUES, Samples};

/// The text, if the bytes look like a table: UTF-8 (a byte order mark is skipped) without control characters, with a
/// separator in the first line, and no markup (what a server sends instead of a file that is gone).
pub(super) fn text(bytes: &[u8]) -> Option<&str> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let is_control = |byte: &u8| byte.is_ascii_control() && !matches!(byte, b'\t' | b'\r' | b'\n');
    let is_markup = matches!(bytes.trim_ascii_start().first(), Some(b'<' | b'{' | b'['));
    if is_markup || bytes.iter().any(is_control) {
        return None;
    }
    separator(bytes)?;
    std::str::from_utf8(bytes).ok()
}

/// The separator that the first line has: tab, else semicolon, else comma. Numbers may have a decimal comma only
/// where a semicolon separates.
fn separator(text: &[u8]) -> Option<u8> {
    let text = text.trim_ascii_start();
    let line = text.split(|&byte| byte == b'\n').next()?;
    let has = |separator: u8| {
        let mut quoted = false;
        line.iter().any(|&byte| {
            quoted ^= byte == b'"';
            byte == separator && !quoted
        })
    };
    [b'\t', b';', b','].into_iter().find(|&separator| has(separator))
}

/// Reads samples [features] of 32-bit floats. A first line without a number before its label is a header, and so is
/// one whose label is a word where all others are numbers. Labels are whole numbers or words.
///
/// # Errors
/// With the number of the line: a number of columns unlike the first line's, a field that is no finite number, a
/// label that is empty or a fraction. Also where no line is left, or too many values.
pub(super) fn read(text: &str) -> Result<Content, DataError> {
    let separator = separator(text.as_bytes()).ok_or(DataError::Unknown)?;
    let decimal_comma = separator == b';';
    let mut builder = ReaderBuilder::new();
    let mut records =
        builder.delimiter(separator).has_headers(false).flexible(true).trim(Trim::All).from_reader(text.as_bytes());
    let mut record = StringRecord::new();
    let (mut x, mut y) = (Vec::new(), Vec::new());
    let mut columns = None;
    let (mut is_first, mut only_numbers) = (true, true);
    // Never in text from memory, whatever it holds.
    let failed = |_| DataError::Damaged { format: "CSV", what: "it cannot be read" };
    while records.read_record(&mut record).map_err(failed)? {
        let fields: Vec<&str> = record.iter().collect();
        if fields == [""] {
            continue; // a line of white space
        }
        let line = || line(text, &record);
        let expected = *columns.get_or_insert(fields.len());
        let (Some((label, numbers)), true) = (fields.split_last(), fields.len() == expected) else {
            return Err(DataError::Columns { line: line(), got: fields.len(), expected });
        };
        let could_be_header = std::mem::take(&mut is_first);
        if could_be_header && numbers.iter().all(|field| number(field, decimal_comma).is_none()) {
            continue;
        }
        if x.len() + numbers.len() > MOST_VALUES {
            return Err(DataError::TooLarge { what: "a dataset, in values,", limit: MOST_VALUES as u64 });
        }
        for (column, field) in numbers.iter().enumerate() {
            let value = number(field, decimal_comma).filter(|value| value.is_finite());
            let number = || DataError::Number { line: line(), column: column + 1, got: shown(field) };
            x.push(value.ok_or_else(number)?);
        }
        let label = class(label, decimal_comma).ok_or_else(|| DataError::Word { line: line(), got: shown(label) })?;
        only_numbers &= y.is_empty() || label.parse::<i64>().is_ok();
        y.push(label);
    }
    let features = columns.map_or(0, |columns: usize| columns.saturating_sub(1));
    // Columns named by numbers, as pandas does: 0, 1, 2, label.
    if y.len() > 1 && only_numbers && y.first().is_some_and(|label| label.parse::<i64>().is_err()) {
        y.remove(0);
        x.drain(..features);
    }
    let samples = vec![Samples { split: None, shape: vec![features], x: Some(x), y: Some(Labels::Words(y)) }];
    Ok(Content { format: "CSV", name: None, classes: Classes::Found, samples, metadata: BTreeMap::new() })
}

/// Where a record starts, counted as editors do. (Its own position may be that of empty lines before it.)
fn line(text: &str, record: &StringRecord) -> u64 {
    let start = record.position().map_or(0, csv::Position::byte) as usize;
    let empty = text.bytes().skip(start).take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
    1 + text.bytes().take(start + empty).filter(|&byte| byte == b'\n').count() as u64
}

fn number(field: &str, decimal_comma: bool) -> Option<f32> {
    if decimal_comma { field.replace(',', ".").parse().ok() } else { field.parse().ok() }
}

/// A label as it is compared: `3`, `03` and `3.0` are the same class. No class are missing labels (empty, `nan`) and
/// fractions, which measure something.
fn class(label: &str, decimal_comma: bool) -> Option<String> {
    let as_number = if decimal_comma { label.replace(',', ".") } else { label.to_owned() };
    match as_number.parse::<f64>() {
        // Above 2^53 neighbours of whole numbers are no longer told apart.
        Ok(number) => (number.trunc() == number && number.abs() < 9e15).then(|| (number as i64).to_string()),
        Err(_) => (!label.is_empty() && !label.bytes().any(|byte| byte.is_ascii_control())).then(|| label.to_owned()),
    }
}

/// A field in an error: one line, not too long.
fn shown(field: &str) -> String {
    const MOST: usize = 40;
    let start: String = field.chars().take(MOST).collect();
    if start.len() < field.len() { format!("{start}…") } else { start }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Dataset;

    fn from(text: &str) -> Dataset {
        Dataset::from_bytes(text.as_bytes()).unwrap_or_else(|error| panic!("{text:?}: {error}"))
    }

    fn error(text: &str) -> DataError {
        Dataset::from_bytes(text.as_bytes()).unwrap_err()
    }

    #[test]
    fn separators_headers_and_line_ends_are_found() {
        for text in [
            "1,2.5,a\n-3,4e0,b\n",
            "\u{feff}x1,x2,species\r\n1,2.5,a\r\n-3,4,b",
            "1;2,5;a\n-3;4;b\n",
            "one\ttwo\tlabel\n\n1\t2.5\ta\n \n-3\t4\tb\n\n",
            "\"x,1\",\"x\n2\",y\n\"1\", 2.5 ,\"a\"\n-3,4,b\n",
        ] {
            let data = from(text);
            assert_eq!((data.input.as_slice(), data.classes.join(" ")), (&[2][..], "a b".into()), "{text:?}");
            assert_eq!(data.train().unwrap().x, ndarray::array![[1.0, 2.5], [-3.0, 4.0]], "{text:?}");
            assert_eq!(data.train().unwrap().y, [0, 1], "{text:?}");
        }
    }

    #[test]
    fn labels_are_whole_numbers_or_words() {
        assert_eq!(from("1,10\n2,9.0\n3,09\n4,-1\n").classes, ["-1", "9", "10"]);
        assert_eq!(from("1,\"a \"\"b\"\", c\"\n2,d\n").classes, ["a \"b\", c", "d"]);
        assert_eq!(from("0,1,label\n5,6,1\n7,8,0\n").train().unwrap().x, ndarray::array![[5.0, 6.0], [7.0, 8.0]]);
        assert_eq!(from("0,1,yes\n5,6,no\n").train().unwrap().len(), 2);
    }

    #[test]
    fn errors_name_the_line() {
        for (text, code, words) in [
            ("1,2,a\r\n1,a\r\n", "data/csv", "line 2 has 2 columns, the first one 3"),
            ("x,y,z\n\n1,2,a\n1,?,a\n", "data/csv", "line 4, column 2: \"?\" is not"),
            ("1,a\n,a", "data/csv", "line 2, column 1: \"\""),
            ("1,a\ninf,a", "data/csv", "line 2, column 1: \"inf\""),
            ("1,a\n2,", "data/csv", "line 2: the label \"\""),
            ("1,a\n2,0.5\n", "data/csv", "line 2: the label \"0.5\""),
            ("1,a\n2,nan\n", "data/csv", "line 2: the label \"nan\""),
            ("x,label\n", "data/empty", "train is empty"),
            ("only one column\n1\n", "data/file-format", "CSV with the label in the last column"),
            ("<html><a href=\"a,b\">, </a></html>", "data/file-format", "not a format"),
            ("", "data/file-format", "not a format"),
        ] {
            let error = error(text);
            assert!(error.code() == code && error.to_string().contains(words), "{text:?}: {error}");
        }
        let long = error(&format!("1,a\n{},a\n", "long".repeat(9999))).to_string();
        assert!(long.len() < 150 && long.lines().count() == 1, "{long}");
    }

    #[test]
    fn wide_lines_grow_the_buffers() {
        let line = |digit: &str| format!("{digit},").repeat(5000) + "a";
        let data = from(&format!("{}\n{}\n", line("1"), line("2.25")));
        assert_eq!((data.input.as_slice(), data.train().unwrap().x[[1, 4999]]), (&[5000][..], 2.25));
    }
}
