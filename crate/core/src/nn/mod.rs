//! Nets: layers, forward and backward passes, loss, optimizers. A net is a graph of [`Node`]s in [`Network`]; what a
//! pass computes lives in a [`Tape`]. One layer a file; a new one makes the compiler name each place it must fill.

mod affine;
mod dense;
mod error;
mod loss;
mod network;
mod optim;
mod relu;
mod tape;
mod train;

pub use affine::Affine;
pub use dense::Dense;
pub use error::NetError;
pub(crate) use loss::softmax;
pub use loss::{Evaluation, SoftmaxCrossEntropy};
pub use network::{Layer, Network, Node, Parameter, Source};
pub use optim::{Adam, Optimizer, Sgd};
pub use tape::{Gradients, Tape};
pub use train::Trainer;
