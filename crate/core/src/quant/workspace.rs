//! What is known of one layer, stage by stage, in memory that is kept from call to call. A stage is computed anew only
//! where something that it was computed from has changed; this file is the one place that knows which.
//!
//! ```text
//! weights, codebook ─▶ survey ─▶ prices ─▶ clusters of ECQ
//!                                    └───▶ best cluster but zero ─▶ flip points ─▶ clusters of ECQx
//! mode, λ ─────────────────────────▲          relevance, ρ ─────────▲      β, p ─────▲
//! ```

use super::beta::Flips;
use super::envelope::Envelope;
use super::kernel::{self, Costs, Histogram};
use super::{Assignment, Codebook, LayerInput, UnitRelevance};

/// Memory and stages of one layer; [`super::Quantizer::assign`] leaves its result here.
///
/// It takes the weights and relevances of a call for those of the last one, unless told that they changed. A changed
/// codebook or setting it notices by itself.
#[derive(Debug, Default)]
pub struct Workspace {
    pub(super) assignment: Assignment,
    codebook: Option<Codebook>,
    extremes: Option<(f32, f32)>,
    prices: Vec<f64>,
    envelope: Envelope,
    /// Whether the assignment's clusters are those of `envelope`.
    is_assigned: bool,
    /// The best cluster of each weight, zero left out.
    others: Vec<u8>,
    has_others: bool,
    /// Looked up at once and kept for its memory.
    passing: Envelope,
    flips: Flips,
    /// The ρ for which `flips` holds.
    flips_for: Option<f64>,
}

impl Workspace {
    /// The weights are no longer those of the last call. The codebook may well be the same.
    pub fn weights_changed(&mut self) {
        self.extremes = None;
        self.prices_changed();
    }

    /// The relevances are no longer those of the last call.
    pub fn relevance_changed(&mut self) {
        self.flips_for = None;
    }

    /// What the last call decided.
    pub fn assignment(&self) -> &Assignment {
        &self.assignment
    }

    fn prices_changed(&mut self) {
        (self.is_assigned, self.has_others, self.flips_for) = (false, false, None);
    }

    /// Clusters of the nearest centroids, counted; the smallest and the largest weight with theirs.
    pub(super) fn survey(&mut self, layer: &LayerInput<'_>) -> [(f32, usize); 2] {
        if self.codebook.as_ref() != Some(layer.codebook) || self.assignment.clusters.len() != layer.latent.len() {
            self.weights_changed();
            self.codebook = Some(layer.codebook.clone());
            self.prices.clear(); // thresholds depend on the centroids too
            self.assignment.clusters.resize(layer.latent.len(), 0);
            self.assignment.zero = layer.codebook.zero();
        }
        self.passing.rebuild(layer.codebook.centroids(), &|_| 0.0);
        let (min, max) = *self.extremes.get_or_insert_with(|| {
            kernel::survey(layer.codebook, self.passing.bounds(), layer.latent, &mut self.assignment.occupancy_nearest)
        });
        [min, max].map(|extreme| (extreme, self.passing.cluster(extreme)))
    }

    /// Takes over what each cluster costs besides distance; an infinite price means never.
    pub(super) fn set_prices(&mut self, codebook: &Codebook, price: &dyn Fn(usize) -> f64) {
        if self.prices.len() == codebook.len() && self.prices.iter().enumerate().all(|(c, &old)| old == price(c)) {
            return;
        }
        self.prices.clear();
        self.prices.extend((0..codebook.len()).map(price));
        self.envelope.rebuild(codebook.centroids(), price);
        self.assignment.thresholds.clear();
        let between = self.envelope.bounds().iter().take(codebook.len() - 1);
        self.assignment.thresholds.extend(between.copied().map(f64::from));
        self.prices_changed();
    }

    /// The cheapest cluster for each weight.
    pub(super) fn assign_cheapest(&mut self, layer: &LayerInput<'_>) {
        if self.is_assigned {
            return;
        }
        kernel::look_up(self.envelope.bounds(), layer.latent, &mut self.assignment.clusters);
        self.count();
        self.assignment.occupancy_ecq.clone_from(&self.assignment.occupancy);
        self.is_assigned = true;
    }

    /// The best cluster but zero for each weight, and how many weights zero gets without relevance.
    pub(super) fn find_others(&mut self, layer: &LayerInput<'_>) -> usize {
        let zero = layer.codebook.zero();
        if !self.has_others {
            let price = |c: usize| match self.prices.get(c) {
                Some(&price) if c != zero => price,
                _ => f64::INFINITY,
            };
            self.passing.rebuild(layer.codebook.centroids(), &price);
            self.others.resize(layer.latent.len(), 0);
            kernel::look_up(self.passing.bounds(), layer.latent, &mut self.others);
            kernel::survey_zeroed(
                self.envelope.interval(zero),
                zero as u8,
                layer.latent,
                &self.others,
                layer.codebook.len(),
                &mut self.assignment.occupancy_ecq,
            );
            self.has_others = true;
        }
        self.assignment.occupancy_ecq.get(zero).map_or(0, |&zeros| zeros as usize)
    }

    /// The flip point of every weight. After [`Self::find_others`].
    pub(super) fn find_flips(&mut self, layer: &LayerInput<'_>, relevance: &UnitRelevance, rho: f64) -> &mut Flips {
        if self.flips_for != Some(rho) {
            let costs = costs(&self.prices, layer.codebook, rho);
            let flips = self.flips.renew(layer.latent.len());
            costs.flip_points(layer.latent, &self.others, relevance.inverse_logs(), flips);
            self.flips_for = Some(rho);
        }
        &mut self.flips
    }

    /// Zero for each weight whose flip point is at most β, its best other cluster for the rest. After
    /// [`Self::find_others`]; flip points that are known are used, others are not kept.
    pub(super) fn assign_flipped(&mut self, layer: &LayerInput<'_>, relevance: &UnitRelevance, rho: f64, beta: f32) {
        /// In between squares are normal numbers in f32.
        const SMALL: f32 = 1e-12;
        const LARGE: f32 = 1e12;
        let is_normal =
            layer.codebook.step_size() > SMALL && self.extremes.is_some_and(|(min, max)| -LARGE < min && max < LARGE);
        if self.flips_for != Some(rho) && !is_normal {
            self.find_flips(layer, relevance, rho);
        }
        let zero = layer.codebook.zero() as u8;
        let clusters = &mut self.assignment.clusters;
        if self.flips_for == Some(rho) {
            kernel::flip(beta, zero, self.flips.values(), &self.others, clusters);
        } else {
            let costs = costs(&self.prices, layer.codebook, rho);
            costs.assign(beta, zero, layer.latent, &self.others, relevance.inverse_logs(), clusters);
        }
        self.is_assigned = false;
        self.count();
    }

    fn count(&mut self) {
        let mut histogram = Histogram::new();
        histogram.add(&self.assignment.clusters);
        histogram.write(self.prices.len(), &mut self.assignment.occupancy);
    }
}

fn costs(prices: &[f64], codebook: &Codebook, rho: f64) -> Costs {
    let mut clusters = [[0.0; 2]; 256];
    for ((cost, &centroid), &price) in clusters.iter_mut().zip(codebook.centroids()).zip(prices) {
        *cost = [f64::from(centroid), price];
    }
    Costs { clusters, zero: prices.get(codebook.zero()).copied().unwrap_or_default(), rho }
}
