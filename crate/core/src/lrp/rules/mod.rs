//! Rules: how one affine layer shares the relevance of its outputs over its inputs. One rule a file.

mod epsilon;

pub use epsilon::Epsilon;

use ndarray::{ArrayView2, ArrayViewMut2};

use crate::nn::{Affine, Scratch};

/// One layer in the middle of an explanation; activations and relevances are [n, features].
#[derive(Clone, Copy)]
pub struct Explained<'a> {
    /// The layer itself.
    pub layer: &'a dyn Affine,
    /// The layer's input.
    pub x: ArrayView2<'a, f32>,
    /// The layer's output, z = W·x + b.
    pub z: ArrayView2<'a, f32>,
    /// Relevance that arrived at the output.
    pub relevance_out: ArrayView2<'a, f32>,
}

/// A rule of relevance propagation.
pub trait Rule: std::fmt::Debug {
    /// Writes the relevance of the input, [n, in].
    fn relevance_in(&self, at: Explained<'_>, relevance_in: ArrayViewMut2<'_, f32>, scratch: &mut Scratch);
}

impl std::fmt::Debug for Explained<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Explained {{ x: {:?}, z: {:?} }}", self.x.dim(), self.z.dim())
    }
}
