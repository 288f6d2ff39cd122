//! Looks into a built module: a flag in a config file is a wish, the instructions in the file are the fact.

use anyhow::{Context, Result, bail};
use wasmparser::{Operator, Parser, Payload};

/// What a module's code is made of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Facts {
    /// Arithmetic on one `f32`.
    pub(crate) scalar: usize,
    /// Arithmetic on four `f32` at once.
    pub(crate) vector: usize,
}

/// # Errors
/// When the bytes are no wasm module.
pub(crate) fn inspect(wasm: &[u8]) -> Result<Facts> {
    let mut facts = Facts::default();
    for payload in Parser::new(0).parse_all(wasm) {
        if let Payload::CodeSectionEntry(body) = payload.context("this is no wasm module")? {
            for operator in body.get_operators_reader()? {
                match operator? {
                    Operator::F32Add | Operator::F32Sub | Operator::F32Mul | Operator::F32Div => facts.scalar += 1,
                    Operator::F32x4Add | Operator::F32x4Sub | Operator::F32x4Mul | Operator::F32x4Div => {
                        facts.vector += 1;
                    }
                    _ => {}
                }
            }
        }
    }
    Ok(facts)
}

/// # Errors
/// When a module computes with floats, but never with four at once: then simd128 got lost on the way.
pub(crate) fn check_simd(name: &str, facts: Facts) -> Result<()> {
    if facts.scalar > 0 && facts.vector == 0 {
        bail!(
            "wasm {name} has {} float instructions and none of simd128: is `target-feature=+simd128` still in .cargo/config.toml?",
            facts.scalar
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A module with one function of no parameters and results, with this body.
    fn module(body: &[u8]) -> Vec<u8> {
        let mut bytes = b"\0asm\x01\0\0\0".to_vec();
        bytes.extend([1, 4, 1, 0x60, 0, 0]); // one type: () -> ()
        bytes.extend([3, 2, 1, 0]); // one function of it
        let length = u8::try_from(body.len()).unwrap();
        bytes.extend([10, length + 4, 1, length + 2, 0]); // its code, no locals
        bytes.extend(body);
        bytes.push(0x0b);
        bytes
    }

    #[test]
    fn counts_scalar_and_vector_arithmetic() {
        let scalar = module(&[0x43, 0, 0, 0, 0, 0x43, 0, 0, 0, 0, 0x92, 0x1a]); // two f32.const, f32.add, drop
        let facts = inspect(&scalar).unwrap();
        assert_eq!(facts, Facts { scalar: 1, vector: 0 });
        assert!(check_simd("engine", facts).is_err());
        let mut both = vec![0x20, 0, 0x20, 0, 0xfd, 0xe4, 0x01, 0x1a]; // local.get twice, f32x4.add, drop
        both.extend([0x92]);
        let facts = inspect(&module(&both)).unwrap();
        assert_eq!(facts, Facts { scalar: 1, vector: 1 });
        assert!(check_simd("engine", facts).is_ok());
    }

    #[test]
    fn an_empty_module_is_fine_and_junk_is_not() {
        assert!(check_simd("engine", inspect(&module(&[])).unwrap()).is_ok());
        assert!(inspect(b"<!doctype html>").is_err());
    }
}
