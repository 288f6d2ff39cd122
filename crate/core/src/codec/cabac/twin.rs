//! The coder as its definition says it, slow and plain: the number as a list of bits, one doubling at a time, states by
//! their formulas.

use proptest::prelude::*;

use super::states::part;
use super::{Decoder, Encoder, RESTART, START, State};

/// A bin of some context, or a number of so many bits, or a row of blocks that begins.
#[derive(Debug, Clone)]
enum Step {
    Bin(usize, bool),
    Bypass(u32, u32),
    Restart,
}

/// L as bits, most significant first; longer than any test needs.
struct Twin {
    low: Vec<u8>,
    range: u32,
}

impl Twin {
    fn new() -> Self {
        Self { low: vec![0; 9], range: START }
    }

    fn add(&mut self, number: u32) {
        let mut carry = number;
        for bit in self.low.iter_mut().rev() {
            carry += u32::from(*bit);
            *bit = (carry & 1) as u8;
            carry >>= 1;
        }
        assert_eq!(carry, 0, "L fits 9 + S bits");
    }

    fn step(&mut self, step: &Step, states: &mut [State]) {
        match *step {
            Step::Bin(context, bin) => {
                let odds = states[context].odds();
                let part = part(self.range, odds);
                if bin == (odds >= 0) {
                    self.range -= part;
                } else {
                    self.add(self.range - part);
                    self.range = part;
                }
                while self.range < 256 {
                    self.range *= 2;
                    self.low.push(0);
                }
                states[context].update(bin);
            }
            Step::Bypass(bits, value) => {
                for at in (0..bits).rev() {
                    self.low.push(0);
                    if value >> at & 1 == 1 {
                        self.add(self.range);
                    }
                }
            }
            Step::Restart => self.range = RESTART,
        }
    }

    fn finish(mut self) -> Vec<u8> {
        self.add(self.range - 2);
        self.low.truncate(self.low.len() - 1); // 7 doublings, then 8 bits dropped
        self.low.push(1);
        self.low.resize(self.low.len().next_multiple_of(8), 0);
        self.low.chunks(8).map(|bits| bits.iter().fold(0, |byte, bit| byte << 1 | bit)).collect()
    }
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let share = prop_oneof![Just(0.001), Just(0.5), Just(0.999), 0.0..1.0];
    share.prop_flat_map(|share| {
        let bypass = (0..=31_u32, any::<u32>()).prop_map(|(n, value)| Step::Bypass(n, value & ((1 << n) - 1)));
        let ones = (0..=31_u32).prop_map(|n| Step::Bypass(n, (1 << n) - 1)); // long carries
        let bin = (0..9_usize, proptest::bool::weighted(share)).prop_map(|(context, bin)| Step::Bin(context, bin));
        let step = prop_oneof![30 => bin, 2 => bypass, 2 => ones, 1 => Just(Step::Restart)];
        proptest::collection::vec(step, 0..600)
    })
}

fn states() -> Vec<State> {
    (0..State::SETS).map(State::of_set).collect()
}

proptest! {
    #[test]
    fn the_encoder_is_its_twin_and_the_decoder_its_inverse(steps in steps()) {
        let (mut encoder, mut twin) = (Encoder::new(), Twin::new());
        let (mut ours, mut theirs) = (states(), states());
        for step in &steps {
            twin.step(step, &mut theirs);
            match *step {
                Step::Bin(context, bin) => encoder.bin(&mut ours[context], bin),
                Step::Bypass(bits, value) => encoder.bypass(bits, value),
                Step::Restart => encoder.restart(),
            }
        }
        let bytes = encoder.finish();
        prop_assert_eq!(&bytes, &twin.finish());
        let (mut decoder, mut states) = (Decoder::new(&bytes), states());
        for step in &steps {
            match *step {
                Step::Bin(context, bin) => prop_assert_eq!(decoder.bin(&mut states[context]), bin),
                Step::Bypass(bits, value) => prop_assert_eq!(decoder.bypass(bits), value),
                Step::Restart => _ = decoder.restart(),
            }
        }
        prop_assert!(decoder.clone().finish(&bytes));
        prop_assert!(!decoder.clone().finish(&[&bytes[..], &[0x80]].concat()));
        prop_assert!(!decoder.finish(&bytes[..bytes.len() - 1]));
    }
}
