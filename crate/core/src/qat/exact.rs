//! Values as JSON whose numbers come back in every bit. Reading decimal text may be off by the last one, so the bits of
//! all floats go beside the text.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Number, Value};

/// The text, and the bits of its floats in the order of [`each_float`].
pub(super) fn pack(value: &impl Serialize) -> (String, Vec<i64>) {
    let mut value = serde_json::to_value(value).unwrap_or_default();
    let mut bits = Vec::new();
    each_float(&mut value, &mut |float| {
        bits.push(float.as_f64().unwrap_or_default().to_bits().cast_signed());
        Some(())
    });
    (value.to_string(), bits)
}

/// `None` where the text is of another type, or the bits are not its own.
pub(super) fn unpack<T: DeserializeOwned>(text: &str, bits: &[i64]) -> Option<T> {
    let mut value: Value = serde_json::from_slice(text.as_bytes()).ok()?;
    let mut bits = bits.iter();
    each_float(&mut value, &mut |float| {
        *float = Number::from_f64(f64::from_bits(bits.next()?.cast_unsigned()))?;
        Some(())
    })?;
    bits.next().is_none().then_some(())?;
    serde_json::from_value(value).ok()
}

/// Visits all numbers that are no integers, fields by name. `None` as soon as `visit` says so.
fn each_float(value: &mut Value, visit: &mut impl FnMut(&mut Number) -> Option<()>) -> Option<()> {
    match value {
        Value::Number(number) if number.is_f64() => visit(number),
        Value::Array(items) => items.iter_mut().try_for_each(|item| each_float(item, visit)),
        Value::Object(fields) => {
            // Whether a map keeps its order depends on features that other crates switch on.
            let mut fields: Vec<_> = fields.iter_mut().collect();
            fields.sort_unstable_by_key(|(name, _)| *name);
            fields.into_iter().try_for_each(|(_, field)| each_float(field, visit))
        }
        _ => Some(()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn bits_must_be_those_of_the_text() {
        let (text, bits) = pack(&vec![0.1, 2.0]);
        assert_eq!((text.as_str(), bits.len()), ("[0.1,2.0]", 2));
        assert!(unpack::<Vec<f64>>(&text, &bits[1..]).is_none() && unpack::<Vec<f64>>(&text, &[0; 3]).is_none());
        assert!(unpack::<Vec<f64>>(&text, &[f64::NAN.to_bits().cast_signed(); 2]).is_none());
        assert!(unpack::<Vec<bool>>(&text, &bits).is_none() && unpack::<Vec<f64>>("[0.1", &bits[1..]).is_none());
    }

    proptest! {
        #[test]
        fn floats_come_back_in_every_bit(values: Vec<f64>, count: u64) {
            let values: Vec<f64> = values.into_iter().filter(|v| v.is_finite()).collect();
            let (text, bits) = pack(&(values.clone(), count));
            let (back, counted): (Vec<f64>, u64) = unpack(&text, &bits).unwrap();
            prop_assert_eq!(counted, count);
            prop_assert!(back.iter().map(|v| v.to_bits()).eq(values.iter().map(|v| v.to_bits())));
        }
    }
}
