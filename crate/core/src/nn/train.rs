//! One training step after another.

use ndarray::ArrayView2;

use super::{Gradients, NetError, Network, Optimizer, SoftmaxCrossEntropy, Tape};

/// Memory and optimizer of a training run; allocates nothing per step.
#[derive(Debug)]
pub struct Trainer {
    tape: Tape,
    gradients: Gradients,
    optimizer: Box<dyn Optimizer>,
    steps: usize,
}

impl Trainer {
    /// For batches of at most `batch_size` samples.
    pub fn new(network: &Network, batch_size: usize, optimizer: Box<dyn Optimizer>) -> Self {
        let (tape, gradients) = (Tape::new(network, batch_size), Gradients::zeros(network));
        Self { tape, gradients, optimizer, steps: 0 }
    }

    /// One step on a batch: forward, loss, backward, update. Returns the mean loss before the update, in nats.
    ///
    /// # Errors
    /// [`NetError::Diverged`] where the loss is not finite any more: an earlier step broke the net, no further one is made.
    pub fn step(&mut self, network: &mut Network, x: ArrayView2<'_, f32>, labels: &[usize]) -> Result<f64, NetError> {
        let logits = network.forward(x, &mut self.tape);
        let loss = SoftmaxCrossEntropy.sum(logits, labels) / labels.len().max(1) as f64;
        if !loss.is_finite() {
            return Err(NetError::Diverged { step: self.steps, loss });
        }
        network.backward(x, &mut self.tape, &mut self.gradients, |logits, gradient| {
            SoftmaxCrossEntropy.gradient(logits, labels, gradient);
        });
        self.optimizer.step(network, &self.gradients);
        self.steps += 1;
        Ok(loss)
    }

    /// Gradients of the last step.
    pub fn gradients(&self) -> &Gradients {
        &self.gradients
    }
}
