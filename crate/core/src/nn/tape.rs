//! Memory of a pass: activations and gradients per node. Made once for a batch size and re-used, so that a training
//! step allocates nothing.

use ndarray::{Array2, ArrayView2, ArrayViewMut2, s};

use super::Network;
use crate::matmul::Pack;

/// What one forward (and backward) pass computed.
#[derive(Debug, Clone)]
pub struct Tape {
    /// Samples in the last pass.
    pub(super) samples: usize,
    /// Outputs by node, [capacity, features].
    pub(super) outputs: Vec<Array2<f32>>,
    /// Signals that flow back (gradients, relevances) by node, like `outputs`.
    signals: Vec<Array2<f32>>,
    /// A signal on its way to an input that already has one from another reader.
    scratch: Vec<f32>,
    pub(crate) pack: Pack,
}

impl Tape {
    /// Room for `capacity` samples of this net.
    pub fn new(network: &Network, capacity: usize) -> Self {
        let room = || network.nodes().iter().map(|node| Array2::zeros((capacity, node.features()))).collect();
        Self { samples: 0, outputs: room(), signals: room(), scratch: Vec::new(), pack: Pack::default() }
    }

    /// Most samples a pass can take.
    pub fn capacity(&self) -> usize {
        self.outputs.first().map_or(0, Array2::nrows)
    }

    /// Output of a node in the last pass, [n, features].
    pub fn output(&self, node: usize) -> ArrayView2<'_, f32> {
        self.outputs.get(node).map_or_else(|| ArrayView2::from(&[[]; 0]), |output| output.slice(s![..self.samples, ..]))
    }

    /// Takes a node's signal out to work with it; [`Self::put_signal`] returns it.
    pub(crate) fn take_signal(&mut self, node: usize) -> Array2<f32> {
        self.signals.get_mut(node).map(std::mem::take).unwrap_or_default()
    }

    pub(crate) fn put_signal(&mut self, node: usize, signal: Array2<f32>) {
        if let Some(slot) = self.signals.get_mut(node) {
            *slot = signal;
        }
    }

    /// Lets `write` compute a signal for a node's output. The first reader's replaces what was there, further ones add.
    pub(crate) fn deliver(
        &mut self,
        node: usize,
        first: bool,
        write: impl FnOnce(&Self, ArrayViewMut2<'_, f32>, &mut Pack),
    ) {
        let mut signal = self.take_signal(node);
        let mut pack = std::mem::take(&mut self.pack);
        let mut view = signal.slice_mut(s![..self.samples, ..]);
        if first {
            write(self, view, &mut pack);
        } else {
            let mut scratch = std::mem::take(&mut self.scratch);
            scratch.resize(view.len(), 0.0);
            if let Ok(mut addend) = ArrayViewMut2::from_shape(view.raw_dim(), &mut scratch) {
                write(self, addend.view_mut(), &mut pack);
                view += &addend;
            }
            self.scratch = scratch;
        }
        self.pack = pack;
        self.put_signal(node, signal);
    }
}

/// Gradients of all parameters, by node and parameter, in the parameters' own layout.
#[derive(Debug, Clone)]
pub struct Gradients {
    pub(super) nodes: Vec<Vec<Vec<f32>>>,
}

impl Gradients {
    /// Zeros of the shape of the net's parameters.
    pub fn zeros(network: &Network) -> Self {
        let zeros = |layer: &super::Layer| layer.parameters().map(|(_, values)| vec![0.0; values.len()]).collect();
        Self { nodes: network.nodes().iter().map(|node| zeros(&node.layer)).collect() }
    }

    pub(super) fn clear(&mut self) {
        self.nodes.iter_mut().flatten().for_each(|gradient| gradient.fill(0.0));
    }

    /// All gradients in the order of [`Network::parameters`].
    pub fn iter(&self) -> impl Iterator<Item = &[f32]> {
        self.nodes.iter().flatten().map(Vec::as_slice)
    }
}
