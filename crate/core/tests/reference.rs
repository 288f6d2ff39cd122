//! Mode *reference* against the published algorithm written plainly: all costs of every weight, again for each trial of β.

// Helpers of tests may panic; twins are compared with a tolerance.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

use ecqx_core::quant::{Assignment, Codebook, Ecq, Ecqx, LayerInput, Mode, Quantizer, UnitRelevance, Workspace};
use proptest::prelude::*;

fn assign(quantizer: &dyn Quantizer, weights: &[f32], relevance: &[f32], bits: u8, largest: usize) -> Assignment {
    let codebook = Codebook::uniform("fc", weights, bits).unwrap();
    let relevance = UnitRelevance::new("fc", relevance).unwrap();
    let input = LayerInput::new("fc", weights, Some(&relevance), &codebook, largest).unwrap();
    let mut work = Workspace::default();
    quantizer.assign(&input, &mut work).unwrap();
    work.assignment().clone()
}

/// The layer, and what the algorithm finds out about it on the way.
struct Twin {
    weights: Vec<f64>,
    centroids: Vec<f64>,
    zero: usize,
    information: Vec<f64>,
    lagrange: f64,
}

impl Twin {
    fn new(weights: &[f32], bits: u8, lambda: f64, largest: usize) -> Self {
        let codebook = Codebook::uniform("fc", weights, bits).unwrap();
        let weights: Vec<f64> = weights.iter().copied().map(f64::from).collect();
        let centroids: Vec<f64> = codebook.centroids().iter().copied().map(f64::from).collect();
        let zero = codebook.zero();
        let mut twin = Self { information: vec![0.0; centroids.len()], weights, centroids, zero, lagrange: 0.0 };
        let nearest = twin.assign(|_| 1.0);
        let count = |c: usize| nearest.iter().filter(|&&own| own == c).count() as f64;
        let mut shares: Vec<f64> = (0..twin.centroids.len()).map(|c| count(c) / nearest.len() as f64).collect();
        if shares[zero] < 0.5 {
            let others = 1.0 - shares[zero];
            for c in 0..shares.len() {
                shares[c] -= shares[c] / others * (0.5 - shares[zero]);
            }
            shares[zero] = 0.5;
        }
        twin.information = shares.iter().map(|p| -p.log2()).collect();
        let of_extreme = |w: f64| {
            let c = nearest[twin.weights.iter().position(|&own| own == w).unwrap()];
            let dearer = twin.information[c] - twin.information[zero];
            let gain = (twin.centroids[c] - w).powi(2) + w;
            if dearer > 1e-12 { gain * gain / dearer } else { f64::INFINITY }
        };
        let min = twin.weights.iter().copied().fold(f64::INFINITY, f64::min);
        let max = twin.weights.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let size = (nearest.len() as f64 / largest as f64 + 0.05) / 1.05;
        twin.lagrange = lambda * of_extreme(min).max(of_extreme(max)) * size;
        twin
    }

    /// The cheapest cluster of each weight, the cost of zero times the factor; ties go towards zero.
    fn assign(&self, factor: impl Fn(usize) -> f64) -> Vec<usize> {
        let cost = |index: usize, c: usize| {
            let distance = (self.weights[index] - self.centroids[c]).powi(2);
            // Λ = 0 charges nothing, not even for an empty cluster.
            let price = if self.lagrange > 0.0 { self.lagrange * self.information[c] } else { 0.0 };
            (distance + price) * if c == self.zero { factor(index) } else { 1.0 }
        };
        let from_zero = |c: &usize| c.abs_diff(self.zero);
        let cheapest = |index: usize| {
            let mut clusters: Vec<usize> = (0..self.centroids.len()).collect();
            clusters.sort_by_key(from_zero);
            clusters.into_iter().min_by(|&a, &b| cost(index, a).total_cmp(&cost(index, b))).unwrap()
        };
        (0..self.weights.len()).map(cheapest).collect()
    }

    fn with_relevance(&self, relevance: &[f32], p: f64) -> (Vec<usize>, f64) {
        let share =
            |clusters: &[usize]| clusters.iter().filter(|&&c| c == self.zero).count() as f64 / clusters.len() as f64;
        let r: Vec<f64> = relevance.iter().copied().map(f64::from).collect();
        let mut clusters = self.assign(|_| 1.0);
        let (s, mut found) = (share(&clusters), 0.0);
        let (mut beta, mut used) = (0.5_f64.ln() / (r.iter().sum::<f64>() / r.len() as f64).ln(), f64::NAN);
        for trial in 0..51 {
            if !(found < s - p || found > s) {
                break;
            }
            used = beta;
            clusters = self.assign(|index| 2.0 * (r[index] + 1e-12).powf(beta));
            found = share(&clusters);
            let step = [0.1, 0.1, 0.5, 0.5, 0.75, 0.75][trial / 10];
            let sign = if found < s {
                1.0
            } else if found > s {
                -1.0
            } else {
                0.0
            };
            beta = (beta * (1.0 + sign * step)).min(1.0);
        }
        (clusters, used)
    }
}

fn layer() -> impl Strategy<Value = (Vec<f32>, Vec<f32>)> {
    let weight = prop_oneof![8 => -0.3..0.3_f32, 3 => -1.0..1.2_f32, 1 => Just(0.0_f32)];
    let relevance = prop_oneof![6 => 0.0..0.2_f32, 2 => -1.0..1.0_f32, 1 => Just(0.0_f32)];
    proptest::collection::vec((weight, relevance), 20..200).prop_map(|pairs| pairs.into_iter().unzip())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn the_published_algorithm_gives_the_same((weights, relevance) in layer(), bits in 2_u8..=5, lambda in 0.001..0.6_f64, p in 0.0..=0.3_f64, spare in 0_usize..300) {
        let largest = weights.len() + spare;
        let twin = Twin::new(&weights, bits, lambda, largest);
        let ecq = assign(&Ecq::new(lambda, Mode::Reference).unwrap(), &weights, &relevance, bits, largest);
        if twin.lagrange.is_infinite() {
            prop_assert!(ecq.sparsity() == 1.0 && ecq.notice.is_some());
            return Ok(());
        }
        prop_assert!((ecq.lagrange - twin.lagrange).abs() <= 1e-9 * twin.lagrange);
        let same = |got: &Assignment, expected: &[usize]| got.clusters.iter().zip(expected).all(|(&g, &e)| usize::from(g) == e);
        prop_assert!(same(&ecq, &twin.assign(|_| 1.0)));
        let unit = UnitRelevance::new("fc", &relevance).unwrap();
        let (clusters, beta) = twin.with_relevance(unit.values(), p);
        let ecqx = assign(&Ecqx::new(lambda, p, Mode::Reference).unwrap(), &weights, &relevance, bits, largest);
        prop_assert_eq!(ecqx.beta.is_none(), beta.is_nan());
        prop_assert!(ecqx.beta.is_none_or(|own| (own.value - beta).abs() < 1e-6), "{:?}, not {}", ecqx.beta, beta);
        prop_assert!(same(&ecqx, &clusters));
    }
}
