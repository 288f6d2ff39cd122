//! Rules: how one affine layer shares the relevance of its outputs over its inputs. One rule a file; most are a list of
//! terms that `terms` computes. Definitions and stabilizers are those of zennit, which the vectors come from.

mod alpha_beta;
mod epsilon;
mod flat;
mod gamma;
mod norm;
mod parse;
mod pass;
mod room;
mod terms;
mod w_square;
mod z_box;
mod z_plus;

pub use alpha_beta::AlphaBeta;
pub use epsilon::Epsilon;
pub use flat::Flat;
pub use gamma::Gamma;
pub use norm::Norm;
pub use parse::{RULES, parse};
pub use pass::Pass;
pub use room::Room;
pub(super) use room::{matrix, view};
pub use w_square::WSquare;
pub use z_box::ZBox;
pub use z_plus::ZPlus;

use ndarray::{Array2, ArrayView2, ArrayViewMut2};

use crate::nn::{Affine, Scratch};

/// One layer in the middle of an explanation; activations and relevances are [n, features].
#[derive(Clone, Copy)]
pub struct Explained<'a> {
    /// The layer itself.
    pub layer: &'a dyn Affine,
    /// Its weight; another one where batch norm is folded in.
    pub weight: &'a [f32],
    /// Its bias, likewise.
    pub bias: Option<&'a [f32]>,
    /// The layer's input.
    pub x: ArrayView2<'a, f32>,
    /// The layer's output, z = W·x + b.
    pub z: ArrayView2<'a, f32>,
    /// Relevance that arrived at the output.
    pub relevance_out: ArrayView2<'a, f32>,
    /// Its shares by [`Epsilon::DEFAULT`], where they are known: the relevance of weights needs them too.
    pub shares: Option<ArrayView2<'a, f32>>,
}

/// Where a rule writes, and the memory it computes in.
#[derive(Debug)]
pub struct Work<'a> {
    /// Relevance of the layer's input, [n, in].
    pub relevance_in: ArrayViewMut2<'a, f32>,
    /// The rule's own memory.
    pub room: &'a mut Room,
    /// The layer's.
    pub scratch: &'a mut Scratch,
}

/// Where a rule can be used.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Reach {
    /// On layers with a weight.
    Weights,
    /// On these and on sums with fixed weights, which share by contribution: average pooling and `add`.
    Sums(Epsilon),
    /// Where each output has one input: on batch norm, ReLU, flatten and, to the winner, max pooling.
    Single,
}

/// A rule of relevance propagation.
pub trait Rule: std::fmt::Debug + Send + Sync {
    /// Where it can be used.
    fn reach(&self) -> Reach {
        Reach::Weights
    }

    /// Writes the relevance of the input. Returns what the bias took.
    fn relevance_in(&self, at: Explained<'_>, work: Work<'_>) -> f64;
}

impl<'a> Explained<'a> {
    /// A layer with its own weight and bias.
    pub fn new(
        layer: &'a dyn Affine,
        x: ArrayView2<'a, f32>,
        z: ArrayView2<'a, f32>,
        relevance_out: ArrayView2<'a, f32>,
    ) -> Self {
        Self { layer, weight: layer.weight(), bias: layer.bias(), x, z, relevance_out, shares: None }
    }

    /// Sums shares by unit or filter, as the bias's part needs.
    fn unit_sums(&self, shares: ArrayView2<'_, f32>, sums: &mut Vec<f32>) {
        sums.clear();
        sums.resize(self.bias.map_or(0, <[f32]>::len), 0.0);
        if !sums.is_empty() {
            self.layer.bias_gradient(shares, sums);
        }
    }
}

/// Runs one rule on one layer by itself: relevance of `x` [n, in] for that of the layer's output [n, out].
pub fn relevance_in(
    rule: &dyn Rule,
    layer: &dyn Affine,
    x: ArrayView2<'_, f32>,
    relevance_out: ArrayView2<'_, f32>,
) -> Array2<f32> {
    let (mut room, mut scratch) = (Room::default(), Scratch::default());
    let (mut z, mut relevance) = (Array2::zeros(relevance_out.dim()), Array2::zeros(x.dim()));
    layer.transform(layer.weight(), layer.bias(), x, z.view_mut(), &mut scratch);
    let at = Explained::new(layer, x, z.view(), relevance_out);
    rule.relevance_in(at, Work { relevance_in: relevance.view_mut(), room: &mut room, scratch: &mut scratch });
    relevance
}

impl std::fmt::Debug for Explained<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Explained {{ x: {:?}, z: {:?} }}", self.x.dim(), self.z.dim())
    }
}
