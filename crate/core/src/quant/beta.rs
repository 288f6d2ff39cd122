//! The exponent β on relevance. For given costs every weight has one flip point: the β from which on it goes to zero.
//!
//! ```text
//! zero wins  ⇔  ρ·cost_0·(r + 1e-12)^β ≤ best_other  ⇔  β ≥ ln(best_other/(ρ·cost_0)) / ln(r + 1e-12)
//! ```
//! Sparsity is therefore a step function of β that never falls, and order statistics of the flip points give the range
//! of β that p allows; no search. The search of the published code stands beside it.

use super::Beta;
use super::kernel::{self, TWO_23};
use crate::math;

/// Share of zeros in whole numbers: least and most that p allows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Range {
    pub(super) least: usize,
    pub(super) most: usize,
}

impl Range {
    /// [s − p, s] for s = `zeros` / `total`.
    pub(super) fn new(zeros: usize, total: usize, p: f64) -> Self {
        Self { least: zeros.saturating_sub((p * total as f64 + 1e-9).floor() as usize), most: zeros }
    }

    /// How many zeros are missing or too many.
    pub(super) fn miss(self, zeros: usize) -> usize {
        self.least.saturating_sub(zeros).max(zeros.saturating_sub(self.most))
    }
}

/// The flip points of a layer's weights, and what finds one by its rank without sorting them.
#[derive(Debug, Default)]
pub(super) struct Flips {
    values: Vec<f32>,
    /// Flip points below each bucket, in two tables while they are counted; empty: not counted yet.
    below: Vec<[usize; 2]>,
    /// Those of one bucket: kept for its memory.
    candidates: Vec<f32>,
}

/// A flip point, and how many lie below it and up to it.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Ranked {
    value: f32,
    below: usize,
    up_to: usize,
}

/// Buckets between 0 and 1.
const BUCKETS: usize = 1 << 12;

/// Bucket of a flip point; never falls as the flip point rises.
fn bucket(flip: f32) -> u32 {
    let from_zero = if flip > 0.0 { flip } else { 0.0 };
    let clamped = if from_zero < 1.0 { from_zero } else { 1.0 };
    (clamped * BUCKETS as f32 + TWO_23).to_bits() - TWO_23.to_bits()
}

impl Flips {
    /// Room for as many values, to be overwritten.
    pub(super) fn renew(&mut self, len: usize) -> &mut [f32] {
        self.below.clear();
        self.values.resize(len, 0.0);
        &mut self.values
    }

    pub(super) fn values(&self) -> &[f32] {
        &self.values
    }

    /// How many are at most β: the zeros that β gives.
    pub(super) fn up_to(&self, beta: f32) -> usize {
        kernel::count_up_to(&self.values, beta)
    }

    /// The value at position `rank` of the sorted list, which must lie above 0 and at most at 1.
    fn ranked(&mut self, rank: usize) -> Ranked {
        self.count_buckets();
        let found = self.below.partition_point(|[below, _]| *below <= rank).saturating_sub(1);
        // The first bucket also holds what is 0 or less.
        let before = match found {
            0 => self.up_to(0.0),
            _ => self.below.get(found).map_or(0, |[below, _]| *below),
        };
        self.candidates.clear();
        for block in self.values.chunks(64) {
            let is_in = |&flip: &f32| bucket(flip) == found as u32 && flip > 0.0 && flip <= 1.0;
            if block.iter().map(|flip| u32::from(is_in(flip))).sum::<u32>() > 0 {
                self.candidates.extend(block.iter().copied().filter(is_in));
            }
        }
        let Some(last) = self.candidates.len().checked_sub(1) else {
            return Ranked { value: 1.0, below: before, up_to: before };
        };
        let position = rank.saturating_sub(before).min(last);
        let value = *self.candidates.select_nth_unstable_by(position, f32::total_cmp).1;
        let count = |is: fn(f32, f32) -> bool| before + self.candidates.iter().filter(|&&flip| is(flip, value)).count();
        Ranked { value, below: count(|flip, value| flip < value), up_to: count(|flip, value| flip <= value) }
    }

    fn count_buckets(&mut self) {
        if !self.below.is_empty() {
            return;
        }
        self.below.resize(BUCKETS + 1, [0; 2]);
        // Buckets in lanes, then counts one by one, into two tables: a processor waits where it raises the same twice.
        let mut buckets = [0_u32; 64];
        for block in self.values.chunks(64) {
            for (bucket, &flip) in buckets.iter_mut().zip(block) {
                *bucket = self::bucket(flip);
            }
            for (index, &bucket) in buckets.iter().take(block.len()).enumerate() {
                if let Some(counts) = self.below.get_mut(bucket as usize) {
                    counts[index % 2] += 1;
                }
            }
        }
        let mut below = 0;
        for counts in &mut self.below {
            let [even, odd] = *counts;
            *counts = [below, 0];
            below += even + odd;
        }
    }
}

/// β_0 = ln(1/ρ) / ln mean(r): a weight of mean relevance keeps its cost. Not limited to 1.
pub(super) fn start(rho: f64, mean_relevance: f64) -> f64 {
    let tiny = 1e-12;
    (-math::ln(rho) / math::ln(mean_relevance.clamp(tiny, 1.0 - tiny))).max(0.0)
}

/// The β in [0, 1] nearest to `start` whose zeros lie in the range; where there is none, the one whose zeros are nearest
/// to it.
pub(super) fn find(flips: &mut Flips, start: f64, range: Range) -> Beta {
    let start = start.min(1.0) as f32;
    let found = flips.up_to(start);
    // Candidates with their zeros, from the start outwards.
    let outwards = if found > range.most {
        // β must fall until no more than `most` weights have flipped: just below the next flip point.
        let end = flips.up_to(0.0);
        if end > range.most {
            [(0.0, end); 2]
        } else {
            let next = flips.ranked(range.most);
            [(next.value, next.up_to), (next.value.next_down(), next.below)]
        }
    } else if found < range.least {
        // β must rise until enough weights have flipped.
        let end = flips.up_to(1.0);
        if end < range.least {
            [(1.0, end); 2]
        } else {
            let next = flips.ranked(range.least - 1);
            [(next.value.next_down(), next.below), (next.value, next.up_to)]
        }
    } else {
        [(start, found); 2]
    };
    let candidates = [(start, found)].into_iter().chain(outwards);
    let (value, zeros) = candidates.min_by_key(|&(_, zeros)| range.miss(zeros)).unwrap_or((start, found));
    Beta { value: f64::from(value), feasible: range.miss(zeros) == 0 }
}

/// The search of the published code, `None` where it never begins: ECQ's assignment then stays.
///
/// ```text
/// while s_x < s − p or s_x > s:   measure s_x at β;   β ← min(1, β·(1 ± f))        s_x = 0 at first
/// f = 0.1, from measurement 20 on 0.5, from 40 on 0.75;   + where s_x < s, − where s_x > s;   51 measurements at most
/// ```
/// The assignment is that of the last measurement.
pub(super) fn search(flips: &Flips, start: f64, zeros: usize, p: f64) -> Option<Beta> {
    let share = |zeros: usize| zeros as f64 / flips.values.len().max(1) as f64;
    let most = share(zeros);
    let (mut beta, mut found, mut last) = (start, 0, None);
    let outside = |found: usize| share(found) < most - p || share(found) > most;
    for measurement in 0..51 {
        if !outside(found) {
            break;
        }
        found = flips.up_to(beta as f32);
        last = Some(Beta { value: f64::from(beta as f32), feasible: !outside(found) });
        let factor = match measurement {
            0..20 => 0.1,
            20..40 => 0.5,
            _ => 0.75,
        };
        beta = match found.cmp(&zeros) {
            std::cmp::Ordering::Less => beta * (1.0 + factor),
            std::cmp::Ordering::Equal => beta,
            std::cmp::Ordering::Greater => beta * (1.0 - factor),
        }
        .min(1.0);
    }
    last
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn flips(values: &[f32]) -> Flips {
        let mut flips = Flips::default();
        flips.renew(values.len()).copy_from_slice(values);
        flips
    }

    fn found(values: &[f32], start: f64, zeros: usize, p: f64) -> Beta {
        find(&mut flips(values), start, Range::new(zeros, values.len(), p))
    }

    #[test]
    fn start_leaves_a_weight_of_mean_relevance_alone() {
        assert_eq!(start(2.0, 0.25), 0.5);
        assert!((start(3.0, 0.2) - 3.0_f64.ln() / 5.0_f64.ln()).abs() < 1e-12);
        assert_eq!(start(0.5, 0.25), 0.0);
    }

    #[test]
    fn start_is_kept_where_it_is_feasible() {
        assert_eq!(found(&[0.1, 0.2, 0.9], 0.5, 2, 0.0), Beta { value: 0.5, feasible: true });
    }

    #[test]
    fn p_bounds_what_may_be_given_back() {
        let flips = [0.1, 0.3, 0.6, 0.7, 0.9];
        assert_eq!(found(&flips, 0.5, 4, 0.4), Beta { value: 0.5, feasible: true });
        assert_eq!(found(&flips, 0.5, 4, 0.2).value as f32, 0.6);
        assert_eq!(found(&flips, 0.5, 4, 0.0).value as f32, 0.7);
        let lower = found(&flips, 0.5, 1, 0.0);
        assert!(lower.feasible && lower.value < 0.3 && lower.value > 0.299);
    }

    #[test]
    fn what_cannot_be_reached_is_said() {
        let never = [f32::INFINITY; 4];
        assert_eq!(found(&never, 0.5, 3, 0.1), Beta { value: 0.5, feasible: false });
        let tied = [0.4, 0.4, 0.4, 2.0];
        assert!(!found(&tied, 0.5, 2, 0.0).feasible, "three flip at once, two are wanted");
    }

    #[test]
    fn the_published_search_by_hand() {
        // s = 4/5, p = 0: 0.5 gives 2, 0.55 gives 2, 0.605 gives 3, then 0.6655 (3), 0.73205 (4).
        let flips = flips(&[0.1, 0.3, 0.6, 0.7, 0.9]);
        let beta = search(&flips, 0.5, 4, 0.0).unwrap();
        assert!(beta.feasible && (beta.value - 0.5 * 1.1_f64.powi(4)).abs() < 1e-6);
        // s = 1/5, p = 0.1: two are too many until β < 0.3, at 0.5·0.9^5.
        let beta = search(&flips, 0.5, 1, 0.1).unwrap();
        assert!(beta.feasible && (beta.value - 0.5 * 0.9_f64.powi(5)).abs() < 1e-6);
        assert_eq!(search(&flips, 0.5, 1, 0.2), None, "s − p ≤ 0: it never begins");
        assert!(!search(&flips, 0.5, 5, 0.0).unwrap().value.is_nan());
        let never = search(&self::flips(&[f32::INFINITY; 4]), 0.5, 3, 0.1).unwrap();
        assert_eq!(never, Beta { value: 1.0, feasible: false }, "β ends at its cap");
    }

    fn flip_points() -> impl Strategy<Value = Vec<f32>> {
        let one = prop_oneof![8 => -0.5..1.5_f32, 1 => Just(f32::INFINITY), 1 => Just(f32::NEG_INFINITY),
            1 => Just(0.5_f32), 1 => Just(0.0_f32), 1 => Just(1.0_f32), 2 => (0_u8..=255).prop_map(|i| 0.4999 + f32::from(i) * 1e-6)];
        proptest::collection::vec(one, 1..200)
    }

    proptest! {
        #[test]
        fn ranks_are_those_of_the_sorted_list(values in flip_points()) {
            let mut flips = flips(&values);
            let mut sorted = values;
            sorted.sort_by(f32::total_cmp);
            for (rank, &value) in sorted.iter().enumerate().filter(|&(_, &v)| v > 0.0 && v <= 1.0) {
                let below = sorted.iter().filter(|&&v| v < value).count();
                let up_to = sorted.iter().filter(|&&v| v <= value).count();
                prop_assert_eq!(flips.ranked(rank), Ranked { value, below, up_to });
            }
        }

        /// Against trying every β that could matter.
        #[test]
        fn no_feasible_beta_is_nearer_to_the_start(
            values in flip_points(), start in 0.0..2.0_f64, share in 0.0..=1.0_f64, p in 0.0..0.5_f64,
        ) {
            let zeros_at = |beta: f32| values.iter().filter(|&&flip| flip <= beta).count();
            let zeros = zeros_at(0.0) + ((values.len() - zeros_at(0.0)) as f64 * share) as usize;
            let range = Range::new(zeros, values.len(), p);
            let beta = found(&values, start, zeros, p);
            let start = start.min(1.0) as f32;
            let candidates = || {
                let all = values.iter().flat_map(|&f| [f, f.next_down()]).chain([0.0, start, 1.0]);
                all.filter(|beta| (0.0..=1.0).contains(beta))
            };
            let feasible = candidates().filter(|&beta| range.miss(zeros_at(beta)) == 0);
            let nearest = feasible.map(|b| (f64::from(b) - f64::from(start)).abs()).min_by(f64::total_cmp);
            prop_assert_eq!(beta.feasible, nearest.is_some());
            prop_assert!((0.0..=1.0).contains(&beta.value));
            if let Some(nearest) = nearest {
                prop_assert!((beta.value - f64::from(start)).abs() <= nearest + 1e-7);
            }
            let least_miss = candidates().map(|b| range.miss(zeros_at(b))).min();
            prop_assert_eq!(Some(range.miss(zeros_at(beta.value as f32))), least_miss);
        }

        /// What the published search finds is feasible for the exact one too, and not nearer to the start.
        #[test]
        fn the_published_search_is_never_nearer(values in flip_points(), start in 0.01..1.0_f64, zeros in 0_usize..200, p in 0.0..0.5_f64) {
            let zeros = zeros.min(values.len());
            let exact = found(&values, start, zeros, p);
            if let Some(beta) = search(&flips(&values), start, zeros, p).filter(|beta| beta.feasible) {
                prop_assert!(exact.feasible);
                prop_assert!((exact.value - start).abs() <= (beta.value - start).abs() + 1e-6);
            }
        }
    }
}
