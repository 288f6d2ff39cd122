//! Optimizers. Each keeps its state per parameter tensor, made at the first step and re-used.

use super::NetError;
use crate::math;

/// One update of all parameters of a net from their gradients.
pub trait Optimizer: std::fmt::Debug {
    /// Steps each parameter by its gradient; both come in the same order and size at every step. An empty one stands for
    /// a parameter that is left out this time.
    fn step(&mut self, parameters: &mut dyn Iterator<Item = (&mut [f32], &[f32])>);
}

/// Adam with weight decay added to the gradient.
///
/// ```text
/// g ← g + decay·w    m ← β1·m + (1 − β1)·g    v ← β2·v + (1 − β2)·g²
/// w ← w − lr/(1 − β1^t) · m / (√v/√(1 − β2^t) + ε)        β1 = 0.9, β2 = 0.999, ε = 1e-8
/// ```
/// Source: Kingma and Ba 2015, with the order of operations of PyTorch. Vectors: `train-*-adam`.
#[derive(Debug, Clone)]
pub struct Adam {
    learning_rate: f64,
    weight_decay: f32,
    moments: Vec<Moments>,
}

/// What Adam knows of one tensor: t, m and v. As in PyTorch, each tensor counts its own steps.
#[derive(Debug, Clone, Default)]
pub(crate) struct Moments {
    pub(crate) steps: u32,
    pub(crate) mean: Vec<f32>,
    pub(crate) square: Vec<f32>,
}

/// Stochastic gradient descent with momentum: g ← g + decay·w, u ← μ·u + g, w ← w − lr·u.
/// Vectors: `train-*-sgd` (PyTorch).
#[derive(Debug, Clone)]
pub struct Sgd {
    learning_rate: f32,
    momentum: f32,
    weight_decay: f32,
    velocity: Vec<Vec<f32>>,
}

fn check(name: &'static str, got: f64, good: impl Fn(f64) -> bool, range: &'static str) -> Result<f64, NetError> {
    if got.is_finite() && good(got) { Ok(got) } else { Err(NetError::Setting { name, got, range }) }
}

fn check_common(learning_rate: f64, weight_decay: f64) -> Result<(), NetError> {
    // As the f32 it will be used as.
    let usable = |v: f64| v as f32 > 0.0 && (v as f32).is_finite();
    check("learning rate", learning_rate, usable, "above 0")?;
    check("weight decay", weight_decay, |v| v >= 0.0 && (v as f32).is_finite(), "0 or more").map(drop)
}

impl Adam {
    const BETA1: f32 = 0.9;
    const BETA2: f32 = 0.999;
    const EPSILON: f32 = 1e-8;

    /// # Errors
    /// [`NetError::Setting`] unless `learning_rate` > 0 and `weight_decay` ≥ 0, both finite.
    pub fn new(learning_rate: f64, weight_decay: f64) -> Result<Self, NetError> {
        check_common(learning_rate, weight_decay)?;
        Ok(Self { learning_rate, weight_decay: weight_decay as f32, moments: Vec::new() })
    }

    /// Goes on with these settings from the state of another.
    pub(crate) fn with_state(self, moments: Vec<Moments>) -> Self {
        Self { moments, ..self }
    }

    /// By parameter, as far as it was stepped.
    pub(crate) fn state(&self) -> &[Moments] {
        &self.moments
    }

    pub(crate) fn into_state(self) -> Vec<Moments> {
        self.moments
    }
}

impl Optimizer for Adam {
    fn step(&mut self, parameters: &mut dyn Iterator<Item = (&mut [f32], &[f32])>) {
        for (index, (w, g)) in parameters.enumerate() {
            if index == self.moments.len() {
                self.moments.push(Moments::default());
            }
            if g.is_empty() {
                continue;
            }
            let Moments { steps, mean, square } = &mut self.moments[index];
            *steps = steps.saturating_add(1);
            mean.resize(g.len(), 0.0);
            square.resize(g.len(), 0.0);
            let rest = |beta: f32| 1.0 - math::pow(f64::from(beta), f64::from(*steps));
            let rate = (self.learning_rate / rest(Self::BETA1)) as f32;
            let root = (1.0 / rest(Self::BETA2).sqrt()) as f32;
            for (((w, g), m), v) in w.iter_mut().zip(g).zip(mean).zip(square) {
                let g = g + self.weight_decay * *w;
                *m = Self::BETA1 * *m + (1.0 - Self::BETA1) * g;
                *v = Self::BETA2 * *v + (1.0 - Self::BETA2) * g * g;
                *w -= rate * *m / (v.sqrt() * root + Self::EPSILON);
            }
        }
    }
}

impl Sgd {
    /// # Errors
    /// [`NetError::Setting`] unless `learning_rate` > 0, 0 ≤ `momentum` < 1 and `weight_decay` ≥ 0, all finite.
    pub fn new(learning_rate: f64, momentum: f64, weight_decay: f64) -> Result<Self, NetError> {
        check_common(learning_rate, weight_decay)?;
        let momentum = check("momentum", momentum, |v| (0.0..1.0).contains(&v), "0 or more and below 1")? as f32;
        let (learning_rate, weight_decay) = (learning_rate as f32, weight_decay as f32);
        Ok(Self { learning_rate, momentum, weight_decay, velocity: Vec::new() })
    }
}

impl Optimizer for Sgd {
    fn step(&mut self, parameters: &mut dyn Iterator<Item = (&mut [f32], &[f32])>) {
        for (index, (w, g)) in parameters.enumerate() {
            if index == self.velocity.len() {
                self.velocity.push(vec![0.0; g.len()]);
            }
            for ((w, g), u) in w.iter_mut().zip(g).zip(&mut self.velocity[index]) {
                *u = self.momentum * *u + (g + self.weight_decay * *w);
                *w -= self.learning_rate * *u;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_out_of_range_are_named() {
        let text = |result: Result<(), NetError>| result.unwrap_err().to_string();
        assert_eq!(text(Adam::new(0.0, 0.0).map(drop)), "learning rate is 0; it must be above 0");
        assert_eq!(text(Adam::new(0.1, -1.0).map(drop)), "weight decay is -1; it must be 0 or more");
        assert_eq!(text(Sgd::new(0.1, 1.0, 0.0).map(drop)), "momentum is 1; it must be 0 or more and below 1");
        assert!(Sgd::new(1e39, 0.0, 0.0).is_err() && Adam::new(0.1, 1e39).is_err());
        assert!(Sgd::new(f64::NAN, 0.0, 0.0).is_err() && Adam::new(f64::INFINITY, 0.0).is_err());
    }

    /// One weight, stepped twice with gradient 0.5.
    fn stepped(mut optimizer: impl Optimizer) -> f64 {
        let mut weight = [2.0];
        for _ in 0..2 {
            optimizer.step(&mut std::iter::once((&mut weight[..], &[0.5][..])));
        }
        weight[0].into()
    }

    #[test]
    fn weight_decay_by_hand() {
        // g = 0.5 + 0.1·2 = 0.7, w = 2 − 0.1·0.7 = 1.93; g = 0.693, u = 0.9·0.7 + 0.693 = 1.323, w = 1.93 − 0.1323
        assert!((stepped(Sgd::new(0.1, 0.9, 0.1).unwrap()) - 1.7977).abs() < 1e-6);
        // Adam's first step is lr·sign(g), to w = 1.9; the second sees g = 0.7 and 0.69.
        let (m, v) = (0.9 * 0.1 * 0.7 + 0.1 * 0.69, 0.999 * 0.001 * 0.49 + 0.001 * 0.69 * 0.69);
        let second = 0.1 / (1.0 - 0.81) * m / ((v / (1.0 - 0.998_001_f64)).sqrt() + 1e-8);
        assert!((stepped(Adam::new(0.1, 0.1).unwrap()) - (1.9 - second)).abs() < 1e-5);
    }
}
