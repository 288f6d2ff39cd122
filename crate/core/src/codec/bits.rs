//! Bits of the headers, most significant first, and the codes made of them.
//!
//! ```text
//! u(n)   n bits                        i(n)   two's complement
//! ue(k)  y = x + 2^k, n = ⌊log2 y⌋:    n − k zero bits, then y in n + 1 bits
//! ie(k)  ue(k) of −2v for v ≤ 0 and of 2v − 1 for v > 0
//! align  one bit 1, then zero bits up to the next byte; on a boundary a whole byte 0x80
//! ```

use super::CodecError;

/// Bits on their way to bytes.
#[derive(Debug, Default)]
pub(super) struct BitWriter {
    bytes: Vec<u8>,
    /// Bits of the last byte that are taken, 0 to 7; 0: it is full.
    taken: u32,
}

impl BitWriter {
    pub(super) fn u(&mut self, bits: u32, value: u64) {
        for at in (0..bits).rev() {
            if self.taken == 0 {
                self.bytes.push(0);
            }
            let bit = (value >> at & 1) as u8;
            if let Some(last) = self.bytes.last_mut() {
                *last |= bit << (7 - self.taken);
            }
            self.taken = (self.taken + 1) % 8;
        }
    }

    pub(super) fn ue(&mut self, order: u32, value: u64) {
        let y = value + (1 << order);
        let n = y.ilog2();
        self.u(n - order, 0);
        self.u(n + 1, y);
    }

    pub(super) fn ie(&mut self, order: u32, value: i64) {
        self.ue(order, if value > 0 { 2 * value as u64 - 1 } else { 2 * value.unsigned_abs() });
    }

    /// Text and a zero byte; on a byte boundary only.
    pub(super) fn st(&mut self, text: &str) {
        debug_assert!(self.taken == 0);
        self.bytes.extend(text.as_bytes());
        self.bytes.push(0);
    }

    pub(super) fn align(&mut self) {
        self.u(1, 1);
        self.u((8 - self.taken) % 8, 0);
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}

/// Bits of a unit, read up to its end and no further.
#[derive(Debug)]
pub(super) struct BitReader<'a> {
    bytes: &'a [u8],
    /// In bits.
    position: usize,
}

impl<'a> BitReader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, position: 0 }
    }

    /// At most 57 bits; `None` behind the end.
    fn bits(&mut self, bits: u32) -> Option<u64> {
        let mut value = 0;
        for _ in 0..bits {
            let byte = self.bytes.get(self.position / 8)?;
            value = value << 1 | u64::from(byte >> (7 - self.position % 8) & 1);
            self.position += 1;
        }
        Some(value)
    }

    pub(super) fn u(&mut self, bits: u32) -> Result<u64, CodecError> {
        self.bits(bits).ok_or(CodecError::Damaged { what: "a header" })
    }

    pub(super) fn flag(&mut self) -> Result<bool, CodecError> {
        Ok(self.u(1)? == 1)
    }

    /// Below 2^33.
    pub(super) fn ue(&mut self, order: u32) -> Result<u64, CodecError> {
        let mut n = order;
        while !self.flag()? {
            n += 1;
            if n > 32 {
                return Err(CodecError::Damaged { what: "a number in a header" });
            }
        }
        Ok((1 << n | self.u(n)?) - (1 << order))
    }

    pub(super) fn ie(&mut self, order: u32) -> Result<i64, CodecError> {
        let m = self.ue(order)? as i64;
        Ok(if m % 2 == 1 { m / 2 + 1 } else { -(m / 2) })
    }

    pub(super) fn st(&mut self) -> Result<&'a str, CodecError> {
        const BROKEN: CodecError = CodecError::Damaged { what: "a name" };
        let rest = self.rest();
        let end = rest.iter().position(|&byte| byte == 0).ok_or(BROKEN)?;
        let (text, _) = rest.split_at_checked(end).ok_or(BROKEN)?;
        self.position += 8 * (end + 1);
        std::str::from_utf8(text).map_err(|_| BROKEN)
    }

    pub(super) fn align(&mut self) -> Result<(), CodecError> {
        let padding = 7 - self.position as u32 % 8;
        if self.u(1 + padding)? != 1 << padding {
            return Err(CodecError::Damaged { what: "the end of a header" });
        }
        Ok(())
    }

    /// The bytes that follow; on a byte boundary only.
    pub(super) fn rest(&self) -> &'a [u8] {
        debug_assert!(self.position.is_multiple_of(8));
        self.bytes.get(self.position / 8..).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn written(write: impl FnOnce(&mut BitWriter)) -> String {
        let mut bits = BitWriter::default();
        write(&mut bits);
        let bytes: Vec<String> = bits.into_bytes().iter().map(|byte| format!("{byte:08b}")).collect();
        bytes.concat()
    }

    #[test]
    fn codes_by_hand() {
        assert_eq!(written(|w| w.ue(7, 8)), "10001000");
        assert_eq!(&written(|w| w.ue(7, 128))[..10], "0100000000");
        assert_eq!(&written(|w| w.ue(7, 1000))[..14], "00010001101000"); // 3 zeros, then 1128 in 11 bits
        for (value, code) in ["10", "11", "0100", "0101", "0110"].into_iter().enumerate() {
            assert_eq!(&written(|w| w.ue(1, value as u64))[..code.len()], code);
        }
        assert_eq!(written(BitWriter::align), "10000000");
        assert_eq!(written(|w| (w.u(3, 0b101), w.align()).1), "10110000");
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(order in 0..12_u32, x in 0..1_u64 << 32, v in -(1_i64 << 31)..1 << 31, text in "[^\0]{0,9}") {
            let mut bits = BitWriter::default();
            bits.st(&text);
            bits.ue(order, x);
            bits.ie(order, v);
            bits.align();
            bits.u(8, 7);
            let bytes = bits.into_bytes();
            let mut reader = BitReader::new(&bytes);
            prop_assert_eq!(reader.st().unwrap(), &text);
            prop_assert_eq!((reader.ue(order).unwrap(), reader.ie(order).unwrap()), (x, v));
            reader.align().unwrap();
            prop_assert_eq!(reader.rest(), &[7]);
            prop_assert!(reader.u(9).is_err());
        }
    }
}
