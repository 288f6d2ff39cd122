//! From bytes to bins.

use super::states::{State, part};
use super::{RESTART, START};

/// Bits below the 9 of R that are read before more are fetched: enough for the largest step.
const FEWEST_AHEAD: u32 = 16;

/// Reads bins. Behind the last byte it reads zeros; [`Decoder::finish`] then says so.
#[derive(Debug, Clone)]
pub(in crate::codec) struct Decoder<'a> {
    rest: &'a [u8],
    /// Bytes fetched, those behind the end included.
    fetched: usize,
    /// The number less the lower end of the range: 9 bits, and `ahead` bits below them.
    value: u64,
    ahead: u32,
    range: u32,
}

/// Where a row of blocks begins.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::codec) struct EntryPoint {
    /// The 9 bits of the number there.
    pub(in crate::codec) window: u32,
    /// Bits read before.
    pub(in crate::codec) position: u64,
}

impl<'a> Decoder<'a> {
    pub(in crate::codec) fn new(bytes: &'a [u8]) -> Self {
        let mut decoder = Self { rest: bytes, fetched: 0, value: 0, ahead: 0, range: START };
        decoder.fetch();
        decoder.ahead -= 9;
        decoder
    }

    /// Fetches 4 bytes.
    #[cold]
    fn fetch(&mut self) {
        let bytes = if let Some((&bytes, rest)) = self.rest.split_first_chunk::<4>() {
            self.rest = rest;
            bytes
        } else {
            let mut bytes = [0; 4];
            bytes.iter_mut().zip(self.rest).for_each(|(byte, &last)| *byte = last);
            self.rest = &[];
            bytes
        };
        self.fetched += 4;
        self.value = self.value << 32 | u64::from(u32::from_be_bytes(bytes));
        self.ahead += 32;
    }

    /// The next bin, which its context learns.
    #[inline(always)]
    pub(in crate::codec) fn bin(&mut self, state: &mut State) -> bool {
        let odds = state.odds();
        let part = part(self.range, odds);
        let rest = self.range - part;
        let boundary = u64::from(rest) << self.ahead;
        let likely = odds >= 0;
        let bin = if self.value < boundary {
            // P is never more than half of R, so this part needs one doubling at most.
            let shift = 1 ^ rest >> 8;
            self.range = rest << shift;
            self.ahead -= shift;
            likely
        } else {
            let shift = part.leading_zeros() - 23;
            self.value -= boundary;
            self.range = part << shift;
            self.ahead -= shift;
            !likely
        };
        state.update(bin);
        if self.ahead < FEWEST_AHEAD {
            self.fetch();
        }
        bin
    }

    /// A number of so many bits, each as likely 0 as 1.
    pub(in crate::codec) fn bypass(&mut self, bits: u32) -> u32 {
        let mut number = 0;
        for _ in 0..bits {
            self.ahead -= 1;
            let boundary = u64::from(self.range) << self.ahead;
            let bin = self.value >= boundary;
            if bin {
                self.value -= boundary;
            }
            number = number << 1 | u32::from(bin);
            if self.ahead < FEWEST_AHEAD {
                self.fetch();
            }
        }
        number
    }

    /// Begins a row of blocks.
    pub(in crate::codec) fn restart(&mut self) -> EntryPoint {
        self.range = RESTART;
        EntryPoint { window: (self.value >> self.ahead) as u32, position: self.position() }
    }

    /// Bits read, the 9 of the range included.
    fn position(&self) -> u64 {
        8 * self.fetched as u64 - u64::from(self.ahead)
    }

    /// Whether the number ends here, as it must: with the last of `bytes`, which were decoded, in a bit 1 and then zeros.
    pub(in crate::codec) fn finish(self, bytes: &[u8]) -> bool {
        let beyond = self.value >= u64::from(self.range - 2) << self.ahead;
        let padding = (8 - self.position() % 8) % 8;
        let length = self.position().div_ceil(8);
        let stop = bytes.last().is_some_and(|&last| u64::from(last.trailing_zeros()) == padding);
        beyond && stop && length == bytes.len() as u64
    }
}
