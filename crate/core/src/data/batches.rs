//! Order of samples in training: a seeded shuffle, cut into batches.

use ndarray::{Array2, Axis};

use super::Split;
use crate::rng::Rng;

/// Stream of [`Rng`] that orders samples, apart from the one that draws initial weights.
const STREAM: u64 = 1;

/// Endless epochs of batches over a split. Holds one batch of memory and re-uses it.
#[derive(Debug, Clone)]
pub struct Batches {
    order: Vec<usize>,
    size: usize,
    next: usize,
    shuffles: u64,
    rng: Option<Rng>,
    x: Array2<f32>,
    y: Vec<usize>,
}

impl Batches {
    /// Batches of `size` samples (at least 1; the last of an epoch may be smaller), in an order drawn anew for each
    /// epoch from the seed, or in file order for `None`.
    pub fn new(split: &Split, size: usize, shuffle: Option<u64>) -> Self {
        let size = size.clamp(1, split.len().max(1));
        Self {
            order: (0..split.len()).collect(),
            size,
            next: split.len(),
            shuffles: 0,
            rng: shuffle.map(|seed| Rng::new(seed, STREAM)),
            x: Array2::zeros((size, split.x.ncols())),
            y: Vec::with_capacity(size),
        }
    }

    /// Where it stands: the order of this epoch, how many samples of it are through, and how often it was shuffled.
    pub(crate) fn position(&self) -> (&[usize], usize, u64) {
        (&self.order, self.next, self.shuffles)
    }

    /// Goes on from a [`Self::position`] of batches over as many samples, made with the same seed. `None` where it is no
    /// such position.
    pub(crate) fn at(mut self, order: Vec<usize>, next: usize, shuffles: u64) -> Option<Self> {
        let mut seen = vec![false; self.order.len()];
        let is_new = |&sample: &usize| seen.get_mut(sample).is_some_and(|seen| !std::mem::replace(seen, true));
        if order.len() != self.order.len() || next > order.len() || !order.iter().all(is_new) {
            return None;
        }
        if let Some(rng) = &mut self.rng {
            rng.skip(u128::from(shuffles) * order.len().saturating_sub(1) as u128);
        }
        (self.order, self.next, self.shuffles) = (order, next, shuffles);
        Some(self)
    }

    /// Samples in a batch, at most those of the split.
    pub fn size(&self) -> usize {
        self.size
    }

    /// Number of batches in an epoch.
    pub fn per_epoch(&self) -> usize {
        self.order.len().div_ceil(self.size)
    }

    /// The next batch: inputs [n, features] and labels.
    pub fn next(&mut self, split: &Split) -> (ndarray::ArrayView2<'_, f32>, &[usize]) {
        if self.next >= self.order.len() {
            self.next = 0;
            if let Some(rng) = &mut self.rng {
                rng.shuffle(&mut self.order);
                self.shuffles += 1;
            }
        }
        let end = (self.next + self.size).min(self.order.len());
        let chosen = self.order.get(self.next..end).unwrap_or_default();
        self.next = end;
        self.y.clear();
        for (mut row, &sample) in self.x.axis_iter_mut(Axis(0)).zip(chosen) {
            row.assign(&split.x.row(sample));
            self.y.extend(split.y.get(sample));
        }
        (self.x.slice(ndarray::s![..chosen.len(), ..]), &self.y)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(n: usize) -> Split {
        Split { x: Array2::from_shape_fn((n, 1), |(i, _)| i as f32), y: (0..n).collect() }
    }

    fn epoch(batches: &mut Batches, split: &Split) -> Vec<usize> {
        (0..batches.per_epoch()).flat_map(|_| batches.next(split).1.to_vec()).collect()
    }

    #[test]
    fn file_order_without_a_seed() {
        let split = split(5);
        let mut batches = Batches::new(&split, 2, None);
        assert_eq!((batches.per_epoch(), epoch(&mut batches, &split)), (3, vec![0, 1, 2, 3, 4]));
        assert_eq!(batches.next(&split).0, ndarray::array![[0.0], [1.0]]);
    }

    #[test]
    fn a_position_is_all_that_is_needed_to_go_on() {
        let split = split(7);
        let (mut batches, fresh) = (Batches::new(&split, 3, Some(1)), Batches::new(&split, 3, Some(1)));
        let _ = [epoch(&mut batches, &split), epoch(&mut batches, &split)];
        batches.next(&split);
        let (order, next, shuffles) = batches.position();
        let mut again = fresh.clone().at(order.to_vec(), next, shuffles).unwrap();
        for _ in 0..9 {
            assert_eq!(again.next(&split), batches.next(&split));
        }
        assert!(fresh.clone().at(vec![0; 7], 0, 0).is_none() && fresh.clone().at(vec![0], 0, 0).is_none());
        assert!(fresh.at((0..7).collect(), 8, 0).is_none());
    }

    #[test]
    fn every_epoch_sees_each_sample_once_in_an_order_of_its_own() {
        let split = split(50);
        let mut batches = Batches::new(&split, 8, Some(3));
        let (mut first, mut second) = (epoch(&mut batches, &split), epoch(&mut batches, &split));
        assert_eq!(first, epoch(&mut Batches::new(&split, 8, Some(3)), &split));
        assert_ne!(first, second);
        first.sort_unstable();
        second.sort_unstable();
        assert_eq!((first, second), ((0..50).collect(), (0..50).collect()));
    }
}
