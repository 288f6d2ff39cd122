//! The loops over all weights of a layer. They work through blocks that stay in the first cache, and are written so that
//! the compiler finds the vector lanes by itself: one plain operation over a block, no branch, no allocation.

use super::Codebook;
use crate::math;

/// Weights at a time.
const BLOCK: usize = 256;
/// Largest and smallest numbers side by side: a loop over them runs in lanes, one over a single number does not.
const LANES: usize = 64;
/// Bounds that pass over a block together: so many stay in registers.
const TOGETHER: usize = 4;
/// So many bounds are searched by halves, weight by weight.
const MANY: usize = 64;
/// Levels nearer than this to the middle between two are not rounded: on 256 levels f32 is wrong by 3e-5 at most.
const BESIDE: f32 = 1e-4;
/// A sum with it has no bits left for fractions: its lowest bits are the rounded number.
pub(super) const TWO_23: f32 = 8_388_608.0;
/// Screened flip points nearer to β than this, in units of the logarithm, are decided in f64.
const NEAR: f32 = 1e-4;

/// The cluster of each weight: how many of the ascending bounds lie below it.
pub(super) fn look_up(bounds: &[f32], weights: &[f32], clusters: &mut [u8]) {
    if bounds.len() > MANY {
        for (cluster, &w) in clusters.iter_mut().zip(weights) {
            *cluster = bounds.partition_point(|&bound| w > bound) as u8;
        }
        return;
    }
    let (together, rest) = bounds.as_chunks::<TOGETHER>();
    let mut counts = [0_i32; BLOCK];
    for (weights, clusters) in weights.chunks(BLOCK).zip(clusters.chunks_mut(BLOCK)) {
        counts.fill(0);
        for bounds in together {
            for (count, &w) in counts.iter_mut().zip(weights) {
                *count += bounds.iter().map(|&bound| i32::from(w > bound)).sum::<i32>();
            }
        }
        for &bound in rest {
            for (count, &w) in counts.iter_mut().zip(weights) {
                *count += i32::from(w > bound);
            }
        }
        for (cluster, &count) in clusters.iter_mut().zip(&counts) {
            *cluster = count as u8;
        }
    }
}

/// Counts clusters. Four tables, since a processor waits where it raises the same count twice in a row.
#[derive(Debug)]
pub(super) struct Histogram([[u32; 256]; 4]);

impl Histogram {
    pub(super) fn new() -> Self {
        Self([[0; 256]; 4])
    }

    pub(super) fn add(&mut self, clusters: &[u8]) {
        let (fours, rest) = clusters.as_chunks::<4>();
        for four in fours {
            for (table, &cluster) in self.0.iter_mut().zip(four) {
                table[usize::from(cluster)] += 1;
            }
        }
        for &cluster in rest {
            self.0[0][usize::from(cluster)] += 1;
        }
    }

    /// Weights per cluster of a codebook of this length.
    pub(super) fn write(&self, len: usize, occupancy: &mut Vec<u32>) {
        let [a, b, c, d] = &self.0;
        occupancy.clear();
        occupancy.extend(a.iter().zip(b).zip(c).zip(d).take(len).map(|(((a, b), c), d)| a + b + c + d));
    }
}

/// Counts the nearest centroids of a uniform grid, as [`look_up`] with its bounds would; also the smallest and the largest
/// weight. Nearest is rounded, which is several times as fast; a block with a weight near to a bound is looked up.
pub(super) fn survey(codebook: &Codebook, bounds: &[f32], weights: &[f32], occupancy: &mut Vec<u32>) -> (f32, f32) {
    let (mut histogram, mut levels, mut clusters) = (Histogram::new(), [0_u32; BLOCK], [0_u8; BLOCK]);
    let (mut min, mut max) = ([f32::INFINITY; LANES], [f32::NEG_INFINITY; LANES]);
    let per_step = 1.0 / codebook.step_size();
    let (zero, last) = (codebook.zero() as f32, bounds.len() as f32 - 1.0);
    for weights in weights.chunks(BLOCK) {
        let clusters = clusters.get_mut(..weights.len()).unwrap_or_default();
        let mut is_clear = per_step.is_finite();
        if is_clear {
            let mut unclear = 0_u32;
            for (level_bits, &w) in levels.iter_mut().zip(weights) {
                let level = w * per_step + zero;
                let level = if level > 0.0 { level } else { 0.0 };
                let level = if level < last { level } else { last };
                let rounded = level + TWO_23;
                *level_bits = rounded.to_bits() & 0xff;
                unclear += u32::from((level - (rounded - TWO_23)).abs() > 0.5 - BESIDE);
            }
            for (cluster, &level) in clusters.iter_mut().zip(&levels) {
                *cluster = level as u8;
            }
            is_clear = unclear == 0;
        }
        if !is_clear {
            look_up(bounds, weights, clusters);
        }
        histogram.add(clusters);
        for weights in weights.chunks(LANES) {
            for ((min, max), &w) in min.iter_mut().zip(&mut max).zip(weights) {
                *min = if w < *min { w } else { *min };
                *max = if w > *max { w } else { *max };
            }
        }
    }
    histogram.write(bounds.len(), occupancy);
    (min.into_iter().fold(f32::INFINITY, f32::min), max.into_iter().fold(f32::NEG_INFINITY, f32::max))
}

/// Counts the clusters that weights have where those between the two bounds get zero and all others `others`.
pub(super) fn survey_zeroed(
    (above, to): (f32, f32),
    zero: u8,
    weights: &[f32],
    others: &[u8],
    len: usize,
    occupancy: &mut Vec<u32>,
) {
    let (mut histogram, mut clusters) = (Histogram::new(), [0_u8; BLOCK]);
    for (weights, others) in weights.chunks(BLOCK).zip(others.chunks(BLOCK)) {
        for ((cluster, &w), &other) in clusters.iter_mut().zip(weights).zip(others) {
            *cluster = if w > above && w <= to { zero } else { other };
        }
        histogram.add(clusters.get(..weights.len()).unwrap_or_default());
    }
    histogram.write(len, occupancy);
}

/// What zero and the best other cluster cost a weight.
#[derive(Debug)]
pub(super) struct Costs {
    /// Centroid and price Λ·I_c by cluster.
    pub(super) clusters: [[f64; 2]; 256],
    /// Λ·I_0.
    pub(super) zero: f64,
    /// ρ.
    pub(super) rho: f64,
}

impl Costs {
    /// The β from which on zero wins, see [`super::beta`]. `inverse_log` is 1/ln(r + 1e-12), below 0.
    fn flip_point(&self, w: f32, [centroid, price]: [f64; 2], inverse_log: f32) -> f32 {
        let w = f64::from(w);
        let distance = w - centroid;
        let ratio = (distance * distance + price) / (self.rho * (w * w + self.zero));
        (math::ln_in_lanes(ratio) * f64::from(inverse_log)) as f32
    }

    fn of(&self, cluster: u8) -> [f64; 2] {
        self.clusters[usize::from(cluster)]
    }

    /// The flip point of every weight.
    pub(super) fn flip_points(&self, weights: &[f32], others: &[u8], inverse_logs: &[f32], flips: &mut [f32]) {
        // Table look-ups have no lanes: they go first, block by block.
        let (mut centroids, mut prices) = ([0.0; BLOCK], [0.0; BLOCK]);
        let blocks = weights.chunks(BLOCK).zip(others.chunks(BLOCK));
        for (((weights, others), logs), flips) in blocks.zip(inverse_logs.chunks(BLOCK)).zip(flips.chunks_mut(BLOCK)) {
            for ((centroid, price), &other) in centroids.iter_mut().zip(&mut prices).zip(others) {
                [*centroid, *price] = self.of(other);
            }
            let costs = centroids.iter().zip(&prices);
            for (((flip, &w), (&centroid, &price)), &log) in flips.iter_mut().zip(weights).zip(costs).zip(logs) {
                *flip = self.flip_point(w, [centroid, price], log);
            }
        }
    }

    /// Zero for each weight whose flip point is at most β, the other cluster for the rest; the flip points are not kept.
    /// They are screened in f32, and only those near to β computed as by [`Self::flip_points`]: the result is the same.
    /// Needs squares of weights and of the step size that are normal numbers in f32.
    pub(super) fn assign(&self, beta: f32, zero: u8, weights: &[f32], others: &[u8], logs: &[f32], out: &mut [u8]) {
        let (rho, cost_zero) = (self.rho as f32, self.zero as f32);
        let table = self.clusters.map(|cost| cost.map(|v| v as f32));
        let (mut centroids, mut prices) = ([0.0; BLOCK], [0.0; BLOCK]);
        let (mut beyond, mut clearance) = ([0.0; BLOCK], [0.0; BLOCK]);
        let blocks = weights.chunks(BLOCK).zip(others.chunks(BLOCK));
        for (((weights, others), logs), out) in blocks.zip(logs.chunks(BLOCK)).zip(out.chunks_mut(BLOCK)) {
            for ((centroid, price), &other) in centroids.iter_mut().zip(&mut prices).zip(others) {
                [*centroid, *price] = table[usize::from(other)];
            }
            let costs = centroids.iter().zip(&prices);
            let results = beyond.iter_mut().zip(&mut clearance);
            for ((((beyond, clearance), &w), (&centroid, &price)), &log) in results.zip(weights).zip(costs).zip(logs) {
                let distance = w - centroid;
                let ratio = (distance * distance + price) / (rho * (w * w + cost_zero));
                *beyond = math::ln_screened(ratio) * log - beta;
                *clearance = beyond.abs() - NEAR * log.abs();
            }
            for ((result, &other), &beyond) in out.iter_mut().zip(others).zip(&beyond) {
                *result = if beyond <= 0.0 { zero } else { other };
            }
            let clearance = clearance.get(..out.len()).unwrap_or_default();
            if clearance.iter().map(|&clearance| u32::from(clearance <= 0.0)).sum::<u32>() == 0 {
                continue;
            }
            let near = out.iter_mut().zip(weights).zip(others).zip(logs).zip(clearance);
            for ((((result, &w), &other), &log), _) in near.filter(|&(_, &clearance)| clearance <= 0.0) {
                *result = if self.flip_point(w, self.of(other), log) <= beta { zero } else { other };
            }
        }
    }
}

/// Zero for each weight whose flip point is at most β, the other cluster for the rest.
pub(super) fn flip(beta: f32, zero: u8, flips: &[f32], others: &[u8], clusters: &mut [u8]) {
    for ((cluster, &flip), &other) in clusters.iter_mut().zip(flips).zip(others) {
        *cluster = if flip <= beta { zero } else { other };
    }
}

/// How many are at most β.
pub(super) fn count_up_to(flips: &[f32], beta: f32) -> usize {
    // Counts of a block fit u32: as wide as the lanes that compare.
    let block = |flips: &[f32]| flips.iter().map(|&flip| u32::from(flip <= beta)).sum::<u32>() as usize;
    flips.chunks(1 << 16).map(block).sum()
}

/// Whether all are finite.
pub(super) fn all_finite(values: &[f32]) -> bool {
    values.chunks(BLOCK).all(|block| block.iter().fold(true, |all, value| all & value.is_finite()))
}

/// max |v|; 0 for none.
pub(super) fn largest_magnitude(values: &[f32]) -> f32 {
    let mut largest = [0.0_f32; LANES];
    for values in values.chunks(LANES) {
        for (largest, v) in largest.iter_mut().zip(values) {
            *largest = if v.abs() > *largest { v.abs() } else { *largest };
        }
    }
    largest.into_iter().fold(0.0, f32::max)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quant::envelope::Envelope;
    use proptest::prelude::*;

    proptest! {
        /// Middles between two centroids among the weights, and numbers next to them.
        #[test]
        fn a_survey_counts_what_is_looked_up(
            weights in proptest::collection::vec(-3.0..3.0_f32, 2..600), halves in proptest::collection::vec(-300..300_i32, 0..8),
            bits in 2_u8..=8, power in prop_oneof![Just(0), Just(-60), Just(-140), Just(100)],
        ) {
            let mut weights: Vec<f32> = weights.iter().map(|w| w * 2.0_f32.powi(power)).collect();
            let codebook = Codebook::uniform("fc", &weights, bits).unwrap();
            let middle = |half: i32| half as f32 * 0.5 * codebook.step_size();
            weights.extend(halves.into_iter().map(middle).flat_map(|w| [w, w.next_up(), w.next_down()]));
            let mut envelope = Envelope::default();
            envelope.rebuild(codebook.centroids(), &|_| 0.0);
            let (mut clusters, mut surveyed, mut counted) = (vec![0; weights.len()], Vec::new(), Vec::new());
            let extremes = survey(&codebook, envelope.bounds(), &weights, &mut surveyed);
            look_up(envelope.bounds(), &weights, &mut clusters);
            let mut histogram = Histogram::new();
            histogram.add(&clusters);
            histogram.write(codebook.len(), &mut counted);
            prop_assert_eq!(surveyed, counted);
            let sorted = |(a, b): (f32, f32), &w: &f32| (a.min(w), b.max(w));
            prop_assert_eq!(extremes, weights.iter().fold((f32::INFINITY, f32::NEG_INFINITY), sorted));
        }
    }
}
