//! `ecqx train`

use std::path::Path;

use anyhow::{Context, Result, bail};
use ecqx_core::data::{Batches, Dataset, Split};
use ecqx_core::model::{Architecture, Model};
use ecqx_core::nn::{Adam, Evaluation, Network, Optimizer, Sgd, Trainer};
use serde::Serialize;
use serde_json::json;

use super::progress;
use crate::args::{OptimizerName, Train};
use crate::{files, interrupt, output};

const DIVERGED: &str = "training diverged, lower the learning rate";

#[derive(Debug, Serialize)]
struct Report {
    epochs: u32,
    steps: usize,
    /// Each split that the dataset has.
    train: Option<Evaluation>,
    test: Option<Evaluation>,
    /// Mean loss of each batch before its step, in nats.
    losses: Vec<f64>,
}

/// The net after the epoch with the lowest mean loss so far: what an interrupted run leaves.
struct Best {
    network: Network,
    epoch: usize,
    loss: f64,
}

pub(crate) fn run(args: &Train, json: bool) -> Result<()> {
    let mut model = read_start(&args.model, args.seed)?;
    if is_architecture(&args.model) {
        files::expect_apart(&args.output, [&args.model])?;
    }
    let dataset = files::read_dataset(&args.data, &model)?;
    let split = dataset.train().with_context(|| files::first_name(&args.data))?;
    let mut batches = Batches::new(split, args.batch_size as usize, (!args.no_shuffle).then_some(args.seed));
    let mut trainer = Trainer::new(&model.network, batches.size(), optimizer(args)?)?;
    let (per_epoch, epochs) = (batches.per_epoch(), args.epochs as usize);
    let progress = progress::bar(per_epoch * epochs)?;
    interrupt::listen()?;
    let (mut losses, mut best) = (Vec::new(), None::<Best>);
    for epoch in 1..=epochs {
        for _ in 0..per_epoch {
            if interrupt::asked() {
                progress.finish_and_clear();
                return stop(args, model, &dataset, best, epochs);
            }
            let (x, labels) = batches.next(split);
            let loss = trainer.step(&mut model.network, x, labels)?;
            losses.push(loss);
            progress.set_message(format!("epoch {epoch}, loss {loss:.4}"));
            progress.inc(1);
        }
        let loss = losses.iter().rev().take(per_epoch).sum::<f64>() / per_epoch as f64;
        if best.as_ref().is_none_or(|best| loss < best.loss) {
            best = Some(Best { network: model.network.clone(), epoch, loss });
        }
    }
    progress.finish_and_clear();
    let [train, test] = finish(args, model, &dataset)?;
    let report = Report { epochs: args.epochs, steps: losses.len(), train, test, losses };
    output::print(json, &report, || {
        let splits = [("train", &report.train), ("test", &report.test)];
        let lines = splits.into_iter().filter_map(|(name, found)| Some(output::evaluation(name, found.as_ref()?)));
        lines.collect::<Vec<_>>().join("\n")
    })
}

/// Evaluates the trained model, says in it what it is, and writes it. Returns the splits' evaluations.
fn finish(args: &Train, mut model: Model, dataset: &Dataset) -> Result<[Option<Evaluation>; 2]> {
    model.network.check_finite().context(DIVERGED)?;
    model.network.round(args.round);
    let mut tape = model.network.evaluation_tape();
    let mut evaluate = |split: &Option<Split>| {
        split.as_ref().map(|split| model.network.evaluate(split, &mut tape, |_| ())).transpose().context(DIVERGED)
    };
    let found = [evaluate(&dataset.train)?, evaluate(&dataset.test)?];
    describe(&mut model, dataset, args, found[1].as_ref());
    files::write(&args.output, &model.to_bytes())?;
    Ok(found)
}

/// Ends an interrupted run: with the best model so far, or with nothing before the end of the first epoch.
fn stop(args: &Train, model: Model, dataset: &Dataset, best: Option<Best>, epochs: usize) -> Result<()> {
    let Some(Best { network, epoch, loss }) = best else {
        bail!("stopped before the first epoch ended; nothing was written")
    };
    finish(args, Model { network, ..model }, dataset)?;
    let output = args.output.display();
    bail!("stopped; {output} holds the best net so far, of epoch {epoch} of {epochs} (mean training loss {loss:.4})")
}

fn is_architecture(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "json")
}

/// A model, or a fresh net of an architecture.
fn read_start(path: &Path, seed: u64) -> Result<Model> {
    if !is_architecture(path) {
        return files::read_model(path);
    }
    let text = String::from_utf8(files::read(path)?).with_context(|| format!("{} is no text", path.display()))?;
    let start = || Model::initialise(Architecture::from_json(&text)?, seed);
    start().with_context(|| path.display().to_string())
}

fn optimizer(args: &Train) -> Result<Box<dyn Optimizer>> {
    Ok(match args.optimizer {
        OptimizerName::Adam => Box::new(Adam::new(args.lr, args.weight_decay)?),
        OptimizerName::Sgd => Box::new(Sgd::new(args.lr, args.momentum, args.weight_decay)?),
    })
}

/// What the file says of itself: its name, the data and their classes, and how well it does on the test split, if any.
fn describe(model: &mut Model, dataset: &Dataset, args: &Train, test: Option<&Evaluation>) {
    let stem = |path: &Path| path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
    let metadata = &mut model.metadata;
    metadata.extend(stem(&args.output).map(|name| ("name".into(), name)));
    metadata.insert("dataset".into(), dataset.name.clone());
    metadata.insert("classes".into(), json!(dataset.classes).to_string());
    // Of a model that was trained on, the start's accuracy is no longer true.
    metadata.remove("accuracy");
    metadata.extend(test.map(|test| ("accuracy".into(), test.accuracy.to_string())));
    // A quantized start is no longer what training leaves behind.
    metadata.remove("quantization");
}
