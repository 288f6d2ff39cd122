//! Nets: layers, forward and backward passes, loss, optimizers. A net is a graph of [`Node`]s in [`Network`]; what a
//! pass computes lives in a [`Tape`]. One layer a file, each an `Operation` (`layer`); `plan` builds a net from its
//! architecture.

mod add;
mod affine;
mod avg_pool;
mod batch_norm;
mod conv2d;
mod dense;
mod error;
mod flatten;
mod layer;
mod loss;
mod max_pool;
mod network;
mod optim;
mod plan;
mod relu;
mod sums;
mod tape;
mod train;
mod unfold;
mod window;

pub use affine::{Affine, Scratch};
pub use avg_pool::AvgPool2d;
pub use batch_norm::BatchNorm;
pub use conv2d::Conv2d;
pub use dense::Dense;
pub use error::NetError;
pub(crate) use layer::BackStep;
pub use layer::Layer;
pub use loss::{Evaluation, SoftmaxCrossEntropy};
pub(crate) use loss::{first_max, softmax};
pub use max_pool::MaxPool2d;
pub use network::{Network, Node, Parameter, Source};
pub(crate) use optim::Moments;
pub use optim::{Adam, Optimizer, Sgd};
pub(crate) use sums::lane_sum;
pub use tape::{Gradients, Mode, Tape};
pub(crate) use train::LossPass;
pub use train::Trainer;
use window::Window;
