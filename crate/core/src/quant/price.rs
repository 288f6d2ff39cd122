//! What a cluster costs: its information content in bits, and the weight Λ that turns bits into squared distance.

use super::{Codebook, Mode};
use crate::math;

/// Share below which the zero cluster is lifted, so that zero always looks cheapest.
const ZERO_FLOOR: f64 = 0.5;
/// Share of Λ that the smallest layer keeps: Λ shrinks with the layer, down to 0.05 / 1.05.
const SMALL_LAYER: f64 = 0.05;

/// Shares P_c by cluster, from the histogram of the nearest-neighbour assignment, with zero made cheapest.
///
/// ```text
/// P_0 < 0.5:  P_0 ← 0.5,  P_c ← P_c · 0.5/(1 − P_0)  for c ≠ 0
/// ```
/// Differs: the published code shrinks the shares one after another, zero among them, with the P_0 it has by then:
/// clusters above zero lose more than those below. [`Mode::Reference`] does so too.
pub fn shares(occupancy: &[u32], zero: usize, mode: Mode, shares: &mut Vec<f64>) {
    shares.clear();
    shares.extend((0..occupancy.len()).map(|cluster| super::share(occupancy, cluster)));
    let before = shares.get(zero).copied().unwrap_or(1.0);
    if before >= ZERO_FLOOR {
        return;
    }
    let others: f64 = occupancy.iter().enumerate().filter(|(c, _)| *c != zero).map(|(_, &n)| f64::from(n)).sum();
    let mut lifted = before;
    for (cluster, (share, &count)) in shares.iter_mut().zip(occupancy).enumerate() {
        match mode {
            // One division of whole numbers: a cluster that holds all others then costs exactly as much as zero.
            Mode::Exact => *share = f64::from(count) / (others / (1.0 - ZERO_FLOOR)),
            Mode::Reference => *share -= *share / (1.0 - before) * (ZERO_FLOOR - lifted),
        }
        if cluster == zero {
            lifted = *share;
        }
    }
    if let Some(share) = shares.get_mut(zero) {
        *share = ZERO_FLOOR;
    }
}

/// I_c = −log2 P_c, in bits. An empty cluster costs infinitely much.
pub fn information_bits(shares: &[f64], bits: &mut Vec<f64>) {
    bits.clear();
    // `+ 0.0` turns the −0 of a cluster that holds everything into 0.
    bits.extend(shares.iter().map(|&share| if share > 0.0 { -math::log2(share) + 0.0 } else { f64::INFINITY }));
}

/// Λ_max: the smallest Λ that pushes every weight of a layer into the zero cluster, in squared weight units per bit.
///
/// ```text
/// Λ_max = max over c ≠ 0, I_c finite, of  (2·m·w_c − w_c²) / (I_c − I_0)      m = the extreme weight on the side of w_c
/// ```
/// A weight w prefers zero to c once Λ ≥ (w² − (w_c − w)²)/(I_c − I_0), whose numerator grows with w·w_c: the extreme
/// weights decide. 0 where no cluster but zero is used, or where one costs as little as zero (no Λ could empty it).
///
/// Differs: the method is usually written with the cluster nearest to the extreme weight alone. A rare last cluster is
/// dear in bits, so that a more common neighbour can hold its weights at that Λ; the largest over all clusters is what
/// makes λ = 1 empty the layer.
pub fn lagrange_max(codebook: &Codebook, information_bits: &[f64], min: f32, max: f32) -> f64 {
    let free = information_bits.get(codebook.zero()).copied().unwrap_or(0.0);
    let mut largest = 0.0_f64;
    for (&centroid, &bits) in codebook.centroids().iter().zip(information_bits) {
        let centroid = f64::from(centroid);
        let extreme = f64::from(if centroid > 0.0 { max } else { min });
        let gain = centroid * (2.0 * extreme - centroid);
        if centroid != 0.0 && bits.is_finite() && gain > 0.0 {
            if bits <= free {
                return 0.0;
            }
            largest = largest.max(gain / (bits - free));
        }
    }
    largest
}

/// Λ_max as the published code computes it, with a misplaced square. `extremes` are the smallest and the largest weight,
/// each with its nearest cluster; the larger quotient counts.
///
/// ```text
/// Λ_max = ((w_c − m)² + m)² / (I_c − I_0)
/// ```
/// Infinite where a nearest cluster costs as little as zero, above all where it is zero: every weight of the layer then
/// goes there.
pub fn lagrange_max_published(codebook: &Codebook, information_bits: &[f64], extremes: [(f32, usize); 2]) -> f64 {
    let bits = |cluster: usize| information_bits.get(cluster).copied().unwrap_or(f64::INFINITY);
    let quotient = |(m, cluster): (f32, usize)| {
        let dearer = bits(cluster) - bits(codebook.zero());
        let (m, centroid) = (f64::from(m), f64::from(codebook.centroid(cluster as u8)));
        let gain = (centroid - m) * (centroid - m) + m;
        // A difference of equal numbers may be a rounding away from 0.
        if dearer > 1e-12 { gain * gain / dearer } else { f64::INFINITY }
    };
    extremes.into_iter().map(quotient).fold(0.0, f64::max)
}

/// Λ = λ · Λ_max · (N/N_largest + 0.05)/1.05: smaller layers are spared.
pub fn lagrange(lambda: f64, lagrange_max: f64, weights: usize, largest: usize) -> f64 {
    lambda * lagrange_max * ((weights as f64 / largest as f64 + SMALL_LAYER) / (1.0 + SMALL_LAYER))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bits(occupancy: &[u32], zero: usize, mode: Mode) -> Vec<f64> {
        let (mut shares, mut bits) = (Vec::new(), Vec::new());
        super::shares(occupancy, zero, mode, &mut shares);
        information_bits(&shares, &mut bits);
        bits
    }

    #[test]
    fn zero_is_lifted_to_one_bit() {
        for mode in [Mode::Exact, Mode::Reference] {
            assert_eq!(bits(&[1, 2, 1], 1, mode), [2.0, 1.0, 2.0]);
        }
        let lifted = bits(&[3, 1, 3, 1], 1, Mode::Exact); // P_0 = 1/8 becomes 1/2, 3/8 becomes 3/14
        assert_eq!(lifted[1], 1.0);
        assert!((lifted[0] - (14.0_f64 / 3.0).log2()).abs() < 1e-12 && lifted[0] == lifted[2]);
        let shares: f64 = lifted.iter().map(|bits| (-bits).exp2()).sum();
        assert!((shares - 1.0).abs() < 1e-12);
    }

    #[test]
    fn the_published_shares_by_hand() {
        let mut shares = Vec::new();
        super::shares(&[3, 1, 3, 1], 1, Mode::Reference, &mut shares);
        // Below: 3/8 − 3/8 / (7/8) · 3/8 = 3/14. Zero: 1/8 − 1/7 · 3/8 = 1/14, so above: 3/8 − 3/7 · (1/2 − 1/14) = 75/392.
        for (got, expected) in shares.iter().zip([3.0 / 14.0, 0.5, 75.0 / 392.0, 25.0 / 392.0]) {
            assert!((got - expected).abs() < 1e-12, "{shares:?}");
        }
    }

    #[test]
    fn empty_and_full_clusters() {
        for mode in [Mode::Exact, Mode::Reference] {
            assert_eq!(bits(&[0, 6, 2, 0], 1, mode)[0], f64::INFINITY);
            assert_eq!(bits(&[0, 8], 1, mode)[1].to_bits(), 0.0_f64.to_bits());
        }
    }

    #[test]
    fn lagrange_by_hand() {
        let codebook = Codebook::uniform("fc", &[-3.0, 3.0], 3).unwrap(); // −4 … 3, Δ = 1
        let mut bits = vec![f64::INFINITY; 8];
        (bits[4], bits[7]) = (1.0, 4.0);
        assert!((lagrange_max(&codebook, &bits, -3.0, 3.5) - (2.0 * 3.5 * 3.0 - 9.0) / 3.0).abs() < 1e-6);
        bits[6] = 2.0; // a common neighbour would hold the weight longer
        assert!((lagrange_max(&codebook, &bits, -3.0, 3.5) - (2.0 * 3.5 * 2.0 - 4.0)).abs() < 1e-6);
        bits[6] = 1.0;
        assert_eq!(lagrange_max(&codebook, &bits, -3.0, 3.5), 0.0);
        assert_eq!(lagrange(0.5, 2.1, 10, 10), 1.05);
        assert!((lagrange(1.0, 2.1, 10, 100) - 2.1 * 0.15 / 1.05).abs() < 1e-12);
    }

    #[test]
    fn the_published_lagrange_by_hand() {
        let codebook = Codebook::uniform("fc", &[-3.0, 3.0], 3).unwrap();
        let mut bits = vec![f64::INFINITY; 8];
        (bits[2], bits[4], bits[7]) = (3.0, 1.0, 4.0);
        let both = [(-2.5, 2), (3.5, 7)]; // (0.25 − 2.5)² / 2 and (0.25 + 3.5)² / 3
        assert!((lagrange_max_published(&codebook, &bits, both) - 3.75 * 3.75 / 3.0).abs() < 1e-5);
        assert_eq!(lagrange_max_published(&codebook, &bits, [(0.0, 4), (3.5, 7)]), f64::INFINITY);
    }
}
