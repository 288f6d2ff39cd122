//! Escape lengths worth a closer look, by a histogram: what bins would cost if each context knew its own odds.

use super::super::binarize::EscapeLength;
use crate::math;

/// Magnitudes with a place in the histogram; of the few beyond, each is looked at.
const LISTED: usize = 512;
/// What a context costs, in bits, until it knows its odds: about what sets and their flags save and cost.
const LEARNING: f64 = 6.0;
/// What not knowing them well costs each bin: estimators forget.
const FORGETTING: f64 = 0.004;
/// How many are looked at closely, of a tensor with at most so many weights and of a larger one.
const KEPT: [(usize, usize); 2] = [(1 << 16, 8), (usize::MAX, 2)];

/// The most promising first. At one less than the largest magnitude an escape has one bin and no bits; shorter ones pay
/// where large magnitudes are few.
pub(super) fn candidates(values: &[i32]) -> Vec<EscapeLength> {
    let histogram = Histogram::of(values);
    let full = EscapeLength::near(histogram.largest.saturating_sub(1));
    let mut lengths = [1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 13, 16, 20, 24, 28, 32, 40, 48, 64, 80, 96, 128]
        .map(EscapeLength::near)
        .to_vec();
    lengths.retain(|&length| length < full);
    lengths.push(full);
    let greater = histogram.greater(full.get());
    let cost = |length: EscapeLength| greater.get(length.get()).copied().unwrap_or(f64::MAX) + histogram.escape(length);
    let mut costs: Vec<(f64, EscapeLength)> = lengths.into_iter().map(|length| (cost(length), length)).collect();
    costs.sort_by(|(a, _), (b, _)| a.total_cmp(b));
    let kept = KEPT.iter().find(|(most, _)| values.len() <= *most).map_or(1, |(_, kept)| *kept);
    costs.into_iter().take(kept).map(|(_, length)| length).collect()
}

struct Histogram {
    /// By magnitude less 1: how many are positive, how many negative.
    counts: Vec<[u32; 2]>,
    beyond: Vec<u32>,
    largest: u32,
}

impl Histogram {
    fn of(values: &[i32]) -> Self {
        let (mut counts, mut beyond) = (vec![[0; 2]; LISTED], Vec::new());
        let mut largest = 0;
        for &value in values {
            let magnitude = value.unsigned_abs();
            largest = largest.max(magnitude);
            if magnitude == 0 {
                continue;
            }
            match counts.get_mut(magnitude as usize - 1) {
                Some(count) => count[usize::from(value < 0)] += 1,
                None => beyond.push(magnitude),
            }
        }
        Self { counts, beyond, largest }
    }

    /// Bits of the bins "greater" by escape length, from 0 to `longest`.
    fn greater(&self, longest: usize) -> Vec<f64> {
        let all = self.counts.iter().fold([0, 0], |sum, count| [sum[0] + count[0], sum[1] + count[1]]);
        let far = self.beyond.len() as u32;
        // Those beyond are few: which side they are on does not matter.
        let mut reached = [all[0] + far, all[1]];
        let mut bits = vec![0.0];
        let mut sum = 0.0;
        for count in self.counts.iter().take(longest) {
            for (reached, &count) in reached.iter_mut().zip(count) {
                sum += binary(*reached - count, count);
                *reached -= count;
            }
            bits.push(sum);
        }
        bits
    }

    /// Bits of escapes at this length.
    fn escape(&self, length: EscapeLength) -> f64 {
        // By k: how many escapes have k bits.
        let mut by_bits = [0_u32; 32];
        let mut count = |magnitude: u32, times: u32| {
            if let Some(suffix) = magnitude.checked_sub(length.get() as u32).filter(|&suffix| suffix > 0) {
                by_bits[suffix.ilog2() as usize] += times;
            }
        };
        for (magnitude, sides) in (1..).zip(&self.counts) {
            count(magnitude, sides[0] + sides[1]);
        }
        self.beyond.iter().for_each(|&magnitude| count(magnitude, 1));
        let mut reached: u32 = by_bits.iter().sum();
        let mut sum = 0.0;
        for (bits, count) in by_bits.into_iter().enumerate() {
            sum += binary(reached - count, count) + bits as f64 * f64::from(count);
            reached -= count;
        }
        sum
    }
}

/// Bits of so many bins 1 and 0 in a context that has to learn their odds.
fn binary(ones: u32, zeros: u32) -> f64 {
    let all = f64::from(ones + zeros);
    let of = |count: u32| if count == 0 { 0.0 } else { f64::from(count) * math::log2(all / f64::from(count)) };
    if all == 0.0 { 0.0 } else { LEARNING + FORGETTING * all + of(ones) + of(zeros) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_less_than_the_largest_where_all_magnitudes_are_frequent() {
        // Any other length would send escapes of 6 with bits of their own.
        let values: Vec<i32> = (0..1000).map(|at| [1, -6, 6, -1][at * 7919 % 1009 % 4]).collect();
        assert_eq!(candidates(&values)[0].get(), 5);
        assert_eq!(candidates(&[0, 0, 0])[0].get(), 1);
    }

    #[test]
    fn short_where_magnitudes_are_spread() {
        let values: Vec<i32> = (0..300_i32).map(|at| at * at * at).collect();
        assert!(candidates(&values)[0].get() <= 3);
        assert!(candidates(&[i32::MIN, i32::MAX, 1, 0])[0].get() <= 3);
    }
}
