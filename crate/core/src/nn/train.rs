//! One training step after another.

use ndarray::ArrayView2;

use super::{Gradients, Mode, NetError, Network, Node, Optimizer, SoftmaxCrossEntropy, Tape};

/// Numbers that the activations of a training batch and the signals that flow back may take: a gigabyte as f32.
const MOST_NUMBERS: usize = 1 << 28;

/// Memory of one batch on its way through a net and back; allocates nothing per batch.
#[derive(Debug)]
pub(crate) struct LossPass {
    pub(crate) tape: Tape,
    pub(crate) gradients: Gradients,
}

impl LossPass {
    /// For batches of at most `batch_size` samples.
    ///
    /// # Errors
    /// [`NetError::BatchSize`] where the activations and gradients of such a batch would take more than 2^28 numbers.
    pub(crate) fn new(network: &Network, batch_size: usize) -> Result<Self, NetError> {
        let features: usize = network.nodes().iter().map(Node::features).sum();
        let most = MOST_NUMBERS / (2 * features).max(1);
        if batch_size > most {
            return Err(NetError::BatchSize { got: batch_size, most });
        }
        Ok(Self { tape: Tape::new(network, batch_size), gradients: Gradients::zeros(network) })
    }

    /// Forward, loss and backward on a batch, which leaves the gradients here and the net as it is. Returns the mean
    /// loss in nats.
    ///
    /// # Errors
    /// [`NetError::Diverged`] where the loss is not finite; `step` says when.
    pub(crate) fn measure(
        &mut self,
        network: &Network,
        x: ArrayView2<'_, f32>,
        labels: &[usize],
        step: usize,
    ) -> Result<f64, NetError> {
        let mut loss = f64::NAN;
        network.forward(x, &mut self.tape, Mode::Train);
        network.backward(x, &mut self.tape, &mut self.gradients, None, |logits, gradient| {
            loss = SoftmaxCrossEntropy.gradient(logits, labels, gradient);
        });
        if loss.is_finite() { Ok(loss) } else { Err(NetError::Diverged { step, loss }) }
    }
}

/// Memory and optimizer of a training run; allocates nothing per step.
#[derive(Debug)]
pub struct Trainer {
    pass: LossPass,
    optimizer: Box<dyn Optimizer>,
    steps: usize,
}

impl Trainer {
    /// For batches of at most `batch_size` samples.
    ///
    /// # Errors
    /// [`NetError::BatchSize`] where the activations and gradients of such a batch would take more than 2^28 numbers.
    pub fn new(network: &Network, batch_size: usize, optimizer: Box<dyn Optimizer>) -> Result<Self, NetError> {
        Ok(Self { pass: LossPass::new(network, batch_size)?, optimizer, steps: 0 })
    }

    /// One step on a batch. Returns the mean loss before the update, in nats.
    ///
    /// # Errors
    /// [`NetError::Diverged`] where the loss is not finite any more: an earlier step broke the net, no further one is made.
    pub fn step(&mut self, network: &mut Network, x: ArrayView2<'_, f32>, labels: &[usize]) -> Result<f64, NetError> {
        let loss = self.pass.measure(network, x, labels, self.steps)?;
        self.optimizer.step(&mut network.parameters_mut().zip(self.pass.gradients.iter()));
        network.learn_statistics(&self.pass.tape);
        self.steps += 1;
        Ok(loss)
    }

    /// Gradients of the last step.
    pub fn gradients(&self) -> &Gradients {
        &self.pass.gradients
    }
}
