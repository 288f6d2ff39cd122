//! Which parameter sets and which escape length make a tensor smallest, found without encoding it again and again.
//!
//! `lengths` guesses good escape lengths from a histogram. The weights are then turned into bins once, and `prices` says what
//! the bins of each context cost under each of the nine sets.

mod lengths;
mod prices;

use prices::{BIT, Counter, Historian, History, Prices, SETS, Sampling, add};

use super::binarize::{Contexts, EscapeLength, Past, Transitions, write, write_escape};
use super::cabac::State;
use super::{Generation, parameters};

/// What naming a set other than 0 costs besides its flag.
const NAMED: u64 = 3 * BIT;

/// How an encoder chooses what the format leaves to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Search {
    /// Set 0 everywhere: fastest.
    Off,
    /// As NNCodec does, to the same bytes: sets by estimated cost, escape length 11.
    Reference,
    /// The smallest file: sets by estimated cost including that of saying so, and the escape length.
    #[default]
    Best,
}

/// What was chosen.
#[derive(Debug)]
pub(super) struct Choice {
    pub(super) escape_length: EscapeLength,
    /// Of each context, in the order of their numbers.
    pub(super) sets: Vec<u8>,
}

/// The weights of a tensor as the coder will see them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Coded<'a> {
    /// In the order in which they are coded.
    pub(super) values: &'a [i32],
    /// What is counted in their place (NNCodec's encoder counts other numbers than it codes, see `float`).
    pub(super) counted: &'a [i32],
    /// How many weights each stretch has that begins anew.
    pub(super) stretches: &'a [usize],
    pub(super) transitions: &'a Transitions,
    pub(super) dependent: bool,
    pub(super) generation: Generation,
}

/// Chooses for one tensor.
pub(super) fn choose(search: Search, coded: Coded<'_>) -> Choice {
    let Coded { dependent, generation, counted, .. } = coded;
    let count = |length| parameters::count(length, dependent, generation);
    if search == Search::Off {
        return Choice { escape_length: EscapeLength::USUAL, sets: vec![0; count(EscapeLength::USUAL)] };
    }
    let lengths = match search {
        Search::Best => lengths::candidates(counted),
        _ => vec![EscapeLength::USUAL],
    };
    let longest = lengths.iter().max().copied().unwrap_or(EscapeLength::USUAL);
    let sampling = if search == Search::Best { Sampling::Stretches } else { Sampling::Whole };
    let mut bill = Bill::new(coded, longest, &lengths, sampling);
    let options = lengths.into_iter().enumerate().map(|(option, escape_length)| {
        let prices = bill.prices(option, escape_length, dependent, count(escape_length));
        let (sets, cost) = if search == Search::Best { best_sets(&prices) } else { (reference_sets(&prices), 0) };
        (cost, Choice { escape_length, sets })
    });
    let best = options.min_by_key(|(cost, _)| *cost);
    best.map_or_else(|| Choice { escape_length: EscapeLength::USUAL, sets: Vec::new() }, |(_, choice)| choice)
}

/// What every context costs under every set.
struct Bill {
    contexts: Contexts<Prices>,
    /// For each escape length: contexts of the escape, and bits without context.
    escapes: Vec<([Prices; 32], u64)>,
}

impl Bill {
    fn new(coded: Coded<'_>, longest: EscapeLength, lengths: &[EscapeLength], sampling: Sampling) -> Self {
        let mut contexts = Contexts::new(longest, || [0; SETS]);
        let mut escapes = vec![([[0; SETS]; 32], 0); lengths.len()];
        let mut histories = Contexts::new(longest, History::default);
        let (mut values, mut counted) = (coded.values, coded.counted);
        let mut past = Past::default();
        for &stretch in coded.stretches {
            let (now, later) = counted.split_at(stretch.min(counted.len()));
            let (moves, moves_later) = values.split_at(stretch.min(values.len()));
            (counted, values) = (later, moves_later);
            past.sign = 0;
            for (&value, &moved) in now.iter().zip(moves) {
                write(&mut Historian, &mut histories, past, value);
                past = past.next(value, moved, coded.transitions);
            }
            // Escapes are not in here but below: their contexts depend on the escape length.
            histories.escape.iter_mut().for_each(History::clear);
            for (prices, history) in contexts.iter_mut(true).zip(histories.iter_mut(true)) {
                add(prices, history, sampling);
                history.clear();
            }
            for ((prices, bits), length) in escapes.iter_mut().zip(lengths) {
                let reached = length.get() as u32;
                for rest in now.iter().filter_map(|v| v.unsigned_abs().checked_sub(reached + 1)) {
                    write_escape(&mut Historian, &mut histories.escape, rest);
                    *bits += u64::from((rest + 1).ilog2()) * BIT;
                }
                for (prices, history) in prices.iter_mut().zip(&mut histories.escape) {
                    add(prices, history, sampling);
                    history.clear();
                }
            }
        }
        Self { contexts, escapes }
    }

    /// Of the first `count` contexts, in the order of their numbers, at one escape length; and of all bits without
    /// context.
    fn prices(&mut self, option: usize, length: EscapeLength, dependent: bool, count: usize) -> (Vec<Prices>, u64) {
        let Some((escape, bits)) = self.escapes.get(option) else { return (Vec::new(), 0) };
        let zero = self.contexts.zero.iter().take(if dependent { 8 } else { 1 }).flatten();
        let greater = self.contexts.greater.iter().take(length.get()).flatten();
        let all = zero.chain(&self.contexts.sign).chain(greater).chain(escape);
        (all.take(count).copied().collect(), *bits)
    }
}

/// NNCodec's choice: rising sets, each taken if it is better than the best so far by more than its name costs.
fn reference_sets((prices, _): &(Vec<Prices>, u64)) -> Vec<u8> {
    let choose = |prices: &Prices| {
        let mut best = (0, prices[0]);
        for (set, &price) in (0..).zip(prices).skip(1) {
            if price + NAMED < best.1 {
                best = (set, price + NAMED);
            }
        }
        best.0
    };
    prices.iter().map(choose).collect()
}

/// The best set of each context where it pays for its name and flag: those that do not are given up, one after the other,
/// until nothing gets better. And what all costs then.
fn best_sets((prices, bits): &(Vec<Prices>, u64)) -> (Vec<u8>, u64) {
    let named = |prices: &Prices| (1..State::SETS).min_by_key(|&set| prices[usize::from(set)]).unwrap_or(0);
    let best: Vec<u8> = prices.iter().map(named).collect();
    let mut sets = reference_sets(&(prices.clone(), 0));
    let weights = |sets: &[u8]| -> u64 {
        sets.iter().zip(prices).filter_map(|(&set, prices)| prices.get(usize::from(set))).sum()
    };
    let total = |sets: &[u8]| {
        let mut flags = Counter::default();
        parameters::write(&mut flags, &mut State::default(), sets);
        flags.cost + weights(sets)
    };
    let mut cost = total(&sets);
    loop {
        let before = cost;
        for (at, (&best, prices)) in best.iter().zip(prices).enumerate() {
            // A context without bins, or whose best set saves less than its name, has nothing to choose.
            if prices.get(usize::from(best)).is_none_or(|price| price + NAMED >= prices[0]) {
                continue;
            }
            let old = sets[at];
            sets[at] = if old == 0 { best } else { 0 };
            let changed = total(&sets);
            if changed < cost {
                cost = changed;
            } else {
                sets[at] = old;
            }
        }
        if cost == before {
            return (sets, cost + bits);
        }
    }
}
