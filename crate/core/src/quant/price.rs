//! What a cluster costs: its information content in bits, and the weight Λ that turns bits into squared distance.

use super::Codebook;
use crate::math;

/// Share below which the zero cluster is lifted, so that zero always looks cheapest.
const ZERO_FLOOR: f64 = 0.5;
/// Share of Λ that the smallest layer keeps: Λ shrinks with the layer, down to 0.05 / 1.05.
const SMALL_LAYER: f64 = 0.05;

/// I_c = −log2 P_c by cluster, in bits, from the histogram of the nearest-neighbour assignment.
///
/// ```text
/// P_0 < 0.5:  P_0 ← 0.5,  P_c ← P_c · 0.5/(1 − P_0)  for c ≠ 0
/// ```
/// An empty cluster costs infinitely much.
///
/// Differs: the published code shrinks the shares one after another with the already changed P_0.
pub fn information_bits(occupancy: &[u32], zero: usize) -> Vec<f64> {
    let lifted = super::share(occupancy, zero) < ZERO_FLOOR;
    let others: f64 = occupancy.iter().enumerate().filter(|(c, _)| *c != zero).map(|(_, &n)| f64::from(n)).sum();
    let bits = |(cluster, &count): (usize, &u32)| {
        let share = match count {
            _ if !lifted => super::share(occupancy, cluster),
            _ if cluster == zero => ZERO_FLOOR,
            // One division of whole numbers: a cluster that holds all others then costs exactly as much as zero.
            count => f64::from(count) / (others / (1.0 - ZERO_FLOOR)),
        };
        // `+ 0.0` turns the −0 of a cluster that holds everything into 0.
        if share > 0.0 { -math::log2(share) + 0.0 } else { f64::INFINITY }
    };
    occupancy.iter().enumerate().map(bits).collect()
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

/// Λ = λ · Λ_max · (N/N_largest + 0.05)/1.05: smaller layers are spared.
pub fn lagrange(lambda: f64, lagrange_max: f64, weights: usize, largest: usize) -> f64 {
    lambda * lagrange_max * ((weights as f64 / largest as f64 + SMALL_LAYER) / (1.0 + SMALL_LAYER))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_is_lifted_to_one_bit() {
        assert_eq!(information_bits(&[1, 2, 1], 1), [2.0, 1.0, 2.0]);
        let lifted = information_bits(&[3, 1, 3, 1], 1); // P_0 = 1/8 becomes 1/2, 3/8 becomes 3/14
        assert_eq!(lifted[1], 1.0);
        assert!((lifted[0] - (14.0_f64 / 3.0).log2()).abs() < 1e-12 && lifted[0] == lifted[2]);
        let shares: f64 = lifted.iter().map(|bits| (-bits).exp2()).sum();
        assert!((shares - 1.0).abs() < 1e-12);
    }

    #[test]
    fn empty_and_full_clusters() {
        assert_eq!(information_bits(&[0, 6, 2, 0], 1)[0], f64::INFINITY);
        assert_eq!(information_bits(&[0, 8], 1)[1].to_bits(), 0.0_f64.to_bits());
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
}
