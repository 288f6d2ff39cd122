//! Transcendental functions that give the same bits everywhere. The standard library's go to the platform's C library,
//! whose last digits differ between systems and from WebAssembly; `libm` is one implementation for all.
//! `clippy.toml` forbids the standard ones in this crate. Roots, sums and products are exact by IEEE 754.

pub(crate) fn exp_f32(x: f32) -> f32 {
    libm::expf(x)
}

pub(crate) fn ln(x: f64) -> f64 {
    libm::log(x)
}

/// ln for many numbers at once: without a branch, so that a loop over it runs in vector lanes. Relative error below
/// 2e-12 for positive normal numbers; 0 and infinity give large finite numbers of the right sign.
///
/// ```text
/// x = m·2^e, √½ ≤ m < √2:   ln x = e·ln 2 + 2·artanh s,   s = (m − 1)/(m + 1),   artanh s = s + s³/3 + s⁵/5 + …
/// ```
#[inline]
pub(crate) fn ln_in_lanes(x: f64) -> f64 {
    const MANTISSA: u64 = (1 << 52) - 1;
    let sqrt_half = std::f64::consts::FRAC_1_SQRT_2.to_bits();
    // One exponent more from √½ on: what stands above the mantissa's bits is then e, with the usual bias.
    let bits = x.to_bits() + (1.0_f64.to_bits() - sqrt_half);
    // An integer below 2^52 in the mantissa of 2^52: the quickest way to a float in lanes.
    let two_52 = 4_503_599_627_370_496.0_f64;
    let exponent = f64::from_bits((bits >> 52) | two_52.to_bits()) - (two_52 + 1023.0);
    let mantissa = f64::from_bits((bits & MANTISSA) + sqrt_half);
    let s = (mantissa - 1.0) / (mantissa + 1.0);
    let z = s * s;
    let tail = 2.0 / 7.0 + z * (2.0 / 9.0 + z * (2.0 / 11.0 + z * (2.0 / 13.0)));
    s * (2.0 + z * (2.0 / 3.0 + z * (2.0 / 5.0 + z * tail))) + exponent * std::f64::consts::LN_2
}

/// The same in f32, for a first look: error below 1e-5 for all numbers at which ln counts, 0 and infinity as above.
#[inline]
pub(crate) fn ln_screened(x: f32) -> f32 {
    const MANTISSA: u32 = (1 << 23) - 1;
    let sqrt_half = std::f32::consts::FRAC_1_SQRT_2.to_bits();
    let bits = x.to_bits() + (1.0_f32.to_bits() - sqrt_half);
    let exponent = (bits >> 23).cast_signed() as f32 - 127.0;
    let mantissa = f32::from_bits((bits & MANTISSA) + sqrt_half);
    let s = (mantissa - 1.0) / (mantissa + 1.0);
    let z = s * s;
    s * (2.0 + z * (2.0 / 3.0 + z * (2.0 / 5.0 + z * (2.0 / 7.0)))) + exponent * std::f32::consts::LN_2
}

pub(crate) fn log2(x: f64) -> f64 {
    libm::log2(x)
}

pub(crate) fn cos(x: f64) -> f64 {
    libm::cos(x)
}

pub(crate) fn sin(x: f64) -> f64 {
    libm::sin(x)
}

pub(crate) fn pow(base: f64, exponent: f64) -> f64 {
    libm::pow(base, exponent)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn ln_in_lanes_is_ln(x in prop_oneof![0.0..2.0_f64, 0.999..1.001_f64, 0.0..1e300_f64, 0.0..1e-300_f64]) {
            prop_assume!(x.is_normal());
            prop_assert!((ln_in_lanes(x) - ln(x)).abs() <= 2e-12 * ln(x).abs(), "{x}: {}, not {}", ln_in_lanes(x), ln(x));
        }
    }

    proptest! {
        #[test]
        fn ln_screened_is_near(x in prop_oneof![0.0..2.0_f32, 0.0..1e30_f32, 0.0..1e-30_f32]) {
            prop_assume!(x.is_normal());
            prop_assert!((f64::from(ln_screened(x)) - ln(f64::from(x))).abs() <= 1e-5, "{x}: {}", ln_screened(x));
        }
    }

    #[test]
    fn ln_in_lanes_at_its_ends() {
        assert_eq!(ln_in_lanes(1.0), 0.0);
        assert!(ln_in_lanes(0.0) < -700.0 && ln_in_lanes(f64::INFINITY) > 700.0);
        assert!(ln_screened(0.0) < -80.0 && ln_screened(f32::INFINITY) > 80.0);
    }
}
