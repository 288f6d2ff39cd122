//! Thresholds. Every cluster's cost (w − w_c)² + Λ·I_c is the same parabola, shifted; so the cheapest cluster is a step
//! function of w, and its steps are found once per layer: no loop over clusters with distances per weight.

/// Where each cluster of a codebook ends.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Envelope {
    /// The cluster of w is the number of bounds below w. One for each cluster, the last infinite; a cluster that wins
    /// nowhere ends where the one before it does.
    bounds: Vec<f32>,
    /// Clusters that win somewhere, ascending: kept for its memory.
    hull: Vec<Line>,
}

/// A cost without its w²: a line, −2·w_c·w + (w_c² + price).
#[derive(Debug, Clone, Copy, PartialEq)]
struct Line {
    cluster: usize,
    centroid: f64,
    height: f64,
    /// It is the cheapest above here.
    from: f64,
}

impl Envelope {
    /// The envelope of (w − centroid)² + price, over the clusters with a finite price; at least one. Without w² these
    /// are lines, whose lower hull in order of slope is a stack.
    ///
    /// At a bound the weight goes to the cluster nearer to zero: so the same weights with the signs turned round get
    /// the same clusters turned round, and at λ = 1 the extreme weight of either side is 0.
    pub(super) fn rebuild(&mut self, centroids: &[f32], price: &dyn Fn(usize) -> f64) {
        self.hull.clear();
        for (cluster, &centroid) in centroids.iter().enumerate() {
            let (centroid, price) = (f64::from(centroid), price(cluster));
            if !price.is_finite() {
                continue;
            }
            let height = centroid * centroid + price;
            let from = loop {
                let Some(last) = self.hull.last() else { break f64::NEG_INFINITY };
                let crossing = (height - last.height) / (2.0 * (centroid - last.centroid));
                if crossing > last.from {
                    break crossing;
                }
                self.hull.pop();
            };
            self.hull.push(Line { cluster, centroid, height, from });
        }
        self.bounds.clear();
        let mut end_before = f32::NEG_INFINITY;
        for (index, line) in self.hull.iter().enumerate() {
            self.bounds.resize(line.cluster, end_before);
            end_before = match self.hull.get(index + 1) {
                Some(next) if line.centroid < 0.0 => (next.from as f32).next_down(),
                Some(next) => next.from as f32,
                None => f32::INFINITY,
            };
        }
        self.bounds.resize(centroids.len(), f32::INFINITY);
    }

    /// By cluster; the last is infinite.
    pub(super) fn bounds(&self) -> &[f32] {
        &self.bounds
    }

    /// The cluster of one weight.
    pub(super) fn cluster(&self, w: f32) -> usize {
        self.bounds.iter().filter(|&&bound| w > bound).count()
    }

    /// A cluster wins for w above the first and up to the second.
    pub(super) fn interval(&self, cluster: usize) -> (f32, f32) {
        let bound = |at: usize| self.bounds.get(at).copied().unwrap_or(f32::INFINITY);
        (cluster.checked_sub(1).map_or(f32::NEG_INFINITY, bound), bound(cluster))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quant::kernel::look_up;
    use proptest::prelude::*;

    fn assign(costs: &[(f32, f64)], weights: &[f32]) -> Vec<u8> {
        let (centroids, prices): (Vec<f32>, Vec<f64>) = costs.iter().copied().unzip();
        let mut envelope = Envelope::default();
        envelope.rebuild(&centroids, &|c| prices[c]);
        assert_eq!(envelope.bounds().len(), centroids.len());
        let mut clusters = vec![0; weights.len()];
        look_up(envelope.bounds(), weights, &mut clusters);
        for (&w, &c) in weights.iter().zip(&clusters) {
            let (above, to) = envelope.interval(usize::from(c));
            assert!(envelope.cluster(w) == usize::from(c) && w > above && w <= to);
        }
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
        assert_eq!(assign(&[(0.0, f64::INFINITY), (1.0, 3.0)], &[-5.0]), [1]);
    }

    proptest! {
        #[test]
        fn no_other_cluster_is_cheaper(
            prices in proptest::collection::vec(prop_oneof![4 => 0.0..3.0_f64, 1 => Just(f64::INFINITY)], 2..40),
            weights in proptest::collection::vec(-30.0..30.0_f32, 1..700),
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
