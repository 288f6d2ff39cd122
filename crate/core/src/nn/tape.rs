//! Memory of a pass: activations and gradients per node. Made once for a batch size and re-used, so that a training
//! step allocates nothing.

use ndarray::{Array2, ArrayView2, ArrayViewMut2, s};

use super::{Network, Scratch};

/// Whether a pass learns from its batch (batch norm then normalises by the batch) or answers with what was learned.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Mode {
    /// Statistics of the batch.
    Train,
    /// Running statistics.
    #[default]
    Evaluate,
}

/// What one forward (and backward) pass computed.
#[derive(Debug, Clone)]
pub struct Tape {
    capacity: usize,
    /// Samples in the last pass, and how it was run.
    pub(super) samples: usize,
    pub(super) mode: Mode,
    /// Outputs by node, [capacity, features].
    pub(super) outputs: Vec<Array2<f32>>,
    /// What layers keep beside them for the way back.
    pub(super) memos: Vec<Vec<f32>>,
    /// Signals that flow back (gradients, relevances) by node, like `outputs`; made when the net is first walked back,
    /// so that a tape for answers alone costs half.
    signals: Vec<Array2<f32>>,
    /// A signal on its way to an input that already has one from another reader, or to the net's own input.
    addend: Vec<f32>,
    pub(crate) scratch: Scratch,
    /// Memory of who walks the net back for something else than gradients.
    pub(crate) spare: [Vec<f32>; 10],
}

impl Tape {
    /// Room for `capacity` samples of this net.
    pub fn new(network: &Network, capacity: usize) -> Self {
        let nodes = network.nodes();
        Self {
            capacity,
            samples: 0,
            mode: Mode::Evaluate,
            outputs: nodes.iter().map(|node| Array2::zeros((capacity, node.features()))).collect(),
            memos: vec![Vec::new(); nodes.len()],
            signals: Vec::new(),
            addend: Vec::new(),
            scratch: Scratch::default(),
            spare: Default::default(),
        }
    }

    /// Most samples a pass can take.
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// Output of a node in the last pass, [n, features].
    pub fn output(&self, node: usize) -> ArrayView2<'_, f32> {
        self.outputs.get(node).map_or_else(|| ArrayView2::from(&[[]; 0]), |output| output.slice(s![..self.samples, ..]))
    }

    pub(super) fn memo(&self, node: usize) -> &[f32] {
        self.memos.get(node).map(Vec::as_slice).unwrap_or_default()
    }

    pub(super) fn make_signals(&mut self, network: &Network) {
        if self.signals.is_empty() {
            let room = |node: &super::Node| Array2::zeros((self.capacity, node.features()));
            self.signals = network.nodes().iter().map(room).collect();
        }
    }

    /// Takes a node's signal out to work with it; [`Self::put_signal`] returns it.
    pub(super) fn take_signal(&mut self, node: usize) -> Array2<f32> {
        self.signals.get_mut(node).map(std::mem::take).unwrap_or_default()
    }

    pub(super) fn put_signal(&mut self, node: usize, signal: Array2<f32>) {
        if let Some(slot) = self.signals.get_mut(node) {
            *slot = signal;
        }
    }

    /// Lets `write` compute a signal for a node's output. The first reader's replaces what was there, further ones add.
    pub(super) fn deliver(
        &mut self,
        node: usize,
        first: bool,
        write: impl FnOnce(&Self, ArrayViewMut2<'_, f32>, &mut Scratch),
    ) {
        let mut signal = self.take_signal(node);
        let mut view = signal.slice_mut(s![..self.samples, ..]);
        if first {
            let mut scratch = std::mem::take(&mut self.scratch);
            write(self, view, &mut scratch);
            self.scratch = scratch;
        } else {
            self.deliver_outside(Some(view.dim()), |tape, addend, scratch| {
                if let Some(mut addend) = addend {
                    write(tape, addend.view_mut(), scratch);
                    view += &addend;
                }
            });
        }
        self.put_signal(node, signal);
    }

    /// The same for a signal that no node takes in, in memory for a matrix of this size.
    pub(super) fn deliver_outside(
        &mut self,
        size: Option<(usize, usize)>,
        write: impl FnOnce(&Self, Option<ArrayViewMut2<'_, f32>>, &mut Scratch),
    ) {
        let (mut addend, mut scratch) = (std::mem::take(&mut self.addend), std::mem::take(&mut self.scratch));
        let target = size.and_then(|(rows, columns)| {
            addend.resize(rows * columns, 0.0);
            ArrayViewMut2::from_shape((rows, columns), &mut addend).ok()
        });
        write(self, target, &mut scratch);
        (self.addend, self.scratch) = (addend, scratch);
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
        let zeros = |node: &super::Node| {
            let trained = node.layer.operation().tensors().trained();
            trained.map(|(_, values)| vec![0.0; values.len()]).collect()
        };
        Self { nodes: network.nodes().iter().map(zeros).collect() }
    }

    /// All gradients in the order of [`Network::parameters`].
    pub fn iter(&self) -> impl Iterator<Item = &[f32]> {
        self.nodes.iter().flatten().map(Vec::as_slice)
    }

    /// The gradient of a node's weight.
    pub(crate) fn weight_mut(&mut self, node: usize) -> Option<&mut [f32]> {
        self.nodes.get_mut(node)?.first_mut().map(Vec::as_mut_slice)
    }
}
