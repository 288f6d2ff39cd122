//! The net as a graph of layers: built from an architecture, run forward, walked back.

use ndarray::{ArrayView2, ArrayViewMut2, s};

use super::{Affine, Dense, Gradients, NetError, Tape, relu};
use crate::matmul::Pack;
use crate::model::{Architecture, LayerKind, LayerSpec};
use crate::rng::Rng;
use crate::tensors::TensorError;

/// Parameters a net may hold: far above what trains in a page, a quarter of a gigabyte as f32.
const MOST_PARAMETERS: u128 = 1 << 26;
/// Numbers that one sample's input and activations may take together.
const MOST_NUMBERS: u128 = 1 << 24;
/// Deeper than any net that would train here; names are looked up one by one.
const MOST_LAYERS: usize = 1 << 12;
/// Stream of [`Rng`] that draws initial weights.
const STREAM: u64 = 0;

/// What a node computes. Closed, so that a new layer makes the compiler list each place that must know it.
#[derive(Debug, Clone)]
pub enum Layer {
    /// Fully connected.
    Dense(Dense),
    /// max(0, x).
    Relu,
    /// Any shape to `[features]`.
    Flatten,
}

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
    first_back: Vec<bool>,
}

/// A net; its last node gives the logits.
#[derive(Debug, Clone)]
pub struct Network {
    input: Vec<usize>,
    nodes: Vec<Node>,
}

/// A parameter tensor in place.
#[derive(Debug)]
pub struct Parameter<'a> {
    /// `<layer>.weight` or `<layer>.bias`.
    pub name: String,
    /// As in a file.
    pub shape: Vec<usize>,
    /// Row-major.
    pub values: &'a [f32],
}

/// A layer whose size is known and whose memory is not yet taken.
struct Plan {
    shape: Vec<usize>,
    parameters: u128,
    make: Box<dyn FnOnce() -> Layer>,
}

/// One input of one node while the net is walked back.
pub(crate) struct BackStep<'a> {
    pub index: usize,
    pub node: &'a Node,
    /// The input and the node's output in the last forward pass, [n, features].
    pub x: ArrayView2<'a, f32>,
    pub z: ArrayView2<'a, f32>,
    /// What arrived at the output, and where to write what goes on to the input (`None`: nobody asks).
    pub signal: ArrayView2<'a, f32>,
    pub target: Option<ArrayViewMut2<'a, f32>>,
    pub pack: &'a mut Pack,
}

impl Layer {
    /// The kind's name in an architecture.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Dense(_) => "dense",
            Self::Relu => "relu",
            Self::Flatten => "flatten",
        }
    }

    /// The layer as an affine map, if it is one.
    pub fn affine(&self) -> Option<&dyn Affine> {
        match self {
            Self::Dense(dense) => Some(dense),
            Self::Relu | Self::Flatten => None,
        }
    }

    /// Shape of the weight, if the layer has one.
    pub fn weight_shape(&self) -> Option<Vec<usize>> {
        match self {
            Self::Dense(dense) => Some(dense.weight_shape().to_vec()),
            Self::Relu | Self::Flatten => None,
        }
    }

    /// Trainable parameters by their short names.
    pub(super) fn parameters(&self) -> impl Iterator<Item = (&'static str, &[f32])> {
        let (weight, bias) = match self {
            Self::Dense(dense) => (Some(dense.weight.as_slice()), dense.bias.as_deref()),
            Self::Relu | Self::Flatten => (None, None),
        };
        [weight.map(|w| ("weight", w)), bias.map(|b| ("bias", b))].into_iter().flatten()
    }

    fn parameters_mut(&mut self) -> impl Iterator<Item = &mut Vec<f32>> {
        let (weight, bias) = match self {
            Self::Dense(dense) => (Some(&mut dense.weight), dense.bias.as_mut()),
            Self::Relu | Self::Flatten => (None, None),
        };
        [weight, bias].into_iter().flatten()
    }

    fn forward(&self, x: ArrayView2<'_, f32>, mut y: ArrayViewMut2<'_, f32>, pack: &mut Pack) {
        match self {
            Self::Dense(dense) => dense.transform(&dense.weight, dense.bias.as_deref(), x, y, pack),
            Self::Relu => relu::forward(x, y),
            Self::Flatten => y.assign(&x),
        }
    }
}

impl Plan {
    /// A layer without parameters.
    fn of(layer: Layer, shape: Vec<usize>) -> Self {
        Self { shape, parameters: 0, make: Box::new(move || layer) }
    }
}

impl Node {
    /// Numbers in one sample of its output.
    pub fn features(&self) -> usize {
        self.shape.iter().product()
    }
}

impl Network {
    /// Builds the net with all parameters 0.
    ///
    /// # Errors
    /// Names taken twice, inputs that do not exist, shapes that do not fit, absurd sizes, no logits at the end.
    pub fn new(architecture: &Architecture) -> Result<Self, NetError> {
        Self::within(architecture, MOST_PARAMETERS)
    }

    /// The same with at most `limit` parameters: what a file of so many numbers could fill. Checked layer by layer
    /// before memory is taken.
    pub(crate) fn within(architecture: &Architecture, limit: u128) -> Result<Self, NetError> {
        let (input, layers) = (architecture.input.clone(), architecture.layers.len());
        let limit = limit.min(MOST_PARAMETERS);
        if layers > MOST_LAYERS {
            return Err(NetError::TooManyLayers { layers, limit: MOST_LAYERS });
        }
        let numbers = checked_product(&input).filter(|n| (1..=MOST_NUMBERS).contains(n) && !input.is_empty());
        let Some(mut numbers) = numbers else { return Err(NetError::InputShape { shape: input }) };
        let mut network = Self { input, nodes: Vec::with_capacity(layers) };
        let mut parameters = 0;
        for spec in &architecture.layers {
            let inputs = network.inputs(spec)?;
            let plan = network.plan(spec, &inputs)?;
            let name = spec.name.clone();
            parameters += plan.parameters;
            if parameters > limit {
                return Err(NetError::TooLarge { layer: name, parameters, limit });
            }
            numbers += checked_product(&plan.shape).unwrap_or(MOST_NUMBERS);
            if numbers > MOST_NUMBERS {
                return Err(NetError::TooWide { layer: name, numbers, limit: MOST_NUMBERS });
            }
            let first_back = vec![false; inputs.len()];
            network.nodes.push(Node { name, layer: (plan.make)(), inputs, shape: plan.shape, first_back });
        }
        network.mark_first_readers()?;
        match network.nodes.last() {
            None => Err(NetError::NoLayers),
            Some(last) if last.shape.len() != 1 => Err(NetError::Logits { shape: last.shape.clone() }),
            Some(_) => Ok(network),
        }
    }

    /// What a layer reads, with its name checked.
    fn inputs(&self, spec: &LayerSpec) -> Result<Vec<Source>, NetError> {
        let name = &spec.name;
        if name.is_empty() || name == "input" || name.chars().any(char::is_control) || self.find(name).is_some() {
            return Err(NetError::Name { name: name.clone() });
        }
        match &spec.inputs {
            None => Ok(vec![self.nodes.len().checked_sub(1).map_or(Source::Input, Source::Node)]),
            Some(inputs) => inputs.iter().map(|input| self.source(name, input)).collect(),
        }
    }

    fn plan(&self, spec: &LayerSpec, inputs: &[Source]) -> Result<Plan, NetError> {
        let shape = match inputs {
            [Source::Input] => &self.input,
            [Source::Node(node)] => &self.nodes[*node].shape,
            _ => {
                let (layer, kind) = (spec.name.clone(), spec.kind.name());
                return Err(NetError::InputCount { layer, kind, got: inputs.len(), expected: 1 });
            }
        };
        match spec.kind {
            LayerKind::Relu {} => Ok(Plan::of(Layer::Relu, shape.clone())),
            LayerKind::Flatten {} => Ok(Plan::of(Layer::Flatten, vec![shape.iter().product()])),
            LayerKind::Dense { units, bias } => {
                let &[features] = shape.as_slice() else {
                    let (layer, kind, expected) =
                        (spec.name.clone(), spec.kind.name(), "[features]: flatten it before");
                    return Err(NetError::Shape { layer, kind, got: shape.clone(), expected });
                };
                if units == 0 {
                    return Err(NetError::Setting { name: "units", got: 0.0, range: "at least 1" });
                }
                Ok(Plan {
                    shape: vec![units],
                    parameters: units as u128 * (features as u128 + u128::from(bias)),
                    make: Box::new(move || Layer::Dense(Dense::zeros(features, units, bias))),
                })
            }
        }
    }

    fn source(&self, layer: &str, name: &str) -> Result<Source, NetError> {
        if name == "input" {
            return Ok(Source::Input);
        }
        let unknown = || NetError::UnknownInput { layer: layer.into(), input: name.into() };
        self.find(name).map(Source::Node).ok_or_else(unknown)
    }

    fn mark_first_readers(&mut self) -> Result<(), NetError> {
        let mut reached = vec![false; self.nodes.len()];
        if let Some(last) = reached.last_mut() {
            *last = true;
        }
        for index in (0..self.nodes.len()).rev() {
            let node = &mut self.nodes[index];
            if !reached[index] {
                return Err(NetError::Unread { layer: node.name.clone() });
            }
            for (source, first) in node.inputs.iter().zip(&mut node.first_back) {
                if let Source::Node(source) = *source {
                    *first = !std::mem::replace(&mut reached[source], true);
                }
            }
        }
        Ok(())
    }

    /// Draws all weights anew; same seed, same bits.
    pub fn initialise(&mut self, seed: u64) {
        let mut rng = Rng::new(seed, STREAM);
        for node in &mut self.nodes {
            match &mut node.layer {
                Layer::Dense(dense) => dense.initialise(&mut rng),
                Layer::Relu | Layer::Flatten => {}
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

    /// All trainable parameters in file order.
    pub fn parameters(&self) -> impl Iterator<Item = Parameter<'_>> {
        self.nodes.iter().flat_map(|node| {
            node.layer.parameters().map(|(short, values)| Parameter {
                name: format!("{}.{short}", node.name),
                shape: node.layer.weight_shape().filter(|_| short == "weight").unwrap_or_else(|| vec![values.len()]),
                values,
            })
        })
    }

    /// The values of all parameters, in the order of [`Self::parameters`].
    pub fn parameters_mut(&mut self) -> impl Iterator<Item = &mut [f32]> {
        self.nodes.iter_mut().flat_map(|node| node.layer.parameters_mut()).map(Vec::as_mut_slice)
    }

    /// The layers whose weight has two or more dimensions: those that are quantized. Node and weight.
    pub fn weights(&self) -> impl Iterator<Item = (usize, &[f32])> {
        self.nodes.iter().enumerate().filter_map(|(index, node)| Some((index, node.layer.affine()?.weight())))
    }

    /// The weight of a node, to be overwritten.
    pub fn weight_mut(&mut self, node: usize) -> Option<&mut [f32]> {
        match &mut self.nodes.get_mut(node)?.layer {
            Layer::Dense(dense) => Some(&mut dense.weight),
            Layer::Relu | Layer::Flatten => None,
        }
    }

    /// # Errors
    /// [`NetError::NotFinite`] names the first parameter that holds NaN or infinity.
    pub fn check_finite(&self) -> Result<(), NetError> {
        match self.parameters().find(|parameter| !parameter.values.iter().all(|v| v.is_finite())) {
            Some(parameter) => Err(NetError::NotFinite { what: parameter.name }),
            None => Ok(()),
        }
    }

    /// Copies each parameter from what `find` returns for its name and shape.
    pub(crate) fn try_fill<'a>(
        &mut self,
        find: impl Fn(&str, &[usize]) -> Result<&'a [f32], TensorError>,
    ) -> Result<(), TensorError> {
        let wanted: Vec<(String, Vec<usize>)> = self.parameters().map(|p| (p.name, p.shape)).collect();
        for ((name, shape), values) in wanted.iter().zip(self.parameters_mut()) {
            values.copy_from_slice(find(name, shape)?);
        }
        Ok(())
    }

    /// Computes the logits [n, classes] of `x` [n, features]; all activations stay on the tape.
    /// At most the tape's capacity of samples is taken.
    pub fn forward<'a>(&self, x: ArrayView2<'_, f32>, tape: &'a mut Tape) -> ArrayView2<'a, f32> {
        debug_assert!(x.nrows() <= tape.capacity());
        tape.samples = x.nrows().min(tape.capacity());
        let x = x.slice_move(s![..tape.samples, ..]);
        for (index, node) in self.nodes.iter().enumerate() {
            let (before, rest) = tape.outputs.split_at_mut(index);
            let (Some(output), Some(&source)) = (rest.first_mut(), node.inputs.first()) else { continue };
            let input = match source {
                Source::Input => x,
                Source::Node(source) => before[source].slice(s![..tape.samples, ..]),
            };
            node.layer.forward(input, output.slice_mut(s![..tape.samples, ..]), &mut tape.pack);
        }
        tape.output(self.nodes.len().saturating_sub(1))
    }

    /// After [`Self::forward`] on the same `x`: gradients of all parameters, for the gradient of the logits that
    /// `at_logits` writes.
    pub fn backward(
        &self,
        x: ArrayView2<'_, f32>,
        tape: &mut Tape,
        gradients: &mut Gradients,
        at_logits: impl FnOnce(ArrayView2<'_, f32>, ArrayViewMut2<'_, f32>),
    ) {
        gradients.clear();
        self.walk_back(x, tape, false, at_logits, |step| match &step.node.layer {
            Layer::Dense(dense) => {
                let own = gradients.nodes.get_mut(step.index).map(Vec::as_mut_slice).unwrap_or_default();
                dense.backward(step.x, step.signal, step.target, own, step.pack);
            }
            Layer::Relu => _ = step.target.map(|target| relu::backward(step.x, step.signal, target)),
            Layer::Flatten => _ = step.target.map(|mut target| target.assign(&step.signal)),
        });
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
        tape.deliver(last, true, |tape, signal, _| at_logits(tape.output(last), signal));
        for (index, node) in self.nodes.iter().enumerate().rev() {
            let signal = tape.take_signal(index);
            let arrived = signal.slice(s![..samples, ..]);
            for (edge, &source) in node.inputs.iter().enumerate() {
                let mut step = |tape: &Tape, target: Option<ArrayViewMut2<'_, f32>>, pack: &mut Pack| {
                    let x = match source {
                        Source::Input => x,
                        Source::Node(source) => tape.output(source),
                    };
                    visit(BackStep { index, node, x, z: tape.output(index), signal: arrived, target, pack });
                };
                match source {
                    Source::Node(source) => {
                        tape.deliver(source, node.first_back[edge], |tape, target, pack| {
                            step(tape, Some(target), pack);
                        });
                    }
                    Source::Input => {
                        let mut pack = std::mem::take(&mut tape.pack);
                        let mut target =
                            ndarray::Array2::zeros(if to_input { x.raw_dim() } else { ndarray::Dim([0, 0]) });
                        step(tape, to_input.then(|| target.view_mut()), &mut pack);
                        tape.pack = pack;
                    }
                }
            }
            tape.put_signal(index, signal);
        }
    }
}

fn checked_product(shape: &[usize]) -> Option<u128> {
    shape.iter().try_fold(1_u128, |product, &n| product.checked_mul(n as u128))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> &'static str {
        Network::new(&Architecture::from_json(text).unwrap()).unwrap_err().code()
    }

    #[test]
    fn graphs_that_cannot_run_are_refused() {
        let layers = |input: &str, layers: &str| format!(r#"{{"input": {input}, "layers": [{layers}]}}"#);
        let dense = r#"{"name": "a", "kind": "dense", "units": 2}"#;
        assert_eq!(code(&layers("[4]", "")), "net/graph");
        assert_eq!(code(&layers("[]", dense)), "net/graph");
        assert_eq!(code(&layers("[4, 0]", dense)), "net/graph");
        assert_eq!(code(&layers("[4]", &format!("{dense}, {dense}"))), "net/graph");
        assert_eq!(code(&layers("[4]", r#"{"name": "input", "kind": "relu"}"#)), "net/graph");
        assert_eq!(code(&layers("[4]", r#"{"name": "a", "kind": "relu", "inputs": ["b"]}"#)), "net/graph");
        assert_eq!(code(&layers("[4]", r#"{"name": "a", "kind": "relu", "inputs": ["a"]}"#)), "net/graph");
        assert_eq!(code(&layers("[4]", r#"{"name": "a", "kind": "relu", "inputs": []}"#)), "net/graph");
        assert_eq!(
            code(&layers(
                "[4]",
                &format!(
                    r#"{{"name": "b", "kind": "relu"}}, {dense}, {{"name": "c", "kind": "relu", "inputs": ["b"]}}"#
                )
            )),
            "net/graph"
        );
        assert_eq!(code(&layers("[1, 2, 2]", dense)), "net/shape");
        assert_eq!(code(&layers("[1, 2, 2]", r#"{"name": "a", "kind": "relu"}"#)), "net/shape");
        assert_eq!(code(&layers("[4]", r#"{"name": "a", "kind": "dense", "units": 0}"#)), "net/setting");
        assert_eq!(code(&layers("[99999]", r#"{"name": "a", "kind": "dense", "units": 99999}"#)), "net/too-large");
        assert_eq!(code(&layers("[4]", r#"{"name": "a\nb", "kind": "relu"}"#)), "net/graph");
        let huge = r#"{"name": "a", "kind": "dense", "units": 18446744073709551615}"#;
        assert_eq!(code(&layers("[4]", huge)), "net/too-large");
        let many =
            |n, layer: &dyn Fn(usize) -> String| layers("[9000]", &(0..n).map(layer).collect::<Vec<_>>().join(","));
        let relu = |i| format!(r#"{{"name": "r{i}", "kind": "relu"}}"#);
        assert_eq!(code(&many(3000, &relu)), "net/too-large", "activations");
        assert_eq!(code(&many(5000, &relu)), "net/too-large", "layers");
        let wide = |i| format!(r#"{{"name": "d{i}", "kind": "dense", "units": 7000}}"#);
        assert_eq!(code(&many(2, &wide)), "net/too-large", "each fits, both do not");
    }
}
