//! Quantizers: each weight of a layer gets a centroid. The method is laid out in the order in which it runs:
//! [`Codebook`] (centroids), [`price`] (what a cluster costs in bits), `envelope` (thresholds), [`Ecq`],
//! [`Ecqx`] with `beta` (relevance), and [`NetQuantizer`] for a whole net. The loops over weights are in `kernel`, what is
//! kept from call to call is in [`Workspace`].
//!
//! To add a method: one file with a type that implements [`Quantizer`], and its variant in [`Method`].

mod beta;
mod codebook;
mod ecq;
mod ecqx;
mod envelope;
mod error;
mod kernel;
mod nearest;
mod net;
pub mod price;
mod relevance;
mod report;
mod settings;
mod workspace;

pub use codebook::Codebook;
pub use ecq::Ecq;
pub use ecqx::Ecqx;
pub use error::QuantError;
pub use nearest::Nearest;
pub use net::{NetQuantizer, QuantizedLayer};
pub use relevance::UnitRelevance;
pub use report::{LayerReport, QuantizeReport};
pub use settings::{LayerOverride, Method, Mode, QuantizeSettings};
pub use workspace::Workspace;

/// A way to assign weights to centroids.
pub trait Quantizer: std::fmt::Debug {
    /// Assigns every weight of a layer; [`Workspace::assignment`] then holds the result. What `work` still knows from
    /// the call before is not computed again, and once it has seen a layer nothing is allocated.
    ///
    /// # Errors
    /// Where the layer lacks something the method needs.
    fn assign(&self, layer: &LayerInput<'_>, work: &mut Workspace) -> Result<(), QuantError>;
}

/// One layer to be quantized; checked, so that a quantizer need not.
#[derive(Debug, Clone, Copy)]
pub struct LayerInput<'a> {
    name: &'a str,
    latent: &'a [f32],
    relevance: Option<&'a UnitRelevance>,
    codebook: &'a Codebook,
    largest: usize,
}

/// Cluster of each weight, and what decided it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Assignment {
    /// Index into the codebook by weight.
    pub clusters: Vec<u8>,
    /// Weights per cluster.
    pub occupancy: Vec<u32>,
    /// The same for nearest neighbour.
    pub occupancy_nearest: Vec<u32>,
    /// The same for ECQ without relevance.
    pub occupancy_ecq: Vec<u32>,
    /// P_c: the share of each cluster for nearest neighbour, zero lifted to ½ where it has less.
    pub shares: Vec<f64>,
    /// I_c = −log2 P_c; infinite for an empty cluster.
    pub information_bits: Vec<f64>,
    /// Λ, squared weight units per bit.
    pub lagrange: f64,
    /// Where each cluster but the last ends without relevance, in weight units: w up to and including it belongs to the
    /// cluster or one before it. A cluster that wins nowhere ends where the one before it does.
    pub thresholds: Vec<f64>,
    /// What relevance did, where the method uses it.
    pub beta: Option<Beta>,
    /// A guard that decided instead of the formula.
    pub notice: Option<&'static str>,
    zero: usize,
}

/// The exponent on relevance.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Beta {
    /// In [0, 1]; in mode *reference* the first trial may lie above.
    pub value: f64,
    /// Whether the sparsity it gives lies in the range that p allows.
    pub feasible: bool,
}

impl<'a> LayerInput<'a> {
    /// `largest` is the number of weights of the net's largest quantized layer.
    ///
    /// # Errors
    /// No weights, weights that are not finite, or relevance of another length.
    pub fn new(
        name: &'a str,
        latent: &'a [f32],
        relevance: Option<&'a UnitRelevance>,
        codebook: &'a Codebook,
        largest: usize,
    ) -> Result<Self, QuantError> {
        error::expect_weights(name, latent)?;
        if let Some(got) = relevance.map(|r| r.values().len()).filter(|&got| got != latent.len()) {
            return Err(QuantError::RelevanceLength { layer: name.into(), got, expected: latent.len() });
        }
        Ok(Self { name, latent, relevance, codebook, largest: largest.max(latent.len()) })
    }
}

impl Assignment {
    /// Share of the weights in the zero cluster.
    pub fn sparsity(&self) -> f64 {
        share(&self.occupancy, self.zero)
    }
}

/// Share of one cluster in a histogram; 0 for an empty one.
fn share(occupancy: &[u32], cluster: usize) -> f64 {
    let total: u64 = occupancy.iter().copied().map(u64::from).sum();
    occupancy.get(cluster).map_or(0.0, |&n| f64::from(n)) / total.max(1) as f64
}
