//! What bins cost: of each context they are kept as a history, and the nine sets are run over it as small states. Sets with
//! equal rates meet sooner or later and stay together, so that soon only four run.

use std::sync::OnceLock;

use super::super::binarize::Bins;
use super::super::cabac::State;
use crate::math;

/// Costs are counted in this part of a bit.
pub(super) const BIT: u64 = 32768;
pub(super) const SETS: usize = State::SETS as usize;
/// What one context costs under every set.
pub(super) type Prices = [u64; SETS];

/// Bins of one context.
#[derive(Debug, Clone, Default)]
pub(super) struct History {
    /// From the lowest bit up.
    words: Vec<u64>,
    bins: usize,
}

impl History {
    pub(super) fn clear(&mut self) {
        self.words.clear();
        self.bins = 0;
    }
}

/// Keeps bins by context.
pub(super) struct Historian;

impl Bins for Historian {
    type Context = History;

    #[inline(always)]
    fn bin(&mut self, history: &mut History, bin: bool) {
        let at = history.bins % 64;
        if at == 0 {
            history.words.push(0);
        }
        if let Some(word) = history.words.last_mut() {
            *word |= u64::from(bin) << at;
        }
        history.bins += 1;
    }

    fn bypass(&mut self, _: u32, _: u32) {}
}

/// Adds up what bins cost.
#[derive(Debug, Default)]
pub(super) struct Counter {
    pub(super) cost: u64,
}

impl Bins for Counter {
    type Context = State;

    fn bin(&mut self, state: &mut State, bin: bool) {
        self.cost += u64::from(costs()[place(*state, bin)]);
        state.update(bin);
    }

    fn bypass(&mut self, bits: u32, _: u32) {
        self.cost += u64::from(bits) * BIT;
    }
}

/// How much of a history is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sampling {
    /// All of it: what a decoder would need.
    Whole,
    /// Of a long one a stretch now and then, which stands for what lies between.
    Stretches,
}

/// Words of a history that are run in any case.
const ALWAYS: usize = 256;
/// Words of a stretch, and of how many stretches one is run.
const STRETCH: usize = 32;
const ONE_OF: usize = 4;

/// Adds what a history costs under each set.
pub(super) fn add(prices: &mut Prices, history: &History, sampling: Sampling) {
    let costs = costs();
    let mut states: [State; SETS] = std::array::from_fn(|set| State::of_set(set as u8));
    // Sets in the same state with the same rates cost the same from then on: they follow the first of them.
    let mut leaders: [usize; SETS] = std::array::from_fn(|set| set);
    // What is run of the words behind the first ones stands for all of them.
    let (mut sample, mut sampled) = ([0; SETS], 0);
    for (at, &word) in history.words.iter().enumerate() {
        let bins = (history.bins - 64 * at).min(64);
        let sampling = sampling == Sampling::Stretches && at >= ALWAYS;
        if sampling && !(at / STRETCH).is_multiple_of(ONE_OF) {
            continue;
        }
        if sampling {
            sampled += bins as u64;
        }
        let mut spent = [0; SETS];
        let mut leading = (0..SETS).filter(|&set| leaders[set] == set);
        while let Some(first) = leading.next() {
            // Four at a time: each waits for its own last step alone.
            let group = [
                first,
                leading.next().unwrap_or(first),
                leading.next().unwrap_or(first),
                leading.next().unwrap_or(first),
            ];
            let mut now = group.map(|set| states[set]);
            let cost = run(&mut now, word, bins, costs);
            for ((set, state), cost) in group.into_iter().zip(now).zip(cost) {
                (states[set], spent[set]) = (state, u64::from(cost));
            }
        }
        let bill = if sampling { &mut sample } else { &mut *prices };
        for set in 0..SETS {
            bill[set] += spent[leaders[set]];
        }
        for set in 1..SETS {
            if leaders[set] != set {
                continue;
            }
            if let Some(leader) = (0..set).find(|&other| leaders[other] == other && states[other] == states[set]) {
                leaders.iter_mut().filter(|leading| **leading == set).for_each(|leading| *leading = leader);
            }
        }
    }
    let beyond = history.bins.saturating_sub(64 * ALWAYS) as u128;
    for (price, sample) in prices.iter_mut().zip(sample).filter(|_| sampled > 0) {
        *price += (u128::from(sample) * beyond / u128::from(sampled)) as u64;
    }
}

/// What the lowest bins of a word cost in each state.
fn run(states: &mut [State; 4], mut word: u64, bins: usize, costs: &[u32; 2048]) -> [u32; 4] {
    let (mut now, mut spent) = (*states, [0; 4]);
    for _ in 0..bins {
        let bin = word & 1 == 1;
        word >>= 1;
        for (state, cost) in now.iter_mut().zip(&mut spent) {
            *cost += costs[place(*state, bin)];
            state.update(bin);
        }
    }
    *states = now;
    spent
}

#[inline(always)]
fn place(state: State, bin: bool) -> usize {
    2 * (state.odds() >> 3 & 1023) as usize + usize::from(bin)
}

/// Cost of a bin by s >> 3 and bin.
///
/// ```text
/// m = |s >> 3|, x = 32968.4023 + 400.79894·m
/// against the more probable value: x        with it: −32768·log2(1 − 2^(−x/32768))
/// ```
fn costs() -> &'static [u32; 2048] {
    static COSTS: OnceLock<[u32; 2048]> = OnceLock::new();
    COSTS.get_or_init(|| {
        std::array::from_fn(|at| {
            let (place, bin) = (at / 2, at % 2 == 1);
            let likely = place < 512;
            let m = if likely { place } else { 1024 - place };
            let x = 32968.4023 + 400.79894 * m.min(511) as f64;
            let cost = if bin == likely { -32768.0 * math::log2(1.0 - math::pow(2.0, -x / 32768.0)) } else { x };
            cost.round() as u32
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn costs_by_hand() {
        for (m, likely, other) in [
            (0, 32568, 32968),
            (1, 32174, 33369),
            (2, 31787, 33770),
            (10, 28904, 36976),
            (100, 11340, 73048),
            (300, 1887, 153_208),
            (511, 310, 237_777),
        ] {
            assert_eq!((costs()[2 * m + 1], costs()[2 * m]), (likely, other));
            if m > 0 {
                assert_eq!((costs()[2 * (1024 - m)], costs()[2 * (1024 - m) + 1]), (likely, other));
            }
        }
    }

    #[test]
    fn sets_that_meet_cost_what_they_would_alone() {
        let mut rng = crate::rng::Rng::new(5, 0);
        for share in [0.0, 0.03, 0.5, 0.99] {
            let mut history = History::default();
            (0..5000).for_each(|_| Historian.bin(&mut history, rng.uniform() < share));
            let mut prices = [7; SETS];
            add(&mut prices, &history, Sampling::Whole);
            for (set, &price) in (0..).zip(&prices) {
                let (mut counter, mut state) = (Counter::default(), State::of_set(set));
                for bin in 0..5000 {
                    counter.bin(&mut state, history.words[bin / 64] >> (bin % 64) & 1 == 1);
                }
                assert_eq!(counter.cost + 7, price, "set {set}, share {share}");
            }
        }
    }
}
