//! `ecqx train`

use std::path::Path;

use anyhow::{Context, Result};
use ecqx_core::data::{Batches, Dataset};
use ecqx_core::model::{Architecture, Model};
use ecqx_core::nn::{Adam, Evaluation, Optimizer, Sgd, Trainer};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use serde_json::json;

use crate::args::{OptimizerName, Train};
use crate::{files, output};

const DIVERGED: &str = "training diverged, lower the learning rate";

#[derive(Debug, Serialize)]
struct Report {
    epochs: u32,
    steps: usize,
    train: Evaluation,
    /// The test split, where the dataset has one.
    test: Option<Evaluation>,
    /// Mean loss of each batch before its step, in nats.
    losses: Vec<f64>,
}

pub(crate) fn run(args: &Train, json: bool) -> Result<()> {
    let mut model = read_start(&args.model, args.seed)?;
    let dataset = files::read_dataset(&args.data, &model)?;
    let split = dataset.train()?;
    let mut batches = Batches::new(split, args.batch_size as usize, (!args.no_shuffle).then_some(args.seed));
    let mut trainer = Trainer::new(&model.network, batches.size(), optimizer(args)?);
    let steps = batches.per_epoch() * args.epochs as usize;
    let progress = ProgressBar::new(steps as u64)
        .with_style(ProgressStyle::with_template("{bar:30} {pos}/{len} steps, {per_sec:.0}, {eta} left, {msg}")?);
    let mut losses = Vec::new();
    for _ in 0..steps {
        let (x, labels) = batches.next(split);
        let loss = trainer.step(&mut model.network, x, labels)?;
        losses.push(loss);
        progress.set_message(format!("loss {loss:.4}"));
        progress.inc(1);
    }
    progress.finish_and_clear();
    let mut tape = model.network.evaluation_tape();
    model.network.check_finite().context(DIVERGED)?;
    let train = model.network.evaluate(split, &mut tape, |_| ()).context(DIVERGED)?;
    let test = dataset.test.as_ref().map(|test| model.network.evaluate(test, &mut tape, |_| ())).transpose()?;
    describe(&mut model, &dataset, args, test.as_ref());
    files::write(&args.output, &model.to_bytes())?;
    let report = Report { epochs: args.epochs, steps, train, test, losses };
    output::print(json, &report, || {
        let train = Some(output::evaluation("train", &report.train));
        let test = report.test.as_ref().map(|test| output::evaluation("test", test));
        train.into_iter().chain(test).collect::<Vec<_>>().join("\n")
    })
}

/// A model, or a fresh net of an architecture.
fn read_start(path: &Path, seed: u64) -> Result<Model> {
    if path.extension().is_none_or(|extension| extension != "json") {
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

/// What the file says of itself: name, data, and how to make it again.
fn describe(model: &mut Model, dataset: &Dataset, args: &Train, test: Option<&Evaluation>) {
    let stem = |path: &Path| path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
    let metadata = &mut model.metadata;
    metadata.extend(stem(&args.output).map(|name| ("name".into(), name)));
    metadata.insert("dataset".into(), dataset.name.clone());
    metadata.insert("classes".into(), json!(dataset.classes).to_string());
    metadata.extend(test.map(|test| ("accuracy".into(), test.accuracy.to_string())));
    // A quantized start is no longer what training leaves behind.
    metadata.remove("quantization");
}
