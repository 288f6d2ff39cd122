//! How likely a bin is: each context runs two estimators, a quick and a slow one.
//!
//! ```text
//! s = 16·A + B        the more probable value (mps) is 1 if s ≥ 0, else 0
//! A += g·(T[16 + (g·A >> 3)] >> a)        g = +1 for a bin 1, −1 for a bin 0
//! B += g·(T[16 + (g·B >> 7)] >> b)        the same with the rate b
//! P(R, s) = C[|s >> 7|]·((R >> 5) + 1) >> 4        the part of the range R for the other value
//! ```
//! A is within −128..=127, B within −2048..=2047, `>>` rounds down. All three formulas are tables here.
//!
//! Source: ISO/IEC 15938-17 (DeepCABAC).

/// T: how far a bin moves an estimator, by how much it agrees with it.
const STEPS: [i16; 32] = [
    2512, 2288, 2064, 1840, 1616, 1392, 1168, 944, 720, 560, 464, 368, 272, 208, 144, 80, // against it
    64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 0,
];
/// C: share of the range for the less probable value.
const SHARES: [u16; 32] = [
    228, 200, 174, 150, 132, 116, 102, 90, 80, 70, 62, 54, 48, 42, 36, 32, //
    28, 26, 22, 20, 18, 16, 14, 14, 10, 10, 8, 8, 6, 6, 4, 4,
];
/// Rates start here: a is 4 to 7, b is 4 to 6.
const SLOWEST: u8 = 4;

/// The parameter sets of a context: rates a and b, and where A and B start.
const SETS: [(u8, u8, i8, i16); 9] = [
    (5, 4, 0, 0),
    (5, 4, -41, -654),
    (5, 4, 95, 1519),
    (4, 5, 0, 0),
    (6, 6, 30, 482),
    (6, 6, 95, 1519),
    (6, 6, -21, -337),
    (7, 5, 0, 0),
    (7, 5, 30, 482),
];

/// The next A, by rate, A and bin.
static QUICK: [[i8; 512]; 4] = quick();
/// What is added to B, by rate, bin and B >> 7 (rounded up for a bin 0, since there −B is rounded down).
static SLOW: [[i16; 128]; 4] = slow();
/// P, by s >> 7 and R >> 5.
static PARTS: [u8; 512] = parts();

const fn quick() -> [[i8; 512]; 4] {
    let mut table = [[0; 512]; 4];
    let mut at = 0;
    while at < 4 * 512 {
        let (rate, bin, a) = (at / 512, at % 2, (at % 512 / 2) as u8 as i8 as i16);
        let g = if bin == 1 { 1 } else { -1 };
        // −(−128) >> 3 is 16: behind the table, and out of reach from every start.
        let place = 16 + ((g * a) >> 3);
        let step = if place < 32 { STEPS[place as usize] >> (rate as u8 + SLOWEST) } else { 0 };
        let next = a + g * step;
        table[rate][at % 512] = if next < -128 {
            -128
        } else if next > 127 {
            127
        } else {
            next as i8
        };
        at += 1;
    }
    table
}

const fn slow() -> [[i16; 128]; 4] {
    let mut table = [[0; 128]; 4];
    let mut at = 0;
    while at < 4 * 33 {
        let (rate, place) = (at / 33, at % 33);
        let step = if place < 32 { STEPS[place] >> (rate as u8 + SLOWEST) } else { 0 };
        // g·B >> 7 is `place − 16`: that is B >> 7 itself for a bin 1, and its negative rounded up for a bin 0.
        table[rate][64 + (place + 64 - 16) % 64] = step;
        table[rate][(16 + 64 - place) % 64] = -step;
        at += 1;
    }
    table
}

const fn parts() -> [u8; 512] {
    let mut table = [0; 512];
    let mut at = 0;
    while at < 512 {
        let (s, r) = (at / 8, at % 8 + 8);
        let share = SHARES[if s < 32 {
            s
        } else if s == 32 {
            31
        } else {
            64 - s
        }];
        table[at] = ((share * (r as u16 + 1)) >> 4) as u8;
        at += 1;
    }
    table
}

/// What one context has learned.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::codec) struct State {
    slow: i16,
    quick: i8,
    /// a − 4 and b − 4.
    rates: [u8; 2],
}

impl Default for State {
    fn default() -> Self {
        Self::of_set(0)
    }
}

impl State {
    /// How many parameter sets there are.
    pub(in crate::codec) const SETS: u8 = SETS.len() as u8;

    /// The start of a parameter set, 0 to 8; others are 0.
    pub(in crate::codec) fn of_set(set: u8) -> Self {
        let (a, b, quick, slow) = SETS.get(usize::from(set)).copied().unwrap_or(SETS[0]);
        Self { slow, quick, rates: [a - SLOWEST, b - SLOWEST] }
    }

    /// s: positive when 1 is likelier, within ±4095.
    #[inline(always)]
    pub(in crate::codec) fn odds(self) -> i32 {
        16 * i32::from(self.quick) + i32::from(self.slow)
    }

    /// Learns a bin.
    #[inline(always)]
    pub(in crate::codec) fn update(&mut self, bin: bool) {
        let [a, b] = self.rates;
        let one = usize::from(bin);
        self.quick = QUICK[usize::from(a & 3)][2 * usize::from(self.quick as u8) + one];
        let place = (i32::from(self.slow) + if bin { 0 } else { 127 }) >> 7;
        self.slow += SLOW[usize::from(b & 3)][64 * one + (place & 63) as usize];
    }
}

/// P: the part of the range (256 to 511) for the less probable value.
#[inline(always)]
pub(super) fn part(range: u32, odds: i32) -> u32 {
    let place = 8 * (odds >> 7 & 63) as usize + (range >> 5 & 7) as usize;
    u32::from(PARTS[place])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The formulas of the module, without tables.
    fn twin((a, b): (i32, i32), rates: [u8; 2], bin: bool) -> (i32, i32) {
        let g = if bin { 1 } else { -1 };
        let step = |index: i32, rate: u8| i32::from(STEPS[(16 + index) as usize]) >> (rate + SLOWEST);
        (a + g * step((g * a) >> 3, rates[0]), b + g * step((g * b) >> 7, rates[1]))
    }

    #[test]
    fn tables_follow_the_formulas_wherever_states_can_get() {
        let mut rng = crate::rng::Rng::new(3, 0);
        for set in 0..State::SETS {
            for share in [0.0, 0.02, 0.3, 0.5, 0.9, 1.0] {
                let mut state = State::of_set(set);
                for _ in 0..3000 {
                    let before = (i32::from(state.quick), i32::from(state.slow));
                    let bin = rng.uniform() < share;
                    state.update(bin);
                    let after = (i32::from(state.quick), i32::from(state.slow));
                    assert_eq!(after, twin(before, state.rates, bin), "set {set}, {before:?}, bin {bin}");
                    let m = (state.odds() >> 7).unsigned_abs() as usize;
                    for range in 256..512 {
                        assert_eq!(part(range, state.odds()), (u32::from(SHARES[m]) * ((range >> 5) + 1)) >> 4);
                    }
                }
            }
        }
    }

    #[test]
    fn the_first_flags_of_the_worked_example() {
        let mut state = State::default();
        let mut seen = Vec::new();
        for _ in 0..4 {
            seen.push((state.quick, state.slow, state.odds()));
            state.update(false);
        }
        assert_eq!(seen, [(0, 0, 0), (-2, -4, -36), (-4, -8, -72), (-6, -12, -108)]);
        assert_eq!((part(510, 0), part(456, -36), part(269, -72), part(314, -108)), (228, 187, 112, 125));
    }
}
