//! What a training came through, step by step and epoch by epoch, in bounded memory.

use serde::{Deserialize, Serialize};

use crate::nn::Evaluation;

/// Rows that are kept of steps and of epochs.
const STEPS: usize = 4096;
const EPOCHS: usize = 512;

/// One step.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct StepReport {
    /// Counts from 1.
    pub step: u64,
    /// Counts from 1.
    pub epoch: u32,
    /// Mean loss of the batch before the step, in nats.
    pub loss: f64,
    /// Whether weights were assigned anew.
    pub assigned: bool,
    /// Share of the quantized weights that are zero.
    pub sparsity: f64,
    /// Mean over layers of their first-order entropy, by weights.
    pub entropy_bits_per_weight: f64,
    /// What the epoch came to, where this step was its last.
    pub ended: Option<EpochReport>,
}

/// One epoch.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct EpochReport {
    /// Counts from 1.
    pub epoch: u32,
    /// Mean over its batches, in nats.
    pub loss: f64,
    /// The quantized net on the validation samples.
    pub validation: Evaluation,
    /// Share of the quantized weights that are zero.
    pub sparsity: f64,
    /// Mean over layers of their first-order entropy, by weights.
    pub entropy_bits_per_weight: f64,
    /// Whether none before it was as good.
    pub is_best: bool,
}

/// One epoch with its layers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EpochRow {
    /// In numbers.
    pub report: EpochReport,
    /// Those that were quantized, in the net's order.
    pub layers: Vec<LayerRow>,
}

/// One layer at the end of an epoch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LayerRow {
    /// The layer's name.
    pub name: String,
    /// Share of its weights that are zero.
    pub sparsity: f64,
    /// First-order entropy of the occupancy.
    pub entropy_bits_per_weight: f64,
    /// Weights per cluster.
    pub occupancy: Vec<u32>,
}

/// All of it: at most 4,096 steps and 512 epochs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct History {
    /// Steps.
    pub steps: Thinned<StepReport>,
    /// Epochs.
    pub epochs: Thinned<EpochRow>,
}

/// A list that keeps every row until it is full, then every second, every fourth, and so on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Thinned<T> {
    rows: Vec<T>,
    /// Every so many-th is kept, the first among them.
    every: u64,
    /// How many came.
    seen: u64,
    limit: usize,
}

impl Default for History {
    fn default() -> Self {
        Self { steps: Thinned::new(STEPS), epochs: Thinned::new(EPOCHS) }
    }
}

impl History {
    /// Whether it is one that training can have left.
    pub(super) fn is_sound(&self) -> bool {
        self.steps.is_sound(STEPS) && self.epochs.is_sound(EPOCHS)
    }
}

impl<T> Thinned<T> {
    fn new(limit: usize) -> Self {
        Self { rows: Vec::with_capacity(limit), every: 1, seen: 0, limit }
    }

    pub(super) fn push(&mut self, row: T) {
        if self.seen.is_multiple_of(self.every) {
            if self.rows.len() >= self.limit {
                let mut index = 0;
                self.rows.retain(|_| {
                    index += 1;
                    index % 2 == 1
                });
                self.every *= 2;
            }
            if self.seen.is_multiple_of(self.every) {
                self.rows.push(row);
            }
        }
        self.seen += 1;
    }

    fn is_sound(&self, limit: usize) -> bool {
        /// Beyond what a training reaches, and far from overflow.
        const MOST: u64 = 1 << 53;
        let kept = self.seen.checked_div(self.every).unwrap_or(u64::MAX);
        self.limit == limit
            && self.every.is_power_of_two()
            && self.seen < MOST
            && self.rows.len() <= limit
            && self.rows.len() as u64 == kept + u64::from(!self.seen.is_multiple_of(self.every.max(1)))
    }

    /// What was kept, oldest first.
    pub fn rows(&self) -> &[T] {
        &self.rows
    }

    /// Every so many-th row is kept.
    pub fn every(&self) -> u64 {
        self.every
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_list_keeps_every_second_row() {
        let mut list = Thinned::new(4);
        let mut rows = Vec::new();
        for row in 0..40 {
            list.push(row);
            rows.push((list.rows().to_vec(), list.every()));
            assert!(list.is_sound(4), "{list:?}");
        }
        assert_eq!(rows[3], (vec![0, 1, 2, 3], 1));
        assert_eq!(rows[4], (vec![0, 2, 4], 2));
        assert_eq!(rows[7], (vec![0, 2, 4, 6], 2));
        assert_eq!(rows[8], (vec![0, 4, 8], 4));
        assert_eq!(rows[39], (vec![0, 16, 32], 16));
    }

    #[test]
    fn what_no_training_leaves_is_told() {
        let good = Thinned { rows: vec![0; 3], every: 2, seen: 5, limit: 4 };
        assert!(good.is_sound(4));
        let bad = [
            Thinned { every: 0, ..good.clone() },
            Thinned { every: 3, ..good.clone() },
            Thinned { seen: 9, ..good.clone() },
            Thinned { seen: u64::MAX, ..good.clone() },
            Thinned { limit: 5, ..good.clone() },
        ];
        assert!(bad.iter().all(|list| !list.is_sound(4)));
    }
}
