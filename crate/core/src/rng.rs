//! The only source of randomness: a seeded generator whose numbers never change between releases or platforms.

use rand_core::{RngCore, SeedableRng};
use rand_pcg::Pcg64;

use crate::math;

/// A seeded generator (PCG XSL RR 128/64). Same seed, same numbers, natively and in WebAssembly.
#[derive(Debug, Clone)]
pub struct Rng(Pcg64);

impl Rng {
    /// `stream` separates uses of one seed (initial values, order of batches), so that adding a draw to one does not
    /// shift the other.
    pub fn new(seed: u64, stream: u64) -> Self {
        // Seeds are small and close to each other; mixed first, they start far apart.
        let mut mixed = Pcg64::seed_from_u64(seed);
        let state = u128::from(mixed.next_u64()) << 64 | u128::from(mixed.next_u64());
        Self(Pcg64::new(state, u128::from(stream)))
    }

    /// Uniform in [0, 1) with 53 bits.
    pub fn uniform(&mut self) -> f64 {
        const SCALE: f64 = 1.0 / (1_u64 << 53) as f64;
        (self.0.next_u64() >> 11) as f64 * SCALE
    }

    /// Uniform in `0..bound`; 0 for an empty range.
    pub fn below(&mut self, bound: usize) -> usize {
        // The bias of this product is below bound / 2^64, far under anything that could be measured.
        ((u128::from(self.0.next_u64()) * bound as u128) >> 64) as usize
    }

    /// Standard normal (Box and Muller 1958, first of each pair).
    pub fn normal(&mut self) -> f64 {
        let radius = (-2.0 * math::ln(1.0 - self.uniform())).sqrt();
        radius * math::cos(std::f64::consts::TAU * self.uniform())
    }

    /// Draws weights from N(0, 2 / `inputs`) (He et al. 2015, eq. 10): what reads a ReLU keeps its variance.
    pub(crate) fn fill_he(&mut self, weight: &mut [f32], inputs: usize) {
        let deviation = (2.0 / inputs.max(1) as f64).sqrt();
        weight.fill_with(|| (self.normal() * deviation) as f32);
    }

    /// Passes over so many draws of 64 bits at once; [`Self::shuffle`] takes one for each item but the last.
    pub(crate) fn skip(&mut self, draws: u128) {
        self.0.advance(draws);
    }

    /// Fisher–Yates.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stay_the_same_for_ever() {
        // Written down once: a change here would silently change every trained model.
        let mut rng = Rng::new(1, 0);
        let drawn = [rng.below(1000), rng.below(1000), rng.below(1000)];
        assert_eq!(drawn, [724, 933, 752]);
    }

    #[test]
    fn streams_of_one_seed_differ() {
        let draw = |stream| Rng::new(7, stream).uniform();
        assert_ne!(draw(0).to_bits(), draw(1).to_bits());
    }

    #[test]
    fn normal_has_mean_zero_and_variance_one() {
        let mut rng = Rng::new(3, 0);
        let values: Vec<f64> = (0..20_000).map(|_| rng.normal()).collect();
        let mean = values.iter().sum::<f64>() / 20_000.0;
        let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / 20_000.0;
        assert!(mean.abs() < 0.03 && (variance - 1.0).abs() < 0.04, "mean {mean}, variance {variance}");
    }

    #[test]
    fn skipping_a_shuffle_is_as_good_as_doing_it() {
        let (mut done, mut skipped) = (Rng::new(5, 1), Rng::new(5, 1));
        done.shuffle(&mut [0; 100]);
        done.shuffle(&mut [0; 100]);
        skipped.skip(2 * 99);
        assert_eq!(done.uniform().to_bits(), skipped.uniform().to_bits());
    }

    #[test]
    fn shuffle_keeps_every_item() {
        let mut items: Vec<usize> = (0..100).collect();
        Rng::new(5, 0).shuffle(&mut items);
        assert_ne!(items, (0..100).collect::<Vec<_>>());
        items.sort_unstable();
        assert_eq!(items, (0..100).collect::<Vec<_>>());
    }
}
