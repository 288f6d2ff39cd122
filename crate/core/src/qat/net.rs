//! A net that learns while it carries quantized weights: one step.

use ndarray::ArrayView2;
use serde::{Deserialize, Serialize};

use super::{QatSettings, RelevanceOn};
use crate::CoreError;
use crate::lrp::{Explainer, RelevanceMean};
use crate::nn::{Adam, LossPass, Moments, Network, Optimizer};
use crate::quant::{Method, NetQuantizer, QuantizeReport, QuantizeSettings};
use crate::stats::entropy_bits;

/// Of biases, batch norm and layers that are not quantized, added to their gradient.
const WEIGHT_DECAY: f64 = 5e-6;

/// Latent weights W, and the net that carries their quantized values Q(W).
///
/// ```text
/// 1  loss and gradients of the net with Q(W), batch norm in training mode
/// 2  gradient of w = gradient of Q(w) · factor of the estimator
/// 3  Adam on W; another Adam on all other parameters, with weight decay 5e-6
/// 4  relevances of the batch in evaluation mode, R ← (1 − α)·R_new + α·R_old      (ECQx)
/// 5  Q(W) from W and |R| / max |R|, by the codebooks of the first weights
/// ```
/// The first assignment is ECQ's, since there is no relevance yet.
///
/// Source: Becking et al. 2022, section 4. Differs in mode *exact*: the plain estimator, and relevances of latent
/// weights, without which zero would hold what it has. Vectors in mode *reference*: `qat-*`.
#[derive(Debug)]
pub struct QatNet {
    pub(super) latent: Network,
    pub(super) quantized: Network,
    /// Where quantized weights take a step of their own.
    stepped: Option<Network>,
    pub(super) quantizer: NetQuantizer,
    pub(super) mean: RelevanceMean,
    explainer: Explainer,
    pub(super) optimizers: Optimizers,
    /// By node, and by parameter.
    nodes: Vec<bool>,
    parameters: Vec<bool>,
    /// Of the last assignment.
    pub(super) summary: Summary,
    /// That of an assignment that was made before this net was taken up again; holds until the next one.
    pub(super) report: Option<QuantizeReport>,
}

/// Of latent weights; of all other parameters; of quantized weights that take a step of their own.
#[derive(Debug, Clone)]
pub(super) struct Optimizers {
    pub(super) weights: Adam,
    pub(super) others: Adam,
    pub(super) carried: Adam,
}

/// An assignment in two numbers, over all quantized weights.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Share of the weights in a zero cluster.
    pub sparsity: f64,
    /// Mean over layers of their first-order entropy, by weights.
    pub entropy_bits_per_weight: f64,
}

impl Optimizers {
    pub(super) fn new(lr: f64) -> Result<Self, CoreError> {
        let with_decay = Adam::new(lr, WEIGHT_DECAY)?;
        Ok(Self { weights: Adam::new(lr, 0.0)?, others: with_decay.clone(), carried: with_decay })
    }

    /// Goes on from the state of others; the settings stay.
    pub(super) fn with_state(self, [weights, others, carried]: [Vec<Moments>; 3]) -> Self {
        Self {
            weights: self.weights.with_state(weights),
            others: self.others.with_state(others),
            carried: self.carried.with_state(carried),
        }
    }

    pub(super) fn all(&self) -> [&Adam; 3] {
        [&self.weights, &self.others, &self.carried]
    }
}

impl QatNet {
    /// Takes a float net and assigns its weights for the first time.
    ///
    /// # Errors
    /// Settings out of range or for other layers, weights that are not finite.
    pub fn new(network: &Network, settings: &QatSettings) -> Result<Self, CoreError> {
        let mut own = Self::unassigned(network.clone(), network.clone(), settings)?;
        own.assign(settings)?;
        Ok(own)
    }

    /// A net whose weights were assigned before, or will be.
    pub(super) fn unassigned(latent: Network, quantized: Network, settings: &QatSettings) -> Result<Self, CoreError> {
        settings.check()?;
        latent.check_finite()?;
        Ok(Self {
            quantizer: NetQuantizer::new(&latent)?,
            explainer: Explainer::new(&latent, &settings.explain())?,
            optimizers: Optimizers::new(settings.lr)?,
            latent,
            quantized,
            stepped: None,
            mean: RelevanceMean::default(),
            nodes: Vec::new(),
            parameters: Vec::new(),
            summary: Summary::default(),
            report: None,
        })
    }

    /// One step on a batch. Returns the mean loss of the quantized net before it, in nats. `step` counts from 0 and is
    /// only for errors.
    ///
    /// # Errors
    /// Numbers that are no longer finite; no further step can then be made.
    pub(super) fn step(
        &mut self,
        (x, labels): (ArrayView2<'_, f32>, &[usize]),
        settings: &QatSettings,
        pass: &mut LossPass,
        step: u64,
    ) -> Result<f64, CoreError> {
        let loss = pass.measure(&self.quantized, x, labels, step as usize)?;
        let is_stepped = settings.needs_relevance() && settings.relevance_on == RelevanceOn::Stepped;
        if is_stepped {
            let stepped = self.stepped.get_or_insert_with(|| self.quantized.clone());
            stepped.follow(&self.quantized, |_| false);
            step_some(&mut self.optimizers.carried, stepped, pass, self.parameters.iter().copied());
        }
        for (node, quantized) in self.quantized.weights() {
            let gradient = pass.gradients.weight_mut(node).filter(|_| is_set(&self.nodes, node));
            settings.ste.pass_through(quantized, gradient.unwrap_or_default());
        }
        step_some(&mut self.optimizers.weights, &mut self.latent, pass, self.parameters.iter().copied());
        step_some(&mut self.optimizers.others, &mut self.latent, pass, self.parameters.iter().map(|own| !own));
        self.latent.learn_statistics(&pass.tape);
        self.quantized.follow(&self.latent, |node| is_set(&self.nodes, node));
        if settings.needs_relevance() {
            let network = match (&mut self.stepped, settings.relevance_on) {
                (Some(stepped), RelevanceOn::Stepped) => {
                    stepped.follow(&self.latent, |node| is_set(&self.nodes, node));
                    stepped
                }
                (_, RelevanceOn::Quantized) => &self.quantized,
                _ => &self.latent,
            };
            let relevances = self.explainer.explain(network, x, labels, &mut pass.tape)?;
            self.mean.add(relevances, settings.alpha as f32);
        }
        Ok(loss)
    }

    /// Assigns the latent weights anew, with the relevance so far.
    pub(super) fn assign(&mut self, settings: &QatSettings) -> Result<(), CoreError> {
        self.quantizer.weights_changed();
        if settings.needs_relevance() && self.mean.weights().is_empty() {
            let first = QuantizeSettings { method: Method::Ecq, ..settings.quantize.clone() };
            self.quantizer.assign(&self.latent, &first)?;
        } else {
            for (node, relevance) in self.mean.weights().iter().filter(|_| settings.needs_relevance()) {
                self.quantizer.set_relevance(*node, relevance)?;
            }
            self.quantizer.assign(&self.latent, &settings.quantize)?;
        }
        self.mark_quantized();
        // A layer that is excluded by now may still carry centroids.
        self.quantized.follow(&self.latent, |node| is_set(&self.nodes, node));
        self.quantizer.write_into(&mut self.quantized);
        self.summary = Summary::of(&self.quantizer);
        self.report = None;
        Ok(())
    }

    /// Takes over settings that hold from the next step on, and assigns by them. Bad settings change nothing.
    pub(super) fn change(&mut self, old: &QatSettings, new: &QatSettings) -> Result<(), CoreError> {
        new.check()?;
        let explainer = Explainer::new(&self.latent, &new.explain())?;
        let optimizers = Optimizers::new(new.lr)?;
        if old.quantize != new.quantize {
            self.assign(new)?;
        }
        self.explainer = explainer;
        let Optimizers { weights, others, carried } = std::mem::replace(&mut self.optimizers, optimizers.clone());
        self.optimizers = optimizers.with_state([weights, others, carried].map(Adam::into_state));
        Ok(())
    }

    /// Writes down which nodes and parameters are quantized, where that has changed.
    pub(super) fn mark_quantized(&mut self) {
        let is_known = self.quantizer.layers().all(|layer| is_set(&self.nodes, layer.node));
        if is_known && self.quantizer.layers().count() == self.nodes.iter().filter(|&&own| own).count() {
            return;
        }
        self.nodes = vec![false; self.latent.nodes().len()];
        for layer in self.quantizer.layers() {
            if let Some(own) = self.nodes.get_mut(layer.node) {
                *own = true;
            }
        }
        let names: Vec<String> = self.quantizer.layers().map(|layer| format!("{}.weight", layer.name)).collect();
        self.parameters = self.latent.parameters().map(|parameter| names.contains(&parameter.name)).collect();
    }

    /// The net with the latent weights.
    pub fn latent(&self) -> &Network {
        &self.latent
    }

    /// The net with the quantized weights.
    pub fn quantized(&self) -> &Network {
        &self.quantized
    }

    /// The running mean of relevances; empty before the first step, and where the method has no use for it.
    pub fn relevance(&self) -> &RelevanceMean {
        &self.mean
    }

    /// What the last assignment came to.
    pub fn report(&self, settings: &QatSettings) -> QuantizeReport {
        let report = || self.quantizer.report(settings.quantize.clone());
        self.report.clone().unwrap_or_else(report)
    }
}

impl Summary {
    fn of(quantizer: &NetQuantizer) -> Self {
        let (mut total, mut sparsity, mut entropy) = (0.0, 0.0, 0.0);
        for layer in quantizer.layers() {
            let weights = layer.assignment.clusters.len() as f64;
            total += weights;
            sparsity += weights * layer.assignment.sparsity();
            entropy += weights * entropy_bits(&layer.assignment.occupancy);
        }
        let share = |sum: f64| if total > 0.0 { sum / total } else { 0.0 };
        Self { sparsity: share(sparsity), entropy_bits_per_weight: share(entropy) }
    }
}

fn is_set(flags: &[bool], at: usize) -> bool {
    flags.get(at).copied().unwrap_or_default()
}

/// Steps the chosen parameters by the gradients of the pass.
fn step_some(adam: &mut Adam, network: &mut Network, pass: &LossPass, chosen: impl Iterator<Item = bool>) {
    let parameters = network.parameters_mut().zip(pass.gradients.iter()).zip(chosen);
    adam.step(&mut parameters.map(|(pair, is_chosen)| if is_chosen { pair } else { Default::default() }));
}
