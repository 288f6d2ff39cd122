//! Epochs of steps: what they came to, which was best, when it is over.

use serde::{Deserialize, Serialize};

use super::history::{EpochReport, EpochRow, History, LayerRow, StepReport};
use super::{Order, QatError, QatNet, QatSettings};
use crate::CoreError;
use crate::data::{Batches, Split};
use crate::nn::{LossPass, Network, Tape};
use crate::quant::{LayerReport, QuantizeReport};

/// Less validation accuracy than this is no gain: 0.1 points.
const GAIN: f64 = 1e-3;

/// A training under way. It holds no data: each step is given the same splits. A step allocates nothing but at the end
/// of an epoch.
///
/// The best epoch is the one after which the quantized net answers most of the validation samples right; of equals, the
/// one with the lower validation loss; of those, the first. The net before training does not count.
#[derive(Debug)]
pub struct QatTrainer {
    pub(super) net: QatNet,
    pub(super) settings: QatSettings,
    pub(super) order: Order,
    pub(super) batches: Batches,
    pub(super) pass: LossPass,
    /// For whole splits; made at the end of the first epoch.
    evaluation: Option<Tape>,
    pub(super) progress: Progress,
    pub(super) best: Option<Best>,
    pub(super) history: History,
}

/// How far it has come.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub(super) struct Progress {
    pub(super) steps: u64,
    /// Whole ones.
    pub(super) epochs: u32,
    /// Sum over the batches of this epoch.
    pub(super) loss: f64,
    /// Accuracy after the last gain, and epochs since.
    pub(super) gained: Option<f64>,
    pub(super) waited: u32,
}

/// The net after the best epoch so far.
#[derive(Debug, Clone)]
pub struct Best {
    /// Which epoch, and how good.
    pub epoch: EpochReport,
    /// With the quantized weights.
    pub quantized: Network,
    /// With the latent weights; all else as in the quantized one.
    pub latent: Network,
    /// What the assignment came to.
    pub report: QuantizeReport,
}

/// Why a training is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Finish {
    /// All epochs are done.
    Epochs,
    /// There was no gain for as many epochs as the settings wait.
    Patience,
}

impl QatTrainer {
    /// Takes a float net and assigns its weights for the first time. `train` is what it will learn.
    ///
    /// # Errors
    /// Settings out of range, a net that is not finite, samples that do not fit it.
    pub fn new(network: &Network, settings: QatSettings, order: Order, train: &Split) -> Result<Self, CoreError> {
        let net = QatNet::new(network, &settings)?;
        let (batches, pass) = start(network, order, train)?;
        let (progress, history) = (Progress::default(), History::default());
        Ok(Self { net, settings, order, batches, pass, evaluation: None, progress, best: None, history })
    }

    /// Put together from its parts.
    pub(super) fn of(
        (net, settings): (QatNet, QatSettings),
        (order, batches, pass): (Order, Batches, LossPass),
        (progress, best, history): (Progress, Option<Best>, History),
    ) -> Self {
        Self { net, settings, order, batches, pass, evaluation: None, progress, best, history }
    }

    /// One step on the next batch of `train`; after the last one of an epoch the net is also evaluated on `validation`.
    ///
    /// # Errors
    /// Other samples than at the start; numbers that are no longer finite: then training is over, and [`Self::best`] is
    /// what is left of it.
    pub fn step(&mut self, train: &Split, validation: &Split) -> Result<StepReport, CoreError> {
        let size = self.batches.position().0.len();
        expect_fit(&self.net.latent, train, "training")?;
        expect_fit(&self.net.latent, validation, "validation")?;
        if train.len() != size {
            return Err(QatError::Data { what: "training" }.into());
        }
        let batch = self.batches.next(train);
        let loss = self.net.step(batch, &self.settings, &mut self.pass, self.progress.steps)?;
        self.progress.steps += 1;
        self.progress.loss += loss;
        let is_last = self.batches.position().1 >= size;
        let assigned = is_last || self.progress.steps.is_multiple_of(self.settings.assign_every.into());
        if assigned {
            self.net.assign(&self.settings)?;
        }
        let epoch = self.progress.epochs + 1;
        let ended = if is_last { Some(self.end_epoch(validation)?) } else { None };
        let summary = self.net.summary;
        let (sparsity, entropy_bits_per_weight) = (summary.sparsity, summary.entropy_bits_per_weight);
        let step = self.progress.steps;
        let report = StepReport { step, epoch, loss, assigned, sparsity, entropy_bits_per_weight, ended };
        self.history.steps.push(report);
        Ok(report)
    }

    fn end_epoch(&mut self, validation: &Split) -> Result<EpochReport, CoreError> {
        let tape = self.evaluation.get_or_insert_with(|| self.net.latent.evaluation_tape());
        let found = self.net.quantized.evaluate(validation, tape, |_| ())?;
        let progress = &mut self.progress;
        progress.epochs += 1;
        let loss = std::mem::take(&mut progress.loss) / self.batches.per_epoch() as f64;
        match progress.gained {
            Some(gained) if found.accuracy < gained + GAIN => progress.waited += 1,
            _ => (progress.gained, progress.waited) = (Some(found.accuracy), 0),
        }
        let is_best = self.best.as_ref().is_none_or(|best| {
            let last = &best.epoch.validation;
            found.correct > last.correct || (found.correct == last.correct && found.loss < last.loss)
        });
        let epoch = EpochReport {
            epoch: progress.epochs,
            loss,
            validation: found,
            sparsity: self.net.summary.sparsity,
            entropy_bits_per_weight: self.net.summary.entropy_bits_per_weight,
            is_best,
        };
        let report = self.net.report(&self.settings);
        self.history.epochs.push(EpochRow { report: epoch, layers: report.layers.iter().map(Into::into).collect() });
        if is_best {
            let (quantized, latent) = (self.net.quantized.clone(), self.net.latent.clone());
            self.best = Some(Best { epoch, quantized, latent, report });
        }
        Ok(epoch)
    }

    /// Changes the settings from the next step on; the weights are assigned by the new ones at once. Nothing starts
    /// anew.
    ///
    /// # Errors
    /// Settings out of range or for other layers; nothing is changed then.
    pub fn change(&mut self, settings: QatSettings) -> Result<(), CoreError> {
        self.net.change(&self.settings, &settings)?;
        self.settings = settings;
        Ok(())
    }

    /// Whether and why it is over. A further step is still possible.
    pub fn finished(&self) -> Option<Finish> {
        let Progress { epochs, waited, .. } = self.progress;
        match self.settings.patience {
            _ if epochs >= self.settings.epochs => Some(Finish::Epochs),
            patience if patience > 0 && waited >= patience => Some(Finish::Patience),
            _ => None,
        }
    }

    /// What holds now.
    pub fn settings(&self) -> &QatSettings {
        &self.settings
    }

    /// Steps in an epoch.
    pub fn steps_per_epoch(&self) -> usize {
        self.batches.per_epoch()
    }

    /// Steps made so far.
    pub fn steps(&self) -> u64 {
        self.progress.steps
    }

    /// The net as it is now.
    pub fn net(&self) -> &QatNet {
        &self.net
    }

    /// What the last assignment came to.
    pub fn report(&self) -> QuantizeReport {
        self.net.report(&self.settings)
    }

    /// The net after the best epoch; `None` before the end of the first.
    pub fn best(&self) -> Option<&Best> {
        self.best.as_ref()
    }

    /// The same, of a training that is over.
    pub fn into_best(self) -> Option<Best> {
        self.best
    }

    /// What it came through.
    pub fn history(&self) -> &History {
        &self.history
    }
}

/// Batches in their order from the start, and memory for one.
pub(super) fn start(network: &Network, order: Order, train: &Split) -> Result<(Batches, LossPass), CoreError> {
    expect_fit(network, train, "training")?;
    if order.batch_size == 0 {
        return Err(QatError::Setting { name: "batch-size", got: 0.0, range: "1 or more" }.into());
    }
    if train.y.iter().any(|&label| label >= network.outputs()) {
        return Err(QatError::Data { what: "training" }.into());
    }
    let batches = Batches::new(train, order.batch_size, order.shuffle);
    let pass = LossPass::new(network, batches.size())?;
    Ok((batches, pass))
}

fn expect_fit(network: &Network, split: &Split, what: &'static str) -> Result<(), QatError> {
    let features: usize = network.input().iter().product();
    let fits = split.x.dim() == (split.len(), features) && !split.is_empty();
    if fits { Ok(()) } else { Err(QatError::Data { what }) }
}

impl From<&LayerReport> for LayerRow {
    fn from(layer: &LayerReport) -> Self {
        Self {
            name: layer.name.clone(),
            sparsity: layer.sparsity,
            entropy_bits_per_weight: layer.entropy_bits_per_weight,
            occupancy: layer.occupancy.clone(),
        }
    }
}
