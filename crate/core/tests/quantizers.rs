//! ECQ and ECQx against slow f64 twins written from the formulas, and the invariants of the method.

// Helpers of tests may panic; twins are compared with a tolerance.
#![allow(clippy::unwrap_used, clippy::panic, clippy::disallowed_methods)]

use ecqx_core::quant::{
    Assignment, Codebook, Ecq, Ecqx, LayerInput, Mode, Nearest, Quantizer, UnitRelevance, Workspace,
};
use proptest::prelude::*;

/// A layer as training leaves it: most weights small, a few large, sometimes exact zeros and repeated values.
fn layer() -> impl Strategy<Value = (Vec<f32>, Vec<f32>)> {
    let weight = prop_oneof![8 => -0.3..0.3_f32, 3 => -1.0..1.2_f32, 1 => Just(0.0_f32), 1 => Just(0.25_f32)];
    let relevance = prop_oneof![6 => 0.0..0.2_f32, 2 => -1.0..1.0_f32, 1 => Just(0.0_f32)];
    proptest::collection::vec((weight, relevance), 2..300).prop_map(|pairs| pairs.into_iter().unzip())
}

fn assign(quantizer: &dyn Quantizer, weights: &[f32], relevance: &[f32], bits: u8, largest: usize) -> Assignment {
    let codebook = Codebook::uniform("fc", weights, bits).unwrap();
    let relevance = UnitRelevance::new("fc", relevance).unwrap();
    let input = LayerInput::new("fc", weights, Some(&relevance), &codebook, largest).unwrap();
    let mut work = Workspace::default();
    quantizer.assign(&input, &mut work).unwrap();
    work.assignment().clone()
}

fn ecq(lambda: f64) -> Ecq {
    Ecq::new(lambda, Mode::Exact).unwrap()
}

fn ecqx(lambda: f64, p: f64) -> Ecqx {
    Ecqx::new(lambda, p, Mode::Exact).unwrap()
}

/// Cost of cluster c for weight w, in f64.
fn cost(assignment: &Assignment, codebook: &Codebook, w: f32, c: usize) -> f64 {
    let distance = f64::from(w) - f64::from(codebook.centroids()[c]);
    // Λ = 0 charges nothing, not even for an empty cluster.
    let price = if assignment.lagrange > 0.0 { assignment.lagrange * assignment.information_bits[c] } else { 0.0 };
    distance * distance + price
}

/// I_c from the nearest-neighbour histogram, step by step as the method says.
fn information_twin(counts: &[u32], zero: usize) -> Vec<f64> {
    let total: f64 = counts.iter().map(|&n| f64::from(n)).sum();
    let mut shares: Vec<f64> = counts.iter().map(|&n| f64::from(n) / total).collect();
    if shares[zero] < 0.5 {
        let others = 1.0 - shares[zero];
        for share in &mut shares {
            *share *= 0.5 / others;
        }
        shares[zero] = 0.5;
    }
    shares.iter().map(|p| -p.log2()).collect()
}

/// The smallest Λ at which no weight prefers another cluster to zero, by bisection over the costs of all weights.
fn lagrange_twin(weights: &[f32], codebook: &Codebook, information: &[f64]) -> f64 {
    let zero = codebook.zero();
    let empty = |lagrange: f64| {
        weights.iter().all(|&w| {
            let cost =
                |c: usize| (f64::from(w) - f64::from(codebook.centroids()[c])).powi(2) + lagrange * information[c];
            (0..codebook.len()).filter(|&c| information[c].is_finite()).all(|c| cost(zero) <= cost(c))
        })
    };
    let (mut low, mut high) = (0.0, 1e6);
    for _ in 0..200 {
        let middle = f64::midpoint(low, high);
        if empty(middle) { high = middle } else { low = middle }
    }
    high
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn ecq_takes_the_cheapest_cluster((weights, relevance) in layer(), bits in 2_u8..=8, lambda in 0.0..=1.0_f64, spare in 0_usize..500) {
        let largest = weights.len() + spare;
        let codebook = Codebook::uniform("fc", &weights, bits).unwrap();
        let assignment = assign(&ecq(lambda), &weights, &relevance, bits, largest);
        let information = information_twin(&assignment.occupancy_nearest, codebook.zero());
        for (got, expected) in assignment.information_bits.iter().zip(&information) {
            prop_assert!(got == expected || (got - expected).abs() < 1e-9, "I is {got}, not {expected}");
        }
        if assignment.notice.is_none() && lambda > 0.0 {
            let size = (weights.len() as f64 / largest as f64 + 0.05) / 1.05;
            let expected = lambda * size * lagrange_twin(&weights, &codebook, &information);
            prop_assert!((assignment.lagrange - expected).abs() <= 1e-6 * expected, "Λ is {}, not {expected}", assignment.lagrange);
        }
        for (&w, &c) in weights.iter().zip(&assignment.clusters) {
            let own = cost(&assignment, &codebook, w, usize::from(c));
            let least = (0..codebook.len()).map(|c| cost(&assignment, &codebook, w, c)).fold(f64::INFINITY, f64::min);
            prop_assert!(own <= least + 1e-6 * f64::from(codebook.step_size()), "{w}: {own}, not {least}");
        }
        prop_assert_eq!(assignment.occupancy.iter().sum::<u32>() as usize, weights.len());
    }

    #[test]
    fn ecqx_prices_zero_by_relevance((weights, relevance) in layer(), bits in 2_u8..=6, lambda in 0.001..=1.0_f64, p in 0.0..=0.5_f64) {
        let codebook = Codebook::uniform("fc", &weights, bits).unwrap();
        let assignment = assign(&ecqx(lambda, p), &weights, &relevance, bits, weights.len());
        let Some(beta) = assignment.beta else { return Ok(()) };
        let unit = UnitRelevance::new("fc", &relevance).unwrap();
        for ((&w, &c), &r) in weights.iter().zip(&assignment.clusters).zip(unit.values()) {
            let factor = 2.0 * (f64::from(r) + 1e-12).powf(beta.value);
            let cost = |c: usize| cost(&assignment, &codebook, w, c) * if c == codebook.zero() { factor } else { 1.0 };
            let least = (0..codebook.len()).map(cost).fold(f64::INFINITY, f64::min);
            prop_assert!(cost(usize::from(c)) <= least * (1.0 + 1e-5) + 1e-9, "{w}, r {r}: {}, not {least}", cost(usize::from(c)));
        }
    }

    /// Against all β at which anything changes, a little to either side, each tried on every weight.
    #[test]
    fn no_feasible_beta_is_nearer_to_the_start((weights, relevance) in layer(), bits in 2_u8..=4, lambda in 0.001..=1.0_f64, p in 0.0..=0.5_f64) {
        let codebook = Codebook::uniform("fc", &weights, bits).unwrap();
        let assignment = assign(&ecqx(lambda, p), &weights, &relevance, bits, weights.len());
        let Some(beta) = assignment.beta else { return Ok(()) };
        let unit = UnitRelevance::new("fc", &relevance).unwrap();
        let costs: Vec<(f64, f64, f64)> = weights.iter().zip(unit.values()).map(|(&w, &r)| {
            let others = (0..codebook.len()).filter(|&c| c != codebook.zero());
            let best = others.map(|c| cost(&assignment, &codebook, w, c)).fold(f64::INFINITY, f64::min);
            (2.0 * cost(&assignment, &codebook, w, codebook.zero()), best, f64::from(r) + 1e-12)
        }).collect();
        let zeros_at = |beta: f64| costs.iter().filter(|(zero, best, r)| zero * r.powf(beta) <= *best).count();
        let most = assignment.occupancy_ecq[codebook.zero()] as usize;
        let least = most.saturating_sub((p * weights.len() as f64 + 1e-9).floor() as usize);
        let start = (0.5_f64.ln() / unit.mean().ln()).min(1.0);
        let flips = costs.iter().map(|(zero, best, r)| (best / zero).ln() / r.ln());
        let tried = flips.flat_map(|flip| [flip - 2e-6, flip + 2e-6]).chain([start]).filter(|beta| (0.0..=1.0).contains(beta));
        let nearest = tried.filter(|&beta| (least..=most).contains(&zeros_at(beta))).map(|b| (b - start).abs()).min_by(f64::total_cmp);
        if let Some(nearest) = nearest {
            prop_assert!(beta.feasible && (beta.value - start).abs() <= nearest + 1e-5, "{beta:?}, {nearest} from {start}");
        }
    }

    #[test]
    fn beta_by_hand_gives_what_the_search_gave((weights, relevance) in layer(), bits in 2_u8..=6, lambda in 0.001..=1.0_f64, p in 0.0..=0.5_f64) {
        // The β that is found is mostly a flip point: a tie, which the quick look in f32 cannot decide.
        let found = assign(&ecqx(lambda, p), &weights, &relevance, bits, weights.len());
        let Some(beta) = found.beta else { return Ok(()) };
        let by_hand = assign(&ecqx(lambda, p).with_beta(beta.value).unwrap(), &weights, &relevance, bits, weights.len());
        prop_assert_eq!(&by_hand, &found);
        let dearer = assign(&ecqx(lambda, p).with_beta(beta.value).unwrap().with_rho(4.0).unwrap(), &weights, &relevance, bits, weights.len());
        prop_assert!(dearer.sparsity() <= found.sparsity());
    }

    #[test]
    fn sparsity_with_relevance_stays_in_the_range_that_p_allows((weights, relevance) in layer(), bits in 2_u8..=6, lambda in 0.001..=1.0_f64, p in 0.0..=1.0_f64) {
        let without = assign(&ecq(lambda), &weights, &relevance, bits, weights.len());
        let with = assign(&ecqx(lambda, p), &weights, &relevance, bits, weights.len());
        prop_assert_eq!(&with.occupancy_ecq, &without.occupancy);
        prop_assert_eq!(&with.thresholds, &without.thresholds);
        match with.beta {
            None => prop_assert_eq!(&with.clusters, &without.clusters),
            Some(beta) => {
                let (with, without) = (with.sparsity(), without.sparsity());
                prop_assert!((0.0..=1.0).contains(&beta.value));
                prop_assert_eq!(beta.feasible, with <= without + 1e-12 && with >= without - p - 1e-8);
            }
        }
    }

    #[test]
    fn without_lambda_everything_is_nearest_neighbour((weights, relevance) in layer(), bits in 2_u8..=8, p in 0.0..=1.0_f64) {
        let nearest = assign(&Nearest, &weights, &relevance, bits, weights.len());
        for quantizer in [&ecq(0.0) as &dyn Quantizer, &ecqx(0.0, p)] {
            prop_assert_eq!(&assign(quantizer, &weights, &relevance, bits, weights.len()).clusters, &nearest.clusters);
        }
    }

    #[test]
    fn more_lambda_never_means_fewer_zeros((weights, relevance) in layer(), bits in 2_u8..=6, lambdas in proptest::collection::vec(0.0..=1.0_f64, 2..8)) {
        let mut lambdas = lambdas;
        lambdas.sort_by(f64::total_cmp);
        let sparsity = |lambda| assign(&ecq(lambda), &weights, &relevance, bits, weights.len()).sparsity();
        let sparsities: Vec<f64> = lambdas.into_iter().map(sparsity).collect();
        prop_assert!(sparsities.is_sorted(), "{sparsities:?}");
    }

    #[test]
    fn lambda_one_empties_the_largest_layer((weights, relevance) in layer(), bits in 2_u8..=8) {
        let assignment = assign(&ecq(1.0), &weights, &relevance, bits, weights.len());
        prop_assert!(assignment.notice.is_some() || assignment.sparsity() == 1.0, "{}", assignment.sparsity());
    }

    #[test]
    fn constant_relevance_is_ecq((weights, _) in layer(), level in prop_oneof![Just(0.0_f32), 0.01..5.0_f32], lambda in 0.0..=1.0_f64, p in 0.0..=1.0_f64) {
        let relevance = vec![level; weights.len()];
        let without = assign(&ecq(lambda), &weights, &relevance, 4, weights.len());
        let with = assign(&ecqx(lambda, p), &weights, &relevance, 4, weights.len());
        prop_assert_eq!(with.clusters, without.clusters);
        prop_assert!(lambda == 0.0 || with.notice.is_some());
    }

    #[test]
    fn order_of_weights_does_not_matter((weights, relevance) in layer(), lambda in 0.0..=1.0_f64, p in 0.0..=0.5_f64) {
        let turned = |values: &[f32]| values.iter().rev().copied().collect::<Vec<f32>>();
        let quantizer = ecqx(lambda, p);
        let forward = assign(&quantizer, &weights, &relevance, 4, weights.len());
        let mut backward = assign(&quantizer, &turned(&weights), &turned(&relevance), 4, weights.len());
        backward.clusters.reverse();
        prop_assert_eq!(forward.clusters, backward.clusters);
    }

    #[test]
    fn scale_does_not_matter((weights, relevance) in layer(), lambda in 0.0..=1.0_f64, p in 0.0..=0.5_f64, power in -8_i32..8) {
        // Powers of two scale without rounding, so that even ties stay ties.
        let scaled: Vec<f32> = weights.iter().map(|w| w * 2.0_f32.powi(power)).collect();
        let quantizer = ecqx(lambda, p);
        let (one, other) = (assign(&quantizer, &weights, &relevance, 4, weights.len()), assign(&quantizer, &scaled, &relevance, 4, weights.len()));
        prop_assert_eq!(one.clusters, other.clusters);
    }
}

#[test]
fn layers_without_a_choice_say_so() {
    for weights in [vec![0.0; 9], vec![0.7; 9], vec![-0.7; 9]] {
        let relevance: Vec<f32> = (0..9_u8).map(f32::from).collect();
        for bits in [2, 5, 8] {
            let nearest = assign(&Nearest, &weights, &relevance, bits, 9);
            let with = assign(&ecqx(0.5, 0.1), &weights, &relevance, bits, 9);
            assert!(with.notice.is_some() && with.beta.is_none() && with.lagrange == 0.0);
            assert_eq!(with.clusters, nearest.clusters);
        }
    }
}

#[test]
fn bad_layers_are_refused() {
    let codebook = Codebook::uniform("fc", &[0.1, -0.2], 4).unwrap();
    let relevance = UnitRelevance::new("fc", &[1.0]).unwrap();
    let error =
        |weights: &[f32], relevance| LayerInput::new("fc", weights, relevance, &codebook, 2).unwrap_err().to_string();
    assert!(error(&[], None).contains("no weights"));
    assert!(error(&[1.0, f32::NAN], None).contains("weight 1 of layer fc is NaN"));
    assert!(error(&[1.0, 2.0], Some(&relevance)).contains("2 weights but 1 relevances"));
    let input = LayerInput::new("fc", &[0.1, -0.2], None, &codebook, 2).unwrap();
    let refused = ecqx(0.1, 0.1).assign(&input, &mut Workspace::default()).unwrap_err();
    assert!(refused.to_string().contains("needs the relevance"));
}

#[test]
fn a_cluster_as_common_as_zero_leaves_weights_where_they_are() {
    for (zeros, others) in [(1, 2), (1, 6), (2, 4), (3, 59), (5, 7)] {
        for weight in [0.7, -0.7] {
            let weights: Vec<f32> = [vec![0.0; zeros], vec![weight; others]].concat();
            let relevance: Vec<f32> = (0..weights.len()).map(|i| i as f32).collect();
            let without = assign(&ecq(0.5), &weights, &relevance, 3, weights.len());
            assert!(without.notice.is_some() && without.lagrange == 0.0, "{zeros} zeros, {others} others");
            assert_eq!(without.clusters, assign(&Nearest, &weights, &relevance, 3, weights.len()).clusters);
        }
    }
}
