//! The kernel. Every cluster's cost (w − w_c)² + Λ·I_c is the same parabola, shifted; so the cheapest cluster is a step
//! function of w, and its thresholds are found once per layer: no loop over clusters with distances per weight.

/// Clusters on the lower envelope, ascending, and where one takes over from the next.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Envelope {
    clusters: Vec<u8>,
    /// `clusters[k + 1]` wins over `clusters[k]` for w strictly above `thresholds[k]`.
    thresholds: Vec<f32>,
}

impl Envelope {
    /// The envelope of (w − centroid)² + price, over the clusters with a finite price. Without w² these are lines, whose
    /// lower hull in order of slope is a stack.
    ///
    /// At a threshold the weight goes to the cluster nearer to zero: so the same weights with the signs turned round get
    /// the same clusters turned round, and at λ = 1 the extreme weight of either side is 0.
    pub(super) fn new(costs: impl Iterator<Item = (u8, f32, f64)>) -> Self {
        let mut hull: Vec<(u8, f64, f64, f64)> = Vec::new(); // cluster, centroid, w_c² + price, where it takes over
        for (cluster, centroid, price) in costs.filter(|(_, _, price)| price.is_finite()) {
            let centroid = f64::from(centroid);
            let height = centroid * centroid + price;
            let from = loop {
                let Some(&(_, before, low, since)) = hull.last() else { break f64::NEG_INFINITY };
                let crossing = (height - low) / (2.0 * (centroid - before));
                if crossing > since {
                    break crossing;
                }
                hull.pop();
            };
            hull.push((cluster, centroid, height, from));
        }
        let thresholds = hull.windows(2).map(|pair| {
            let at = pair[1].3 as f32;
            if pair[0].1 < 0.0 { at.next_down() } else { at }
        });
        Self { thresholds: thresholds.collect(), clusters: hull.iter().map(|line| line.0).collect() }
    }

    /// The cheapest cluster of each weight.
    pub(super) fn assign(&self, weights: &[f32], clusters: &mut Vec<u8>) {
        /// Weights looked up together: their counts stay in registers while the thresholds pass by.
        const LANES: usize = 64;
        clusters.clear();
        clusters.reserve(weights.len());
        let mut passed = [0_u8; LANES];
        for weights in weights.chunks(LANES) {
            passed.fill(0);
            for &threshold in &self.thresholds {
                for (passed, &w) in passed.iter_mut().zip(weights) {
                    *passed += u8::from(w > threshold);
                }
            }
            let place = |&passed: &u8| self.clusters.get(usize::from(passed)).copied().unwrap_or(0);
            clusters.extend(passed.iter().take(weights.len()).map(place));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn assign(costs: &[(f32, f64)], weights: &[f32]) -> Vec<u8> {
        let envelope =
            Envelope::new(costs.iter().enumerate().map(|(c, &(centroid, price))| (c as u8, centroid, price)));
        let mut clusters = Vec::new();
        envelope.assign(weights, &mut clusters);
        clusters
    }

    #[test]
    fn equal_prices_give_the_nearest_with_ties_towards_zero() {
        let costs = [(-1.0, 0.0), (0.0, 0.0), (1.0, 0.0), (2.0, 0.0)];
        assert_eq!(assign(&costs, &[-9.0, -0.5, -0.4, 0.0, 0.5, 0.6, 1.5, 1.6]), [0, 1, 1, 1, 1, 2, 2, 3]);
    }

    #[test]
    fn a_dear_cluster_is_skipped() {
        assert_eq!(assign(&[(0.0, 0.0), (1.0, 9.0), (2.0, 0.0)], &[0.9, 1.1]), [0, 2]);
        assert_eq!(assign(&[(0.0, 0.0), (1.0, f64::INFINITY)], &[5.0]), [0]);
    }

    proptest! {
        #[test]
        fn no_other_cluster_is_cheaper(
            prices in proptest::collection::vec(prop_oneof![4 => 0.0..3.0_f64, 1 => Just(f64::INFINITY)], 2..40),
            weights in proptest::collection::vec(-30.0..30.0_f32, 1..200),
            zero in 0_usize..40,
        ) {
            prop_assume!(prices.iter().any(|p| p.is_finite()));
            let centroid = |c: usize| (c as f32 - zero as f32) * 0.7;
            let costs: Vec<(f32, f64)> = prices.iter().enumerate().map(|(c, &price)| (centroid(c), price)).collect();
            for (&cluster, &w) in assign(&costs, &weights).iter().zip(&weights) {
                let cost = |&(centroid, price): &(f32, f64)| (f64::from(w) - f64::from(centroid)).powi(2) + price;
                let least = costs.iter().map(cost).fold(f64::INFINITY, f64::min);
                prop_assert!(cost(&costs[usize::from(cluster)]) <= least + 1e-4);
            }
        }
    }
}
