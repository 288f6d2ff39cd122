//! What every layer does, and the closed list of layers.

use ndarray::{ArrayView2, ArrayViewMut2, s};

use super::tape::Mode;
use super::{Affine, AvgPool2d, BatchNorm, Conv2d, Dense, MaxPool2d, Node, Scratch, Source, add, flatten, relu};
use crate::rng::Rng;

/// What a node computes. Closed, so that the compiler lists each place that must know a new layer.
#[derive(Debug, Clone)]
pub enum Layer {
    /// Fully connected.
    Dense(Dense),
    /// Convolution over images.
    Conv2d(Conv2d),
    /// Normalisation over batch and positions.
    BatchNorm(BatchNorm),
    /// max(0, x).
    Relu,
    /// Largest value of each window.
    MaxPool2d(MaxPool2d),
    /// Mean of each window; a window as large as the image gives the global mean.
    AvgPool2d(AvgPool2d),
    /// Any shape to `[features]`.
    Flatten,
    /// Sum of its inputs.
    Add,
}

/// The work of one layer, one implementation a file.
pub(super) trait Operation {
    /// The kind's name in an architecture.
    fn kind(&self) -> &'static str;

    /// Shape of the weight that would be quantized; `None` where there is none.
    fn weight_shape(&self) -> Option<Vec<usize>> {
        None
    }

    /// Its tensors by their short names.
    fn tensors(&self) -> Tensors<'_> {
        Tensors::default()
    }

    /// The same, to be changed.
    fn tensors_mut(&mut self) -> TensorsMut<'_> {
        TensorsMut::default()
    }

    /// Draws the tensors anew.
    fn initialise(&mut self, _rng: &mut Rng) {}

    /// Computes the output y [n, features].
    fn forward(&self, inputs: &Inputs<'_>, y: ArrayViewMut2<'_, f32>, pass: &mut Pass<'_>);

    /// Writes the gradients of the trained tensors (with the first input) and that of the input, where asked.
    fn backward(&self, step: BackStep<'_>, gradients: &mut [Vec<f32>]);

    /// Takes over what a training pass learned about its batch, from the memo its forward pass left.
    fn learn_statistics(&mut self, _memo: &[f32]) {}
}

/// A layer's tensors by short name: those that training steps, and those that it only follows.
#[derive(Debug, Default)]
pub(super) struct Tensors<'a> {
    pub trained: [(&'static str, Option<&'a [f32]>); 2],
    pub followed: [(&'static str, Option<&'a [f32]>); 2],
}

/// The same, to be changed.
#[derive(Debug, Default)]
pub(super) struct TensorsMut<'a> {
    pub trained: [Option<&'a mut [f32]>; 2],
    pub followed: [Option<&'a mut [f32]>; 2],
}

impl<'a> Tensors<'a> {
    pub(super) fn trained(self) -> impl Iterator<Item = (&'static str, &'a [f32])> {
        self.trained.into_iter().filter_map(|(short, values)| Some((short, values?)))
    }

    pub(super) fn all(self) -> impl Iterator<Item = (&'static str, &'a [f32])> {
        let all = self.trained.into_iter().chain(self.followed);
        all.filter_map(|(short, values)| Some((short, values?)))
    }
}

impl<'a> TensorsMut<'a> {
    pub(super) fn trained(self) -> impl Iterator<Item = &'a mut [f32]> {
        self.trained.into_iter().flatten()
    }

    pub(super) fn all(self) -> impl Iterator<Item = &'a mut [f32]> {
        self.trained.into_iter().chain(self.followed).flatten()
    }
}

/// What a node reads in a pass.
pub(super) struct Inputs<'a> {
    pub sources: &'a [Source],
    pub x: ArrayView2<'a, f32>,
    /// Outputs of the nodes before.
    pub outputs: &'a [ndarray::Array2<f32>],
}

/// What surrounds a layer in a forward pass.
pub(super) struct Pass<'a> {
    pub mode: Mode,
    /// What the layer keeps for the way back, besides inputs and outputs.
    pub memo: &'a mut Vec<f32>,
    pub scratch: &'a mut Scratch,
}

/// One input of one node while the net is walked back.
pub(crate) struct BackStep<'a> {
    pub index: usize,
    pub node: &'a Node,
    /// Which of the node's inputs this is.
    pub edge: usize,
    /// The input and the node's output in the last forward pass, [n, features].
    pub x: ArrayView2<'a, f32>,
    pub z: ArrayView2<'a, f32>,
    /// What arrived at the output, and where to write what goes on to the input (`None`: nobody asks).
    pub signal: ArrayView2<'a, f32>,
    pub target: Option<ArrayViewMut2<'a, f32>>,
    /// What the forward pass kept.
    pub mode: Mode,
    pub memo: &'a [f32],
    pub scratch: &'a mut Scratch,
}

impl<'a> Inputs<'a> {
    /// The input at `edge`, [n, features].
    pub(super) fn get(&self, edge: usize) -> ArrayView2<'a, f32> {
        match self.sources.get(edge) {
            Some(&Source::Node(node)) if node < self.outputs.len() => {
                self.outputs[node].slice(s![..self.x.nrows(), ..])
            }
            _ => self.x,
        }
    }

    /// The only input of most layers.
    pub(super) fn first(&self) -> ArrayView2<'a, f32> {
        self.get(0)
    }
}

impl Layer {
    pub(super) fn operation(&self) -> &dyn Operation {
        match self {
            Self::Dense(dense) => dense,
            Self::Conv2d(conv) => conv,
            Self::BatchNorm(norm) => norm,
            Self::Relu => &relu::Relu,
            Self::MaxPool2d(pool) => pool,
            Self::AvgPool2d(pool) => pool,
            Self::Flatten => &flatten::Flatten,
            Self::Add => &add::Add,
        }
    }

    pub(super) fn operation_mut(&mut self) -> Option<&mut dyn Operation> {
        match self {
            Self::Dense(dense) => Some(dense),
            Self::Conv2d(conv) => Some(conv),
            Self::BatchNorm(norm) => Some(norm),
            Self::MaxPool2d(_) | Self::AvgPool2d(_) | Self::Relu | Self::Flatten | Self::Add => None,
        }
    }

    /// Pulls a signal at the output back to the input; leaves gradients of parameters alone.
    pub(crate) fn backward(&self, step: BackStep<'_>) {
        self.operation().backward(step, &mut []);
    }

    /// The kind's name in an architecture.
    pub fn kind(&self) -> &'static str {
        self.operation().kind()
    }

    /// The layer as an affine map, if it is one with a weight that is quantized.
    pub fn affine(&self) -> Option<&dyn Affine> {
        match self {
            Self::Dense(dense) => Some(dense),
            Self::Conv2d(conv) => Some(conv),
            _ => None,
        }
    }

    /// Shape of the weight that is quantized, if the layer has one.
    pub fn weight_shape(&self) -> Option<Vec<usize>> {
        self.operation().weight_shape()
    }
}
