//! From bins to bytes.

use super::states::{State, part};
use super::{RESTART, START};

/// Bits of `low` below its 9 that may wait before they are written.
const MOST_WAITING: u32 = 32;

/// Writes bins; [`Encoder::finish`] gives the bytes.
#[derive(Debug)]
pub(in crate::codec) struct Encoder {
    bytes: Vec<u8>,
    /// The lower end of the range: 9 bits, `waiting` bits above them, and a carry above those.
    low: u64,
    waiting: u32,
    range: u32,
}

impl Encoder {
    pub(in crate::codec) fn new() -> Self {
        Self { bytes: Vec::new(), low: 0, waiting: 0, range: START }
    }

    /// A bin with its context, which learns it.
    #[inline(always)]
    pub(in crate::codec) fn bin(&mut self, state: &mut State, bin: bool) {
        let odds = state.odds();
        let part = part(self.range, odds);
        let rest = self.range - part;
        if bin == (odds >= 0) {
            // P is never more than half of R, so this part needs one doubling at most.
            let shift = 1 ^ rest >> 8;
            self.range = rest << shift;
            self.low <<= shift;
            self.waiting += shift;
        } else {
            let shift = part.leading_zeros() - 23;
            self.range = part << shift;
            self.low = (self.low + u64::from(rest)) << shift;
            self.waiting += shift;
        }
        state.update(bin);
        if self.waiting >= MOST_WAITING {
            self.write();
        }
    }

    /// The lowest bits of a number, each as likely 0 as 1.
    pub(in crate::codec) fn bypass(&mut self, bits: u32, value: u32) {
        let mut left = bits;
        while left > 0 {
            let now = left.min(16);
            left -= now;
            let chunk = value >> left & ((1 << now) - 1);
            self.low = (self.low << now) + u64::from(self.range) * u64::from(chunk);
            self.waiting += now;
            if self.waiting >= MOST_WAITING {
                self.write();
            }
        }
    }

    /// Begins a row of blocks.
    pub(in crate::codec) fn restart(&mut self) {
        self.range = RESTART;
    }

    /// Moves 32 bits out of `low`.
    #[cold]
    fn write(&mut self) {
        self.waiting -= 32;
        let kept = 9 + self.waiting;
        let out = self.low >> kept;
        self.low &= (1 << kept) - 1;
        if out >> 32 > 0 {
            self.carry();
        }
        self.bytes.extend((out as u32).to_be_bytes());
    }

    /// Adds 1 to the number written so far.
    fn carry(&mut self) {
        for byte in self.bytes.iter_mut().rev() {
            *byte = byte.wrapping_add(1);
            if *byte != 0 {
                break;
            }
        }
    }

    /// Ends the number, with a bit 1 behind it and zeros up to the next byte.
    pub(in crate::codec) fn finish(mut self) -> Vec<u8> {
        self.low = (self.low + u64::from(self.range - 2)) << 7;
        // Of the 9 + 7 bits below those that wait, the lowest 8 are dropped and the bit 1 comes instead.
        let bits = self.waiting + 9;
        let (number, room) = (self.low >> 8 << 1 | 1, bits.next_multiple_of(8));
        if number >> bits > 0 {
            self.carry();
        }
        let aligned = number << (64 - bits);
        self.bytes.extend(aligned.to_be_bytes().iter().take(room as usize / 8));
        self.bytes
    }
}
