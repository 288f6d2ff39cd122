//! The exponent β on relevance, exactly. For given costs every weight has one flip point: the β from which on it goes
//! to zero. Sparsity is therefore a step function of β that never falls, and order statistics of the flip points give
//! the range of β that p allows; no search.

use super::Beta;
use crate::math;

/// Guard added to relevance before a power or logarithm, as in the published code.
const TINY: f64 = 1e-12;
/// ρ: a weight of relevance 1 finds zero twice as dear.
const RHO: f64 = 2.0;

/// The β from which on a weight goes to zero; −∞: always, +∞: never.
///
/// ```text
/// zero wins  ⇔  ρ·cost_0·(r + 1e-12)^β ≤ best_other  ⇔  β ≥ ln(best_other/(ρ·cost_0)) / ln(r + 1e-12)
/// ```
pub(super) fn flip_point(cost_zero: f64, best_other: f64, relevance: f32) -> f32 {
    let surplus = math::ln(best_other / (RHO * cost_zero));
    let log_relevance = math::ln(f64::from(relevance) + TINY);
    if log_relevance < 0.0 {
        return (surplus / log_relevance) as f32;
    }
    // r = 1: no power changes the cost.
    if surplus >= 0.0 { f32::NEG_INFINITY } else { f32::INFINITY }
}

/// The β in [0, 1] nearest to β_0 whose sparsity lies in [s − p, s], s being the sparsity without relevance; where
/// there is none, the one whose sparsity is nearest to that range.
///
/// ```text
/// β_0 = ln ½ / ln mean(r)        a weight of mean relevance keeps its cost
/// ```
/// `flips` holds the flip point of every weight, `zeros` = s·N, 0 ≤ p ≤ 1.
pub(super) fn find_beta(flips: &[f32], mean_relevance: f64, zeros: usize, p: f64) -> Beta {
    let total = flips.len();
    let least = zeros.saturating_sub((p * total as f64 + 1e-9).floor() as usize);
    let sparsity_at = |beta: f32| flips.iter().filter(|&&flip| flip <= beta).count();
    let start = (math::ln(0.5) / math::ln(mean_relevance.clamp(TINY, 1.0 - TINY))).clamp(0.0, 1.0) as f32;
    let found = sparsity_at(start);
    let value = if found > zeros {
        // β must fall until no more than `zeros` weights have flipped: just below the next flip point.
        let above = order_statistic(flips, zeros);
        nearest_to_range([start, above.next_down().max(0.0), above.clamp(0.0, start)], sparsity_at, least, zeros)
    } else if found < least {
        // β must rise until enough weights have flipped.
        let reach = order_statistic(flips, least - 1);
        nearest_to_range(
            [start, reach.next_down().clamp(start, 1.0), reach.clamp(start, 1.0)],
            sparsity_at,
            least,
            zeros,
        )
    } else {
        start
    };
    Beta { value: f64::from(value), feasible: (least..=zeros).contains(&sparsity_at(value)) }
}

/// The β whose sparsity is nearest to the range; the first of equals.
fn nearest_to_range<const N: usize>(
    candidates: [f32; N],
    sparsity_at: impl Fn(f32) -> usize,
    least: usize,
    most: usize,
) -> f32 {
    let miss = |&beta: &f32| {
        let found = sparsity_at(beta);
        least.saturating_sub(found).max(found.saturating_sub(most))
    };
    candidates.into_iter().min_by_key(miss).unwrap_or(0.0)
}

/// The value at position `rank` of the sorted list.
fn order_statistic(values: &[f32], rank: usize) -> f32 {
    let mut values = values.to_vec();
    match values.len() {
        0 => f32::INFINITY,
        len => *values.select_nth_unstable_by(rank.min(len - 1), f32::total_cmp).1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn start_is_kept_where_it_is_feasible() {
        let beta = find_beta(&[0.1, 0.2, 0.9], 0.25, 2, 0.0); // β_0 = ½, two of three flipped
        assert_eq!(beta, Beta { value: 0.5, feasible: true });
    }

    #[test]
    fn p_bounds_what_may_be_given_back() {
        let flips = [0.1, 0.3, 0.6, 0.7, 0.9];
        assert_eq!(find_beta(&flips, 0.25, 4, 0.4), Beta { value: 0.5, feasible: true });
        assert_eq!(find_beta(&flips, 0.25, 4, 0.2).value as f32, 0.6);
        assert_eq!(find_beta(&flips, 0.25, 4, 0.0).value as f32, 0.7);
        let lower = find_beta(&flips, 0.25, 1, 0.0);
        assert!(lower.feasible && lower.value < 0.3 && lower.value > 0.299);
    }

    #[test]
    fn what_cannot_be_reached_is_said() {
        let never = [f32::INFINITY; 4];
        assert_eq!(find_beta(&never, 0.25, 3, 0.1), Beta { value: f64::from(0.5_f32), feasible: false });
        let tied = [0.4, 0.4, 0.4, 2.0];
        assert!(!find_beta(&tied, 0.25, 2, 0.0).feasible, "three flip at once, two are wanted");
    }

    proptest! {
        /// Against trying every β that could matter.
        #[test]
        fn no_feasible_beta_is_nearer_to_the_start(
            flips in proptest::collection::vec(prop_oneof![8 => -0.5..1.5_f32, 1 => Just(f32::INFINITY), 1 => Just(0.5_f32)], 1..60),
            mean in 0.001..0.999_f64, share in 0.0..=1.0_f64, p in 0.0..0.5_f64,
        ) {
            let sparsity_at = |beta: f32| flips.iter().filter(|&&flip| flip <= beta).count();
            let zeros = sparsity_at(0.0) + ((flips.len() - sparsity_at(0.0)) as f64 * share) as usize;
            let beta = find_beta(&flips, mean, zeros, p);
            let least = zeros.saturating_sub((p * flips.len() as f64 + 1e-9).floor() as usize);
            let start = (0.5_f64.ln() / mean.ln()).clamp(0.0, 1.0) as f32;
            let candidates = || {
                let all = flips.iter().flat_map(|&f| [f, f.next_down()]).chain([0.0, start, 1.0]);
                all.filter(|beta| (0.0..=1.0).contains(beta))
            };
            let feasible = candidates().filter(|&beta| (least..=zeros).contains(&sparsity_at(beta)));
            let nearest = feasible.map(|b| (f64::from(b) - f64::from(start)).abs()).min_by(f64::total_cmp);
            prop_assert_eq!(beta.feasible, nearest.is_some());
            prop_assert!((0.0..=1.0).contains(&beta.value));
            if let Some(nearest) = nearest {
                prop_assert!((beta.value - f64::from(start)).abs() <= nearest + 1e-7);
            }
            let miss = |found: usize| least.saturating_sub(found).max(found.saturating_sub(zeros));
            let least_miss = candidates().map(|b| miss(sparsity_at(b))).min();
            prop_assert_eq!(Some(miss(sparsity_at(beta.value as f32))), least_miss);
        }
    }
}
