//! Text as small integers: phrases that models' descriptions are made of, most frequent first, and single bytes. The
//! description of a small net, 400 bytes of JSON, takes some 50 coded so.
//!
//! Token t is phrase t, or behind the phrases byte t − 128. It is coded as 0, −1, 1, −2, 2, … for t = 0, 1, 2, …
//! The list is part of the file format: it must not change.

/// Keeps texts apart; never in UTF-8.
pub(super) const SEPARATOR: u8 = 0xff;

const PHRASES: [&[u8]; 128] = [
    b"2",
    b"1",
    b"3",
    b"4",
    b"relu",
    b"\",\"kind\":\"relu\"},{\"name\":\"",
    b"bn",
    b"5",
    b"\",\"kind\":\"conv2d\",\"filters\":",
    b"\",\"kind\":\"batch_norm\"},{\"name\":\"",
    b"\",\"kind\":\"dense\",\"units\":",
    b"fc",
    b"conv",
    b",\"kernel\":[3,3],\"padding\":[1,1],\"bias\":false},{\"name\":\"",
    b"0",
    b"6",
    b"8",
    b"0.0",
    b"digits",
    b",",
    b"{\"input\":[",
    b"],\"layers\":[{\"name\":\"",
    b"},{\"name\":\"",
    b"}]}",
    b"\xffclasses\xff[\"0\",\"1\",\"2",
    b"\xffname\xff",
    b"\xffquantization\xff{\"method\":\"",
    b"\",\"bits\":",
    b",\"lambda\":",
    b",\"p\":",
    b",\"mode\":\"exact\"}",
    b"7",
    b"\"]},{\"name\":\"",
    b"\",\"3\",\"4\",\"5\",\"6\",\"7\",\"8\",\"9\"]",
    b"\xffdataset\xff",
    b"\",\"kind\":\"flatten\"},{\"name\":\"",
    b"\",\"kind\":\"add\",\"inputs\":[\"",
    b"\",\"kind\":\"max_pool2d\",\"kernel\":[2,2]},{\"name\":\"",
    b",\"stride\":[2,2]",
    b"\",\"",
    b"ecqx",
    b"0.",
    b"flat",
    b"pool",
    b"sum",
    b"-mlp",
    b"spirals",
    b",\"bias\":false",
    b",\"bias\":false},{\"name\":\"",
    b"\",\"kind\":\"global_avg_pool\"},{\"name\":\"",
    b",\"kernel\":[3,3]",
    b",\"kernel\":[1,1]",
    b",\"padding\":[1,1]",
    b",\"inputs\":[\"",
    b"\"]\xffdataset\xff",
    b"nearest",
    b"ecq",
    b"shortcut",
    b"gap",
    b"-cnn",
    b"-resnet",
    b"a",
    b"e",
    b"i",
    b"l",
    b"n",
    b"o",
    b"r",
    b"s",
    b"t",
    b"\"},{\"name\":\"",
    b"\",\"kind\":\"",
    b",\"kernel\":[",
    b"],\"stride\":[",
    b"],\"padding\":[",
    b"],\"groups\":",
    b"\",\"kind\":\"max_pool2d\",\"kernel\":[",
    b"\",\"kind\":\"avg_pool2d\",\"kernel\":[",
    b",\"kernel\":[3,3],\"padding\":[1,1]},{\"name\":\"",
    b",\"kernel\":[3,3],\"padding\":[1,1]",
    b",\"kernel\":[5,5]",
    b",\"padding\":[2,2]",
    b"],\"inputs\":[\"",
    b",\"eps\":",
    b",\"momentum\":",
    b"\xffclasses\xff[\"",
    b"\xffaccuracy\xff0.",
    b"\xfflicense\xff",
    b"\xffsource\xff",
    b",\"mode\":\"reference\"}",
    b",\"alpha\":",
    b",\"composite\":\"",
    b",\"output_relevance\":\"",
    b",\"batch_norm\":\"",
    b"epsilon",
    b"layer",
    b"downsample",
    b"mnist",
    b"cifar",
    b"input",
    b"9",
    b".",
    b"-",
    b"_",
    b"\"",
    b"[",
    b"]",
    b"{",
    b"}",
    b":",
    b" ",
    b"b",
    b"c",
    b"d",
    b"f",
    b"g",
    b"h",
    b"j",
    b"k",
    b"m",
    b"p",
    b"q",
    b"u",
    b"v",
    b"w",
    b"x",
    b"y",
    b"z",
];

/// The integers of some bytes: at every place the longest phrase.
pub(super) fn to_integers(mut bytes: &[u8]) -> Vec<i32> {
    let mut integers = Vec::new();
    while let Some((&first, rest)) = bytes.split_first() {
        let phrases = (0_i32..).zip(PHRASES).filter(|(_, phrase)| bytes.starts_with(phrase));
        let longest = phrases.max_by_key(|(_, phrase)| phrase.len());
        let (token, after) = match longest {
            Some((token, phrase)) => (token, bytes.get(phrase.len()..).unwrap_or_default()),
            None => (PHRASES.len() as i32 + i32::from(first), rest),
        };
        bytes = after;
        integers.push(if token % 2 == 1 { -(token + 1) / 2 } else { token / 2 });
    }
    integers
}

/// The bytes of some integers; `None` for one that stands for nothing.
pub(super) fn to_bytes(integers: &[i32]) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    for &integer in integers {
        let token = 2 * u64::from(integer.unsigned_abs()) - u64::from(integer < 0);
        let token = usize::try_from(token).ok()?;
        match PHRASES.get(token) {
            Some(phrase) => bytes.extend(*phrase),
            None => bytes.push(u8::try_from(token - PHRASES.len()).ok()?),
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn phrases_are_short() {
        let text = br#"","kind":"dense","units":128},{"name":"relu1","kind":"relu"},{"name":""#;
        let integers = to_integers(text);
        assert_eq!(integers.len(), 8, "{integers:?}");
        assert!(integers.iter().all(|v| v.abs() < 12), "{integers:?}");
        assert_eq!(to_bytes(&integers).unwrap(), text);
    }

    #[test]
    fn no_phrase_is_listed_twice_or_too_long_to_be_used() {
        for (at, phrase) in PHRASES.iter().enumerate() {
            let token = at as i32;
            let integer = if token % 2 == 1 { -(token + 1) / 2 } else { token / 2 };
            assert_eq!(to_integers(phrase), [integer], "{}", phrase.escape_ascii());
        }
    }

    proptest! {
        #[test]
        fn every_text_comes_back(bytes in proptest::collection::vec(any::<u8>(), 0..40), integers in proptest::collection::vec(any::<i32>(), 0..9)) {
            prop_assert_eq!(to_bytes(&to_integers(&bytes)), Some(bytes));
            let _ = to_bytes(&integers);
        }
    }
}
