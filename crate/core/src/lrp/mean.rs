//! Relevances over batches.

use super::Relevances;

/// The running mean of the relevance of weights over batches.
///
/// ```text
/// R ← (1 − α)·R_new + α·R_old      the first batch as it is
/// ```
/// Source: Becking et al. 2022, section 3. α is in [0, 1): the share of the old.
#[derive(Debug, Clone, Default)]
pub struct RelevanceMean {
    weights: Vec<(usize, Vec<f32>)>,
}

impl RelevanceMean {
    /// Takes in the relevances of a batch, always of the same net.
    pub fn add(&mut self, new: &Relevances, alpha: f32) {
        if self.weights.is_empty() {
            self.weights.clone_from(&new.weights);
            return;
        }
        for ((_, old), (_, new)) in self.weights.iter_mut().zip(&new.weights) {
            old.iter_mut().zip(new).for_each(|(old, new)| *old = (1.0 - alpha) * new + alpha * *old);
        }
    }

    /// A mean to go on from, by node.
    pub(crate) fn of(weights: Vec<(usize, Vec<f32>)>) -> Self {
        Self { weights }
    }

    /// By node, signed, in the weight's layout; empty before the first batch.
    pub fn weights(&self) -> &[(usize, Vec<f32>)] {
        &self.weights
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_batch_counts_as_it_is() {
        let of = |values: [f32; 2]| Relevances { weights: vec![(3, values.to_vec())], ..Relevances::default() };
        let mut mean = RelevanceMean::default();
        assert!(mean.weights().is_empty());
        mean.add(&of([1.0, -2.0]), 0.25);
        assert_eq!(mean.weights(), [(3, vec![1.0, -2.0])]);
        mean.add(&of([3.0, 2.0]), 0.25);
        assert_eq!(mean.weights(), [(3, vec![2.5, 1.0])]);
    }
}
