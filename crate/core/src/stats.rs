//! Small statistics that several modules need: percentiles, entropy.

use crate::math;

/// Percentile with linear interpolation between order statistics (the rule of NumPy and PyTorch): position
/// `share · (n − 1)` in the sorted values. Reorders `values`. `None` for an empty list.
pub fn percentile(values: &mut [f32], share: f64) -> Option<f64> {
    let position = share.clamp(0.0, 1.0) * values.len().checked_sub(1)? as f64;
    let below = position.floor() as usize;
    let (_, low, above) = values.select_nth_unstable_by(below, f32::total_cmp);
    let low = f64::from(*low);
    let high = above.iter().copied().min_by(f32::total_cmp).map_or(low, f64::from);
    Some(low + (high - low) * (position - below as f64))
}

/// First-order entropy of a histogram, −Σ P·log2 P, in bits per item; 0 for an empty histogram.
pub fn entropy_bits(counts: &[u32]) -> f64 {
    let total: f64 = counts.iter().map(|&n| f64::from(n)).sum();
    let occupied = counts.iter().filter(|&&n| n > 0);
    // `+ 0.0` turns the −0 of a single cluster into 0.
    -occupied.map(|&n| f64::from(n) / total * math::log2(f64::from(n) / total)).sum::<f64>() + 0.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentile_interpolates_between_neighbours() {
        let mut values = [4.0, 1.0, 3.0, 2.0];
        assert_eq!(percentile(&mut values, 0.5), Some(2.5));
        assert_eq!(percentile(&mut values, 0.0), Some(1.0));
        assert_eq!(percentile(&mut values, 1.0), Some(4.0));
        assert_eq!(percentile(&mut [], 0.5), None);
    }

    #[test]
    fn entropy_of_known_histograms() {
        assert_eq!(entropy_bits(&[8, 8]), 1.0);
        assert_eq!(entropy_bits(&[2, 1, 1, 0]), 1.5);
        assert_eq!(entropy_bits(&[0, 9]).to_bits(), 0.0_f64.to_bits());
        assert_eq!(entropy_bits(&[]).to_bits(), 0.0_f64.to_bits());
    }
}
