//! One layer of random weights and relevances, assigned again and again; and how fast memory is read beside it.

use ecqx_core::quant::{Codebook, LayerInput, Mode, QuantizeSettings, UnitRelevance, Workspace};
use ecqx_core::rng::Rng;
use wasm_bindgen::prelude::*;

/// What a call must compute anew.
#[derive(Debug, Clone, Copy)]
enum Change {
    Weights,
    Lambda,
    P,
}

/// A layer and its quantizer.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Assignment {
    weights: Vec<f32>,
    values: Vec<f32>,
    relevance: UnitRelevance,
    codebook: Codebook,
    work: Workspace,
    settings: QuantizeSettings,
    change: Change,
    calls: usize,
}

#[wasm_bindgen]
impl Assignment {
    /// `method` is one of the core's, `beta` below 0 stands for a search, `change` says what differs from call to call:
    /// `weights`, `lambda` or `p`.
    ///
    /// # Errors
    /// Another method or change; settings out of range.
    #[wasm_bindgen(constructor)]
    pub fn new(
        weights: usize,
        method: &str,
        bits: u8,
        beta: f64,
        reference: bool,
        change: &str,
    ) -> Result<Self, JsError> {
        let change = match change {
            "weights" => Change::Weights,
            "lambda" => Change::Lambda,
            "p" => Change::P,
            other => return Err(JsError::new(&format!("there is no change {other:?}"))),
        };
        let mut rng = Rng::new(1, 0);
        let latent: Vec<f32> = (0..weights).map(|_| (rng.normal() * 0.05) as f32).collect();
        let relevance: Vec<f32> = (0..weights).map(|_| (rng.normal() * rng.normal()) as f32).collect();
        let settings = QuantizeSettings {
            mode: if reference { Mode::Reference } else { Mode::Exact },
            beta: (beta >= 0.0).then_some(beta),
            ..QuantizeSettings::new(method.parse()?, bits, 0.1, 0.01)
        };
        settings.quantizer()?;
        Ok(Self {
            values: vec![0.0; weights],
            relevance: UnitRelevance::new("layer", &relevance)?,
            codebook: Codebook::uniform("layer", &latent, bits)?,
            work: Workspace::default(),
            weights: latent,
            settings,
            change,
            calls: 0,
        })
    }

    /// Assigns so many times, and writes the values of the clusters each time. Returns the sparsity of the last.
    ///
    /// # Errors
    /// None with what the constructor lets through.
    pub fn run(&mut self, times: usize) -> Result<f64, JsError> {
        for _ in 0..times {
            self.calls += 1;
            // By so little that the work is the same.
            let nudge = 1.0 + (self.calls % 64) as f64 * 1e-4;
            match self.change {
                Change::Weights => self.work.weights_changed(),
                Change::Lambda => self.settings.lambda = 0.1 * nudge,
                Change::P => self.settings.p = 0.01 * nudge,
            }
            let layer =
                LayerInput::new("layer", &self.weights, Some(&self.relevance), &self.codebook, self.weights.len())?;
            self.settings.quantizer()?.assign(&layer, &mut self.work)?;
            self.codebook.write(&self.work.assignment().clusters, &mut self.values);
        }
        Ok(self.work.assignment().sparsity())
    }

    /// Reads all weights so many times and returns a sum: the stream beside which the figures stand.
    #[wasm_bindgen(js_name = runStream)]
    pub fn run_stream(&self, times: usize) -> f32 {
        let mut lanes = [0.0_f32; 32];
        for _ in 0..times {
            for block in self.weights.as_chunks::<32>().0 {
                for (lane, &w) in lanes.iter_mut().zip(block) {
                    *lane += w;
                }
            }
        }
        lanes.iter().sum()
    }
}
