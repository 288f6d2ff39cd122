//! The net as a graph of layers: run forward, walked back. It is built in `plan`.

use ndarray::{ArrayView2, ArrayViewMut2, s};

use super::layer::{BackStep, Inputs, Pass};
use super::{Gradients, Layer, Mode, NetError, Tape};
use crate::rng::Rng;
use crate::tensors::TensorError;

/// Stream of [`Rng`] that draws initial weights.
const STREAM: u64 = 0;

/// Where a node reads from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The net's input.
    Input,
    /// The output of an earlier node.
    Node(usize),
}

/// One layer in its place.
#[derive(Debug, Clone)]
pub struct Node {
    /// Unique in the net.
    pub name: String,
    /// What it computes.
    pub layer: Layer,
    /// What it reads.
    pub inputs: Vec<Source>,
    /// Shape of one sample of its output.
    pub shape: Vec<usize>,
    /// By input: whether this node is the first to send a signal there when the net is walked back.
    pub(super) first_back: Vec<bool>,
}

/// A net; its last node gives the logits.
#[derive(Debug, Clone)]
pub struct Network {
    input: Vec<usize>,
    nodes: Vec<Node>,
}

/// A tensor of a layer in place.
#[derive(Debug)]
pub struct Parameter<'a> {
    /// `<layer>.weight`, `<layer>.bias`, `<layer>.running_mean` or `<layer>.running_var`.
    pub name: String,
    /// As in a file.
    pub shape: Vec<usize>,
    /// Row-major.
    pub values: &'a [f32],
}

impl Node {
    /// Numbers of one sample of its output.
    pub fn features(&self) -> usize {
        self.shape.iter().product()
    }

    fn parameter<'a>(&self, (short, values): (&'static str, &'a [f32])) -> Parameter<'a> {
        let shape = self.layer.weight_shape().filter(|_| short == "weight").unwrap_or_else(|| vec![values.len()]);
        Parameter { name: format!("{}.{short}", self.name), shape, values }
    }
}

impl Network {
    pub(super) fn of(input: Vec<usize>, nodes: Vec<Node>) -> Self {
        Self { input, nodes }
    }

    /// Draws all weights anew; same seed, same bits.
    pub fn initialise(&mut self, seed: u64) {
        let mut rng = Rng::new(seed, STREAM);
        for node in &mut self.nodes {
            if let Some(layer) = node.layer.operation_mut() {
                layer.initialise(&mut rng);
            }
        }
    }

    /// Position of the node of that name.
    pub fn find(&self, name: &str) -> Option<usize> {
        self.nodes.iter().position(|node| node.name == name)
    }

    /// All layers, in order.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// Shape of one sample.
    pub fn input(&self) -> &[usize] {
        &self.input
    }

    /// Number of logits.
    pub fn outputs(&self) -> usize {
        self.nodes.last().map_or(0, Node::features)
    }

    /// All tensors in file order: what training steps, and the running statistics that it only follows.
    pub fn tensors(&self) -> impl Iterator<Item = Parameter<'_>> {
        self.nodes.iter().flat_map(|node| {
            let all = node.layer.operation().tensors().all();
            all.map(|tensor| node.parameter(tensor))
        })
    }

    /// The values of all tensors, in the order of [`Self::tensors`].
    pub fn tensors_mut(&mut self) -> impl Iterator<Item = &mut [f32]> {
        let layers = self.nodes.iter_mut().filter_map(|node| node.layer.operation_mut());
        layers.flat_map(|layer| layer.tensors_mut().all())
    }

    /// The tensors that training steps, in file order.
    pub fn parameters(&self) -> impl Iterator<Item = Parameter<'_>> {
        self.nodes.iter().flat_map(|node| {
            let trained = node.layer.operation().tensors().trained();
            trained.map(|tensor| node.parameter(tensor))
        })
    }

    /// The values of all parameters, in the order of [`Self::parameters`].
    pub fn parameters_mut(&mut self) -> impl Iterator<Item = &mut [f32]> {
        let layers = self.nodes.iter_mut().filter_map(|node| node.layer.operation_mut());
        layers.flat_map(|layer| layer.tensors_mut().trained())
    }

    /// The layers whose weight has two or more dimensions: those that are quantized. Node and weight.
    pub fn weights(&self) -> impl Iterator<Item = (usize, &[f32])> {
        self.nodes.iter().enumerate().filter_map(|(index, node)| Some((index, node.layer.affine()?.weight())))
    }

    /// The weight of a node that is quantized, to be overwritten.
    pub fn weight_mut(&mut self, node: usize) -> Option<&mut [f32]> {
        let layer = &mut self.nodes.get_mut(node)?.layer;
        layer.affine()?;
        layer.operation_mut()?.tensors_mut().trained().next()
    }

    /// Rounds all tensors to so many significant binary digits, 1 to 24, ties to even: numbers that end in zeros
    /// compress better.
    pub fn round(&mut self, digits: u32) {
        let dropped = 24_u32.saturating_sub(digits).min(23);
        let (half, mask) = ((1_u32 << dropped) >> 1, (1_u32 << dropped) - 1);
        for value in self.tensors_mut().flatten() {
            let bits = value.to_bits();
            let is_odd = (bits >> dropped) & u32::from(dropped > 0);
            let rounded = f32::from_bits(bits.wrapping_add(half.saturating_sub(1) + is_odd) & !mask);
            // The largest numbers have nothing above them to be rounded to.
            if value.is_finite() && rounded.is_finite() {
                *value = rounded;
            }
        }
    }

    /// Takes over all tensors of a net of the same architecture, but not the weights of nodes that keep their own.
    pub(crate) fn follow(&mut self, other: &Self, keeps: impl Fn(usize) -> bool) {
        for (index, (own, other)) in self.nodes.iter_mut().zip(&other.nodes).enumerate() {
            let kept = usize::from(own.layer.affine().is_some() && keeps(index));
            let Some(layer) = own.layer.operation_mut() else { continue };
            let theirs = other.layer.operation().tensors().all();
            for (own, (_, theirs)) in layer.tensors_mut().all().zip(theirs).skip(kept) {
                own.copy_from_slice(theirs);
            }
        }
    }

    /// # Errors
    /// [`NetError::NotFinite`] names the first tensor that holds NaN or infinity.
    pub fn check_finite(&self) -> Result<(), NetError> {
        match self.tensors().find(|tensor| !tensor.values.iter().all(|v| v.is_finite())) {
            Some(tensor) => Err(NetError::NotFinite { what: tensor.name }),
            None => Ok(()),
        }
    }

    /// Copies each tensor from what `find` returns for its name and shape.
    pub(crate) fn try_fill<'a>(
        &mut self,
        find: impl Fn(&str, &[usize]) -> Result<&'a [f32], TensorError>,
    ) -> Result<(), NetError> {
        let wanted: Vec<(String, Vec<usize>)> = self.tensors().map(|tensor| (tensor.name, tensor.shape)).collect();
        for ((name, shape), values) in wanted.iter().zip(self.tensors_mut()) {
            let found = find(name, shape)?;
            if let Some(position) = found.iter().position(|&v| v < 0.0).filter(|_| name.ends_with(".running_var")) {
                return Err(NetError::Variance { what: name.clone(), position, got: found[position] });
            }
            values.copy_from_slice(found);
        }
        Ok(())
    }

    /// Computes the logits [n, classes] of `x` [n, features], which lies row after row in memory; all activations stay
    /// on the tape. At most the tape's capacity of samples is taken.
    pub fn forward<'a>(&self, x: ArrayView2<'_, f32>, tape: &'a mut Tape, mode: Mode) -> ArrayView2<'a, f32> {
        debug_assert!(x.nrows() <= tape.capacity() && x.is_standard_layout());
        tape.samples = x.nrows().min(tape.capacity());
        tape.mode = mode;
        let x = x.slice_move(s![..tape.samples, ..]);
        for (index, (node, memo)) in self.nodes.iter().zip(&mut tape.memos).enumerate() {
            let (outputs, rest) = tape.outputs.split_at_mut(index);
            let Some(output) = rest.first_mut() else { continue };
            let inputs = Inputs { sources: &node.inputs, x, outputs };
            let mut pass = Pass { mode, memo, scratch: &mut tape.scratch };
            node.layer.operation().forward(&inputs, output.slice_mut(s![..tape.samples, ..]), &mut pass);
        }
        tape.output(self.nodes.len().saturating_sub(1))
    }

    /// After [`Self::forward`] on the same `x`: gradients of all parameters, for the gradient of the logits that
    /// `at_logits` writes; with `of_input` [n, features] also that of `x`.
    pub fn backward(
        &self,
        x: ArrayView2<'_, f32>,
        tape: &mut Tape,
        gradients: &mut Gradients,
        mut of_input: Option<ArrayViewMut2<'_, f32>>,
        at_logits: impl FnOnce(ArrayView2<'_, f32>, ArrayViewMut2<'_, f32>),
    ) {
        if let Some(sum) = &mut of_input {
            sum.fill(0.0);
        }
        self.walk_back(x, tape, of_input.is_some(), at_logits, |mut step| {
            // A layer's own gradients do not depend on which input is asked for: they come with the first.
            let own = gradients.nodes.get_mut(step.index).filter(|_| step.edge == 0);
            let (layer, mut target) = (step.node.layer.operation(), step.target.take());
            let reads_input = step.node.inputs.get(step.edge) == Some(&Source::Input);
            let written = target.as_mut().map(|target| target.view_mut());
            layer.backward(BackStep { target: written, ..step }, own.map(Vec::as_mut_slice).unwrap_or_default());
            if let (Some(sum), Some(target), true) = (&mut of_input, target, reads_input) {
                // Several layers may read the net's input.
                *sum += &target;
            }
        });
    }

    /// Takes over the batch statistics of the last training pass ([`Mode::Train`]) into the running ones.
    pub fn learn_statistics(&mut self, tape: &Tape) {
        for (node, memo) in self.nodes.iter_mut().zip(&tape.memos).filter(|_| tape.mode == Mode::Train) {
            if let Some(layer) = node.layer.operation_mut() {
                layer.learn_statistics(memo);
            }
        }
    }

    /// Walks from the logits to the input. `visit` sees every input of every node once, with the whole signal that
    /// arrived at the node's output. Signals towards the net's own input are computed only where `to_input` says so;
    /// they are handed to `visit` in scratch memory and then forgotten.
    pub(crate) fn walk_back(
        &self,
        x: ArrayView2<'_, f32>,
        tape: &mut Tape,
        to_input: bool,
        at_logits: impl FnOnce(ArrayView2<'_, f32>, ArrayViewMut2<'_, f32>),
        mut visit: impl FnMut(BackStep<'_>),
    ) {
        let Some(last) = self.nodes.len().checked_sub(1) else { return };
        let samples = tape.samples;
        let x = x.slice_move(s![..samples, ..]);
        tape.make_signals(self);
        tape.deliver(last, true, |tape, signal, _| at_logits(tape.output(last), signal));
        for (index, node) in self.nodes.iter().enumerate().rev() {
            let signal = tape.take_signal(index);
            let arrived = signal.slice(s![..samples, ..]);
            for (edge, &source) in node.inputs.iter().enumerate() {
                let mut step = |tape: &Tape, target: Option<ArrayViewMut2<'_, f32>>, scratch: &mut super::Scratch| {
                    let x = match source {
                        Source::Input => x,
                        Source::Node(source) => tape.output(source),
                    };
                    let (z, mode, memo) = (tape.output(index), tape.mode, tape.memo(index));
                    visit(BackStep { index, node, edge, x, z, signal: arrived, target, mode, memo, scratch });
                };
                match source {
                    Source::Node(source) => {
                        tape.deliver(source, node.first_back[edge], |tape, target, scratch| {
                            step(tape, Some(target), scratch);
                        });
                    }
                    Source::Input => tape.deliver_outside(to_input.then(|| x.dim()), &mut step),
                }
            }
            tape.put_signal(index, signal);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Architecture;

    #[test]
    fn rounding_keeps_the_leading_digits() {
        let text = r#"{"input": [5], "layers": [{"name": "a", "kind": "dense", "units": 1, "bias": false}]}"#;
        let mut network = Network::new(&Architecture::from_json(text).unwrap()).unwrap();
        let mut rounded = |values: [f32; 5], digits| {
            network.tensors_mut().for_each(|tensor| tensor.copy_from_slice(&values));
            network.round(digits);
            network.tensors().next().unwrap().values.to_vec()
        };
        // Two digits: 1, 1.5, 2, 3, 4, 6, …; what lies half way goes to the even one.
        assert_eq!(rounded([1.2, -1.25, 1.75, 5.1, 0.0], 2), [1.0, -1.0, 2.0, 6.0, 0.0]);
        let exact = [0.1, -1e-30, f32::MAX, 3.0, f32::MIN_POSITIVE];
        assert_eq!(rounded(exact, 24), exact);
        assert_eq!(rounded(exact, 11)[2], f32::MAX, "nothing becomes infinite");
    }
}
