//! Relevance of all weights and layer inputs of a net, for the labels of a set of samples.

use ndarray::{Array2, ArrayView2, ArrayViewMut2, Axis, s};

use super::plan::{How, plan};
use super::rules::{Epsilon, Explained, Room, Rule, Work, matrix, view};
use super::{BatchNormMode, Composite, LrpError, OutputRelevance};
use crate::data::Split;
use crate::nn::{Affine, BackStep, BatchNorm, Layer, Mode, Network, Source, Tape, lane_sum};

/// Which relevances of inputs are kept, sample by sample.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum KeepInputs {
    /// None: relevance is not even propagated below the first layer.
    #[default]
    None,
    /// That of the net's own input: a map over the image.
    Net,
    /// Also that of each dense and convolution layer's input.
    Layers,
}

/// How a net is explained.
#[derive(Debug, Clone, Default)]
pub struct ExplainSettings {
    /// Which rule applies where.
    pub composite: Composite,
    /// Where relevance starts.
    pub output: OutputRelevance,
    /// What batch norm does.
    pub batch_norm: BatchNormMode,
    /// What is kept besides the relevance of weights.
    pub inputs: KeepInputs,
}

/// Relevances by node.
#[derive(Debug, Clone, Default)]
pub struct Relevances {
    /// Of each dense and convolution weight, summed over samples, in the weight's layout; signed.
    pub weights: Vec<(usize, Vec<f32>)>,
    /// Of each dense and convolution layer's input, [n, in], where asked for.
    pub inputs: Vec<(usize, Array2<f32>)>,
    /// Of the net's input, [n, features], from all layers that read it; where asked for.
    pub net_input: Option<Array2<f32>>,
    /// How relevance flowed, for each node: what came in and what went on.
    pub flows: Vec<Flow>,
}

/// What became of the relevance that arrived at a layer, summed over samples.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Flow {
    /// At the layer's output.
    pub arrived: f64,
    /// What went on to its inputs; `None` where nobody asked for it (the net's own input).
    pub left: Option<f64>,
    /// What the bias took, where that can be told; the rest of [`Self::absorbed`] is ε's.
    pub bias: Option<f64>,
}

impl Flow {
    /// What arrived and did not go on.
    pub fn absorbed(&self) -> Option<f64> {
        self.left.map(|left| self.arrived - left)
    }
}

/// Explains the labels of a whole split as one batch: relevance starts at each label's output, divided by the number
/// of samples, and is propagated by the composite's rules.
///
/// ```text
/// R_w = w · Σ_samples Σ_positions x · R_out / stab(z)      (ε-rule with ε = 1e-6, whatever the composite)
/// ```
/// With batch norm folded in, w and z are those of the folded layer. Source: Becking et al. 2022, section 3. Vectors:
/// `lrp-*` (zennit).
///
/// # Errors
/// A composite that does not fit the net, a label that is no output; [`LrpError::NotFinite`] and
/// [`LrpError::Activation`] name the layer whose numbers overflowed.
pub fn explain(
    network: &Network,
    split: &Split,
    settings: &ExplainSettings,
    tape: &mut Tape,
) -> Result<Relevances, LrpError> {
    let mut explainer = Explainer::new(network, settings)?;
    explainer.run(network, split.chunks(tape.capacity()), split.len(), tape)?;
    Ok(explainer.relevances)
}

/// Explains one batch after another without allocating: what applies where is decided once, and results are written
/// over those before.
#[derive(Debug)]
pub struct Explainer {
    plan: Vec<How>,
    output: OutputRelevance,
    keep: KeepInputs,
    relevances: Relevances,
}

impl Explainer {
    /// For nets of this architecture.
    ///
    /// # Errors
    /// A composite that does not fit the net.
    pub fn new(network: &Network, settings: &ExplainSettings) -> Result<Self, LrpError> {
        let plan = plan(network, &settings.composite, settings.batch_norm)?;
        let relevances = Relevances {
            weights: network.weights().map(|(node, weight)| (node, vec![0.0; weight.len()])).collect(),
            flows: vec![Flow::default(); plan.len()],
            ..Relevances::default()
        };
        Ok(Self { plan, output: settings.output, keep: settings.inputs, relevances })
    }

    /// As [`explain`] for a split of these samples, which must fit the tape. The tape may be that of a training step: its
    /// memory is used, its gradients are not.
    ///
    /// # Errors
    /// As [`explain`].
    pub fn explain(
        &mut self,
        network: &Network,
        x: ArrayView2<'_, f32>,
        labels: &[usize],
        tape: &mut Tape,
    ) -> Result<&Relevances, LrpError> {
        debug_assert!(labels.len() <= tape.capacity() && x.nrows() == labels.len());
        self.run(network, std::iter::once((x, labels)), labels.len(), tape)?;
        Ok(&self.relevances)
    }

    fn run<'a>(
        &mut self,
        network: &Network,
        batches: impl Iterator<Item = (ArrayView2<'a, f32>, &'a [usize])>,
        samples: usize,
        tape: &mut Tape,
    ) -> Result<(), LrpError> {
        self.relevances.clear(self.keep != KeepInputs::None, samples, network.input().iter().product());
        let Self { plan, output, keep, relevances } = self;
        let room = Room::of(std::mem::take(&mut tape.spare));
        let mut pass = Pass { network, plan, room, samples, start: 0, keep: *keep, relevances };
        let result = pass.run(batches, *output, tape).and_then(|()| pass.weigh());
        tape.spare = std::mem::take(&mut pass.room).into_spare();
        result
    }
}

impl Relevances {
    fn clear(&mut self, keeps_input: bool, samples: usize, features: usize) {
        self.weights.iter_mut().for_each(|(_, weight)| weight.fill(0.0));
        self.flows.fill(Flow::default());
        self.inputs.clear();
        self.net_input = keeps_input.then(|| Array2::zeros((samples, features)));
    }
}

/// An explanation on its way.
struct Pass<'a> {
    network: &'a Network,
    plan: &'a [How],
    room: Room,
    /// Samples in all, and those before the current batch.
    samples: usize,
    start: usize,
    keep: KeepInputs,
    relevances: &'a mut Relevances,
}

impl Pass<'_> {
    /// All samples, as many at once as the tape takes.
    fn run<'b>(
        &mut self,
        batches: impl Iterator<Item = (ArrayView2<'b, f32>, &'b [usize])>,
        output: OutputRelevance,
        tape: &mut Tape,
    ) -> Result<(), LrpError> {
        let (network, samples, to_input) = (self.network, self.samples, self.keep != KeepInputs::None);
        let classes = network.outputs();
        for (x, labels) in batches {
            if let Some(&label) = labels.iter().find(|label| **label >= classes) {
                return Err(LrpError::Label { label, classes });
            }
            let logits = network.forward(x, tape, Mode::Evaluate);
            if !logits.iter().all(|z| z.is_finite()) {
                return Err(self.overflow(tape));
            }
            let mut arrived = 0.0;
            let at_logits = |logits: ArrayView2<'_, f32>, mut relevance: ArrayViewMut2<'_, f32>| {
                output.start(logits, labels, samples, relevance.view_mut());
                arrived = total(relevance.view());
            };
            network.walk_back(x, tape, to_input, at_logits, |step| self.visit(step));
            if let Some(last) = self.relevances.flows.last_mut() {
                last.arrived += arrived;
            }
            self.start += labels.len();
        }
        let is_finite = |flow: &Flow| flow.arrived.is_finite() && flow.left.is_none_or(f64::is_finite);
        // Walked back: the first that overflows is the last of the net.
        match self.relevances.flows.iter().rposition(|flow| !is_finite(flow)) {
            Some(node) => Err(self.not_finite(node)),
            None => Ok(()),
        }
    }

    /// The relevance that one input of one node gets.
    fn visit(&mut self, mut step: BackStep<'_>) {
        let (index, node, edge) = (step.index, step.node, step.edge);
        let mut target = step.target.take();
        let mut own = target.as_mut().map(|target| target.view_mut());
        let mut of_bias = Some(0.0);
        match self.plan.get(index) {
            Some(How::Rule(rule, folded)) => {
                of_bias = self.affine(&mut step, own, &**rule, norm_of(self.network, *folded));
            }
            Some(How::Sums(epsilon)) => {
                if let Some(own) = &mut own {
                    epsilon.shares(step.z, step.signal, &mut self.room.shares);
                    let (x, signal) = (step.x, view(&self.room.shares, step.z.dim()));
                    node.layer.backward(BackStep { signal, target: Some(own.view_mut()), ..step });
                    *own *= &x;
                }
            }
            Some(How::Winner) => node.layer.backward(BackStep { target: own, ..step }),
            Some(How::Pass) | None => {
                if let Some(own) = &mut own {
                    own.assign(&step.signal);
                }
            }
        }
        let flow = self.relevances.flows.get_mut(index);
        if let Some(flow) = flow {
            flow.bias = of_bias.map(|bias| bias + flow.bias.unwrap_or_default());
        }
        if let Some(target) = target {
            self.deliver(index, node.inputs.get(edge).copied(), target.view());
        }
    }

    /// Relevance of an affine layer's weight, and of its input where asked. Returns what the bias took.
    fn affine(
        &mut self,
        step: &mut BackStep<'_>,
        target: Option<ArrayViewMut2<'_, f32>>,
        rule: &dyn Rule,
        folded: Option<&BatchNorm>,
    ) -> Option<f64> {
        let layer: &dyn Affine = match &step.node.layer {
            Layer::Dense(dense) => dense,
            Layer::Conv2d(conv) => conv,
            Layer::BatchNorm(norm) => norm,
            _ => return None,
        };
        // Taken out of the room, so that a rule can write to the rest of it.
        let [mut shares, mut weight, mut bias, mut z] =
            [&mut self.room.shares, &mut self.room.folded, &mut self.room.folded_bias, &mut self.room.folded_z]
                .map(std::mem::take);
        let mut at = Explained::new(layer, step.x, step.z, step.signal);
        if let Some(norm) = folded {
            norm.fold_into((layer.weight(), layer.bias()), &mut weight, &mut bias);
            layer.transform(&weight, Some(&bias), step.x, matrix(&mut z, step.z.dim()), step.scratch);
            (at.weight, at.bias, at.z) = (&weight, Some(bias.as_slice()), view(&z, step.z.dim()));
        } else if let Layer::BatchNorm(norm) = &step.node.layer {
            z.clear();
            z.resize(norm.weight().len(), 1.0);
            norm.fold_into((&z, None), &mut weight, &mut bias);
            (at.weight, at.bias) = (&weight, Some(bias.as_slice()));
        }
        Epsilon::DEFAULT.shares(at.z, at.relevance_out, &mut shares);
        at.shares = Some(view(&shares, at.z.dim()));
        if let Some((_, sum)) = self.relevances.weights.iter_mut().find(|(node, _)| *node == step.index) {
            layer.weight_gradient(at.x, view(&shares, at.z.dim()), sum, true, step.scratch);
        }
        let of_bias = target.map(|relevance_in| {
            rule.relevance_in(at, Work { relevance_in, room: &mut self.room, scratch: step.scratch })
        });
        let room = &mut self.room;
        (room.shares, room.folded, room.folded_bias, room.folded_z) = (shares, weight, bias, z);
        of_bias
    }

    /// Writes down what went from a node to one of its inputs.
    fn deliver(&mut self, index: usize, to: Option<Source>, relevance: ArrayView2<'_, f32>) {
        let relevances = &mut *self.relevances;
        let sum = total(relevance);
        if let Some(flow) = relevances.flows.get_mut(index) {
            flow.left = Some(flow.left.unwrap_or_default() + sum);
        }
        let rows = self.start..self.start + relevance.nrows();
        match (to, &mut relevances.net_input) {
            (Some(Source::Node(source)), _) => {
                if let Some(flow) = relevances.flows.get_mut(source) {
                    flow.arrived += sum;
                }
            }
            (_, Some(input)) => {
                let mut input = input.slice_mut(s![rows.clone(), ..]);
                input += &relevance;
            }
            _ => {}
        }
        if self.keep != KeepInputs::Layers || relevances.weights.iter().all(|(node, _)| *node != index) {
            return;
        }
        let known = relevances.inputs.iter().position(|(node, _)| *node == index);
        let slot = known.unwrap_or_else(|| {
            relevances.inputs.push((index, Array2::zeros((self.samples, relevance.ncols()))));
            relevances.inputs.len() - 1
        });
        relevances.inputs[slot].1.slice_mut(s![rows, ..]).assign(&relevance);
    }

    /// R_w = w · the sums of the gradient, at the end of all batches.
    fn weigh(&mut self) -> Result<(), LrpError> {
        let Room { folded, folded_bias, .. } = &mut self.room;
        let mut bad = None;
        for ((node, sum), (_, own)) in self.relevances.weights.iter_mut().zip(self.network.weights()) {
            let weight = match self.plan.get(*node) {
                Some(How::Rule(_, norm)) => match norm_of(self.network, *norm) {
                    Some(norm) => {
                        norm.fold_into((own, None), folded, folded_bias);
                        folded.as_slice()
                    }
                    None => own,
                },
                _ => own,
            };
            sum.iter_mut().zip(weight).for_each(|(sum, w)| *sum *= w);
            if !sum.iter().all(|r| r.is_finite()) {
                bad = Some(*node);
            }
        }
        // Layers were met from the last to the first.
        self.relevances.inputs.reverse();
        bad.map_or(Ok(()), |node| Err(self.not_finite(node)))
    }

    fn not_finite(&self, node: usize) -> LrpError {
        LrpError::NotFinite { layer: self.network.nodes()[node].name.clone() }
    }

    /// Names the first layer whose output is not finite.
    fn overflow(&self, tape: &Tape) -> LrpError {
        let nodes = self.network.nodes();
        let bad = (0..nodes.len()).find(|&node| !tape.output(node).iter().all(|z| z.is_finite()));
        let bad = bad.and_then(|node| nodes.get(node)).or(nodes.last());
        LrpError::Activation { layer: bad.map(|node| node.name.clone()).unwrap_or_default() }
    }
}

/// The batch norm at a node.
fn norm_of(network: &Network, node: Option<usize>) -> Option<&BatchNorm> {
    match &network.nodes().get(node?)?.layer {
        Layer::BatchNorm(norm) => Some(norm),
        _ => None,
    }
}

/// Σ over all samples.
fn total(relevance: ArrayView2<'_, f32>) -> f64 {
    let rows = relevance.axis_iter(Axis(0));
    rows.filter_map(|row| row.to_slice().map(|row| f64::from(lane_sum(row, row, |r, _| r)))).sum()
}
