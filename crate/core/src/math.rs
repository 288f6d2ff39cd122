//! Transcendental functions that give the same bits everywhere. The standard library's go to the platform's C library,
//! whose last digits differ between systems and from WebAssembly; `libm` is one implementation for all.
//! `clippy.toml` forbids the standard ones in this crate. Roots, sums and products are exact by IEEE 754.

pub(crate) fn exp_f32(x: f32) -> f32 {
    libm::expf(x)
}

pub(crate) fn ln(x: f64) -> f64 {
    libm::log(x)
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
