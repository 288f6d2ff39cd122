//! `ecqx qat`

use anyhow::{Context, Result, bail};
use ecqx_core::data::{Dataset, Split};
use ecqx_core::model::{Model, QuantizedTensor};
use ecqx_core::nn::{Evaluation, Network};
use ecqx_core::qat::{Best, EpochReport, Finish, Order, QatSettings, QatTrainer};
use ecqx_core::quant::{QuantizeReport, QuantizeSettings};
use serde::Serialize;
use serde_json::json;

use super::progress;
use crate::args::Qat;
use crate::{files, interrupt, output};

#[derive(Debug, Serialize)]
struct Report {
    /// Epochs that were run, and why they ended.
    epochs: u32,
    finish: Finish,
    steps: usize,
    /// Which samples chose the best epoch, which is the one that was written.
    validation: &'static str,
    best: EpochReport,
    history: Vec<EpochReport>,
    /// The net before training with its float weights, and the one that was written.
    float: Evaluations,
    quantized: Evaluations,
    /// Of the net that was written, as `ecqx quantize` reports it.
    #[serde(flatten)]
    assignment: QuantizeReport,
    /// Mean loss of each batch before its step, in nats.
    losses: Vec<f64>,
}

/// On each split that the dataset has, whole.
#[derive(Debug, Serialize)]
struct Evaluations {
    train: Option<Evaluation>,
    test: Option<Evaluation>,
}

pub(crate) fn run(args: &Qat, json: bool) -> Result<()> {
    let settings = settings(args);
    settings.check()?; // before any file that bad settings would make us read in vain
    let model = files::read_model(&args.model)?;
    let dataset = files::read_dataset(&args.data, &model)?;
    let whole = dataset.train().with_context(|| files::first_name(&args.data))?;
    let held_out = if args.validation == 0.0 { None } else { Some(whole.hold_out(args.validation, args.seed)?) };
    let (train, validation, chosen_by) = match (&held_out, &dataset.test) {
        (Some((train, validation)), _) => (train, validation, "held-out"),
        (None, Some(test)) => (whole, test, "test"),
        (None, None) => (whole, whole, "train"),
    };
    let float = evaluate(&model.network, &dataset)?;
    let order = Order { batch_size: args.batch_size as usize, shuffle: (!args.no_shuffle).then_some(args.seed) };
    let mut trainer = QatTrainer::new(&model.network, settings, order, train)?;
    let progress = progress::bar(trainer.steps_per_epoch() * args.epochs as usize)?;
    interrupt::listen()?;
    let (mut losses, mut history) = (Vec::new(), Vec::new());
    let finish = loop {
        if let Some(finish) = trainer.finished() {
            break finish;
        }
        if interrupt::asked() {
            progress.finish_and_clear();
            return stop(args, model, trainer);
        }
        let report = trainer.step(train, validation).context("training cannot go on, lower the learning rate")?;
        losses.push(report.loss);
        history.extend(report.ended);
        let (epoch, loss, zeros) = (report.epoch, report.loss, report.sparsity * 100.0);
        progress.set_message(format!("epoch {epoch}, loss {loss:.4}, {zeros:.1} % zeros"));
        progress.inc(1);
    };
    progress.finish_and_clear();
    let Some(best) = trainer.into_best() else { bail!("no epoch came to its end; nothing was written") };
    let quantized = evaluate(&best.quantized, &dataset)?;
    write(args, model, &best, quantized.test.as_ref())?;
    let (epochs, steps, validation) = (history.len() as u32, losses.len(), chosen_by);
    let Best { epoch: best, report: assignment, .. } = best;
    let report = Report { epochs, finish, steps, validation, best, history, float, quantized, assignment, losses };
    output::print(json, &report, || text(&report))
}

fn settings(args: &Qat) -> QatSettings {
    let settings = QatSettings::new(QuantizeSettings {
        method: args.method,
        bits: args.bits,
        lambda: args.lambda,
        p: args.p,
        mode: args.mode,
        beta: args.beta,
        rho: args.rho,
        layers: args.layers.clone(),
    });
    QatSettings {
        lr: args.lr,
        alpha: args.alpha,
        composite: args.composite.clone(),
        output_relevance: args.output_relevance,
        batch_norm: args.batch_norm,
        ste: args.ste.unwrap_or(settings.ste),
        relevance_on: args.relevance_on.unwrap_or(settings.relevance_on),
        assign_every: args.assign_every,
        epochs: args.epochs,
        patience: args.patience,
        ..settings
    }
}

fn evaluate(network: &Network, dataset: &Dataset) -> Result<Evaluations> {
    let mut tape = network.evaluation_tape();
    let mut one =
        |split: &Option<Split>| split.as_ref().map(|split| network.evaluate(split, &mut tape, |_| ())).transpose();
    Ok(Evaluations { train: one(&dataset.train)?, test: one(&dataset.test)? })
}

/// Writes the best net as a quantized model, with the latent weights behind it.
fn write(args: &Qat, model: Model, best: &Best, test: Option<&Evaluation>) -> Result<()> {
    let mut model = Model { network: best.quantized.clone(), ..model };
    // That of the float weights is no longer true.
    model.metadata.remove("accuracy");
    model.metadata.extend(test.map(|test| ("accuracy".into(), test.accuracy.to_string())));
    let tensors = QuantizedTensor::with_latent(&best.quantized, &best.latent, &best.report);
    let mut how = json!(settings(args));
    if let Some(how) = how.as_object_mut() {
        how.extend([("batch_size".into(), json!(args.batch_size)), ("seed".into(), json!(args.seed))]);
        how.insert("shuffle".into(), json!(!args.no_shuffle));
        how.insert("validation".into(), json!(args.validation));
        how.insert("best_epoch".into(), json!(best.epoch.epoch));
    }
    files::write(&args.output, &model.to_quantized_bytes(&tensors, how.to_string()))
}

/// Ends an interrupted run: with the best net so far, or with nothing before the end of the first epoch.
fn stop(args: &Qat, model: Model, trainer: QatTrainer) -> Result<()> {
    let Some(best) = trainer.into_best() else { bail!("stopped before the first epoch ended; nothing was written") };
    write(args, model, &best, None)?;
    let EpochReport { epoch, validation, .. } = best.epoch;
    let (output, accuracy) = (args.output.display(), validation.accuracy * 100.0);
    bail!(
        "stopped; {output} holds the best net so far, of epoch {epoch} of {} ({accuracy:.2} % of the validation samples)",
        args.epochs
    )
}

fn text(report: &Report) -> String {
    let named = [
        ("float, train", &report.float.train),
        ("float, test", &report.float.test),
        ("quantized, train", &report.quantized.train),
        ("quantized, test", &report.quantized.test),
    ];
    let mut lines =
        vec![format!("epoch {} of {}, the best by {} samples", report.best.epoch, report.epochs, report.validation)];
    lines.extend(named.into_iter().filter_map(|(name, found)| Some(output::evaluation(name, found.as_ref()?))));
    lines.push(output::quantized(&report.assignment));
    lines.join("\n")
}
