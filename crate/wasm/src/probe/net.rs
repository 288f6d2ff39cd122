//! A net with its data, run and trained as callers of the core do it.

use ecqx_core::data::{Batches, Dataset, Split};
use ecqx_core::model::{Architecture, Model};
use ecqx_core::nn::{Adam, Mode, Network, Optimizer, Sgd, Tape, Trainer};
use js_sys::Float32Array;
use ndarray::Array2;
use serde::Deserialize;
use wasm_bindgen::prelude::*;

/// A net, the samples it works on, and all memory of a pass and of a training step, made once.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Net {
    network: Network,
    split: Split,
    tape: Tape,
    logits: Vec<f32>,
    training: Option<(Trainer, Batches)>,
}

#[wasm_bindgen]
impl Net {
    /// A net of this architecture (JSON) with He-initialised weights and no samples.
    ///
    /// # Errors
    /// An architecture that the core refuses.
    #[wasm_bindgen(constructor)]
    pub fn new(architecture: &str, seed: u32) -> Result<Self, JsError> {
        let network = Model::initialise(Architecture::from_json(architecture)?, seed.into())?.network;
        let tape = network.evaluation_tape();
        let split = Split { x: Array2::zeros((0, 0)), y: Vec::new() };
        Ok(Self { network, split, tape, logits: Vec::new(), training: None })
    }

    /// All parameters in file order.
    pub fn weights(&self) -> Vec<f32> {
        self.network.parameters().flat_map(|parameter| parameter.values.to_vec()).collect()
    }

    /// Overwrites all parameters, in the order of `weights`.
    ///
    /// # Errors
    /// Another number of values.
    #[wasm_bindgen(js_name = setWeights)]
    pub fn set_weights(&mut self, values: &[f32]) -> Result<(), JsError> {
        let expected: usize = self.network.parameters().map(|parameter| parameter.values.len()).sum();
        if values.len() != expected {
            return Err(JsError::new(&format!("{} weights, the net has {expected}", values.len())));
        }
        let mut rest = values;
        for parameter in self.network.parameters_mut() {
            let (own, others) = rest.split_at(parameter.len());
            parameter.copy_from_slice(own);
            rest = others;
        }
        Ok(())
    }

    /// Samples [n, features] and their labels, for all that follows.
    ///
    /// # Errors
    /// Numbers that do not divide into samples of the net's input.
    #[wasm_bindgen(js_name = setSamples)]
    pub fn set_samples(&mut self, x: &[f32], labels: &[u32]) -> Result<(), JsError> {
        let features = self.network.input().iter().product();
        let x = Array2::from_shape_vec((labels.len(), features), x.to_vec())?;
        self.split = Split { x, y: labels.iter().map(|&label| label as usize).collect() };
        self.training = None;
        Ok(())
    }

    /// The logits of all samples, [n, classes], in passes as long as `Network::evaluate` makes them.
    pub fn forward(&mut self) -> Float32Array {
        self.logits.clear();
        for (x, _) in self.split.chunks(self.tape.capacity()) {
            let logits = self.network.forward(x, &mut self.tape, Mode::Evaluate);
            self.logits.extend_from_slice(logits.as_slice().unwrap_or_default());
        }
        // The one copy that leaves this memory.
        Float32Array::from(self.logits.as_slice())
    }

    /// A fresh Adam, and batches in the order of the samples; the last of an epoch may be smaller.
    ///
    /// # Errors
    /// A learning rate that is not above 0.
    #[wasm_bindgen(js_name = startTraining)]
    pub fn start_training(&mut self, batch: usize, learning_rate: f64) -> Result<(), JsError> {
        let batches = Batches::new(&self.split, batch, None);
        let adam = Box::new(Adam::new(learning_rate, 0.0)?);
        self.training = Some((Trainer::new(&self.network, batches.size(), adam)?, batches));
        Ok(())
    }

    /// So many training steps, one batch each. Returns the mean loss of each batch before its step, in nats.
    ///
    /// # Errors
    /// Before `startTraining`, and where training diverges.
    pub fn train(&mut self, steps: usize) -> Result<Vec<f64>, JsError> {
        let Some((trainer, batches)) = &mut self.training else {
            return Err(JsError::new("call startTraining first"));
        };
        let mut losses = Vec::with_capacity(steps);
        for _ in 0..steps {
            let (x, labels) = batches.next(&self.split);
            losses.push(trainer.step(&mut self.network, x, labels)?);
        }
        Ok(losses)
    }
}

/// How `train_file` trains.
#[derive(Debug, Deserialize)]
struct Training {
    epochs: usize,
    batch: usize,
    rate: f64,
    /// That of SGD; without any, Adam trains.
    momentum: Option<f64>,
    decay: f64,
    seed: u32,
}

/// The file of a net trained from scratch, as the command `ecqx train` makes it: Adam, or SGD if there is a momentum;
/// batches shuffled by the seed.
///
/// # Errors
/// An architecture, a dataset or a setting that the core refuses, and where training diverges.
#[wasm_bindgen(js_name = trainFile)]
pub fn train_file(
    architecture: &str,
    dataset: &[u8],
    #[wasm_bindgen(
        unchecked_param_type = "{ epochs: number; batch: number; rate: number; momentum?: number; decay: number; seed: number }"
    )]
    training: JsValue,
) -> Result<Vec<u8>, JsError> {
    let Training { epochs, batch, rate, momentum, decay, seed } = serde_wasm_bindgen::from_value(training)?;
    let mut model = Model::initialise(Architecture::from_json(architecture)?, seed.into())?;
    let dataset = Dataset::from_bytes(dataset)?;
    let split = dataset.train()?;
    let mut batches = Batches::new(split, batch, Some(seed.into()));
    let optimizer: Box<dyn Optimizer> = match momentum {
        Some(momentum) => Box::new(Sgd::new(rate, momentum, decay)?),
        None => Box::new(Adam::new(rate, decay)?),
    };
    let mut trainer = Trainer::new(&model.network, batches.size(), optimizer)?;
    for _ in 0..batches.per_epoch() * epochs {
        let (x, labels) = batches.next(split);
        trainer.step(&mut model.network, x, labels)?;
    }
    Ok(model.to_bytes())
}
